"""Intervals and tests of areas under the ROC curve by the method of DeLong, in the time of sorting.

Every figure follows from the placement of each case: the share of the cases of the other class that it
beats. The placements come from midranks (Sun and Xu), so that ten thousand cases take milliseconds.
Sources: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837; Sun and Xu 2014, IEEE Signal Process
Lett 21:1389. Cases count as independent; films of one patient are not: see cluster_bootstrap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval

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
        half = _quantile(level) * math.sqrt(max(float(self.covariance[index, index]), 0.0))
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
    (k, n_negative), of positives above each negative. Both classes must occur.
    """
    positive = np.asarray(truth, dtype=bool)
    values = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    ranks = np.array([_midranks(row) for row in values])
    own = [np.array([_midranks(row[part]) for row in values]) for part in (positive, ~positive)]
    of_positives = (ranks[:, positive] - own[0]) / n_negative
    of_negatives = 1.0 - (ranks[:, ~positive] - own[1]) / n_positive
    return of_positives, of_negatives


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


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, ties sharing their mean, of (n,); one sort, where scipy.stats costs half a second to import."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
    counts = np.diff(np.append(starts, values.size))
    ranks = np.empty(values.size)
    ranks[order] = np.repeat(starts + (counts + 1) / 2, counts)
    return ranks


def _covariance(placed: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.atleast_2d(np.cov(placed))


def _difference(difference: float, variance: float, level: float, freedom: float = math.inf) -> Difference:
    """Difference and test; scores that order all cases alike do not differ, and are not tested."""
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    if variance <= 1e-20:  # rounding of equal placements
        same = Interval(difference, difference, difference)
        is_same = difference == 0.0
        return Difference(same, 0.0 if is_same else math.copysign(math.inf, difference), float(is_same))
    error = math.sqrt(variance)
    statistic = difference / error
    normal, upper = math.isinf(freedom), 0.5 + level / 2
    half = float(ndtri(upper) if normal else stdtrit(freedom, upper)) * error
    below = float(ndtr(-abs(statistic)) if normal else stdtr(freedom, -abs(statistic)))
    return Difference(
        Interval(difference, difference - half, difference + half),
        statistic,
        2 * below,
    )


def _quantile(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise RefusedInput(f"the level is {level:g}; give a fraction between 0 and 1, such as 0.95.")
    return NormalDist().inv_cdf(0.5 + level / 2)
