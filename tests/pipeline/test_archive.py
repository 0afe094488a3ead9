"""Many studies in one command: the same results as one by one, and one bad study never stops the rest."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess

import pydicom
import pytest
from tests.pipeline.archives import (
    command,
    install_application,
    read,
    results,
    study_uid,
    wait_until,
    write_study,
)

import hounsfield
from hounsfield.cli.exit_codes import ExitCode
from hounsfield.phantoms import write_phantom
from hounsfield.pipeline import local_workers
from hounsfield.pipeline.batch import holds_many
from hounsfield.pipeline.local_workers import BYTES_OF_WORKER, default_workers

N_STUDIES = 6


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return install_application(tmp_path_factory.mktemp("application"))


def write_archive(folder, what="read", n=N_STUDIES):
    for number in range(n):
        write_study(folder / f"case{number}", f"case{number}", what)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, app):
    """Results of an archive of six studies that was read without trouble."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_archive(folder / "in", "wait 0.4")
    code, out, _ = read(app, folder / "in", "--out", folder / "out", "--workers", 2)
    assert code == ExitCode.DONE, out
    return results(folder / "out")


def n_readings(out) -> int:
    return len(list(out.glob("*/obedient/reading.json")))


@pytest.mark.slow
def test_archive_gives_what_its_studies_give_one_by_one(tmp_path, app, undisturbed):
    write_archive(tmp_path / "in", "wait 0.4", n=1)
    code, _, _ = read(app, tmp_path / "in", "--out", tmp_path / "out")
    assert code == ExitCode.DONE
    assert not (tmp_path / "out" / "journal.sqlite").exists(), "a single study needs no journal"
    (alone,) = json.loads((tmp_path / "out" / "readings.json").read_text())["readings"]
    alone["provenance"].pop("timing_s")
    for reference in alone["inputs"]:
        reference["files"] = [f"case0/{name.rpartition('/')[2]}" for name in reference["files"]]
    assert alone in undisturbed["document"]["readings"]
    assert len(undisturbed["document"]["readings"]) == N_STUDIES


@pytest.mark.slow
@pytest.mark.chaos
def test_bad_studies_fail_with_a_reason_and_the_rest_is_read(tmp_path, app):
    archive, out = tmp_path / "in", tmp_path / "out"
    write_archive(archive, n=2)
    for what in ("crash", "hang", "fault"):
        write_study(archive / what, what, what)
    (damaged,) = write_study(archive / "cut", "cut", n=1)
    damaged.write_bytes(damaged.read_bytes()[:1000])
    code, printed, _ = read(app, archive, "--out", out, "--workers", 2, "--time-limit", 12)
    assert code == ExitCode.STUDIES_FAILED
    studies = {s["study"]: s for s in json.loads((out / "readings.json").read_text())["studies"]}
    reasons = {what: studies[study_uid(what)]["reason"] for what in ("crash", "hang", "fault", "cut")}
    assert "SIGSEGV" in reasons["crash"]
    assert "longer than 12 s" in reasons["hang"]
    assert "ZeroDivisionError" in reasons["fault"]
    assert "000.dcm" in reasons["cut"]
    assert "Synthetic" not in json.dumps(reasons) + printed
    assert [studies[study_uid(f"case{n}")]["state"] for n in range(2)] == ["done", "done"]
    assert "4 studies failed" in printed
    assert all(study_uid(what) in (out / "index.html").read_text() for what in reasons)

    # Mended and read again: only what failed is.
    for what in ("crash", "hang", "fault", "cut"):
        write_study(archive / what, what, "read")
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/obedient/reading.json")}
    code, printed, _ = read(app, archive, "--out", out, "--workers", 2)
    assert code == ExitCode.DONE
    assert "2 studies were done before" in printed
    assert n_readings(out) == 6
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())


@pytest.mark.slow
@pytest.mark.chaos
@pytest.mark.parametrize("how", ["kill of the command", "kill of all", "Ctrl-C"])
def test_stopped_command_goes_on_where_it_stopped(how, tmp_path, app, undisturbed):
    archive, out = tmp_path / "in", tmp_path / "out"
    write_archive(archive, "wait 0.4")
    words = (archive, "--out", out, "--workers", 2)
    process = command(app, "read", *words, "-a", "obedient")
    wait_until(lambda: n_readings(out) >= 2)
    if how == "kill of the command":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL if how == "kill of all" else signal.SIGINT)
    _, said = process.communicate(timeout=60)
    if how == "Ctrl-C":
        assert process.returncode == ExitCode.PARTIAL
        assert "Give the same command again" in said
    # Workers end with the command that they belong to.
    wait_until(lambda: not processes_that_name(str(out)) and not processes_in_session(process.pid))
    n_kept = n_readings(out)
    assert n_kept < N_STUDIES, "it was to be stopped midway"
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*/obedient/reading.json")}
    code, printed, _ = read(app, *words)
    assert code == ExitCode.DONE
    assert "studies were done before" in printed
    again = sum(path.stat().st_mtime_ns != then for path, then in kept.items())
    assert again <= 2, "at most what the two workers had under way is read twice"
    assert results(out) == undisturbed


def processes_that_name(text: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if text in line]


def processes_in_session(session: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-s", str(session)], capture_output=True, text=True, check=False
    )
    return [line for line in listed.stdout.splitlines() if not line.startswith("Z")]


@pytest.mark.slow
@pytest.mark.chaos
def test_study_that_changed_is_read_again_and_stale_results_go(tmp_path, app):
    archive, out = tmp_path / "in", tmp_path / "out"
    write_archive(archive, n=3)
    assert read(app, archive, "--out", out, "--workers", 1)[0] == ExitCode.DONE
    before = results(out)
    write_study(archive / "case1", "case1", n=6)
    for path in (archive / "case2").iterdir():  # it is no CT any more: nothing is read from it
        path.write_bytes(path.read_bytes().replace(b"CS\x02\0CT", b"CS\x02\0MR"))
    code, printed, _ = read(app, archive, "--out", out, "--workers", 1)
    assert code == ExitCode.DONE
    assert "1 studies were done before" in printed
    after = results(out)
    assert after["document"]["readings"][0] == before["document"]["readings"][0]
    assert len(after["document"]["readings"][1]["inputs"][0]["sop_instance_uids"]) == 6
    assert len(after["document"]["readings"]) == 2
    assert n_readings(out) == 2


@pytest.mark.slow
@pytest.mark.chaos
def test_file_that_vanishes_fails_its_study_alone(tmp_path, app):
    archive, out = tmp_path / "in", tmp_path / "out"
    write_archive(archive, "wait 2", n=3)
    process = command(app, "read", archive, "--out", out, "--workers", 1, "-a", "obedient")
    wait_until(lambda: (out / "journal.sqlite").exists() and n_readings(out) >= 1)
    shutil.rmtree(archive / "case2")
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == ExitCode.STUDIES_FAILED
    assert "1 studies failed" in printed
    (failed,) = [
        s for s in json.loads((out / "readings.json").read_text())["studies"] if s["state"] == "failed"
    ]
    assert "changed or went away" in failed["reason"]
    assert n_readings(out) == 2
    code, printed, _ = read(app, archive, "--out", out, "--workers", 1)
    assert code == ExitCode.DONE
    assert "2 studies in" in printed


@pytest.mark.slow
@pytest.mark.chaos
def test_full_disk_stops_with_its_remedy_and_resumes(tmp_path, app):
    archive, out = tmp_path / "in", tmp_path / "out"
    write_archive(archive, n=4)
    out.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", out], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount the small disk that this test fills")
    try:
        code, _, said = read(app, archive, "--out", out, "--workers", 1)
        assert code == ExitCode.PARTIAL
        assert "the disk is full" in said, said
        assert "the same command again" in said
        n_before = n_readings(out)
        assert n_before < 4
        subprocess.run(["mount", "-o", "remount,size=100m", out], check=True)
        code, printed, _ = read(app, archive, "--out", out, "--workers", 1)
        assert code == ExitCode.DONE, printed
        assert n_readings(out) == 4
        assert not [path.name for path in out.rglob(".*") if path.name != ".journal.lock"]
    finally:
        subprocess.run(["umount", out], check=True)


def test_workers_fit_cores_and_memory(monkeypatch):
    monkeypatch.setattr(local_workers.os, "sched_getaffinity", lambda _: set(range(16)))
    for free_bytes, n_workers in ((100 * BYTES_OF_WORKER, 16), (5 * BYTES_OF_WORKER + 1, 5), (1, 1)):
        monkeypatch.setattr(local_workers, "free_memory_bytes", lambda free=free_bytes: free)
        assert default_workers() == n_workers
    monkeypatch.undo()
    assert 2**20 < local_workers.free_memory_bytes() < 2**50


def test_workers_and_engine_need_a_folder_of_results(tmp_path, app):
    write_archive(tmp_path, n=1)
    code, _, said = read(app, tmp_path, "--workers", 2)
    assert code == ExitCode.USAGE
    assert "--out" in said


def test_slices_without_uids_are_one_study_of_their_folder(tmp_path):
    """As anonymisation leaves them: no study and series, but one frame of reference."""
    write_phantom("chest-ct", tmp_path / "chest", n_slices=40, matrix_px=64)
    shutil.rmtree(tmp_path / "chest" / "truth")
    for path in (tmp_path / "chest" / "dicom").iterdir():
        ds = pydicom.dcmread(path)
        ds.StudyInstanceUID = ds.SeriesInstanceUID = ""
        ds.save_as(path)
    assert not holds_many(tmp_path, tmp_path / "out")
    (reading,) = hounsfield.read(tmp_path, applications=["lung_ct"], out=tmp_path / "out")
    assert reading.status == "complete"
    assert len(reading.inputs[0].sop_instance_uids) == 40
    assert not list((tmp_path / "out").rglob("*.dcm"))
    (readme,) = (tmp_path / "out").rglob("README.txt")
    assert "UID" in readme.read_text("utf-8")
