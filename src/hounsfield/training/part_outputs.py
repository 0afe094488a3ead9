"""What the fitted network says of each part of the split, and what is fitted on the tuning part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.calibration import (
    CalibratorChoice,
    Guard,
    calibrate_per_label,
    choose_calibrator,
    fit_guard,
    threshold_for,
)
from hounsfield.core.errors import RecipeError
from hounsfield.datasets import fit_picture
from hounsfield.inference import network_outputs
from hounsfield.metrics import dice
from hounsfield.training.fit import Pictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from hounsfield.datasets import Case, Dataset
    from hounsfield.training.recipe import Recipe

_BATCH = 32
# A class is called present where at most this share of the tuning part's other slices would be, and
# absent where at most this share of its own slices would be.
LOCKED_ERROR = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class PartOutputs:
    """Outputs for the cases of one part: logits (n, c), features (n, f), masks bool (n, s, s) and dice (n,).

    masks and dice are None for a network that outlines nothing.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32]
    masks: NDArray[np.bool_] | None = None
    dice: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """What the tuning part decided: calibrator, thresholds (present from, absent to), and the guard."""

    calibrator: CalibratorChoice
    thresholds: dict[str, tuple[float, float]]
    guard: Guard
    guard_threshold: float


def load_pictures(recipe: Recipe, dataset: Dataset, indices: list[int]) -> Pictures:
    """Network inputs, labels and (for a network that outlines) outlines of these cases.

    Raises RecipeError for a case without the outline that the network learns.
    """
    from hounsfield.networks import networks

    cases = [dataset.cases[index] for index in indices]
    size = recipe.picture.size
    inputs = [
        fit_picture(case.picture(), size=size, percentiles=recipe.picture.percentiles) for case in cases
    ]
    labels = dataset.labels[indices] if dataset.exclusive else dataset.truth[indices].astype(np.int64)
    masks = None
    if networks.get(recipe.network.name).gives_mask:  # type: ignore[attr-defined]  # a network is a class
        masks = _fit_masks(cases, size)
    return Pictures(np.stack(inputs), masks, labels, tuple(case.name for case in cases))


def _fit_masks(cases: list[Case], size: int) -> NDArray[np.float32]:
    without = [case.name for case in cases if case.mask_path is None]
    if without:
        raise RecipeError(
            f"{len(without)} cases have no outline (first: {without[0]}); this network learns both: choose one "
            "that outlines nothing, or give the outlines"
        )
    return np.stack([_fit_mask(case, size) for case in cases])


def _fit_mask(case: Case, size: int) -> NDArray[np.float32]:
    mask = case.mask().astype(np.float32)
    if not mask.any():
        raise RecipeError(f"the outline of case {case.name} is empty; leave the case out or outline it")
    # The same placement as the picture's; an outline's own percentiles are 0 and 1.
    square = fit_picture(mask, size=size, percentiles=(0.0, 100.0))
    return np.asarray(square > 0.5, dtype=np.float32)


def run_part(network: nn.Module, data: Pictures, recipe: Recipe) -> PartOutputs:
    """The network's outputs for every picture of `data`, run as reading will run it."""
    import torch

    logits, masks, features = [], [], []
    for first in range(0, len(data.labels), _BATCH):
        inputs = torch.from_numpy(data.pictures[first : first + _BATCH]).unsqueeze(1)
        outputs = network_outputs(network, inputs, test_time_flips=recipe.inference.test_time_flips)
        logits.append(outputs.logits)
        features.append(outputs.features)
        if outputs.mask is not None:
            masks.append(outputs.mask >= recipe.inference.mask_threshold)
    both = np.concatenate(logits), np.concatenate(features)
    if not masks or data.masks is None:
        return PartOutputs(*both)
    found = np.concatenate(masks)
    overlap = np.array([dice(truth > 0, mask) for truth, mask in zip(data.masks, found, strict=True)])
    return PartOutputs(*both, found, overlap)


def tune(
    train: PartOutputs,
    tuning: PartOutputs,
    labels: NDArray[np.int64],
    groups: Sequence[str],
    *,
    classes: tuple[str, ...],
    recipe: Recipe,
) -> Tuned:
    """Calibrator, thresholds and guard threshold from the tuning part; the guard's shape from training."""
    calibrator, thresholds = decide(tuning.logits, labels, groups, classes)
    guard = fit_guard(train.features, n_components=recipe.guard.components)
    limit = threshold_for(guard.distance(tuning.features), false_refusals=recipe.guard.false_refusals)
    return Tuned(calibrator, thresholds, guard, limit)


def decide(
    logits: NDArray[np.float32], labels: NDArray[np.int64], groups: Sequence[str], classes: tuple[str, ...]
) -> tuple[CalibratorChoice, dict[str, tuple[float, float]]]:
    """The calibrator and each class's thresholds (present from, absent to), from the tuning part alone.

    labels: (n,) class indices, or (n, labels) of 0 and 1. Raises RecipeError for a class that no case of the part has,
    or every case.
    """
    alone = labels.ndim == 2
    truths = [labels[:, index] > 0 if alone else labels == index for index in range(len(classes))]
    for name, truth in zip(classes, truths, strict=True):
        if truth.all() or not truth.any():
            raise RecipeError(
                f"{int(truth.sum())} of {truth.size} cases of the tuning part are {name}, so no threshold can be "
                "chosen: enlarge split.tune, or take the class out"
            )
    calibrator = (calibrate_per_label if alone else choose_calibrator)(logits, labels, groups)
    probabilities = calibrator.apply(logits)
    thresholds = {
        name: _lock(truth, probabilities[:, index])
        for index, (name, truth) in enumerate(zip(classes, truths, strict=True))
    }
    return calibrator, thresholds


def _lock(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> tuple[float, float]:
    """Present from, absent to: where few of the others and few of the class's own slices would go."""
    upper = float(np.quantile(probability[~truth], 1 - LOCKED_ERROR))
    lower = float(np.quantile(probability[truth], LOCKED_ERROR))
    # Where the class is told so well that both would cross, the gap between them stays undecided.
    present, absent = max(upper, lower, 1e-3), min(upper, lower, 1 - 2e-3)
    return min(present, 1.0), min(absent, present - 1e-3) if absent >= present else max(absent, 0.0)
