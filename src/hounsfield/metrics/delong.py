"""Intervals and tests of areas under the ROC curve by the method of DeLong, in the time of sorting.

Every figure follows from the placement of each case: the share of the cases of the other class that it
beats. The placements come from midranks (Sun and Xu), so that ten thousand cases take milliseconds.
Sources: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837; Sun and Xu 2014, IEEE Signal Process
Lett 21:1389. Cases count as independent; films of one patient are not: see cluster_bootstrap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics._checks import two_sided

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Difference:
    """Two areas compared: first minus second, its 95 % interval, the test statistic and its two-sided p."""

    difference: Interval
    statistic: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class AurocCovariance:
    """Areas of k scores on the same n_cases cases, (k,), and their covariance, (k, k), by DeLong."""

    auroc: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n_cases: int

    def interval(self, index: int = 0, *, level: float = 0.95) -> Interval:
        """Area and interval of one score, by the normal distribution, cut at 0 and 1."""
        value = float(self.auroc[index])
        half = two_sided(level) * math.sqrt(max(float(self.covariance[index, index]), 0.0))
        return Interval(value, max(0.0, value - half), min(1.0, value + half))

    def paired(self, first: int = 0, second: int = 1, *, level: float = 0.95) -> Difference:
        """The paired test of two scores on the same cases."""
        c = self.covariance
        variance = float(c[first, first] + c[second, second] - 2 * c[first, second])
        return _difference(float(self.auroc[first] - self.auroc[second]), variance, level)

    def unpaired(self, other: AurocCovariance, *, level: float = 0.95) -> Difference:
        """The test against the first score of `other` on other cases, by Welch's t distribution as in pROC."""
        own, their = float(self.covariance[0, 0]), float(other.covariance[0, 0])
        variance = own + their
        freedom = (
            variance**2 / (own**2 / (self.n_cases - 1) + their**2 / (other.n_cases - 1)) if variance else 1.0
        )
        return _difference(float(self.auroc[0] - other.auroc[0]), variance, level, freedom)


def placements(truth: NDArray[Any], scores: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of the other class that each case beats, ties counted half.

    truth: bool (n,). scores: (k, n). Returns (k, n_positive), of negatives below each positive, and
    (k, n_negative), of positives above each negative. Both classes must occur; all nan where a score is nan.
    """
    positive = np.asarray(truth, dtype=bool)
    values = np.atleast_2d(np.asarray(scores))
    values = values if values.dtype.kind == "f" else values.astype(np.float64)
    placed = np.stack([_placed(positive, own) for own in values])
    return placed[:, positive], placed[:, ~positive]


def _placed(positive: NDArray[np.bool_], values: NDArray[Any]) -> NDArray[np.float64]:
    """The placement of each case of one score, by one sorting of all."""
    order = np.argsort(values)
    if np.isnan(values[order[-1]]):
        return np.full(order.size, np.nan)
    is_positive = positive[order]
    n_positive = int(is_positive.sum())
    hits = np.cumsum(is_positive)  # positives up to each place
    misses = np.arange(1, order.size + 1) - hits
    twice = np.where(is_positive, 2 * misses, 2 * hits)  # twice, as ties count half
    ranked = values[order]
    new = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
    if new.size + 1 < order.size:
        starts, ends = np.append(0, new), np.append(new, order.size)
        block = np.repeat(np.arange(starts.size), ends - starts)
        for up_to, wanted in ((misses, is_positive), (hits, ~is_positive)):
            until = up_to[ends - 1]
            twice[wanted] = (until + np.append(0, until[:-1]))[block][wanted]
    placed = np.empty(order.size)
    share = twice / 2 / np.where(is_positive, order.size - n_positive, n_positive)
    placed[order] = np.where(is_positive, share, 1.0 - share)
    return placed


def delong(truth: NDArray[Any], scores: NDArray[Any]) -> AurocCovariance:
    """Areas under the curves of k scores of the same n cases, with their covariance.

    truth: bool (n,). scores: (n,) or (k, n), larger means more likely positive. Raises RefusedInput if
    one class has fewer than two cases, as no variance can be estimated then.
    """
    positive = np.asarray(truth, dtype=bool)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if min(n_positive, n_negative) < 2:
        raise RefusedInput(
            f"{n_positive} positive and {n_negative} negative cases: DeLong's variance needs two of each."
        )
    of_positives, of_negatives = placements(positive, scores)
    covariance = _covariance(of_positives) / n_positive + _covariance(of_negatives) / n_negative
    return AurocCovariance(of_positives.mean(axis=1), covariance, positive.size)


def _covariance(placed: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.atleast_2d(np.cov(placed))


def _difference(difference: float, variance: float, level: float, freedom: float = math.inf) -> Difference:
    """Difference and test; scores that order all cases alike do not differ, and are not tested."""
    from scipy.special import ndtr, stdtr, stdtrit

    if variance <= 1e-20:  # rounding of equal placements
        same = Interval(difference, difference, difference)
        is_same = difference == 0.0
        return Difference(same, 0.0 if is_same else math.copysign(math.inf, difference), float(is_same))
    error = math.sqrt(variance)
    statistic, is_normal = difference / error, math.isinf(freedom)
    half = (two_sided(level) if is_normal else float(stdtrit(freedom, 0.5 + level / 2))) * error
    tail = float(ndtr(-abs(statistic)) if is_normal else stdtr(freedom, -abs(statistic)))
    return Difference(
        Interval(difference, difference - half, difference + half),
        statistic,
        2 * tail,
    )
