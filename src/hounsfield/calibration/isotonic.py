"""Isotonic calibration: the best steps that never fall; for many cases, since it fits whatever it sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.calibration._binary import checked_pairs
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ISOTONIC = "isotonic"


def fit_isotonic(scores: NDArray[Any], truth: NDArray[Any]) -> dict[str, tuple[float, ...]]:
    """`scores` and `probabilities` (k,) of the corners of the non-decreasing line nearest to the truth by squares.

    scores: (n,) logits or probabilities of cases that the network was not trained on. truth: (n,) bool. Cases of equal
    score count as one. Between the corners lines are drawn, beyond them the end holds; where all cases below or above
    a score agree the probability is 0 or 1, which few cases cannot show: prefer Platt below about 1,000 cases.
    Source: Zadrozny 2002, KDD, 694; pooling of adjacent violators as in Ayer 1955, Ann Math Stat 26:641.
    """
    values, true = checked_pairs(scores, truth)
    places, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=true.astype(np.float64)) / counts
    blocks = _pooled(means, counts)
    level = np.repeat([mean for mean, _, _ in blocks], [n for _, _, n in blocks])
    # Both ends of each step are corners; what lies inside a step adds nothing.
    ends = np.cumsum([n for _, _, n in blocks]) - 1
    starts = np.concatenate([[0], ends[:-1] + 1])
    kept = np.unique(np.concatenate([starts, ends]))
    return {"scores": tuple(places[kept].tolist()), "probabilities": tuple(level[kept].tolist())}


def _pooled(means: NDArray[np.float64], counts: NDArray[np.intp]) -> list[tuple[float, float, int]]:
    """Blocks (mean, weight, places) whose means rise: neighbours that fall are put together."""
    blocks: list[tuple[float, float, int]] = []
    for mean, count in zip(means.tolist(), counts.tolist(), strict=True):
        block = (mean, float(count), 1)
        while blocks and blocks[-1][0] >= block[0]:
            before, weight, places = blocks.pop()
            total = weight + block[1]
            block = ((before * weight + block[0] * block[1]) / total, total, places + block[2])
        blocks.append(block)
    return blocks


def apply_isotonic(
    values: NDArray[Any], scores: Sequence[float], probabilities: Sequence[float]
) -> NDArray[np.float64]:
    """Calibrated probabilities of values of any shape from the corners; raises UsageError if a step falls."""
    places, levels = np.asarray(scores, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if places.shape != levels.shape or not places.size:
        raise UsageError(f"{places.size} scores and {levels.size} probabilities do not fit; fit it again")
    if (np.diff(places) <= 0).any() or (np.diff(levels) < 0).any():
        raise UsageError("the corners of an isotonic calibrator must rise; fit the calibrator again")
    return np.asarray(np.interp(np.asarray(values, dtype=np.float64), places, levels), dtype=np.float64)
