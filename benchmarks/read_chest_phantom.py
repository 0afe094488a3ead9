"""Wall time and peak memory of `hounsfield read` on a 300-slice chest CT, in a fresh process.

    python -m benchmarks.read_chest_phantom [--folder FOLDER] [--repeat N]

All applications that take the series run and all results are written. The phantom is made first (or taken
from FOLDER if it is there); making it is not counted. Limits: 20 s of wall time, 3 GB.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks._table import heading, table

N_SLICES, N_PIXELS = 300, 512
LIMIT_S, LIMIT_MB = 20.0, 3000.0
POLL_S = 0.05


@dataclass(frozen=True)
class Cost:
    """What one run cost. PSS counts shared pages once over the whole tree of processes."""

    wall_s: float
    cpu_s: float
    peak_rss_mb: float
    peak_pss_mb: float
    n_readings: int


def processes_below(root: int) -> list[int]:
    """The process `root` and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def pss_mb(root: int) -> float:
    """Proportional set size of the process tree, in MB of 1e6 bytes."""
    kilobytes = 0
    for process in processes_below(root):
        with suppress(OSError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    kilobytes += int(line.split()[1])
    return kilobytes * 1024 / 1e6


def measure(command: list[str]) -> tuple[float, float, float, float]:
    """Wall time, processor time, peak RSS of the largest process and peak PSS of the tree."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started_s = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        peak_mb = 0.0
        while process.poll() is None:
            peak_mb = max(peak_mb, pss_mb(process.pid))
            time.sleep(POLL_S)
        wall_s = time.perf_counter() - started_s
        if process.returncode != 0:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said.read().decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return wall_s, cpu_s, after.ru_maxrss * 1024 / 1e6, peak_mb


def run(phantom: Path) -> Cost:
    """One `hounsfield read` of the phantom in a fresh process, all results written."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "hounsfield", "read", str(phantom), "--out", out, "--quiet"]
        wall_s, cpu_s, rss_mb, tree_mb = measure(command)
        n_readings = len(list(Path(out).rglob("reading.json")))
    return Cost(wall_s, cpu_s, rss_mb, tree_mb, n_readings)


def make_phantom(folder: Path) -> None:
    """Write the phantom into `folder`, unless it is there."""
    if not list(folder.glob("**/truth.json")):
        from hounsfield.phantoms import write_phantom

        write_phantom("chest-ct", folder, seed=1, n_slices=N_SLICES, matrix_px=N_PIXELS)


def main() -> None:
    """Make the phantom, read it, print the table; exit with 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the phantom is kept (default: a temporary folder)")
    parser.add_argument("--repeat", type=int, default=3, help="runs; the first one warms the file cache")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch) / "phantom"
        make_phantom(folder)
        costs = [run(folder / "dicom") for _ in range(options.repeat)]
    inputs = f"chest-ct phantom, seed 1, {N_SLICES} slices of {N_PIXELS} x {N_PIXELS}, uncompressed DICOM"
    print(heading("hounsfield read, all applications and results", inputs=inputs))
    print(f"threads: OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}\n")
    rows = [
        (
            number + 1,
            f"{cost.wall_s:.1f}",
            f"{cost.cpu_s:.1f}",
            f"{cost.peak_rss_mb:.0f}",
            f"{cost.peak_pss_mb:.0f}",
            cost.n_readings,
        )
        for number, cost in enumerate(costs)
    ]
    rows.append(("limit", f"{LIMIT_S:.0f}", "", f"{LIMIT_MB:.0f}", f"{LIMIT_MB:.0f}", ""))  # type: ignore[arg-type]
    print(table(("run", "wall s", "cpu s", "peak RSS MB", "peak PSS MB", "readings"), rows))
    slowest_s = min(cost.wall_s for cost in costs)
    if slowest_s > LIMIT_S or max(cost.peak_pss_mb for cost in costs) > LIMIT_MB:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
