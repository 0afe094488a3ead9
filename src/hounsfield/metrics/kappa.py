"""Agreement of readers beyond chance: two readers, many readers, and readers who did not read everything.

Intervals: of Cohen's kappa by the large-sample variance; of Fleiss' kappa and Krippendorff's alpha by leaving out one
case at a time (jackknife), which asks for independent cases. None is cut at 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics._checks import two_sided

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Weights = Literal["none", "linear", "quadratic"]
Scale = Literal["nominal", "ordinal", "interval", "ratio"]
_UNDEFINED = Interval(math.nan, math.nan, math.nan)


def cohen_kappa(table: NDArray[Any], *, weights: Weights = "none", level: float = 0.95) -> Interval:
    """Kappa of two readers with its interval; nan where chance alone gives full agreement.

    table: counts (k, k), rows by the first reader, columns by the second, classes in their order. weights: how much a
    disagreement counts by the distance of its classes. Raises RefusedInput for another shape, a negative count or
    no case. Sources: Cohen 1960, Educ Psychol Meas 20:37, and 1968, Psychol Bull 70:213 (weights); Fleiss, Cohen and
    Everitt 1969, Psychol Bull 72:323 (variance).
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or (counts < 0).any() or not counts.sum():
        raise RefusedInput(f"a table of counts (k, k) with cases is needed, not one of shape {counts.shape}.")
    n = float(counts.sum())
    share = counts / n
    agreed = _agreement(counts.shape[0], weights)
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed, by_chance = float((agreed * share).sum()), float(rows @ agreed @ columns)
    if math.isclose(by_chance, 1.0, abs_tol=1e-12):
        return _UNDEFINED
    value = (observed - by_chance) / (1.0 - by_chance)
    expected = (agreed @ columns)[:, None] + (rows @ agreed)[None, :]
    spread = (share * (agreed * (1 - by_chance) - expected * (1 - observed)) ** 2).sum()
    spread -= (observed * by_chance - 2 * by_chance + observed) ** 2
    half = two_sided(level) * math.sqrt(max(float(spread), 0.0) / n) / (1.0 - by_chance) ** 2
    return Interval(value, value - half, value + half)


def _agreement(n_classes: int, weights: Weights) -> NDArray[np.float64]:
    """Weight of each pair of classes: 1 on the diagonal."""
    if weights not in {"none", "linear", "quadratic"}:
        raise RefusedInput(f"weights is {weights!r}; give 'none', 'linear' or 'quadratic'.")
    place = np.arange(n_classes)
    apart = np.abs(place[:, None] - place).astype(np.float64)
    if weights == "none":
        return np.asarray(apart == 0, dtype=np.float64)
    return np.asarray(1.0 - (apart / max(n_classes - 1, 1)) ** (1 if weights == "linear" else 2))


def fleiss_kappa(counts: NDArray[Any], *, level: float = 0.95) -> Interval:
    """Kappa of m readers each case, not always the same ones; nan where all chose one class.

    counts: (n, k), how many readers put each case into each class; every row sums to m, at least 2. Raises
    RefusedInput otherwise. Source: Fleiss 1971, Psychol Bull 76:378.
    """
    chosen = np.asarray(counts, dtype=np.float64)
    readers = chosen.sum(axis=1) if chosen.ndim == 2 and chosen.size else np.zeros(1)
    if (chosen < 0).any() or readers[0] < 2 or np.ptp(readers):
        raise RefusedInput(
            "every case needs the same number of readers, at least 2, in a table (cases, classes)."
        )
    m = float(readers[0])
    agreed = ((chosen**2).sum(axis=1) - m) / (m * (m - 1))

    def kappa(kept: NDArray[np.bool_]) -> float:
        by_chance = float(((chosen[kept].sum(axis=0) / (m * kept.sum())) ** 2).sum())
        return (float(agreed[kept].mean()) - by_chance) / (1 - by_chance) if by_chance < 1.0 else math.nan

    return _jackknifed(kappa, len(chosen), level)


def krippendorff_alpha(ratings: NDArray[Any], *, scale: Scale, level: float = 0.95) -> Interval:
    """Alpha of any number of readers, who may have left out cases; nan where all values are alike.

    ratings: (readers, cases), nan where a reader gave none; cases with fewer than two ratings do not count. scale: how
    two values differ; ratio asks for values of 0 or more. Raises RefusedInput if no case has two ratings. Source:
    Krippendorff 2004, Content Analysis, chapter 11.
    """
    rated = np.asarray(ratings, dtype=np.float64)
    read = np.isfinite(rated)
    kept = read.sum(axis=0) >= 2 if rated.ndim == 2 else np.zeros(0, dtype=bool)
    if not kept.any():
        raise RefusedInput(
            "no case was rated twice; ratings (readers, cases) with at least one pair are needed."
        )
    values = np.unique(rated[:, kept][read[:, kept]])
    counts = (rated[:, kept, None] == values).sum(axis=0).astype(np.float64)
    own = np.eye(values.size) * counts[:, :, None]
    together = (counts[:, :, None] * counts[:, None, :] - own) / (counts.sum(axis=1) - 1)[:, None, None]
    total = together.sum(axis=0)

    def alpha(used: NDArray[np.bool_]) -> float:
        coincidence = total - together[~used].sum(axis=0)
        each = coincidence.sum(axis=1)
        distance = _distance(values, each, scale)
        expected = float(each @ distance @ each)
        if not expected:
            return math.nan
        return 1.0 - (float(each.sum()) - 1) * float((coincidence * distance).sum()) / expected

    return _jackknifed(alpha, len(counts), level)


def _distance(values: NDArray[np.float64], each: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Squared difference of every two values."""
    apart = values[:, None] - values
    if scale == "nominal":
        return np.asarray(apart != 0, dtype=np.float64)
    if scale == "interval":
        return np.asarray(apart**2)
    if scale == "ratio" and values[0] >= 0:
        with np.errstate(invalid="ignore"):
            return np.nan_to_num((apart / (values[:, None] + values)) ** 2)
    if scale == "ordinal":
        middle = np.cumsum(each) - each / 2
        return np.asarray((middle[:, None] - middle) ** 2)
    raise RefusedInput(
        f"scale {scale!r} does not fit: nominal, ordinal, interval, or ratio of values of 0 or more."
    )


def _jackknifed(figure: Callable[[NDArray[np.bool_]], float], n: int, level: float) -> Interval:
    """The figure on all n cases and its interval from leaving out each; no limits below two cases."""
    value = figure(np.ones(n, dtype=bool))
    if n < 2:
        return Interval(value, math.nan, math.nan)
    without = np.array([figure(np.arange(n) != left_out) for left_out in range(n)])
    error = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
    half = two_sided(level) * error
    return Interval(value, value - half, value + half)
