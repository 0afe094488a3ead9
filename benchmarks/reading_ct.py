"""Reading a CT series of 500 slices to an HU volume with its affine: ours beside the peers, in one run.

    python -m benchmarks.reading_ct [--slices 500] [--repeat 5] [--syntaxes raw jpeg-ls jpeg-2000 htj2k]

Twenty distinct noisy slices of a chest phantom are repeated with their own geometry. Every reader gets the
folder with a warm file cache and returns the volume in HU; equal to ours or the run stops. The floor reads
the bytes of every file and assembles the array, knowing everything beforehand. Peak memory is PSS over all
processes above what stood after the imports.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._table import heading, table
from benchmarks.read_chest_phantom import pss_mb

if TYPE_CHECKING:
    from collections.abc import Callable

SYNTAXES = {
    "raw": "1.2.840.10008.1.2.1",
    "jpeg-ls": "1.2.840.10008.1.2.4.80",
    "jpeg-2000": "1.2.840.10008.1.2.4.90",
    "htj2k": "1.2.840.10008.1.2.4.201",
}
N_DISTINCT, SIDE, STEP_MM = 20, 512, 0.6
# Ratio to the best peer that the project promises.
PROMISED = {"raw": 2.5, "jpeg-ls": 1.8, "jpeg-2000": 1.0, "htj2k": 2.0}
PROMISED_TO_FLOOR, PROMISED_MEMORY = 1.6, 1.2


def write_series(folder: Path, syntax: str, n_slices: int) -> Path:
    """The series as files of one folder; returns it."""
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, generate_uid

    from hounsfield.phantoms import ChestCtParameters, Trouble, make_chest_ct
    from hounsfield.phantoms.dicom_ct import ct_slice

    folder.mkdir(parents=True)
    phantom = make_chest_ct(ChestCtParameters(n_slices=N_DISTINCT, matrix_px=SIDE, noise_hu=25.0))
    originals = [ct_slice(phantom, k, Trouble()) for k in range(N_DISTINCT)]
    packed = [encoded(original.pixel_array, syntax) for original in originals]
    for number in range(n_slices):
        ds = originals[number % N_DISTINCT]
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid(
            entropy_srcs=["reading_ct", str(number)]
        )
        ds.InstanceNumber = number + 1
        ds.ImagePositionPatient = [*ds.ImagePositionPatient[:2], f"{number * STEP_MM - 150:.2f}"]
        ds.file_meta.TransferSyntaxUID = UID(SYNTAXES[syntax])
        if syntax != "raw":
            ds.PixelData = encapsulate([packed[number % N_DISTINCT]])
            ds["PixelData"].VR = "OB"
        ds.save_as(folder / f"{number:05d}.dcm", enforce_file_format=True)
    return folder


def encoded(frame: np.ndarray[Any, Any], syntax: str) -> bytes:
    """One frame in the syntax, without loss."""
    import imagecodecs

    encoders: dict[str, Callable[[Any], bytes]] = {
        "raw": lambda a: a.tobytes(),
        "jpeg-ls": imagecodecs.jpegls_encode,
        "jpeg-2000": lambda a: imagecodecs.jpeg2k_encode(a, codecformat="j2k", reversible=True, level=0),
        "htj2k": imagecodecs.htj2k_encode,
    }
    return bytes(encoders[syntax](frame))


def read_ours(folder: Path) -> np.ndarray[Any, Any]:
    """This project: every header read, grouped and sorted; image with affine, unit and conditions."""
    from hounsfield.studies import read_study

    image = read_study(folder).series[0].image()
    if image.unit != "HU" or image.grid.affine is None:
        raise SystemExit("the series was not read as HU with an affine")
    return image.array


def read_simpleitk(folder: Path) -> np.ndarray[Any, Any]:
    """SimpleITK's ImageSeriesReader, names sorted by GDCM."""
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    return np.asarray(SimpleITK.GetArrayViewFromImage(image)).copy()


def read_pydicom(folder: Path) -> np.ndarray[Any, Any]:
    """pydicom with its own choice of decoder, sorted by position."""
    import pydicom

    data_sets = [pydicom.dcmread(path) for path in folder.iterdir()]
    data_sets.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
    first = data_sets[0]
    volume = np.empty((len(data_sets), first.Rows, first.Columns), dtype=np.int16)
    for k, ds in enumerate(data_sets):
        stored = ds.pixel_array.astype(np.int16)
        volume[k] = stored * np.int16(ds.RescaleSlope) + np.int16(ds.RescaleIntercept)
    return volume


def read_floor(folder: Path) -> np.ndarray[Any, Any]:
    """Bytes and array alone: the least that any reader does. For uncompressed files."""
    paths = sorted(folder.iterdir())
    volume = np.empty((len(paths), SIDE, SIDE), dtype=np.int16)
    n_bytes = volume[0].nbytes
    for k, path in enumerate(paths):
        volume[k] = np.frombuffer(path.read_bytes()[-n_bytes:], np.int16).reshape(SIDE, SIDE)
    return volume


READERS: dict[str, Callable[[Path], np.ndarray[Any, Any]]] = {
    "hounsfield": read_ours,
    "SimpleITK": read_simpleitk,
    "pydicom": read_pydicom,
}


@dataclass(frozen=True)
class Cost:
    """Medians over the repeats; peak_mb above the memory that stood before the call."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def peak_above(read: Callable[[], object], before_mb: float) -> float:
    """Peak PSS over all processes during the call, above `before_mb`, in MB."""
    peak = pss_mb(os.getpid())
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, pss_mb(os.getpid()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    kept = read()
    peak = max(peak, pss_mb(os.getpid()))
    done.set()
    watcher.join()
    del kept
    return peak - before_mb


def peak_above_now(read: Callable[[], object]) -> float:
    """Peak PSS over all processes during the call, above that at its start, in MB."""
    return peak_above(read, pss_mb(os.getpid()))


def measure(readers: dict[str, Callable[[], np.ndarray[Any, Any]]], repeat: int) -> dict[str, Cost]:
    """Readers in turn, `repeat` times after one warm-up, then once more for memory."""
    walls: dict[str, list[float]] = {name: [] for name in readers}
    cpus: dict[str, list[float]] = {name: [] for name in readers}
    for round_ in range(repeat + 1):
        for name, read in readers.items():
            wall_s, cpu = time.perf_counter(), os.times()
            read()
            wall_s, now = time.perf_counter() - wall_s, os.times()
            if round_:
                walls[name].append(wall_s)
                cpus[name].append(sum(now[:4]) - sum(cpu[:4]))
    return {
        name: Cost(statistics.median(walls[name]), statistics.median(cpus[name]), peak_above_now(read))
        for name, read in readers.items()
    }


def run(syntax: str, n_slices: int, repeat: int, scratch: Path) -> list[list[object]]:
    """The rows of one syntax."""
    folder = write_series(scratch / syntax, syntax, n_slices)
    readers: dict[str, Callable[[], np.ndarray[Any, Any]]] = {
        name: partial(read, folder) for name, read in READERS.items()
    }
    ours = readers["hounsfield"]()
    for name, read in readers.items():
        if not np.array_equal(read(), ours):
            raise SystemExit(f"{name} reads other values than hounsfield: {syntax}")
    if syntax == "raw":
        readers["floor"] = partial(read_floor, folder)
    costs = measure(readers, repeat)
    best = min(cost.wall_s for name, cost in costs.items() if name in {"SimpleITK", "pydicom"})
    array_mb = ours.nbytes / 1e6
    rows: list[list[object]] = [
        [
            syntax,
            name,
            f"{c.wall_s:.3f}",
            f"{c.cpu_s:.3f}",
            f"{best / c.wall_s:.2f}",
            f"{c.peak_mb / array_mb:.2f}",
        ]
        for name, c in costs.items()
    ]
    rows.append([syntax, "promised", "", "", f"{PROMISED[syntax]:.2f}", f"{PROMISED_MEMORY:.2f}"])
    if syntax == "raw":
        ratio = costs["hounsfield"].wall_s / costs["floor"].wall_s
        rows.append([syntax, f"ours / floor = {ratio:.2f} (promised {PROMISED_TO_FLOOR})", "", "", "", ""])
    return rows


def main() -> None:
    """Write the series, read them with everyone, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--syntaxes", nargs="+", choices=list(SYNTAXES), default=list(SYNTAXES))
    options = parser.parse_args()
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for syntax in options.syntaxes:
            rows += run(syntax, options.slices, options.repeat, Path(scratch))
    inputs = f"{options.slices} slices of {SIDE} x {SIDE}, int16, {options.repeat} repeats"
    print(heading("Reading a CT series to an HU volume", inputs=inputs))
    columns = ("syntax", "reader", "wall s", "cpu s", "times best peer", "peak / array")
    print(table(columns, rows))


if __name__ == "__main__":
    main()
