"""Two thousand damaged files: each is read or refused by an error of the package, in bounded time and memory."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from tests.studies.fuzzing import FAULT, LONGEST_S

# A process with its imports takes 130 MiB; the damaged files have some kilobytes each.
MOST_PEAK_MIB = 600


def read_damaged(folder, first, last):
    """Read the damaged files of these numbers in a process of their own, which may die and tells the number."""
    command = [sys.executable, "-m", "tests.studies.fuzzing", str(folder), str(first), str(last)]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=LONGEST_S + (last - first),
    )
    said = done.stdout.splitlines()
    assert said, done.stderr[-2000:]
    assert done.returncode in {0, 1}, f"reading number {said[-1]} ended the process: {done.stderr[-2000:]}"
    faults = done.stdout[done.stdout.find(FAULT) :][:4000] if FAULT in done.stdout else ""
    assert not faults, faults
    peak = re.fullmatch(r"peak (\d+) MiB, 0 faults", said[-1])
    assert peak, said[-1]
    assert int(peak[1]) < MOST_PEAK_MIB


def test_damaged_files_are_read_or_refused(tmp_path):
    read_damaged(tmp_path, 0, 50)


@pytest.mark.slow
def test_two_thousand_damaged_files_are_read_or_refused(tmp_path):
    read_damaged(tmp_path, 0, 2000)
