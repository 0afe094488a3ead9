"""Small archives for tests of batches, and an application of another package that behaves as a study says.

The application `obedient` is found through an entry point, as any other package's is, so that worker
processes find it too. What it does with a study stands in the Series Description.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.tiny_dicom import ct_instance

from hounsfield.core.uid import derive_uid

if TYPE_CHECKING:
    from collections.abc import Callable

APPLICATION = """
import os, signal, time
from hounsfield.core import Condition, Needs, Reading, Role, application

@application(name="obedient", title="Does as it is told", version="1.0", needs=Needs((Role("any", ("CT",)),)))
def run(inputs):
    series = inputs["any"]
    what, _, number = series.description.partition(" ")
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "hang":
        time.sleep(600)
    if what == "wait":
        time.sleep(float(number))
    if what == "fault":
        raise ZeroDivisionError("Synthetic^Test")
    mean = series.image().array.mean()
    return Reading.complete(conditions=[Condition("mean-told", "note", f"The mean is {mean:.3f}.")])
"""


def install_application(folder: Path) -> Path:
    """A folder for PYTHONPATH with the application in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "obedient_application.py").write_text(APPLICATION)
    info = folder / "obedient_application-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: obedient-application\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hounsfield.applications]\nobedient = obedient_application\n")
    return folder


def write_study(folder: Path, name: str, what: str = "read", n: int = 4) -> list[Path]:
    """A CT series of n slices as a study of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for k in range(n):
        instance = ct_instance(k, name=name)
        instance.SeriesDescription = what
        paths.append(folder / f"{k:03d}.dcm")
        instance.save_as(paths[-1], enforce_file_format=True)
    return paths


def study_uid(name: str) -> str:
    return derive_uid("test", name, "study")


def environment(application: Path) -> dict[str, str]:
    """The environment of a command that finds this source and the application."""
    source = Path(__file__).resolve().parents[2] / "src"
    return {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{application}", "OMP_NUM_THREADS": "1"}


def command(application: Path, *words: object) -> subprocess.Popen[str]:
    """`hounsfield WORDS` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "hounsfield", *map(str, words)],
        env=environment(application),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def read(application: Path, *words: object, timeout_s: float = 120) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `hounsfield read WORDS -a obedient`."""
    process = command(application, "read", *words, "-a", "obedient")
    out, err = process.communicate(timeout=timeout_s)
    assert "Traceback" not in out + err
    return process.returncode, out, err


def results(out: Path) -> dict[str, Any]:
    """All that lies in a folder of results, without what may differ: times, the journal, the order of time."""
    document = json.loads((out / "readings.json").read_text())
    for record in document["readings"]:
        record["provenance"].pop("timing_s")
    for study in document["studies"]:
        study.pop("duration_s")
    names = sorted(
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.name not in {"journal.sqlite", ".journal.lock"}
    )
    return {"document": document, "names": names, "index": (out / "index.html").read_bytes()}


def wait_until(is_so: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Return as soon as `is_so`; fail after `timeout_s`."""
    end_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.02)
