"""How far two measurements of one thing lie apart: limits of agreement, trend with size, repeatability.

Differences are first minus second, in the unit of both. All functions raise RefusedInput for columns of other shapes, too
few pairs, and missing values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics._checks import finite_pair, two_sided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Agreement:
    """bias: mean difference. sd: of a single difference. lower, upper: limits that hold 95 % of differences.

    Each limit comes with its own interval. method: how these were found: exact, approximate, or repeated.
    """

    n: int
    bias: Interval
    sd: float
    lower: Interval
    upper: Interval
    method: str


_WITHIN = 1.959963984540054  # 95 % of a normal distribution


def limits_of_agreement(
    first: NDArray[Any],
    second: NDArray[Any],
    *,
    method: Literal["exact", "approximate"] = "exact",
    level: float = 0.95,
) -> Agreement:
    """Limits from one pair a patient, at least 3.

    exact: intervals of the limits by the noncentral t distribution (Carkeet 2015, Optom Vis Sci 92:e71). approximate: by
    the variance 3 s^2 / n (Bland and Altman 1986, Lancet 1:307). Both take differences as normal and independent.
    """
    from scipy.stats import nct, t

    one, two = finite_pair(first, second, least=3)
    two_sided(level)
    difference = one - two
    n, bias, sd = difference.size, float(difference.mean()), float(difference.std(ddof=1))
    quantile, tail = float(t.ppf(0.5 + level / 2, n - 1)), (1 - level) / 2
    half = quantile * sd / math.sqrt(n)
    if method == "exact":
        inner, outer = (
            float(nct.ppf(p, n - 1, _WITHIN * math.sqrt(n))) / math.sqrt(n) * sd for p in (tail, 1 - tail)
        )
    elif method == "approximate":
        spread = quantile * sd * math.sqrt(3 / n)
        inner, outer = _WITHIN * sd - spread, _WITHIN * sd + spread
    else:
        raise RefusedInput(f"no method is called {method!r}; give 'exact' or 'approximate'.")
    return Agreement(
        n,
        Interval(bias, bias - half, bias + half),
        sd,
        Interval(bias - _WITHIN * sd, bias - outer, bias - inner),
        Interval(bias + _WITHIN * sd, bias + inner, bias + outer),
        method,
    )


def limits_of_repeated_agreement(
    first: NDArray[Any], second: NDArray[Any], patients: Sequence[Any], *, level: float = 0.95
) -> Agreement:
    """Limits from several pairs a patient whose true value may change between them.

    patients: (n,) names. The variance of a difference is that between patients plus that within; the bias is the mean of
    the patients' means. At least 3 patients, one of them with two pairs. Sources: Bland and Altman 2007,
    J Biopharm Stat 17:571; intervals by MOVER: Zou 2013, Stat Methods Med Res 22:630.
    """
    from scipy.stats import chi2

    one, two = finite_pair(first, second, least=4)
    names, place, m = np.unique(np.asarray(patients), return_inverse=True, return_counts=True)
    if place.size != one.size or names.size < 3 or names.size == one.size:
        raise RefusedInput(
            f"{one.size} pairs of {names.size} patients; at least 3 patients, and two pairs of one, are needed."
        )
    z, difference = two_sided(level), one - two
    means = np.bincount(place, difference) / m
    df_between, df_within = names.size - 1, one.size - names.size
    within = float(((difference - means[place]) ** 2).sum()) / df_within
    between, share = float(means.var(ddof=1)), 1 - float((1 / m).mean())
    parts = ((between, df_between), (share * within, df_within))
    bias, total = float(means.mean()), between + share * within
    ways = [
        math.sqrt(sum((part * (1 - df / float(chi2.ppf(tail, df)))) ** 2 for part, df in parts))
        for tail in ((1 - level) / 2, (1 + level) / 2)
    ]
    sd, high, low = math.sqrt(total), math.sqrt(total + ways[0]), math.sqrt(max(total - ways[1], 0.0))
    of_bias = z * math.sqrt(between / names.size)
    inner = _WITHIN * sd - math.hypot(of_bias, _WITHIN * (sd - low))
    outer = _WITHIN * sd + math.hypot(of_bias, _WITHIN * (high - sd))
    return Agreement(
        one.size,
        Interval(bias, bias - of_bias, bias + of_bias),
        sd,
        Interval(bias - _WITHIN * sd, bias - outer, bias - inner),
        Interval(bias + _WITHIN * sd, bias + inner, bias + outer),
        "repeated",
    )


def proportional_bias(first: NDArray[Any], second: NDArray[Any], *, level: float = 0.95) -> Interval:
    """Slope of the difference on the mean of both: 0 when the bias does not grow with the size; with t interval.

    Ordinary least squares of at least 3 pairs; nan if all means are equal. A slope also arises where the two columns
    vary differently. Source: Bland and Altman 1999, Stat Methods Med Res 8:135, section 3.2.
    """
    from scipy.stats import t

    one, two = finite_pair(first, second, least=3)
    two_sided(level)
    difference, size = one - two, (one + two) / 2
    apart = size - size.mean()
    spread = float(apart @ apart)
    if not spread:
        return Interval(math.nan, math.nan, math.nan)
    slope = float(apart @ difference) / spread
    rest = difference - difference.mean() - slope * apart
    error = math.sqrt(float(rest @ rest) / (one.size - 2) / spread)
    half = float(t.ppf(0.5 + level / 2, one.size - 2)) * error
    return Interval(slope, slope - half, slope + half)


@dataclass(frozen=True, slots=True)
class Repeatability:
    """within_sd: of one patient's measurements, in their unit. coefficient: 95 % of two repeats lie closer.

    within_cv, coefficient_fraction: the same as fractions of the patient's mean; nan where a mean is not above 0.
    """

    within_sd: Interval
    coefficient: Interval
    within_cv: Interval
    coefficient_fraction: Interval


def repeatability(values: NDArray[Any], patients: Sequence[Any], *, level: float = 0.95) -> Repeatability:
    """Repeats under the same conditions, (n,), of the patients named, (n,), with chi square intervals.

    coefficient = 1.96 sqrt(2) within_sd. Patients with one value do not count; raises RefusedInput if no other is left.
    Sources: Raunig 2015, Stat Methods Med Res 24:27 (QIBA); Bland and Altman 1999.
    """
    from scipy.stats import chi2

    found, _ = finite_pair(values, values, least=2)
    two_sided(level)
    _, place, m = np.unique(np.asarray(patients), return_inverse=True, return_counts=True)
    if place.size != found.size or (m < 2).all():
        raise RefusedInput(f"{found.size} values of {m.size} patients; two values of one patient are needed.")
    means = np.bincount(place, found) / m
    squares = np.bincount(place, (found - means[place]) ** 2)
    df = int((m - 1).sum())
    tail = (1 - level) / 2
    shrink, grow = (math.sqrt(df / float(chi2.ppf(p, df))) for p in (1 - tail, tail))

    def around(variance: float, factor: float) -> Interval:
        value = factor * math.sqrt(variance)
        return Interval(value, value * shrink, value * grow)

    again = m > 1
    relative = (
        float((squares[again] / means[again] ** 2).sum()) / df if (means[again] > 0).all() else math.nan
    )
    plain, twice = float(squares.sum()) / df, _WITHIN * math.sqrt(2)
    return Repeatability(
        around(plain, 1.0), around(plain, twice), around(relative, 1.0), around(relative, twice)
    )
