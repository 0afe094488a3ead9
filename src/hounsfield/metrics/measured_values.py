"""Measured against true values, or one method against another: errors, correlation and concordance.

Both columns (n,) in one unit, one pair an independent case. Every function raises RefusedInput for other shapes, too few
pairs, and values that are missing; figures without a denominator are nan. Limits of agreement: limits_of_agreement.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics._checks import finite_pair, two_sided

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MeasurementErrors:
    """Errors, measured minus true, in the unit of both.

    bias: mean with its t interval. mean_absolute, root_mean_square: of the errors. r2: share of the true values'
    variance explained, 1 at best and below 0 where the mean would do better; nan if all true values are equal.
    """

    n: int
    bias: Interval
    mean_absolute: float
    root_mean_square: float
    r2: float


def measurement_errors(
    true: NDArray[Any], measured: NDArray[Any], *, level: float = 0.95
) -> MeasurementErrors:
    """Bias, MAE, RMSE and R2 of at least two pairs."""
    from scipy.stats import t

    truth, found = finite_pair(true, measured, least=2)
    two_sided(level)
    error = found - truth
    half = float(t.ppf(0.5 + level / 2, error.size - 1)) * float(error.std(ddof=1)) / math.sqrt(error.size)
    bias, spread = float(error.mean()), float(((truth - truth.mean()) ** 2).sum())
    return MeasurementErrors(
        error.size,
        Interval(bias, bias - half, bias + half),
        float(np.abs(error).mean()),
        math.sqrt(float((error**2).mean())),
        1.0 - float((error**2).sum()) / spread if spread else math.nan,
    )


def pearson(first: NDArray[Any], second: NDArray[Any], *, level: float = 0.95) -> Interval:
    """Linear correlation with Fisher's interval; nan if a column does not vary, no limits below four pairs.

    High correlation is not agreement: see concordance and limits_of_agreement. Source: Fisher 1921, Metron 1:3.
    """
    one, two = finite_pair(first, second, least=2)
    value = _correlation(one, two)
    return _fisher(value, 1.0 / (one.size - 3) if one.size > 3 else math.nan, level)


def spearman(first: NDArray[Any], second: NDArray[Any], *, level: float = 0.95) -> Interval:
    """Correlation of ranks, ties at their middle, with an interval on Fisher's scale; nan as in pearson.

    Variance of the transformed value: (1 + r^2 / 2) / (n - 3). Source: Bonett and Wright 2000, Psychometrika 65:23.
    """
    from scipy.stats import rankdata

    one, two = finite_pair(first, second, least=2)
    value = _correlation(rankdata(one), rankdata(two))
    return _fisher(value, (1 + value**2 / 2) / (one.size - 3) if one.size > 3 else math.nan, level)


def concordance(first: NDArray[Any], second: NDArray[Any], *, level: float = 0.95) -> Interval:
    """Lin's concordance correlation: correlation less what a shift or another scale takes from agreement.

    Variances with divisor n; interval on Fisher's scale by the asymptotic variance; no limits below four pairs or for
    perfect or absent correlation; nan if neither column varies and both are equal. Source: Lin 1989, Biometrics 45:255,
    with the correction of 2000, 56:324.
    """
    one, two = finite_pair(first, second, least=2)
    shared = float(((one - one.mean()) * (two - two.mean())).mean())
    shift = float(one.mean() - two.mean())
    whole = float(one.var() + two.var()) + shift**2
    if not whole:
        return Interval(math.nan, math.nan, math.nan)
    value, r = 2 * shared / whole, _correlation(one, two)
    if one.size < 4 or not 0.0 < abs(r) < 1.0 or not abs(value) < 1.0:
        return Interval(value, math.nan, math.nan)
    moved = shift**2 / math.sqrt(float(one.var() * two.var()))
    rest = 1 - value**2
    variance = (1 - r**2) * value**2 / (rest * r**2)
    variance += 2 * value**3 * (1 - value) * moved / (r * rest**2)
    variance -= value**4 * moved**2 / (2 * r**2 * rest**2)
    # On Fisher's scale the variance of the plain value is divided by (1 - value^2)^2; one of them is in `rest`.
    return _fisher(value, variance / (one.size - 2), level)


def _correlation(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    a, b = one - one.mean(), two - two.mean()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return max(-1.0, min(1.0, float(a @ b) / scale)) if scale else math.nan


def _fisher(value: float, variance: float, level: float) -> Interval:
    """Limits from the normal distribution of atanh(value)."""
    half = two_sided(level) * math.sqrt(max(variance, 0.0)) if math.isfinite(variance) else math.nan
    if not math.isfinite(value) or math.isnan(half):
        return Interval(value, math.nan, math.nan)
    if abs(value) == 1.0:
        return Interval(value, value, value)
    middle = math.atanh(value)
    return Interval(value, math.tanh(middle - half), math.tanh(middle + half))
