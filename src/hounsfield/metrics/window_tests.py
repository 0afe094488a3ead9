"""Tests of two windows of cases, a reference and a later one, by exchanging whole patients.

Under no change any patient could as well have come in the other window. Each statistic is computed for the windows as
they are and for windows with patients dealt anew; p is the rank of the first. That is exact at any size, for films of
one patient that are alike, and for the statistics below whatever the distribution. Where two windows may differ in case
mix but not in what is tested (calibration, area), the statistic is divided by its own standard error, which keeps
the level in large windows too (Chung and Romano 2013, Ann Stat 41:484).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics.calibration_line import SMALLEST_PROBABILITY, calibration_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

# Rows of a block of relabelled windows: 128 of 10,000 cases are 10 MB.
_ROWS_AT_ONCE = 128
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class WindowTest:
    """statistic: of the windows as they are. p: chance of one as large without a change. n_permutations: behind p."""

    statistic: float
    p: float
    n_permutations: int


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """n cases of p patients in two windows. patient: (n,) number of each case's patient. is_later: (p,) bool."""

    patient: NDArray[np.intp]
    is_later: NDArray[np.bool_]

    @classmethod
    def of(cls, patients: NDArray[Any], is_later: NDArray[Any]) -> Windows:
        """From names of patients (n,) and bool (n,). Raises RefusedInput for a patient in both windows or an empty one."""
        names, patient = np.unique(np.asarray(patients), return_inverse=True)
        later = np.zeros(len(names), dtype=bool)
        later[patient[np.asarray(is_later, dtype=bool)]] = True
        if (later[patient] != is_later).any():
            raise RefusedInput("a patient stands in both windows; leave his later cases out.")
        if later.all() or not later.any():
            raise RefusedInput("one of the two windows holds no case.")
        return cls(patient, later)

    def dealt(self, rng: np.random.Generator, n_permutations: int) -> Iterator[NDArray[np.bool_]]:
        """Blocks (rows, p) of later patients: as they are in the very first row, then dealt anew."""
        yield self.is_later[None, :]
        for start in range(0, n_permutations, _ROWS_AT_ONCE):
            rows = min(_ROWS_AT_ONCE, n_permutations - start)
            yield rng.permuted(np.tile(self.is_later, (rows, 1)), axis=1)


def distribution_test(
    values: NDArray[Any], windows: Windows, *, rng: np.random.Generator, n_permutations: int = 1999
) -> WindowTest:
    """Whether a number is distributed as before: the largest gap of the two distribution functions.

    values: real (n,). Source: Kolmogorov 1933, Smirnov 1939 (the statistic); p by permutation, see above.
    """
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values, dtype=np.float64)[order]
    ends = np.flatnonzero(np.append(np.diff(ordered) > 0, True))
    patient = windows.patient[order]

    def largest_gap(later: NDArray[np.bool_]) -> NDArray[np.float64]:
        below = np.cumsum(later[:, patient], axis=1, dtype=np.float32)
        n_later = below[:, -1:].astype(np.float64)
        n_earlier = len(ordered) - n_later
        upto = below[:, ends]
        gap = np.abs(upto / n_later - (ends + 1 - upto) / n_earlier).max(axis=1)
        return np.asarray(gap * np.sqrt(n_later * n_earlier / len(ordered))[:, 0])

    return _ranked(largest_gap, windows, rng, n_permutations)


def category_test(
    values: NDArray[Any], windows: Windows, *, rng: np.random.Generator, n_permutations: int = 1999
) -> WindowTest:
    """Whether categories are as frequent as before, new ones included: G of the table of two rows.

    values: names (n,). Source: Wilks 1938, Ann Math Stat 9:60 (the statistic); p by permutation.
    """
    _, category = np.unique(np.asarray(values), return_inverse=True)
    counts = np.zeros((len(windows.is_later), int(category.max()) + 1))
    np.add.at(counts, (windows.patient, category), 1.0)
    total = counts.sum(axis=0)

    def g(later: NDArray[np.bool_]) -> NDArray[np.float64]:
        observed = later.astype(np.float64) @ counts
        size = observed.sum(axis=1, keepdims=True)
        return _surprise(observed, size, total) + _surprise(total - observed, total.sum() - size, total)

    return _ranked(g, windows, rng, n_permutations)


def vector_test(
    values: NDArray[Any], windows: Windows, *, rng: np.random.Generator, n_permutations: int = 1999
) -> WindowTest:
    """Whether vectors (n, f) are distributed as before: maximum mean discrepancy, Gaussian kernel of median width.

    Every feature is first divided by its standard deviation. Chosen over a classifier of the windows because nothing
    is trained, so no case is spent on training and no setting can be tuned. Memory is that of n x n numbers.
    Source: Gretton 2012, J Mach Learn Res 13:723.
    """
    vectors = np.asarray(values, dtype=np.float64)
    spread = vectors.std(axis=0)
    vectors = vectors[:, spread > 0] / spread[spread > 0]
    if vectors.shape[1] == 0:
        return WindowTest(0.0, 1.0, 0)
    square = (vectors**2).sum(axis=1)
    apart = np.maximum(square[:, None] + square[None, :] - 2 * vectors @ vectors.T, 0.0)
    kernel = np.exp(-apart / max(float(np.median(apart[np.triu_indices(len(apart), 1)])), 1e-12))
    n_patients = len(windows.is_later)
    of_patient = np.zeros((n_patients, len(kernel)))
    np.add.at(of_patient, windows.patient, kernel)
    between = np.zeros((n_patients, n_patients))
    np.add.at(between.T, windows.patient, of_patient.T)
    n_cases = np.bincount(windows.patient, minlength=n_patients).astype(np.float64)

    def discrepancy(later: NDArray[np.bool_]) -> NDArray[np.float64]:
        member = later.astype(np.float64)
        n_later = (member @ n_cases)[:, None]
        weight = member / n_later - (1 - member) / (n_cases.sum() - n_later)
        return np.asarray(((weight @ between) * weight).sum(axis=1))

    return _ranked(discrepancy, windows, rng, n_permutations)


def calibration_tests(
    truth: NDArray[Any],
    probability: NDArray[Any],
    windows: Windows,
    *,
    rng: np.random.Generator,
    n_permutations: int = 1999,
) -> tuple[WindowTest, WindowTest]:
    """Whether probabilities mean what they meant: their level, and their spread (slope).

    One logistic line through both windows stands for "as before"; tested are the mean of what it leaves, and the
    mean of that times the distance of the logit from its middle, later against reference. truth: bool (n,).
    probability: (n,). Raises RefusedInput where `calibration_line` does.
    """
    from scipy.special import expit

    line = calibration_line(truth, probability)
    clipped = np.clip(
        np.asarray(probability, dtype=np.float64), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY
    )
    logit = np.log(clipped) - np.log1p(-clipped)
    left = np.asarray(truth, dtype=np.float64) - expit(line.intercept.value + line.slope.value * logit)
    level = mean_test(left, windows, rng=rng, n_permutations=n_permutations)
    spread = mean_test(left * (logit - logit.mean()), windows, rng=rng, n_permutations=n_permutations)
    return level, spread


def mean_test(
    values: NDArray[Any], windows: Windows, *, rng: np.random.Generator, n_permutations: int = 1999
) -> WindowTest:
    """Whether a mean is as before: the difference divided by its standard error, which allows for alike cases."""
    n_patients = len(windows.is_later)
    total = np.bincount(windows.patient, np.asarray(values, dtype=np.float64), n_patients)
    n_cases = np.bincount(windows.patient, minlength=n_patients).astype(np.float64)
    parts = np.stack([total, n_cases, total**2, total * n_cases, n_cases**2], axis=1)

    def studentised(later: NDArray[np.bool_]) -> NDArray[np.float64]:
        sums = later.astype(np.float64) @ parts
        (mean, variance), (before, its_variance) = _mean(sums), _mean(parts.sum(axis=0) - sums)
        error = np.sqrt(np.maximum(variance + its_variance, 1e-300))
        return np.asarray(np.abs(mean - before) / error)

    return _ranked(studentised, windows, rng, n_permutations)


def auroc_test(
    truth: NDArray[Any],
    score: NDArray[Any],
    windows: Windows,
    *,
    rng: np.random.Generator,
    n_permutations: int = 1999,
) -> WindowTest:
    """Whether the area under the ROC curve is as before: the difference divided by its error after DeLong.

    truth: bool (n,). score: real (n,). Dealt windows that lack a class count as no difference.
    """
    order = np.argsort(score, kind="stable")
    ordered = np.asarray(score, dtype=np.float64)[order]
    positive = np.asarray(truth, dtype=bool)[order]
    block = np.concatenate([[0], np.cumsum(np.diff(ordered) > 0)])
    first = np.searchsorted(block, block, side="left")
    last = np.searchsorted(block, block, side="right")
    patient = windows.patient[order]

    def studentised(later: NDArray[np.bool_]) -> NDArray[np.float64]:
        member = later[:, patient]
        (area, variance), (before, its_variance) = (
            _area(one, positive, first, last) for one in (member, ~member)
        )
        error = np.sqrt(np.maximum(variance + its_variance, 1e-300))
        return np.nan_to_num(np.abs(area - before) / error, nan=0.0)

    return _ranked(studentised, windows, rng, n_permutations)


def _ranked(
    statistic: Callable[[NDArray[np.bool_]], NDArray[np.float64]],
    windows: Windows,
    rng: np.random.Generator,
    n_permutations: int,
) -> WindowTest:
    blocks = windows.dealt(rng, n_permutations)
    observed = float(statistic(next(blocks))[0])
    reached = sum(int((statistic(block) >= observed - _TIE * max(1.0, observed)).sum()) for block in blocks)
    return WindowTest(observed, (1 + reached) / (1 + n_permutations), n_permutations)


def _surprise(
    observed: NDArray[np.float64], size: NDArray[np.float64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    expected = size * total / total.sum()
    ratio = np.where(observed > 0, observed / np.maximum(expected, 1e-300), 1.0)
    return np.asarray(2 * (observed * np.log(ratio)).sum(axis=1))


def _mean(sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and its variance from sums (..., 5), patients being the units (Cochran 1977, the ratio estimator)."""
    total, n, square, product, n_square = np.moveaxis(sums, -1, 0)
    n = np.maximum(n, 1e-12)
    mean = total / n
    return mean, np.maximum(square - 2 * mean * product + mean**2 * n_square, 0.0) / n**2


def _area(
    member: NDArray[np.bool_],
    positive: NDArray[np.bool_],
    first: NDArray[np.intp],
    last: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Area and variance (rows,) of the cases of each row, which lie in the order of their scores."""
    ours, theirs = member & positive, member & ~positive
    n_positive, n_negative = (one.sum(axis=1).astype(np.float64) for one in (ours, theirs))
    beaten = _below(theirs, first, last) / np.maximum(n_negative, 1.0)[:, None]
    beats = 1 - _below(ours, first, last) / np.maximum(n_positive, 1.0)[:, None]
    area, own = _moments(beaten, ours, n_positive)
    _, other = _moments(beats, theirs, n_negative)
    defined = (n_positive > 1) & (n_negative > 1)
    return np.where(defined, area, np.nan), own + other


def _below(marked: NDArray[np.bool_], first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.float64]:
    """How many marked cases score below each case, equal ones counted half."""
    counted = np.concatenate(
        [np.zeros((len(marked), 1)), np.cumsum(marked, axis=1, dtype=np.float64)], axis=1
    )
    return np.asarray((counted[:, first] + counted[:, last]) / 2)


def _moments(
    placement: NDArray[np.float64], chosen: NDArray[np.bool_], n: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = (placement * chosen).sum(axis=1) / np.maximum(n, 1.0)
    square = ((placement - mean[:, None]) ** 2 * chosen).sum(axis=1)
    return mean, square / np.maximum(n - 1, 1.0) / np.maximum(n, 1.0)
