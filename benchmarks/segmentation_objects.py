"""DICOM Segmentation of a mask with five classes: our writer and reader beside highdicom's, in one run.

    python -m benchmarks.segmentation_objects [--slices 300] [--side 512] [--repeat 3] [--kinds BINARY LABELMAP FRACTIONAL]

The mask marks ellipsoids of the size of lungs, heart, spine and a lesion on a synthetic CT; the first and last slices
are empty. We write BINARY, on which the promise of writing is judged; every kind is read. Each row is a process of
its own: one call that also loads what is loaded once, one watched for memory, then the timed ones. Writing is
everything from masks and source headers to the file; reading goes from the file to masks (ours: five, boolean) or to a
volume (highdicom: one label map, or a stack). What is read is equal to the mask, or the run stops. The promise is
judged by processor time, which other work on the machine disturbs little; wall times mean something where the
load stays below the number of cores. Memory is PSS: "held" is what the result itself keeps, "extra" the peak above
that, both as multiples of the mask at one byte a voxel and class.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._table import heading, table
from benchmarks.read_chest_phantom import pss_mb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hounsfield.core import Series
    from hounsfield.results.writer import Context

N_CLASSES, N_DISTINCT, STEP_MM = 5, 4, 0.9
# What the project promises: ratio to highdicom's fastest setting of that kind, and copies of the mask.
PROMISED_RATIO, PROMISED_EXTRA = 1.2, 1.0
SYNTAXES = {
    "uncompressed": "1.2.840.10008.1.2.1",
    "RLE": "1.2.840.10008.1.2.5",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
}
# Centre and half axes (z, y, x), each in halves of the volume: two lungs, heart, spine, lesion.
ELLIPSOIDS = (
    ((0.1, 0.0, -0.4), (0.8, 0.5, 0.25)),
    ((0.1, 0.0, 0.4), (0.8, 0.5, 0.25)),
    ((0.0, -0.1, 0.05), (0.3, 0.25, 0.15)),
    ((0.0, 0.7, 0.0), (0.97, 0.12, 0.1)),
    ((0.3, 0.55, 0.3), (0.08, 0.06, 0.06)),
)


@dataclass(frozen=True)
class Setting:
    """One way in which highdicom writes. is_stack: it gets (z, y, x, class) in place of a label map."""

    kind: str
    syntax: str = "uncompressed"
    is_stack: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How the table calls it."""
        more = [f"{key}={value}" for key, value in self.options.items()]
        return ", ".join([self.syntax, *(["given as stack"] if self.is_stack else []), *more])


SETTINGS = (
    Setting("BINARY"),
    Setting("BINARY", is_stack=True),
    Setting("BINARY", options={"omit_empty_frames": False}),
    Setting("BINARY", "JPEG 2000"),
    Setting("LABELMAP"),
    Setting("LABELMAP", options={"omit_empty_frames": False}),
    *(Setting("LABELMAP", syntax) for syntax in ("RLE", "JPEG-LS", "JPEG 2000")),
    Setting("LABELMAP", "RLE", options={"workers": 2}),
    Setting("FRACTIONAL"),
    Setting("FRACTIONAL", "RLE"),
    Setting("FRACTIONAL", "RLE", options={"workers": 2}),
)
# How highdicom gives the voxels back, and of which kinds that is asked: a stack of the others takes it ten times as long.
WAYS: dict[str, dict[str, Any]] = {
    "label map": {"combine_segments": True},
    "label map, overlaps unchecked": {"combine_segments": True, "skip_overlap_checks": True},
    "stack": {"combine_segments": False},
}
WAYS_OF = {"BINARY": tuple(WAYS), "LABELMAP": tuple(WAYS)[:1], "FRACTIONAL": tuple(WAYS)[:2]}
OURS = "hounsfield"


def make_labels(shape: tuple[int, int, int], *, scale: float = 1.0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The mask as label map: 0 and the classes 1 to 5. scale: of the half axes."""
    z, y, x = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]
    labels = np.zeros(shape, dtype=np.uint8)
    for number, (centre, half) in enumerate(ELLIPSOIDS, start=1):
        distance = sum(((at - c) / h) ** 2 for at, c, h in zip((z, y, x), centre, half, strict=True))
        labels[distance < scale**2] = number
    return labels


def write_source(folder: Path, n_slices: int, side: int) -> None:
    """A synthetic CT: a few slices of the chest phantom, repeated with their own places."""
    from pydicom.uid import generate_uid

    from hounsfield.phantoms import ChestCtParameters, Trouble, make_chest_ct
    from hounsfield.phantoms.dicom_ct import ct_slice

    folder.mkdir(parents=True)
    phantom = make_chest_ct(ChestCtParameters(n_slices=8, matrix_px=side))
    originals = [ct_slice(phantom, k, Trouble()) for k in range(N_DISTINCT)]
    for k in range(n_slices):
        ds = originals[k % N_DISTINCT]
        uid = generate_uid(entropy_srcs=["segmentation_objects", str(k)])
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid
        ds.InstanceNumber, ds.SliceThickness = k + 1, str(STEP_MM)
        ds.ImagePositionPatient = [*ds.ImagePositionPatient[:2], f"{k * STEP_MM - 150:.2f}"]
        ds.save_as(folder / f"{k:05d}.dcm", enforce_file_format=True)


def context_of(series: Series, labels: np.ndarray[Any, Any]) -> Context:
    """What our writer gets from the pipeline: a reading whose regions are the classes."""
    from dataclasses import replace

    from hounsfield.core import Provenance, Reading, Region, Study
    from hounsfield.core.code import LUNG
    from hounsfield.results import Documents
    from hounsfield.results.dicom_context import dicom_source
    from hounsfield.results.writer import Context

    if series.grid is None:
        raise SystemExit("the synthetic CT was not read with a grid")
    grid = series.grid
    regions = tuple(Region(f"class-{n}", LUNG, grid, labels == n) for n in range(1, N_CLASSES + 1))
    provenance = Provenance("benchmark", "1.0", "0.1.0", "rule", (), {})
    reading = replace(
        Reading.complete(regions=regions), application="benchmark", uid="2.25.1", provenance=provenance
    )
    created = datetime(2024, 3, 4, 5, 6, 7)  # noqa: DTZ001 what objects state is local time
    return Context(
        reading,
        {"thorax": series},
        series,
        Study("study", (series,)),
        None,
        Documents(b"", b"", ()),
        created,
        dicom_source(reading, list(series.headers()), (), created),
    )


def our_writing(folder: Path, out: Path) -> Callable[[], object]:
    """Ask whether there is a segmentation, and write it, as the pipeline does."""
    from hounsfield.results.segmentation import left_out_because, write_segmentation
    from hounsfield.studies import read_study

    [series] = read_study(folder / "ct").series
    context = context_of(series, np.load(folder / "labels.npy"))

    def write() -> Path:
        reason = left_out_because(context)
        if reason is not None:
            raise SystemExit(f"no segmentation was written: {reason}")
        [path] = write_segmentation(context, out.parent)
        return path.replace(out)

    return write


def their_writing(folder: Path, out: Path, setting: Setting) -> Callable[[], object]:
    """highdicom's constructor and `save_as`, in one of its settings."""
    import highdicom as hd
    import pydicom

    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted((folder / "ct").iterdir())]
    pixels = np.load(folder / "labels.npy")
    if setting.is_stack:
        pixels = np.stack([pixels == n for n in range(1, N_CLASSES + 1)], axis=-1).view(np.uint8)
    code = hd.sr.CodedConcept("39607008", "SCT", "Lung")
    descriptions = [
        hd.seg.SegmentDescription(n, f"class-{n}", code, code, "MANUAL") for n in range(1, N_CLASSES + 1)
    ]

    def write() -> None:
        hd.seg.Segmentation(
            source_images=headers,
            pixel_array=pixels,
            segmentation_type=setting.kind,
            segment_descriptions=descriptions,
            series_instance_uid="2.25.21",
            series_number=2,
            sop_instance_uid="2.25.22",
            instance_number=1,
            manufacturer="highdicom",
            manufacturer_model_name="benchmark",
            software_versions="1",
            device_serial_number="1",
            transfer_syntax_uid=SYNTAXES[setting.syntax],
            **setting.options,
        ).save_as(out)

    return write


def our_reading(folder: Path, file: Path) -> Callable[[], object]:
    """From the file to five masks on the grid of the CT."""
    from hounsfield.studies import read_study

    [image] = read_study(folder / "ct").series
    if image.grid is None:
        raise SystemExit("the synthetic CT was not read with a grid")
    grid = image.grid
    return lambda: read_study(file).series[0].regions(grid)


def their_reading(file: Path, way: str) -> Callable[[], object]:
    """From the file to a volume, from the first to the last marked slice."""
    import highdicom as hd

    return lambda: hd.seg.segread(file).get_volume(**WAYS[way]).array


def is_equal(result: Any, labels: np.ndarray[Any, Any]) -> bool:
    """Whether what was read is the mask."""
    if isinstance(result, list):
        return len(result) == N_CLASSES and all(
            np.array_equal(region.mask, labels == n) for n, region in enumerate(result, start=1)
        )
    marked = np.flatnonzero(labels.any(axis=(1, 2)))
    inside = labels[marked[0] : marked[-1] + 1]
    # A volume begins where its own slices do, which may be at either end; with empty frames it holds all.
    for part in (inside, labels):
        for volume in (result, result[::-1]):
            if volume.ndim == 4 and volume.shape[:3] == part.shape:
                if all(np.array_equal(volume[..., n - 1], part == n) for n in range(1, N_CLASSES + 1)):
                    return True
            elif np.array_equal(volume, part):
                return True
    return False


def give_back_memory() -> None:
    """Let the system have what nobody uses, so that a second call cannot take it without being seen."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def cpu_of_all_s() -> float:
    """Processor seconds of this process and of those that it waited for."""
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system


def costs_of(call: Callable[[], object], repeat: int) -> tuple[dict[str, Any], object]:
    """Median times of `repeat` calls after one to warm up and one that is watched for memory; and its result."""
    call()
    give_back_memory()
    before = peak = pss_mb(os.getpid())
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, pss_mb(os.getpid()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = call()
    held = pss_mb(os.getpid())
    done.set()
    watcher.join()
    walls, cpus = [], []
    for _ in range(repeat):
        wall_s, cpu_s = time.perf_counter(), cpu_of_all_s()
        again = call()
        walls.append(time.perf_counter() - wall_s)
        cpus.append(cpu_of_all_s() - cpu_s)
        del again
    costs = {
        "wall_s": statistics.median(walls),
        "cpu_s": statistics.median(cpus),
        "held_mb": held - before,
        "extra_mb": max(peak, held) - held,
    }
    return costs, result


def child(folder: Path, verb: str, who: str, file: str, repeat: int) -> dict[str, Any]:
    """One row. who: OURS, the place of a setting, or a way of reading."""
    path = folder / file
    if verb == "write":
        call = our_writing(folder, path) if who == OURS else their_writing(folder, path, SETTINGS[int(who)])
        costs, _ = costs_of(call, repeat)
        return costs | {"file_mb": path.stat().st_size / 1e6}
    call = our_reading(folder, path) if who == OURS else their_reading(path, who)
    costs, result = costs_of(call, repeat)
    if not is_equal(result, np.load(folder / "labels.npy")):
        raise SystemExit(f"{who} reads other voxels from {file} than were written")
    return costs


def in_process_of_its_own(folder: Path, verb: str, who: str, file: str, repeat: int) -> dict[str, Any]:
    """`child` in a fresh interpreter."""
    sys.stderr.write(f"{verb} {file}: {who}\n")
    said = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            __spec__.name,
            "--row",
            str(folder),
            verb,
            who,
            file,
            str(repeat),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if said.returncode:
        raise SystemExit(said.stderr[-2000:] or said.stdout)
    row: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    return row


@dataclass(frozen=True)
class Run:
    """What all rows of a run share. mask_mb: of the masks at one byte a voxel and class."""

    folder: Path
    repeat: int
    mask_mb: float

    def rows(self, verb: str, kind: str, todo: Mapping[str, tuple[str, str]]) -> list[list[str]]:
        """A row for each name -> (who, file); ours is judged beside the fastest of the others."""
        costs = {
            name: in_process_of_its_own(self.folder, verb, who, file, self.repeat)
            for name, (who, file) in todo.items()
        }
        others = [cost for name, cost in costs.items() if not name.startswith(OURS)]
        best_wall_s, best_cpu_s = (min(cost[key] for cost in others) for key in ("wall_s", "cpu_s"))
        return [
            [
                verb,
                kind,
                name,
                f"{cost['wall_s']:.3f}",
                f"{cost['cpu_s']:.3f}",
                f"{cost['wall_s'] / best_wall_s:.2f}",
                f"{cost['cpu_s'] / best_cpu_s:.2f}",
                f"{cost['held_mb'] / self.mask_mb:.2f}",
                f"{cost['extra_mb'] / self.mask_mb:.2f}",
                f"{cost['file_mb']:.2f}" if "file_mb" in cost else "",
            ]
            for name, cost in costs.items()
        ]


def judged(rows: list[list[str]]) -> list[str]:
    """The promises that our rows break."""
    return [
        f"{verb} {kind}, {name}: {ratio} times the best, {extra} copies"
        for verb, kind, name, _, _, _, ratio, _, extra, _ in rows
        if name.startswith(OURS) and (verb == "read" or kind == "BINARY")
        if float(ratio) > PROMISED_RATIO or float(extra) > PROMISED_EXTRA
    ]


def main() -> None:
    """Write the CT and the mask, then all rows; exit with 1 where a promise is broken."""
    if sys.argv[1:2] == ["--row"]:
        folder, verb, who, file, repeat = sys.argv[2:7]
        print(json.dumps(child(Path(folder), verb, who, file, int(repeat))))
        return
    kinds = list(dict.fromkeys(setting.kind for setting in SETTINGS))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", choices=kinds, default=kinds)
    options = parser.parse_args()
    shape = (options.slices, options.side, options.side)
    labels = make_labels(shape)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as scratch:
        run = Run(Path(scratch), options.repeat, labels.size * N_CLASSES / 1e6)
        write_source(run.folder / "ct", options.slices, options.side)
        np.save(run.folder / "labels.npy", labels)
        for kind in options.kinds:
            settings = {place: s for place, s in enumerate(SETTINGS) if s.kind == kind}
            files = {f"highdicom, {s.name}": (str(place), f"{place}.dcm") for place, s in settings.items()}
            ours = {OURS: (OURS, "ours.dcm")} if kind == "BINARY" else {}
            rows += run.rows("write", kind, ours | files)
            distinct = {n: f for n, f in (ours | files).items() if "workers" not in n and "stack" not in n}
            for name, (_, file) in distinct.items():
                ways = {f"highdicom, {way}": (way, file) for way in WAYS_OF[kind]}
                source = "our file" if name == OURS else name.removeprefix("highdicom, ")
                rows += run.rows("read", f"{kind}, {source}", {OURS: (OURS, file)} | ways)
    n_frames = sum(int((labels == n).any(axis=(1, 2)).sum()) for n in range(1, N_CLASSES + 1))
    inputs = (
        f"{shape[0]} slices of {shape[1]} x {shape[2]}, {N_CLASSES} classes, {n_frames} frames that mark something, "
        f"{options.repeat} repeats; a copy of the mask is {run.mask_mb:.0f} MB"
    )
    print(heading("DICOM Segmentation", inputs=inputs))
    columns = ("", "kind", "who", "wall s", "cpu s", "wall / best", "cpu / best", "held", "extra", "file MB")
    print(table(columns, rows))
    broken = judged(rows)
    print(
        f"\npromised: {PROMISED_RATIO} times highdicom's best of that kind, {PROMISED_EXTRA} copies of the mask"
    )
    if broken:
        print("broken: " + "; ".join(broken))
        raise SystemExit(1)


if __name__ == "__main__":
    main()
