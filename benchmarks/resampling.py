"""Resampling a CT of 500 slices to 1.5 mm, linear and cubic: ours beside the peers, in one run.

    python -m benchmarks.resampling [--slices 500] [--side 512] [--repeat 5] [--threads 2] [--orders linear cubic]

A noisy chest phantom, float32, voxels of 0.7 x 0.7 x 1.0 mm, goes to 1.5 mm isotropic. Every method starts from the
volume in its own type and is called once in a fresh process, after a call on a few slices; the methods take turns,
`repeat` times, and then once more for memory and values. Peak memory is PSS above what stood after the imports, the
volume included. Values are compared between the outermost voxel centres, where all methods mean the same.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._table import heading, table
from benchmarks.read_chest_phantom import pss_mb
from benchmarks.reading_ct import peak_above
from hounsfield.core import Grid

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, Any]

SPACING_MM, NEW_SPACING_MM = (1.0, 0.7, 0.7), (1.5, 1.5, 1.5)
N_DISTINCT, N_WARM = 20, 8
OUTSIDE_HU = -1024.0
# What the project promises: times faster than the peer, HU of difference, MB.
PROMISED = {"TorchIO": 8.0, "SimpleITK": 1.0, "scipy": 4.0}
PROMISED_HU, PROMISED_MB = 1e-3, 1100


def grids(shape: tuple[int, int, int]) -> tuple[Grid, Grid]:
    """Of the volume and of its resampled self."""
    from hounsfield.imaging.resampling import grid_with_spacing

    affine = np.eye(4)
    affine[:3, :3] = np.diag(SPACING_MM)[::-1]
    affine[:3, 3] = (-179.0, -179.0, 20.0)
    source = Grid(shape, affine)
    return source, grid_with_spacing(source, NEW_SPACING_MM)


def ours(array: Array, order: int, n_threads: int) -> Callable[[], Array]:
    """This project."""
    from hounsfield.imaging.resampling import resample

    source, target = grids(array.shape)
    return lambda: resample(array, source, target, order=order, fill_value=OUTSIDE_HU, n_threads=n_threads)


def simpleitk(array: Array, order: int, n_threads: int) -> Callable[[], Array]:
    """SimpleITK's ResampleImageFilter on an image that it holds already."""
    import SimpleITK as sitk  # noqa: N813 (its own documentation's name)

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(n_threads)
    source, target = grids(array.shape)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(source.spacing_mm[::-1])
    image.SetOrigin(source.origin_mm)
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(target.shape[::-1])
    resampler.SetOutputSpacing(target.spacing_mm[::-1])
    resampler.SetOutputOrigin(target.origin_mm)
    resampler.SetInterpolator(sitk.sitkLinear if order == 1 else sitk.sitkBSpline)
    resampler.SetDefaultPixelValue(OUTSIDE_HU)
    kept = []

    def call() -> Array:
        kept.append(resampler.Execute(image))
        return sitk.GetArrayViewFromImage(kept[-1])

    return call


def torchio(array: Array, order: int, n_threads: int) -> Callable[[], Array]:
    """TorchIO's Resample onto the same grid."""
    import torch
    import torchio as tio
    from SimpleITK import ProcessObject

    from hounsfield.imaging.affine import ras_xyz_from_lps_zyx

    torch.set_num_threads(n_threads)
    ProcessObject.SetGlobalDefaultNumberOfThreads(n_threads)
    source, target = grids(array.shape)
    # (channel, x, y, z) one after the other, as its own reader leaves an image.
    tensor = torch.from_numpy(np.ascontiguousarray(array.transpose(2, 1, 0)))[None]
    image = tio.ScalarImage(tensor=tensor, affine=ras_xyz_from_lps_zyx(source.affine))
    onto = (target.shape[::-1], ras_xyz_from_lps_zyx(target.affine))
    transform = tio.Resample(onto, image_interpolation="linear" if order == 1 else "bspline")
    return lambda: transform(image).data[0].numpy().transpose(2, 1, 0)


def _index_step(shape: tuple[int, int, int]) -> tuple[Array, Array, tuple[int, int, int]]:
    """Indices of the source are step x index of the target + first, along each axis."""
    source, target = grids(shape)
    return (
        np.array(target.spacing_mm) / source.spacing_mm,
        source.mm_to_index(np.array(target.origin_mm)),
        target.shape,
    )


def scipy_affine(array: Array, order: int) -> Callable[[], Array]:
    """scipy.ndimage.affine_transform with a diagonal matrix; scipy uses one thread."""
    from scipy import ndimage

    step, first, shape = _index_step(array.shape)
    return lambda: ndimage.affine_transform(
        array, step, first, output_shape=shape, output=np.float32, order=order, mode="mirror"
    )


def scipy_map(array: Array, order: int) -> Callable[[], Array]:
    """scipy.ndimage.map_coordinates; making the coordinates is counted."""
    from scipy import ndimage

    step, first, shape = _index_step(array.shape)

    def call() -> Array:
        axes = [s * np.arange(n) + f for s, f, n in zip(step, first, shape, strict=True)]
        places = np.meshgrid(*axes, indexing="ij")
        return ndimage.map_coordinates(array, places, output=np.float32, order=order, mode="mirror")

    return call


def scipy_zoom(array: Array, order: int) -> Callable[[], Array]:
    """scipy.ndimage.zoom to the same shape; its grid is another, so that its values are not compared."""
    from scipy import ndimage

    _, _, shape = _index_step(array.shape)
    factors = np.array(shape) / array.shape
    return lambda: ndimage.zoom(array, factors, output=np.float32, order=order, mode="mirror")


METHODS: dict[str, Callable[[Array, int, int], Callable[[], Array]]] = {
    "hounsfield": ours,
    "SimpleITK": simpleitk,
    "TorchIO": torchio,
    "scipy affine_transform": lambda array, order, _: scipy_affine(array, order),
    "scipy map_coordinates": lambda array, order, _: scipy_map(array, order),
    "scipy zoom": lambda array, order, _: scipy_zoom(array, order),
}
ORDERS = {"linear": 1, "cubic": 3}
SCIPY = [name for name in METHODS if name.startswith("scipy")]
# scipy's best is sought where something is promised beside it; TorchIO hands cubic to SimpleITK.
JOBS = {
    "linear": ["hounsfield", "SimpleITK", "TorchIO", "scipy affine_transform"],
    "cubic": ["hounsfield", "SimpleITK", *SCIPY],
}


def write_volume(path: Path, n_slices: int, side: int) -> None:
    """The chest phantom's distinct slices, repeated, as float32 (z, y, x)."""
    from hounsfield.phantoms import ChestCtParameters, make_chest_ct

    phantom = make_chest_ct(ChestCtParameters(n_slices=N_DISTINCT, matrix_px=side, noise_hu=25.0))
    volume = np.tile(phantom.array, (-(-n_slices // N_DISTINCT), 1, 1))[:n_slices]
    np.save(path, volume.astype(np.float32))


def run_one(options: argparse.Namespace) -> dict[str, float]:
    """In a fresh process: one method on the volume; its wall and processor seconds, or its peak in MB."""
    order_name, method = options.one
    prepare, order = METHODS[method], ORDERS[order_name]
    prepare(np.zeros((N_WARM, 16, 16), dtype=np.float32), order, options.threads)()
    before_mb = pss_mb(os.getpid())
    volume = np.load(options.volume)
    call = prepare(volume, order, options.threads)
    del volume
    if options.result is not None:
        results: list[Array] = []
        peak_mb = peak_above(lambda: results.append(call()), before_mb)
        np.save(options.result, results[0])
        return {"peak_mb": peak_mb}
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    call()
    return {"wall_s": time.perf_counter() - wall_s, "cpu_s": time.process_time() - cpu_s}


def in_fresh_process(
    order_name: str, method: str, options: argparse.Namespace, result: Path | None = None
) -> dict[str, float]:
    """What `run_one` says of this job; with `result`, where to write the values, its peak memory."""
    command = [sys.executable, "-m", "benchmarks.resampling", "--one", order_name, method]
    command += ["--volume", str(options.volume), "--threads", str(options.threads)]
    command += ["--result", str(result)] if result else []
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(options.threads)
    )
    answer = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **threads}
    )
    if answer.returncode:
        raise SystemExit(f"{method}, {order_name}, failed:\n{answer.stderr}")
    said: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return said


def largest_difference(result: Array, expected: Array, shape: tuple[int, int, int]) -> float:
    """In HU, between the outermost voxel centres of the volume."""
    step, first, new_shape = _index_step(shape)
    inner = []
    for n, s, f, new_n in zip(shape, step, first, new_shape, strict=True):
        position = s * np.arange(new_n) + f
        within = np.flatnonzero((position >= 0) & (position <= n - 1))
        inner.append(slice(within[0], within[-1] + 1))
    return float(
        max(np.abs(a - b).max() for a, b in zip(result[tuple(inner)], expected[tuple(inner)], strict=True))
    )


def rows_of(order_name: str, options: argparse.Namespace, scratch: Path) -> list[list[object]]:
    """The table's rows of one order."""
    names = [name for name in JOBS[order_name] if name != "TorchIO" or find_spec("torchio") is not None]
    times: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for round_ in range(options.repeat):
        # Forwards, then backwards, so that none always runs after the same one.
        for name in names[:: -1 if round_ % 2 else 1]:
            times[name].append(in_fresh_process(order_name, name, options))
    cost = {
        name: {key: statistics.median(one[key] for one in found) for key in ("wall_s", "cpu_s")}
        for name, found in times.items()
    }
    rows: list[list[object]] = []
    for name in names:
        path = scratch / f"{order_name}-{name}.npy".replace(" ", "-")
        peak_mb = in_fresh_process(order_name, name, options, path)["peak_mb"]
        mine = np.load(scratch / f"{order_name}-hounsfield.npy", mmap_mode="r")
        differs = "other grid"
        if name != "scipy zoom":
            shape = (options.slices, options.side, options.side)
            differs = f"{largest_difference(np.load(path, mmap_mode='r'), mine, shape):.1e}"
        promised = (
            PROMISED.get(name.split()[0], "") if (order_name == "cubic") == name.startswith("scipy") else ""
        )
        seconds = [f"{cost[name][key]:.2f}" for key in ("wall_s", "cpu_s")]
        ratios = [f"{cost[name][key] / cost['hounsfield'][key]:.2f}" for key in ("wall_s", "cpu_s")]
        rows.append([order_name, name, *seconds, *ratios, promised, f"{peak_mb:.0f}", differs])
    absent = [name for name in JOBS[order_name] if name not in names]
    rows += [[order_name, name, "absent: pip install torchio", *[""] * 6] for name in absent]
    return rows


def main() -> None:
    """Write the volume, resample it with everyone, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--orders", nargs="+", choices=list(ORDERS), default=list(ORDERS))
    for inner in ("--volume", "--result"):
        parser.add_argument(inner, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(options)))
        return
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as scratch:
        options.volume = Path(scratch, "volume.npy")
        write_volume(options.volume, options.slices, options.side)
        for order_name in options.orders:
            rows += rows_of(order_name, options, Path(scratch))
    source, target = grids((options.slices, options.side, options.side))
    inputs = (
        f"{source.shape} float32 of {SPACING_MM} mm to {target.shape} of {NEW_SPACING_MM} mm, {options.threads} threads, "
        f"{options.repeat} repeats; promised: the times below, {PROMISED_HU} HU, {PROMISED_MB} MB"
    )
    print(heading("Resampling a CT", inputs=inputs))
    columns = (
        "order",
        "method",
        "wall s",
        "cpu s",
        "wall / ours",
        "cpu / ours",
        "promised",
        "peak MB",
        "differs by HU",
    )
    print(table(columns, rows))


if __name__ == "__main__":
    main()
