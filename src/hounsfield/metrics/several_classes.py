"""Probabilities of several classes that exclude each other: ranking, calibration and the sum of both.

truth: classes (n,), whole numbers from 0. probability: (n, k), rows that sum to 1. Each function raises RefusedInput for
other shapes, for classes outside, and for rows that do not sum to 1 within 1e-4.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics.auroc import auroc
from hounsfield.metrics.expected_calibration_error import N_BINS, expected_calibration_error
from hounsfield.metrics.wilson import wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.metrics._bootstrap import Interval

_ROUNDING = 1e-4  # of probabilities written with five digits
_SMALLEST = 1e-15  # below it the logarithm says more of rounding than of the model


def one_vs_rest_auroc(
    truth: NDArray[Any],
    probability: NDArray[Any],
    *,
    average: Literal["macro", "micro", "weighted"] = "macro",
) -> float:
    """Area of each class against all others, averaged; depends on how frequent the classes are.

    macro: nan if a class has no case. weighted: by cases, classes without a case weigh nothing. micro: all decisions
    "is it this class" in one curve. Source: Provost and Domingos 2000, NYU CeDER-00-04.
    """
    true, stated = _checked(truth, probability)
    own = true[:, None] == np.arange(stated.shape[1])
    if average == "micro":
        return float(auroc(own.ravel(), stated.ravel()))
    areas = np.array([auroc(own[:, k], stated[:, k]) for k in range(stated.shape[1])], dtype=np.float64)
    if average == "macro":
        return float(areas.mean())
    if average != "weighted":
        raise RefusedInput(f"no average is called {average!r}; give 'macro', 'micro' or 'weighted'.")
    cases = own.sum(axis=0)
    return float((areas[cases > 0] * cases[cases > 0]).sum() / cases.sum())


def hand_till_auroc(truth: NDArray[Any], probability: NDArray[Any]) -> float:
    """Mean area over all pairs of classes, cases of other classes left out; nan if a class has no case.

    It does not depend on how frequent the classes are. Source: Hand and Till 2001, Mach Learn 45:171 (their M).
    """
    true, stated = _checked(truth, probability)
    pairs = []
    for first, second in combinations(range(stated.shape[1]), 2):
        either = (true == first) | (true == second)
        is_first = true[either] == first
        ways = auroc(is_first, stated[either, first]) + auroc(~is_first, stated[either, second])
        pairs.append(ways / 2)
    return float(np.mean(pairs))


def log_loss(truth: NDArray[Any], probability: NDArray[Any]) -> float:
    """Mean of minus the logarithm of the true class's probability, in nats; nan without cases.

    Probabilities below 1e-15 count as 1e-15. Source: Good 1952, J R Stat Soc B 14:107.
    """
    true, stated = _checked(truth, probability)
    if not true.size:
        return math.nan
    return float(-np.log(np.maximum(stated[np.arange(true.size), true], _SMALLEST)).mean())


def brier_several(truth: NDArray[Any], probability: NDArray[Any]) -> float:
    """Brier's original score: squared differences summed over classes, 0 to 2; nan without cases.

    For two classes it is twice the score of one. Source: Brier 1950, Mon Weather Rev 78:1.
    """
    true, stated = _checked(truth, probability)
    if not true.size:
        return math.nan
    own = true[:, None] == np.arange(stated.shape[1])
    return float(((stated - own) ** 2).sum(axis=1).mean())


def top_k_accuracy(truth: NDArray[Any], probability: NDArray[Any], *, k: int) -> Interval:
    """Share of cases whose class is among the k most likely (Wilson).

    Ties are broken against the model: a class counts only if fewer than k others are as likely or likelier. Raises
    RefusedInput without cases or for k below 1.
    """
    true, stated = _checked(truth, probability)
    if not 1 <= k <= stated.shape[1]:
        raise RefusedInput(f"k is {k}; give 1 to {stated.shape[1]}, the number of classes.")
    own = stated[np.arange(true.size), true]
    as_likely = (stated >= own[:, None]).sum(axis=1)
    return wilson_interval(int((as_likely <= k).sum()), true.size)


def top_label_calibration_error(
    truth: NDArray[Any], probability: NDArray[Any], *, n_bins: int = N_BINS
) -> float:
    """Expected calibration error of the most likely class (the first of equals); nan without cases.

    Bins of equal width. Source: Guo 2017, ICML 70:1321.
    """
    true, stated = _checked(truth, probability)
    right = stated.argmax(axis=1) == true
    return float(expected_calibration_error(right, stated.max(axis=1, initial=0.0), n_bins=n_bins))


def classwise_calibration_error(
    truth: NDArray[Any], probability: NDArray[Any], *, n_bins: int = N_BINS
) -> float:
    """Mean over classes of the expected calibration error of "is it this class"; nan without cases.

    Bins of equal width. Source: Kull 2019, NeurIPS 32:12316.
    """
    true, stated = _checked(truth, probability)
    errors = [
        expected_calibration_error(true == own, stated[:, own], n_bins=n_bins)
        for own in range(stated.shape[1])
    ]
    return float(np.mean(errors))


def _checked(truth: NDArray[Any], probability: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    true, stated = np.asarray(truth), np.asarray(probability, dtype=np.float64)
    if stated.ndim != 2 or stated.shape[1] < 2 or true.shape != stated.shape[:1]:
        raise RefusedInput(
            f"truth {true.shape} and probability {stated.shape}; (n,) and (n, classes) are needed."
        )
    if true.size and (
        true.dtype.kind not in "iub" or not 0 <= int(true.min()) <= int(true.max()) < stated.shape[1]
    ):
        raise RefusedInput(f"truth must hold whole numbers of 0 to {stated.shape[1] - 1}, the columns.")
    if not (np.abs(stated.sum(axis=1) - 1.0) <= _ROUNDING).all() or (stated < 0).any():
        raise RefusedInput("rows of probability must be 0 or more and sum to 1; give the softmax of scores.")
    return true.astype(np.int64), stated
