"""How many right slices the input guard refuses, and how many foreign pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RecipeError
from hounsfield.datasets import Case, fit_picture
from hounsfield.metrics import Interval, cluster_bootstrap, wilson_interval
from hounsfield.training.recipe import Recipe, filled
from hounsfield.zoo import Detection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from hounsfield.training.part_outputs import Tuned

_N_NOISE = 50


def measure_guard(
    network: nn.Module, tuned: Tuned, right: NDArray[np.float32], groups: Sequence[str], recipe: Recipe
) -> list[Detection]:
    """Refused shares: first of the right slices (features `right`, by group), then of each foreign set.

    Foreign sets are those the recipe names, and noise of two kinds made here.
    """
    refused = tuned.guard.distance(right) > tuned.guard_threshold
    rng = np.random.default_rng(0)
    wrongly = cluster_bootstrap(lambda index: float(refused[index].mean()), groups, rng=rng)
    rates = [_detection("right slices of the test part (false refusals)", len(refused), wrongly)]
    size = recipe.picture.size
    sets: dict[str, list[NDArray[Any]]] = {
        name: [Case(path.name, path, "", "").picture() for path in _files(name, filled(pattern))]
        for name, pattern in recipe.guard.foreign.items()
    }
    rng = np.random.default_rng(recipe.seed)
    sets["white noise"] = [rng.normal(size=(size, size)) for _ in range(_N_NOISE)]
    sets["gradients"] = [_gradient(size, rng) for _ in range(_N_NOISE)]
    for name, pictures in sets.items():
        inputs = [
            fit_picture(picture, size=size, percentiles=recipe.picture.percentiles) for picture in pictures
        ]
        distances = tuned.guard.distance(_features(network, np.stack(inputs)))
        # Resampling a share of 1 gives 1 each time; Wilson's interval says how few pictures it rests on.
        n_refused = int((distances > tuned.guard_threshold).sum())
        rates.append(_detection(name, len(inputs), wilson_interval(n_refused, len(inputs))))
    return rates


def _detection(name: str, n: int, share: Interval) -> Detection:
    return Detection(name=name, n=n, refused_fraction=share.value, low95=share.low, high95=share.high)


def _files(name: str, pattern: str) -> list[Path]:
    from pathlib import Path

    path = Path(pattern)
    found = sorted(path.parent.glob(path.name))
    if not found:
        raise RecipeError(
            f"guard.foreign.{name} names no file; get the set, or take the line out of the recipe"
        )
    return found


def _gradient(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.uniform(0, 2 * np.pi)
    row, column = np.mgrid[0:size, 0:size] / size
    return np.asarray(np.cos(angle) * row + np.sin(angle) * column)


def _features(network: nn.Module, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    import torch

    from hounsfield.inference import network_outputs

    batches = [
        network_outputs(network, torch.from_numpy(inputs[first : first + 32]).unsqueeze(1)).features
        for first in range(0, len(inputs), 32)
    ]
    return np.concatenate(batches)
