"""Dice, surface Dice and HD95 of five classes of a label map: ours beside surface-distance and MONAI, in one run.

    python -m benchmarks.surface_distances [--slices 300] [--side 512] [--repeat 3] [--scenes near far inside]

Lungs, heart, spine and a lesion as ellipsoids of one label map (uint8, 0.9 x 0.7 x 0.7 mm). In the scene "near" the
prediction lies two to three voxels beside the truth; in "far" it is the truth turned end for end, so that every class
but the heart lies 35 to 240 mm away from itself; in "inside" the ellipsoids are a fifth smaller, which is the least good case
for us and promised nothing. Each method starts from the two label maps, gets its masks from
them by comparing, and gives the three figures for each class: by area of surface (surface-distance, and ours), or by
border voxels (MONAI, and ours). Each row is a process of its own with one thread, after a call on small maps of each scene; the methods
take turns, `repeat` times, and once more for memory (PSS above label maps and imports).

The peers are no dependency of this project; what is absent is named. They are installed by

    pip install surface-distance absl-py
    pip install --no-deps monai
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
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._table import heading, table
from benchmarks.read_chest_phantom import pss_mb
from benchmarks.reading_ct import peak_above
from benchmarks.segmentation_objects import N_CLASSES, make_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from hounsfield.metrics import OutlineDefinition

Labels = np.ndarray[Any, np.dtype[np.uint8]]
# Dice, surface Dice at TOLERANCE_MM and HD95 in mm, for each class.
Figures = list[tuple[float, float, float]]

SPACING_MM = (0.9, 0.7, 0.7)
TOLERANCE_MM = 1.0
CLASSES = range(1, N_CLASSES + 1)
# What the project promises: least times faster, and the goal; and how much the figures may differ.
PROMISED = {"surface-distance": (2.0, 6.0), "MONAI": (4.0, 30.0)}
SCENES = ("near", "far", "inside")
PROMISED_SCENES = ("near", "far")
PROMISED_DIFFERENCE = 1e-6
# MONAI gives single precision.
RELATIVE_DIFFERENCE = 1e-6


def make_scene(scene: str, shape: tuple[int, int, int]) -> tuple[Labels, Labels]:
    """Truth and prediction."""
    truth = make_labels(shape)
    if scene == "far":
        return truth, np.ascontiguousarray(truth[::-1, ::-1, ::-1])
    if scene == "inside":
        return truth, make_labels(shape, scale=0.8)
    prediction = np.zeros_like(truth)
    prediction[2:, 3:, 2:] = truth[:-2, :-3, :-2]
    return truth, prediction


def ours(truth: Labels, prediction: Labels, definition: OutlineDefinition) -> Figures:
    """This project."""
    from hounsfield.metrics import compare_label_maps

    found = compare_label_maps(truth, prediction, SPACING_MM, CLASSES, definition=definition)
    return [
        (
            one.counts.dice,
            one.surface.surface_dice(TOLERANCE_MM),
            one.surface.hausdorff_percentile_mm(95),
        )
        for one in found.values()
    ]


def surface_distance(truth: Labels, prediction: Labels) -> Figures:
    """DeepMind's surface-distance."""
    import surface_distance as peer

    figures = []
    for label in CLASSES:
        masks = truth == label, prediction == label
        distances = peer.compute_surface_distances(*masks, SPACING_MM)
        figures.append(
            (
                float(peer.compute_dice_coefficient(*masks)),
                float(peer.compute_surface_dice_at_tolerance(distances, TOLERANCE_MM)),
                float(peer.compute_robust_hausdorff(distances, 95)),
            )
        )
    return figures


def monai(truth: Labels, prediction: Labels) -> Figures:
    """MONAI's functions on boolean tensors of one class at a time, which takes it less memory than all at once."""
    import torch
    from monai.metrics import compute_dice, compute_hausdorff_distance, compute_surface_dice

    torch.set_num_threads(1)
    figures = []
    for label in CLASSES:
        true, said = (torch.from_numpy(labels == label)[None, None] for labels in (truth, prediction))
        background: dict[str, Any] = {"include_background": True}
        near = compute_surface_dice(said, true, [TOLERANCE_MM], spacing=SPACING_MM, **background)
        far = compute_hausdorff_distance(said, true, percentile=95, spacing=SPACING_MM, **background)
        figures.append((float(compute_dice(said, true, **background)), float(near), float(far)))
    return figures


METHODS: dict[str, Callable[[Labels, Labels], Figures]] = {
    "hounsfield, by area": lambda truth, prediction: ours(truth, prediction, "surface area"),
    "surface-distance": surface_distance,
    "hounsfield, by border voxels": lambda truth, prediction: ours(truth, prediction, "border voxels"),
    "MONAI": monai,
}
# Which of ours is compared with which peer, and how the peer's module is called.
PEERS = {
    "surface-distance": ("hounsfield, by area", "surface_distance", "pip install surface-distance absl-py"),
    "MONAI": ("hounsfield, by border voxels", "monai", "pip install --no-deps monai"),
}


def run_one(options: argparse.Namespace) -> dict[str, Any]:
    """In a fresh process: one method on the label maps; its figures, seconds, and peak in MB if asked for."""
    warnings.simplefilter("ignore")
    method = METHODS[options.one]
    for scene in ("near", "far"):
        method(*make_scene(scene, (32, 48, 48)))
    truth, prediction = (np.load(options.folder / f"{name}.npy") for name in ("truth", "prediction"))
    if options.memory:
        figures: list[Figures] = []
        peak_mb = peak_above(lambda: figures.append(method(truth, prediction)), pss_mb(os.getpid()))
        return {"peak_mb": peak_mb, "figures": figures[0]}
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    method(truth, prediction)
    return {"wall_s": time.perf_counter() - wall_s, "cpu_s": time.process_time() - cpu_s}


def in_fresh_process(name: str, folder: Path, *, memory: bool = False) -> dict[str, Any]:
    """What `run_one` says of this method."""
    sys.stderr.write(f"{name}\n")
    command = [sys.executable, "-m", "benchmarks.surface_distances", "--one", name, "--folder", str(folder)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    answer = subprocess.run(
        [*command, *(["--memory"] if memory else [])],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **threads},
    )
    if answer.returncode:
        raise SystemExit(f"{name} failed:\n{answer.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return said


def largest_difference(one: Figures, other: Figures) -> float:
    """Over all figures; of distances in mm, beyond what single precision leaves of them."""
    first, second = np.array(one), np.array(other)
    return float((np.abs(first - second) - RELATIVE_DIFFERENCE * np.abs(second)).clip(0).max())


def rows_of(scene: str, options: argparse.Namespace, folder: Path) -> list[list[str]]:
    """The table's rows of one scene."""
    shape = (options.slices, options.side, options.side)
    for name, labels in zip(("truth", "prediction"), make_scene(scene, shape), strict=True):
        np.save(folder / f"{name}.npy", labels)
    absent = [peer for peer, (_, module, _) in PEERS.items() if find_spec(module) is None]
    names = [name for name in METHODS if name not in absent]
    times: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for round_ in range(options.repeat):
        # Forwards, then backwards, so that none always runs after the same one.
        for name in names[:: -1 if round_ % 2 else 1]:
            times[name].append(in_fresh_process(name, folder))
    cost = {
        name: {key: statistics.median(one[key] for one in found) for key in ("wall_s", "cpu_s")}
        for name, found in times.items()
    }
    last = {name: in_fresh_process(name, folder, memory=True) for name in names}
    rows = []
    for name in names:
        beside = PEERS[name][0] if name in PEERS else name
        ratios = [f"{cost[name][key] / cost[beside][key]:.1f}" for key in ("wall_s", "cpu_s")]
        is_promised = name in PROMISED and scene in PROMISED_SCENES
        promised = "{:g}, goal {:g}".format(*PROMISED[name]) if is_promised else ""
        difference = f"{largest_difference(last[beside]['figures'], last[name]['figures']):.1e}"
        seconds = [f"{cost[name][key]:.2f}" for key in ("wall_s", "cpu_s")]
        rows.append([scene, name, *seconds, *ratios, promised, f"{last[name]['peak_mb']:.0f}", difference])
    return rows + [[scene, peer, f"absent: {PEERS[peer][2]}", *[""] * 6] for peer in absent]


def judged(rows: list[list[str]]) -> list[str]:
    """The promises that the rows break: of speed by processor time, and of equal figures."""
    broken = []
    for scene, name, _, _, _, ratio, promised, _, difference in rows:
        if promised and float(ratio) < PROMISED[name][0]:
            broken.append(f"{scene}: {ratio} times as fast as {name}")
        if difference and float(difference) > PROMISED_DIFFERENCE:
            broken.append(f"{scene}: differs from {name} by {difference}")
    return broken


def main() -> None:
    """Make the scenes, run everyone, print the table; exit with 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=SCENES)
    parser.add_argument("--one", choices=tuple(METHODS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(options)))
        return
    rows: list[list[str]] = []
    for scene in options.scenes:
        with tempfile.TemporaryDirectory() as scratch:
            rows += rows_of(scene, options, Path(scratch))
    inputs = (
        f"{options.slices} slices of {options.side} x {options.side}, {N_CLASSES} classes, {SPACING_MM} mm, surface Dice at "
        f"{TOLERANCE_MM} mm, {options.repeat} repeats; promised: the times below, figures equal to {PROMISED_DIFFERENCE}"
    )
    print(heading("Dice, surface Dice and HD95 of a label map", inputs=inputs))
    columns = (
        "scene",
        "method",
        "wall s",
        "cpu s",
        "wall / ours",
        "cpu / ours",
        "promised",
        "peak MB",
        "differs by",
    )
    print(table(columns, rows))
    broken = judged(rows)
    if broken:
        print("\nbroken: " + "; ".join(broken))
        raise SystemExit(1)


if __name__ == "__main__":
    main()
