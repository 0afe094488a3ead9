"""How many patients a study needs: for a share, an area, a calibration, or a study of several readers.

All answers are whole numbers of independent cases, rounded up; patients who drop out, and images that cannot be judged,
come on top. Every function raises RefusedInput for values outside their range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._checks import require_between, two_sided

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.metrics.obuchowski_rockette import ReaderStudy


@dataclass(frozen=True, slots=True)
class CasesNeeded:
    """positive, negative: cases of each class. patients: to be enrolled so that both are expected."""

    positive: int
    negative: int
    patients: int


def proportion_cases(expected: float, *, half_width: float, level: float = 0.95) -> int:
    """Cases for an interval of expected +- half_width by the normal approximation."""
    require_between("expected", expected, 0.0, 1.0)
    require_between("half_width", half_width, 0.0, 0.5)
    return _up(two_sided(level) ** 2 * expected * (1 - expected) / half_width**2)


def proportion_cases_against(
    expected: float, bound: float, *, power: float = 0.8, alpha: float = 0.025
) -> int:
    """Cases to show that a share expected to be `expected` lies above `bound`, one-sided at alpha, by the exact test.

    The smallest n from which on every n has the power (it saws). Source: Flahault 2005, J Clin Epidemiol 58:859.
    """
    from scipy.stats import binom

    require_between("expected", expected, 0.0, 1.0)
    require_between("bound", bound, 0.0, expected)
    require_between("power", power, 0.0, 1.0)
    require_between("alpha", alpha, 0.0, 0.5)
    z_alpha, z_beta = NormalDist().inv_cdf(1 - alpha), NormalDist().inv_cdf(power)
    rough = z_alpha * math.sqrt(bound * (1 - bound)) + max(z_beta, 0.0) * math.sqrt(expected * (1 - expected))
    most = 2 * _up((rough / (expected - bound)) ** 2) + 200
    n = np.arange(1, most + 1)
    # The fewest hits that are too many for the bound.
    least_hits = binom.ppf(1 - alpha, n, bound) + 1
    lacking = np.flatnonzero(binom.sf(least_hits - 1, n, expected) < power)
    return int(n[lacking[-1]]) + 1 if lacking.size else 1


def enrolled(*, positive: int, negative: int, prevalence: float) -> CasesNeeded:
    """Patients to enrol in a consecutive series for so many of each class.

    Source: Buderer 1996, Acad Emerg Med 3:895 (sensitivity needs positives, specificity negatives).
    """
    require_between("prevalence", prevalence, 0.0, 1.0)
    if min(positive, negative) < 0:
        raise RefusedInput(f"{positive} and {negative} cases; counts are 0 or more.")
    return CasesNeeded(positive, negative, max(_up(positive / prevalence), _up(negative / (1 - prevalence))))


def auroc_standard_error(auroc: float, *, n_positive: int, n_negative: int) -> float:
    """Expected standard error of an area. Source: Hanley and McNeil 1982, Radiology 143:29."""
    require_between("auroc", auroc, 0.0, 1.0)
    if min(n_positive, n_negative) < 1:
        raise RefusedInput(f"{n_positive} positive and {n_negative} negative cases; one of each is needed.")
    first, second = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    variance = (
        auroc * (1 - auroc) + (n_positive - 1) * (first - auroc**2) + (n_negative - 1) * (second - auroc**2)
    )
    return math.sqrt(variance / (n_positive * n_negative))


def auroc_cases(
    auroc: float, *, half_width: float, negatives_per_positive: float = 1.0, level: float = 0.95
) -> CasesNeeded:
    """Cases for an interval of auroc +- half_width, by auroc_standard_error."""
    require_between("half_width", half_width, 0.0, 0.5)
    require_between("negatives_per_positive", negatives_per_positive, 0.0, math.inf)
    goal = half_width / two_sided(level)

    def enough(positive: int) -> bool:
        negative = _up(positive * negatives_per_positive)
        return auroc_standard_error(auroc, n_positive=positive, n_negative=negative) <= goal

    positive = _smallest(enough)
    negative = _up(positive * negatives_per_positive)
    return CasesNeeded(positive, negative, positive + negative)


def auroc_comparison_cases(
    first: float,
    second: float,
    *,
    correlation: float = 0.0,
    negatives_per_positive: float = 1.0,
    power: float = 0.8,
    alpha: float = 0.05,
) -> CasesNeeded:
    """Cases to find two areas different, two-sided at alpha, both scores on the same cases.

    correlation: of the two estimated areas, 0 for scores on different cases (then so many for each score). Variances by
    Obuchowski's function of a binormal area. Sources: Obuchowski and McClish 1997, Stat Med 16:1529; Hanley and McNeil
    1983, Radiology 148:839 (correlation).
    """
    for name, area in (("first", first), ("second", second)):
        require_between(name, area, 0.5, 1.0)
    require_between("correlation", correlation, -1.0, 1.0)
    require_between("power", power, 0.0, 1.0)
    require_between("alpha", alpha, 0.0, 1.0)
    require_between("negatives_per_positive", negatives_per_positive, 0.0, math.inf)
    if first == second:
        raise RefusedInput(f"both areas are {first:g}; areas that differ are needed.")
    one, two = (_obuchowski_variance(area, negatives_per_positive) for area in (first, second))
    equal = 2 * one * (1 - correlation)
    apart = one + two - 2 * correlation * math.sqrt(one * two)
    z_alpha, z_beta = two_sided(1 - alpha), NormalDist().inv_cdf(power)
    positive = _up(((z_alpha * math.sqrt(equal) + z_beta * math.sqrt(apart)) / (first - second)) ** 2)
    negative = _up(positive * negatives_per_positive)
    return CasesNeeded(positive, negative, positive + negative)


def _obuchowski_variance(auroc: float, negatives_per_positive: float) -> float:
    """Variance of an area times the number of positives."""
    a = 1.414 * NormalDist().inv_cdf(auroc)
    return 0.0099 * math.exp(-(a**2) / 2) * (5 * a**2 + 8 + (a**2 + 8) / negatives_per_positive)


def observed_expected_cases(prevalence: float, *, standard_error: float) -> int:
    """Patients for a standard error of the logarithm of observed over expected events; 0.051 gives about +- 10 %.

    Source: Riley 2021, Stat Med 40:4230, equation for O/E of a calibrated model.
    """
    require_between("prevalence", prevalence, 0.0, 1.0)
    require_between("standard_error", standard_error, 0.0, math.inf)
    return _up((1 - prevalence) / (prevalence * standard_error**2))


def calibration_slope_cases(logits: NDArray[Any], *, standard_error: float) -> int:
    """Patients for a standard error of the calibration slope of a calibrated model; 0.051 gives about +- 0.1.

    logits: (m,), a large sample of the model's logits expected where it will be judged. Source: Riley 2021, Stat Med
    40:4230.
    """
    require_between("standard_error", standard_error, 0.0, math.inf)
    linear = np.asarray(logits, dtype=np.float64)
    if linear.ndim != 1 or linear.size < 2 or not np.isfinite(linear).all() or not np.ptp(linear):
        raise RefusedInput("logits must be a column of finite numbers that vary.")
    weight = 1 / (2 + np.exp(linear) + np.exp(-linear))  # p (1 - p)
    of_both, of_slope = float((weight * linear).mean()), float((weight * linear**2).mean())
    of_intercept = float(weight.mean())
    return _up(of_intercept / (standard_error**2 * (of_intercept * of_slope - of_both**2)))


def reader_study_power(
    pilot: ReaderStudy, *, difference: float, n_readers: int, case_ratio: float = 1.0, alpha: float = 0.05
) -> float:
    """Power of a study of two modalities, other readers and other cases, planned from a pilot.

    case_ratio: cases of the planned study over those of the pilot, at one mix of classes. Negative estimates of variance
    count as 0. Sources: Hillis, Obuchowski and Berbaum 2011, Acad Radiol 18:129; Obuchowski and Rockette 1995.
    """
    from scipy.stats import f, ncf

    require_between("alpha", alpha, 0.0, 1.0)
    require_between("case_ratio", case_ratio, 0.0, math.inf)
    if pilot.n_modalities != 2 or n_readers < 2:
        raise RefusedInput(
            f"{pilot.n_modalities} modalities and {n_readers} readers; 2 modalities and at least 2 readers are needed."
        )
    shared = max(pilot.cov2 - pilot.cov3, 0.0)
    own = max(pilot.var - pilot.cov1 - shared, 0.0)
    of_readers = max(pilot.ms_interaction - own, 0.0)
    interaction = of_readers + own / case_ratio
    error = interaction + n_readers * shared / case_ratio
    if not error:
        raise RefusedInput("the pilot's readers and cases leave no variance to plan with.")
    freedom = (n_readers - 1) * (error / interaction) ** 2 if interaction else math.inf
    if not difference:
        return alpha
    limit = float(f.ppf(1 - alpha, 1, min(freedom, 1e9)))
    return float(ncf.sf(limit, 1, min(freedom, 1e9), n_readers * difference**2 / 2 / error))


def _smallest(enough: Any) -> int:
    """The smallest whole number that is enough, where more is never worse."""
    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _up(cases: float) -> int:
    # A hair above a whole number is rounding, not a case.
    return max(1, math.ceil(cases - 1e-9))
