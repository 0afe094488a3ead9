"""Looking through a folder of many instances: `hu inspect` beside pydicom's headers, in one run.

    python -m benchmarks.inspect_folder [--instances 10000] [--repeat 3]

The folder holds series of 100 small CT slices. The peer is the loop that people write: `dcmread` with
`stop_before_pixels` of every file, keeping five attributes of each. Ours reads, groups and sorts every series, takes
spacing from positions and asks every application. Peak memory is PSS above that after the imports.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._table import heading, table
from benchmarks.reading_ct import peak_above_now

if TYPE_CHECKING:
    from collections.abc import Callable

N_SLICES, SIDE = 100, 64
PROMISED = 3.0


def write_folder(folder: Path, n_instances: int) -> Path:
    """Series of N_SLICES slices, a study each; returns the folder."""
    from hounsfield.core.uid import derive_uid
    from hounsfield.phantoms import ChestCtParameters, Trouble, make_chest_ct
    from hounsfield.phantoms.dicom_ct import ct_slice

    phantom = make_chest_ct(ChestCtParameters(n_slices=N_SLICES, matrix_px=SIDE))
    slices = [ct_slice(phantom, k, Trouble()) for k in range(N_SLICES)]
    for number in range(n_instances // N_SLICES):
        here = folder / f"{number:04d}"
        here.mkdir(parents=True)
        for k, ds in enumerate(slices):
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
                setattr(ds, keyword, derive_uid("inspect", keyword, str(number)))
            ds.SOPInstanceUID = derive_uid("inspect", str(number), str(k))
            ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
            ds.save_as(here / f"{k:03d}.dcm", enforce_file_format=True)
    return folder


def inspect_ours(folder: Path) -> int:
    """Instances that `hu inspect` found."""
    from hounsfield.pipeline import inspect

    found = inspect(folder)
    return sum(len(one.series.files) for _, summaries in found.studies for one in summaries)


def loop_of_pydicom(folder: Path) -> int:
    """Instances of which five attributes were read."""
    import pydicom

    kept = []
    for path in folder.rglob("*.dcm"):
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        position = tuple(float(value) for value in ds.ImagePositionPatient)
        kept.append((ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID, ds.Modality, position))
    return len(kept)


READERS: dict[str, Callable[[Path], int]] = {
    "hounsfield inspect": inspect_ours,
    "pydicom loop": loop_of_pydicom,
}


def measure(folder: Path, n_instances: int, repeat: int) -> dict[str, tuple[float, float, float]]:
    """Median wall and processor seconds and peak MB of each reader; the first round only warms up."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in READERS}
    for round_ in range(repeat + 1):
        for name, read in READERS.items():
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            if read(folder) != n_instances:
                raise SystemExit(f"{name} did not find {n_instances} instances")
            if round_:
                times[name].append((time.perf_counter() - wall_s, time.process_time() - cpu_s))
    return {
        name: (
            statistics.median(wall_s for wall_s, _ in times[name]),
            statistics.median(cpu_s for _, cpu_s in times[name]),
            peak_above_now(lambda read=read: read(folder)),
        )
        for name, read in READERS.items()
    }


def main() -> None:
    """Write the folder, look through it with both, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    n_instances = options.instances // N_SLICES * N_SLICES
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for n in (n_instances // 10 // N_SLICES * N_SLICES, n_instances):
            found = measure(write_folder(Path(scratch, str(n)), n), n, options.repeat)
            theirs_s = found["pydicom loop"][0]
            rows += [
                [n, name, f"{wall_s:.2f}", f"{cpu_s:.2f}", f"{theirs_s / wall_s:.2f}", f"{peak_mb:.0f}"]
                for name, (wall_s, cpu_s, peak_mb) in found.items()
            ]
    print(heading("Looking through a folder", inputs=f"{n_instances} instances, {options.repeat} repeats"))
    print(
        table(("instances", "reader", "wall s", "cpu s", f"times pydicom (goal {PROMISED})", "peak MB"), rows)
    )


if __name__ == "__main__":
    main()
