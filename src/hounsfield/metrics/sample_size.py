"""How many cases a study needs, planned before it begins: for a precision, for a comparison, for readers.

Every answer is the smallest whole number of cases that reaches what was asked by the formula named; none allows for cases
that drop out, nor for several films of one patient (multiply by `design_effect`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics.wilson import Z_95

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class CasesNeeded:
    """Numbers of cases with and without the finding, and how many must come in at the stated prevalence for both."""

    positive: int
    negative: int
    at_prevalence: int


def cases_for_proportion(expected: float, half_width: float) -> int:
    """Cases for a proportion (a sensitivity, say) to be known within -+ half_width with 95 % confidence.

    Normal approximation: Buderer 1996, Acad Emerg Med 3:895, equation 1.
    """
    _require("expected", expected)
    _require("half_width", half_width)
    return _up(Z_95**2 * expected * (1 - expected) / half_width**2)


def cases_for_accuracy(
    sensitivity: float, specificity: float, *, half_width: float, prevalence: float
) -> CasesNeeded:
    """Cases for both sensitivity and specificity to be known within -+ half_width, at a prevalence.

    Source: Buderer 1996: the larger of n+ / prevalence and n- / (1 - prevalence).
    """
    _require("prevalence", prevalence)
    positive, negative = (cases_for_proportion(share, half_width) for share in (sensitivity, specificity))
    return _needed(positive, negative, prevalence)


def cases_against_bound(expected: float, bound: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Cases to show that a proportion lies beyond `bound` (two-sided alpha) if it is `expected`.

    Normal approximation with the variance of each hypothesis: Fleiss 2003, Statistical Methods for Rates and
    Proportions, section 2.
    """
    _require("expected", expected)
    _require("bound", bound)
    if expected == bound:
        raise RefusedInput(f"expected and bound are both {bound:g}; no number of cases can part them.")
    z = _z(1 - alpha / 2) * math.sqrt(bound * (1 - bound)) + _z(power) * math.sqrt(expected * (1 - expected))
    return _up((z / (expected - bound)) ** 2)


def auroc_variance(auroc: float, n_positive: int, n_negative: int) -> float:
    """Variance of an area, from its size alone, as scores of exponential distribution have it.

    Source: Hanley and McNeil 1982, Radiology 143:29, equation 1.
    """
    _require("auroc", auroc)
    two_positive, two_negative = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    return (
        auroc * (1 - auroc)
        + (n_positive - 1) * (two_positive - auroc**2)
        + (n_negative - 1) * (two_negative - auroc**2)
    ) / (n_positive * n_negative)


def cases_for_auroc(auroc: float, *, half_width: float, prevalence: float) -> CasesNeeded:
    """Cases for an area to be known within -+ half_width with 95 % confidence, at a prevalence.

    By `auroc_variance`, of whole numbers of positive cases.
    """
    _require("prevalence", prevalence)
    _require("half_width", half_width)

    def wide(n_positive: int) -> bool:
        n_negative = max(_up(n_positive * (1 - prevalence) / prevalence), 1)
        return Z_95 * math.sqrt(auroc_variance(auroc, n_positive, n_negative)) > half_width

    positive = _smallest(wide)
    return _needed(positive, max(_up(positive * (1 - prevalence) / prevalence), 1), prevalence)


def cases_for_auroc_difference(
    first: float,
    second: float,
    *,
    correlation: float,
    negatives_per_positive: float = 1.0,
    power: float = 0.8,
) -> CasesNeeded:
    """Cases to tell two areas of the same cases apart (two-sided 5 %).

    correlation: of the two areas, from the scores' correlation by Hanley and McNeil 1983, Radiology 148:839 (table 1);
    0 for different cases in each arm. Variance by `auroc_variance`; the formula is equation 4 there.
    """
    _require("first", first)
    _require("second", second)
    if not -1 < correlation < 1 or negatives_per_positive <= 0 or first == second:
        raise RefusedInput(
            f"areas {first:g} and {second:g}, correlation {correlation:g} and {negatives_per_positive:g} negatives a "
            "positive case cannot be planned for."
        )
    reached = _z(0.975) + _z(power)

    def too_few(n: int) -> bool:
        n_negative = max(_up(n * negatives_per_positive), 1)
        a, b = (auroc_variance(area, n, n_negative) for area in (first, second))
        spread = a + b - 2 * correlation * math.sqrt(a * b)
        return abs(first - second) / math.sqrt(spread) < reached

    positive = _smallest(too_few)
    negative = max(_up(positive * negatives_per_positive), 1)
    return CasesNeeded(positive, negative, positive + negative)


def cases_for_observed_to_expected(prevalence: float, *, standard_error: float) -> int:
    """Cases for the ratio of observed to expected to have this standard error on the scale of logarithms.

    0.051 gives an interval of width 0.2 around 1. Source: Riley 2021, Stat Med 40:4230, criterion 1: (1 - p) / (p se^2).
    """
    _require("prevalence", prevalence)
    _require("standard_error", standard_error)
    return _up((1 - prevalence) / (prevalence * standard_error**2))


def design_effect(cases_a_patient: float, intraclass_correlation: float) -> float:
    """Factor on the number of cases where each patient gives several. Source: Kish 1965, Survey Sampling, section 5.4."""
    if cases_a_patient < 1 or not 0.0 <= intraclass_correlation <= 1.0:
        raise RefusedInput(
            f"{cases_a_patient:g} cases a patient with correlation {intraclass_correlation:g} are no clusters."
        )
    return 1.0 + (cases_a_patient - 1) * intraclass_correlation


def reader_study_power(
    difference: float, *, n_readers: int, n_cases: int, pilot: ReaderComponents, alpha: float = 0.05
) -> float:
    """Power of a study of two modalities read by all readers on all cases, random readers and cases.

    difference: of the two mean areas that shall be found. pilot: components of Obuchowski and Rockette from a pilot, whose
    covariances shrink with the number of cases. Source: Hillis 2011, Acad Radiol 18:129, equations 3 to 6.
    """
    from scipy.stats import f, ncf

    if n_readers < 2 or n_cases < 2 or not difference:
        raise RefusedInput(
            f"{n_readers} readers, {n_cases} cases and a difference of {difference:g} make no comparison."
        )
    shrink = pilot.n_cases / n_cases
    error = (pilot.variance - pilot.cov1 - (pilot.cov2 - pilot.cov3)) * shrink
    shared = max(pilot.cov2 - pilot.cov3, 0.0) * shrink
    # Expected mean square of modality by reader, and the denominator of the test.
    mean_square = pilot.modality_by_reader + error
    denominator = mean_square + n_readers * shared
    freedom = (n_readers - 1) * (denominator / mean_square) ** 2
    excess = n_readers * difference**2 / (2 * denominator)
    return float(ncf.sf(f.isf(alpha, 1, freedom), 1, freedom, excess))


@dataclass(frozen=True, slots=True)
class ReaderComponents:
    """What a pilot of n_cases gave: variance and covariances of areas, and the variance of modality by reader.

    cov1: one reader, two modalities. cov2: two readers, one modality. cov3: both different.
    """

    variance: float
    cov1: float
    cov2: float
    cov3: float
    modality_by_reader: float
    n_cases: int


def _needed(positive: int, negative: int, prevalence: float) -> CasesNeeded:
    return CasesNeeded(positive, negative, max(_up(positive / prevalence), _up(negative / (1 - prevalence))))


def _smallest(falls_short: Callable[[int], bool], most: int = 10**7) -> int:
    """The smallest n from 2 on that does not fall short, where more cases never do worse."""
    low, high = 1, 2
    while falls_short(high):
        low, high = high, high * 2
        if high > most:
            raise RefusedInput(f"more than {most} positive cases would be needed: ask for less.")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if falls_short(middle) else (low, middle)
    return high


def _z(probability: float) -> float:
    from scipy.special import ndtri

    if not 0.0 < probability < 1.0:
        raise RefusedInput(f"{probability:g} is no probability between 0 and 1.")
    return float(ndtri(probability))


def _up(value: float) -> int:
    return math.ceil(value - _ROUNDING)


def _require(name: str, share: float) -> None:
    if not 0.0 < share < 1.0:
        raise RefusedInput(f"{name} is {share:g}; a fraction between 0 and 1 is needed.")
