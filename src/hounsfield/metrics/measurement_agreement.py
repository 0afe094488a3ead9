"""Measurements against measurements: errors, Bland and Altman's limits, concordance, and reliability among readers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics.wilson import Z_95

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

IccForm = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]
FEWEST_PAIRS = 3


def mean_absolute_error(truth: NDArray[Any], measured: NDArray[Any]) -> float:
    """Mean size of measured - truth, in their unit. truth, measured: (n,)."""
    return float(np.abs(_differences(truth, measured)).mean())


def root_mean_square_error(truth: NDArray[Any], measured: NDArray[Any]) -> float:
    """Root of the mean square of measured - truth, in their unit. truth, measured: (n,)."""
    return float(np.sqrt((_differences(truth, measured) ** 2).mean()))


@dataclass(frozen=True, slots=True)
class LimitsOfAgreement:
    """Bias and the limits between which 95 % of differences (measured - truth) lie, each with its 95 % interval.

    slope: of the difference against the mean of both, per unit: beyond 0 where the bias grows with size. n: pairs.
    """

    bias: Interval
    lower: Interval
    upper: Interval
    slope: Interval
    n: int


def bland_altman(
    truth: NDArray[Any], measured: NDArray[Any], patients: Sequence[Any] | None = None
) -> LimitsOfAgreement:
    """truth, measured: (n,) in one unit. patients: (n,) where several pairs come of one patient.

    The limits are bias -+ 1.96 standard deviations of single differences; with patients that deviation joins the spread
    between and within patients, and intervals rest on the number of patients. Intervals of limits are approximate
    (Bland and Altman 1999, Stat Methods Med Res 8:135, section 5.1 for several pairs). Raises RefusedInput for fewer
    than FEWEST_PAIRS pairs or patients.
    """
    from scipy.special import stdtrit

    difference = _differences(truth, measured)
    names = np.arange(difference.size) if patients is None else np.unique(patients, return_inverse=True)[1]
    counts = np.bincount(names)
    if counts.size < FEWEST_PAIRS or difference.size != names.size:
        raise RefusedInput(
            f"{difference.size} pairs of {counts.size} patients: limits of agreement need {FEWEST_PAIRS} patients or more."
        )
    bias, variance, error, of_variance = _spread(difference, names, counts)
    n, deviation = counts.size, math.sqrt(variance)
    t = float(stdtrit(n - 1, 0.975))
    # Variance of a limit: that of the mean, and 1.96 squared times that of a standard deviation.
    of_deviation = of_variance / (4 * variance) if variance else 0.0
    limit_error = math.sqrt(error**2 + Z_95**2 * of_deviation)
    around = [
        Interval(at, at - t * limit_error, at + t * limit_error)
        for at in (bias - Z_95 * deviation, bias + Z_95 * deviation)
    ]
    middle = (np.asarray(truth, dtype=np.float64) + np.asarray(measured, dtype=np.float64)) / 2
    slope = _slope(middle, difference)
    return LimitsOfAgreement(
        Interval(bias, bias - t * error, bias + t * error), around[0], around[1], slope, difference.size
    )


def _spread(
    difference: NDArray[np.float64], names: NDArray[np.intp], counts: NDArray[np.intp]
) -> tuple[float, float, float, float]:
    """Mean difference, variance of a single one, error of the mean, variance of that variance; patients independent."""
    bias, n = float(difference.mean()), counts.size
    means = np.bincount(names, weights=difference) / counts
    n_within = difference.size - n
    if not n_within:
        variance = float(difference.var(ddof=1))
        return bias, variance, math.sqrt(variance / n), 2 * variance**2 / (n - 1)
    within = float(((difference - means[names]) ** 2).sum()) / n_within
    between = float((counts * (means - bias) ** 2).sum()) / (n - 1)
    # Expected size of a group where groups differ in size.
    size = (difference.size - float((counts**2).sum()) / difference.size) / (n - 1)
    shared = max((between - within) / size, 0.0)
    share = counts / difference.size
    error = math.sqrt(float((share**2 * (shared + within / counts)).sum()))
    of_variance = 2 * (between / size) ** 2 / (n - 1) + 2 * (within * (1 - 1 / size)) ** 2 / n_within
    return bias, shared + within, error, of_variance


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> Interval:
    from scipy.special import stdtrit

    centred = x - x.mean()
    square = float(centred @ centred)
    if not square:
        return Interval(math.nan, math.nan, math.nan, 1)
    slope = float(centred @ y) / square
    left = y - y.mean() - slope * centred
    half = float(stdtrit(x.size - 2, 0.975)) * math.sqrt(float(left @ left) / (x.size - 2) / square)
    return Interval(slope, slope - half, slope + half)


def concordance_correlation(truth: NDArray[Any], measured: NDArray[Any]) -> Interval:
    """How near pairs lie to the line of equality, -1 to 1, with its interval by the inverse hyperbolic tangent.

    truth, measured: (n,). Source: Lin 1989, Biometrics 45:255 (and its correction, Biometrics 2000, 56:324). nan where
    nothing varies.
    """
    x, y = np.asarray(truth, dtype=np.float64), np.asarray(measured, dtype=np.float64)
    n, shift = _differences(x, y).size, float(y.mean() - x.mean())
    if n < FEWEST_PAIRS:
        raise RefusedInput(f"{n} pairs: a concordance needs {FEWEST_PAIRS} or more.")
    spread_x, spread_y = float(x.var()), float(y.var())
    shared = float(((x - x.mean()) * (y - y.mean())).mean())
    below = spread_x + spread_y + shift**2
    if not below or not spread_x or not spread_y:
        return Interval(math.nan, math.nan, math.nan, 1)
    value, r = 2 * shared / below, shared / math.sqrt(spread_x * spread_y)
    if abs(value) >= 1 or not r:
        return Interval(value, value, value)
    u = shift**2 / math.sqrt(spread_x * spread_y)
    ratio, rest = value / r, 1 - value**2
    variance = (
        (1 - r**2) * value**2 / (rest * r**2)
        + 2 * value**2 * ratio * (1 - value) * u / rest**2
        - ratio**2 * value**2 * u**2 / (2 * rest**2)
    ) / (n - 2)
    half = Z_95 * math.sqrt(max(variance, 0.0))
    return Interval(value, math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half))


def correlation(truth: NDArray[Any], measured: NDArray[Any], *, by_rank: bool = False) -> Interval:
    """Pearson's correlation, or Spearman's by rank, with Fisher's interval. truth, measured: (n,).

    Says nothing of agreement: a measurement twice too large correlates perfectly. nan where nothing varies. For ranks the
    error is that of Bonett and Wright 2000, Psychometrika 65:23.
    """
    from scipy.stats import rankdata

    x, y = np.asarray(truth, dtype=np.float64), np.asarray(measured, dtype=np.float64)
    n = _differences(x, y).size
    if n < FEWEST_PAIRS + 1:
        raise RefusedInput(f"{n} pairs: an interval of a correlation needs {FEWEST_PAIRS + 1} or more.")
    if by_rank:
        x, y = rankdata(x), rankdata(y)
    if not x.std() or not y.std():
        return Interval(math.nan, math.nan, math.nan, 1)
    r = float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))
    if abs(r) == 1:
        return Interval(r, r, r)
    half = Z_95 * math.sqrt((1 + r**2 / 2 if by_rank else 1.0) / (n - 3))
    return Interval(r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half))


def intraclass_correlation(ratings: NDArray[Any], form: IccForm = "2,1") -> Interval:
    """Reliability of measurements of n subjects by k readers, (n, k), without gaps, with its 95 % interval.

    form: "1" each subject has its own readers, "2" all subjects the same readers drawn from many (absolute agreement),
    "3" the same and only readers (consistency: a reader's constant shift does not count); ",1" of one reader, ",k" of
    the mean of k. Source: Shrout and Fleiss 1979, Psychol Bull 86:420, and McGraw and Wong 1996, Psychol Methods 1:30.
    Raises RefusedInput for fewer than two subjects or readers and for gaps.
    """
    x = np.asarray(ratings, dtype=np.float64)
    if x.ndim != 2 or min(x.shape) < 2 or not np.isfinite(x).all():
        raise RefusedInput(
            f"ratings {x.shape} with {int((~np.isfinite(x)).sum())} gaps: two subjects and readers or more, and no gap, are needed."
        )
    n, k = x.shape
    centred = x - x.mean()
    rows, columns = centred.mean(axis=1), centred.mean(axis=0)
    subjects = k * float(rows @ rows) / (n - 1)
    readers = n * float(columns @ columns) / (k - 1)
    rest = centred - rows[:, None] - columns
    error = float((rest**2).sum()) / ((n - 1) * (k - 1))
    within = float(((x - x.mean(axis=1, keepdims=True)) ** 2).sum()) / (n * (k - 1))
    single = _icc(form[0], _Squares(subjects, readers, error, within, n, k))
    if form.endswith("1"):
        return single
    mean_of_k = [k * v / (1 + (k - 1) * v) for v in (single.value, single.low, single.high)]
    return Interval(*mean_of_k)


@dataclass(frozen=True, slots=True)
class _Squares:
    """Mean squares of a table of n subjects and k readers."""

    subjects: float
    readers: float
    error: float
    within: float
    n: int
    k: int


def _icc(kind: str, s: _Squares) -> Interval:
    """The coefficient of a single reader, by McGraw and Wong's table 7 for the limits."""
    from scipy.special import fdtri

    n, k = s.n, s.k
    if kind in {"1", "3"}:
        noise, freedom = (s.within, n * (k - 1)) if kind == "1" else (s.error, (n - 1) * (k - 1))
        if not noise:
            return Interval(1.0, 1.0, 1.0)
        f = s.subjects / noise
        ends = (f / fdtri(n - 1, freedom, 0.975), f * fdtri(freedom, n - 1, 0.975))
        low, high = ((e - 1) / (e + k - 1) for e in ends)
        return Interval((f - 1) / (f + k - 1), float(low), float(high))
    spread = s.subjects + (k - 1) * s.error + k * (s.readers - s.error) / n
    if not spread:
        return Interval(math.nan, math.nan, math.nan, 1)
    value = (s.subjects - s.error) / spread
    if value >= 1 or not s.error:
        return Interval(value, value, value)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    between = (a * s.readers + b * s.error) ** 2 / (
        (a * s.readers) ** 2 / (k - 1) + (b * s.error) ** 2 / ((n - 1) * (k - 1))
    )
    below, above = fdtri(n - 1, between, 0.975), fdtri(between, n - 1, 0.975)
    shift = k * s.readers + (k * n - k - n) * s.error
    low = n * (s.subjects - below * s.error) / (below * shift + n * s.subjects)
    high = n * (above * s.subjects - s.error) / (shift + n * above * s.subjects)
    return Interval(value, float(low), float(high))


def repeatability_coefficient(repeats: NDArray[Any]) -> Interval:
    """The difference that two measurements of an unchanged subject exceed in 5 %, in their unit, with its interval.

    repeats: (n, m), m measurements of each of n subjects. 1.96 sqrt(2) within-subject standard deviations.
    Source: Bland and Altman 1996, BMJ 312:1654; Raunig 2015, Stat Methods Med Res 24:27 (QIBA), for the interval.
    """
    from scipy.special import chdtri

    x = np.asarray(repeats, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] < 2 or not len(x):
        raise RefusedInput(f"repeats {x.shape}: two measurements or more of each subject are needed.")
    freedom = x.shape[0] * (x.shape[1] - 1)
    square = float(((x - x.mean(axis=1, keepdims=True)) ** 2).sum())
    factor = Z_95 * math.sqrt(2)
    ends = [factor * math.sqrt(square / float(chdtri(freedom, p))) for p in (0.025, 0.975)]
    return Interval(factor * math.sqrt(square / freedom), ends[0], ends[1])


def _differences(truth: NDArray[Any], measured: NDArray[Any]) -> NDArray[np.float64]:
    true, found = np.asarray(truth, dtype=np.float64), np.asarray(measured, dtype=np.float64)
    if true.shape != found.shape or true.ndim != 1 or not true.size:
        raise RefusedInput(f"{true.shape} and {found.shape} measurements do not fit; give one pair a case.")
    gaps = int((~np.isfinite(true) | ~np.isfinite(found)).sum())
    if gaps:
        raise RefusedInput(f"{gaps} of {true.size} pairs have a gap; leave these cases out and say so.")
    return found - true
