"""The tasks of an archive on a Dask cluster on this machine, one of whose workers is killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from tests.pipeline.archives import (
    command,
    environment,
    install_application,
    read,
    results,
    study_uid,
    wait_until,
    write_study,
)

from hounsfield.cli.exit_codes import ExitCode
from hounsfield.core.errors import UsageError
from hounsfield.pipeline.dask_cluster import read_on_cluster

N_STUDIES = 6


@pytest.fixture
def app(tmp_path):
    return install_application(tmp_path / "application")


@pytest.fixture
def cluster(tmp_path, app):
    """Address of a scheduler with two workers, and their processes."""
    log = (tmp_path / "dask.log").open("w")
    started = []

    def start(*words: object) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + str(words[0]), *map(str, words[1:])],
            env=environment(app),
            cwd=tmp_path,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        started.append(process)
        return process

    file = tmp_path / "scheduler.json"
    start("scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--scheduler-file", file)
    wait_until(file.exists)
    address = json.loads(file.read_text())["address"]
    workers = [
        start("worker", address, "--no-nanny", "--nthreads", 1, "--no-dashboard", "--host", "127.0.0.1")
        for _ in range(2)
    ]
    wait_until(lambda: (tmp_path / "dask.log").read_text().count("Registered to") >= 2)
    yield address, workers
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    log.close()


@pytest.mark.slow
@pytest.mark.chaos
def test_killed_worker_loses_nothing_and_repeats_nothing(tmp_path, app, cluster):
    address, workers = cluster
    archive, out = tmp_path / "in", tmp_path / "out"
    for number in range(N_STUDIES):
        write_study(archive / f"case{number}", f"case{number}", "wait 1")
    write_study(archive / "crash", "crash", "crash")
    process = command(app, "read", archive, "--out", out, "--engine", address, "-a", "obedient")
    wait_until(lambda: len(list(out.glob("*/obedient/reading.json"))) >= 1)
    os.killpg(workers[0].pid, signal.SIGKILL)
    printed, said = process.communicate(timeout=200)
    assert process.returncode == ExitCode.STUDIES_FAILED, said
    studies = {s["study"]: s for s in json.loads((out / "readings.json").read_text())["studies"]}
    assert "SIGSEGV" in studies[study_uid("crash")]["reason"]
    assert f"{N_STUDIES + 1} studies in" in printed
    by_cluster = results(out)

    # The same archive by workers of this machine: the same results, each once.
    local = tmp_path / "local"
    assert read(app, archive, "--out", local, "--workers", 2)[0] == ExitCode.STUDIES_FAILED
    assert by_cluster == results(local)
    uids = [reading["uid"] for reading in by_cluster["document"]["readings"]]
    assert len(uids) == len(set(uids)) == N_STUDIES


def test_address_where_nobody_answers_is_named(monkeypatch):
    monkeypatch.setattr("hounsfield.pipeline.dask_cluster._CONNECT_S", 0.5)
    with pytest.raises(UsageError, match="no Dask scheduler answers at"):
        list(read_on_cluster([], address="tcp://127.0.0.1:9", time_limit_s=1.0))
