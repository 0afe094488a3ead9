"""Classes that exclude each other: what was said against what was true, or one reader against another.

All follows from the confusion matrix. Intervals of kappa take cases as independent; films of one patient are not: resample
patients (`resampled`) where a patient has several.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics.decisions import DecisionCounts
from hounsfield.metrics.wilson import Z_95

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Weights = Literal["none", "linear", "quadratic"]


def confusion_matrix(truth: NDArray[Any], said: NDArray[Any], n_classes: int) -> NDArray[np.int64]:
    """Counts (n_classes, n_classes), truth in rows. truth, said: class indices (n,).

    Raises RefusedInput for a class outside 0 to n_classes - 1 and for lists of different length.
    """
    true, stated = np.asarray(truth, dtype=np.int64), np.asarray(said, dtype=np.int64)
    if true.shape != stated.shape or true.ndim != 1:
        raise RefusedInput(
            f"truth {true.shape} and answers {stated.shape} do not fit; give one of each a case."
        )
    both = np.concatenate([true, stated])
    if both.size and not (both.min() >= 0 and both.max() < n_classes):
        raise RefusedInput(f"classes {both.min()} to {both.max()} occur; there are {n_classes}, from 0 on.")
    return np.bincount(true * n_classes + stated, minlength=n_classes**2).reshape(n_classes, n_classes)


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionFigures:
    """Figures of a confusion matrix (classes, classes), truth in rows; nan where a denominator is zero."""

    counts: NDArray[np.int64]

    @property
    def n(self) -> int:
        """All cases."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> float:
        """Share of cases whose class was said."""
        return float(np.trace(self.counts)) / self.n if self.n else math.nan

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of the cases of each class that was said to be of it, (classes,)."""
        return _divided(np.diag(self.counts), self.counts.sum(axis=1))

    @property
    def precision(self) -> NDArray[np.float64]:
        """Share of the cases said to be of each class that are, (classes,)."""
        return _divided(np.diag(self.counts), self.counts.sum(axis=0))

    @property
    def f1(self) -> NDArray[np.float64]:
        """Harmonic mean of recall and precision of each class, (classes,)."""
        return _divided(2 * np.diag(self.counts), self.counts.sum(axis=0) + self.counts.sum(axis=1))

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall over the classes that occur (Brodersen 2010, ICPR, 3121)."""
        recall = self.recall
        return float(recall[np.isfinite(recall)].mean()) if np.isfinite(recall).any() else math.nan

    @property
    def mcc(self) -> float:
        """Correlation of truth and answer for any number of classes (Gorodkin 2004, Comput Biol Chem 28:367)."""
        said, true, n = self.counts.sum(axis=0), self.counts.sum(axis=1), float(self.n)
        spread = (n * n - float(said @ said)) * (n * n - float(true @ true))
        return (
            (float(np.trace(self.counts)) * n - float(said @ true)) / math.sqrt(spread)
            if spread
            else math.nan
        )

    def one_against_rest(self, index: int) -> DecisionCounts:
        """The decision "is of this class", counted, with all its figures and their intervals."""
        hit = int(self.counts[index, index])
        said, true = int(self.counts[:, index].sum()), int(self.counts[index].sum())
        return DecisionCounts(hit, said - hit, self.n - said - true + hit, true - hit)

    def kappa(self, weights: Weights = "none") -> Interval:
        """Agreement beyond chance. weights: how much a miss by several steps of ordered classes counts more.

        Value: Cohen 1960, Educ Psychol Meas 20:37, and 1968, Psychol Bull 70:213. Interval: the large-sample error of
        Fleiss 1969, Psychol Bull 72:323, cut at -1 and 1. Undefined where chance alone agrees always.
        """
        if not self.n:
            return Interval(math.nan, math.nan, math.nan, 1)
        shares = self.counts / self.n
        credit = 1.0 - _cost(len(shares), weights)
        true, said = shares.sum(axis=1), shares.sum(axis=0)
        observed, by_chance = float((credit * shares).sum()), float(true @ credit @ said)
        if by_chance >= 1.0:
            return Interval(math.nan, math.nan, math.nan, 1)
        value = (observed - by_chance) / (1 - by_chance)
        # Mean credit of each row and column.
        mean = (credit @ said)[:, None] + (true @ credit)[None]
        inner = shares * (credit * (1 - by_chance) - mean * (1 - observed)) ** 2
        rest = (observed * by_chance - 2 * by_chance + observed) ** 2
        half = Z_95 * math.sqrt(max(float(inner.sum()) - rest, 0.0) / self.n) / (1 - by_chance) ** 2
        return Interval(value, max(value - half, -1.0), min(value + half, 1.0))


def confusion_figures(truth: NDArray[Any], said: NDArray[Any], n_classes: int) -> ConfusionFigures:
    """Figures of class indices (n,); raises RefusedInput as `confusion_matrix` does."""
    return ConfusionFigures(confusion_matrix(truth, said, n_classes))


def fleiss_kappa(ratings: NDArray[Any]) -> float:
    """Agreement beyond chance of m readers who each put every case into one class.

    ratings: counts (cases, classes), how many readers chose each; the same number of readers for every case, two or
    more. nan where all readers always chose one class. Source: Fleiss 1971, Psychol Bull 76:378.
    """
    counts = np.asarray(ratings, dtype=np.float64)
    readers = counts.sum(axis=1) if counts.ndim == 2 else np.zeros(0)
    if not readers.size or readers[0] < 2 or not (readers == readers[0]).all():
        raise RefusedInput(
            "every case needs the same number of readers, two or more, as counts (cases, classes)."
        )
    m = float(readers[0])
    observed = float(((counts**2).sum(axis=1) - m).mean() / (m * (m - 1)))
    by_chance = float(((counts.sum(axis=0) / counts.sum()) ** 2).sum())
    return float((observed - by_chance) / (1 - by_chance)) if by_chance < 1 else math.nan


def krippendorff_alpha(
    ratings: Sequence[Sequence[float]] | NDArray[Any],
    scale: Literal["nominal", "ordinal", "interval"] = "nominal",
) -> float:
    """Agreement of readers of whom some may have left out cases; 1 is perfect, 0 is chance.

    ratings: (readers, cases), nan where a reader gave none; cases with fewer than two count nothing. nan where one
    value alone occurs. Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.
    """
    values = np.asarray(ratings, dtype=np.float64)
    given = np.isfinite(values)
    values = values[:, given.sum(axis=0) >= 2]
    given = np.isfinite(values)
    levels = np.unique(values[given])
    if levels.size < 2:
        return math.nan
    counts = np.stack([(values == level).sum(axis=0) for level in levels], axis=1).astype(np.float64)
    m = counts.sum(axis=1)
    together = (counts / (m - 1)[:, None]).T @ counts - np.diag((counts / (m - 1)[:, None]).sum(axis=0))
    totals = together.sum(axis=1)
    distance = _distance(levels, totals, scale)
    expected = float(totals @ distance @ totals) / (totals.sum() - 1)
    return 1.0 - float((together * distance).sum()) / float(expected)


def _distance(
    levels: NDArray[np.float64], totals: NDArray[np.float64], scale: Literal["nominal", "ordinal", "interval"]
) -> NDArray[np.float64]:
    if scale == "nominal":
        return 1.0 - np.eye(levels.size)
    if scale == "interval":
        return np.asarray((levels[:, None] - levels[None]) ** 2, dtype=np.float64)
    # Ranks: how many ratings lie between two levels, half of each end.
    reached = np.cumsum(totals) - totals / 2
    return np.asarray((reached[:, None] - reached[None]) ** 2, dtype=np.float64)


def _cost(n_classes: int, weights: Weights) -> NDArray[np.float64]:
    """From 0 for the same class to 1 for the farthest, (classes, classes)."""
    steps = np.abs(np.subtract.outer(np.arange(n_classes), np.arange(n_classes))).astype(np.float64)
    if weights == "none":
        return np.asarray(steps > 0, dtype=np.float64)
    steps /= max(n_classes - 1, 1)
    return steps if weights == "linear" else steps**2


def _divided(above: NDArray[Any], below: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(above / below, dtype=np.float64)
