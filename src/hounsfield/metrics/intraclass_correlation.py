"""Intraclass correlation: how much of the variance is the patients', in the six forms of Shrout and Fleiss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics._checks import two_sided

if TYPE_CHECKING:
    from numpy.typing import NDArray

Form = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]


@dataclass(frozen=True, slots=True)
class IntraclassCorrelation:
    """value with its interval, and the F test of no correlation. A value below 0 is told as found."""

    form: Form
    value: Interval
    statistic: float
    df1: int
    df2: int
    p: float


def intraclass_correlation(
    ratings: NDArray[Any], form: Form, *, level: float = 0.95
) -> IntraclassCorrelation:
    """ratings: (n patients, k readers), at least 2 by 2, none missing.

    form: 1, each patient has other readers; 2, these readers stand for others, absolute agreement; 3, these readers
    alone, consistency. 1 behind the comma: of one reading; k: of the mean of k. Raises RefusedInput otherwise and if
    nothing varies. Sources: Shrout and Fleiss 1979, Psychol Bull 86:420; intervals as there and in McGraw and Wong 1996,
    Psychol Methods 1:30.
    """
    from scipy.stats import f

    rated = np.asarray(ratings, dtype=np.float64)
    if rated.ndim != 2 or min(rated.shape) < 2 or not np.isfinite(rated).all():
        raise RefusedInput(
            f"ratings of shape {rated.shape}; (patients, readers), 2 by 2 or more, none missing."
        )
    if form not in {"1,1", "2,1", "3,1", "1,k", "2,k", "3,k"}:
        raise RefusedInput(f"no form is called {form!r}; give '1,1', '2,1', '3,1', '1,k', '2,k' or '3,k'.")
    if not np.ptp(rated):
        raise RefusedInput("all ratings are equal, so that no correlation is defined.")
    two_sided(level)
    n, k = rated.shape
    squares = _mean_squares(rated)
    error, df2 = (squares.within, n * (k - 1)) if form[0] == "1" else (squares.rest, (n - 1) * (k - 1))
    statistic = squares.patients / error if error else math.inf
    single = _of_two(squares, n, k, level) if form[0] == "2" else _of_ratio(statistic, (n, k), df2, level)
    if form[2] == "k":
        # Spearman and Brown; the limits go the same way.
        single = Interval(
            _stepped_up(single.value, k), _stepped_up(single.low, k), _stepped_up(single.high, k)
        )
    return IntraclassCorrelation(form, single, statistic, n - 1, df2, float(f.sf(statistic, n - 1, df2)))


@dataclass(frozen=True, slots=True)
class _MeanSquares:
    patients: float
    readers: float
    within: float
    rest: float


def _mean_squares(rated: NDArray[np.float64]) -> _MeanSquares:
    n, k = rated.shape
    mean, rows, columns = rated.mean(), rated.mean(axis=1, keepdims=True), rated.mean(axis=0)
    return _MeanSquares(
        k * float(((rows - mean) ** 2).sum()) / (n - 1),
        n * float(((columns - mean) ** 2).sum()) / (k - 1),
        float(((rated - rows) ** 2).sum()) / (n * (k - 1)),
        float(((rated - rows - columns + mean) ** 2).sum()) / ((n - 1) * (k - 1)),
    )


def _of_ratio(statistic: float, shape: tuple[int, int], df2: int, level: float) -> Interval:
    """Forms 1 and 3, which follow from F alone."""
    from scipy.stats import f

    n, k = shape
    tail = 0.5 + level / 2
    down, up = float(f.ppf(tail, n - 1, df2)), float(f.ppf(tail, df2, n - 1))
    return Interval(_excess(statistic, k), _excess(statistic / down, k), _excess(statistic * up, k))


def _excess(statistic: float, k: int) -> float:
    return 1.0 if math.isinf(statistic) else (statistic - 1) / (statistic + k - 1)


def _of_two(squares: _MeanSquares, n: int, k: int, level: float) -> Interval:
    """Form 2, with Satterthwaite's degrees of freedom."""
    from scipy.stats import f

    patients, readers, rest = squares.patients, squares.readers, squares.rest
    value = (patients - rest) / (patients + (k - 1) * rest + k * (readers - rest) / n)
    if not rest:
        return Interval(value, math.nan, math.nan)
    of_readers, of_rest = k * value * readers / rest, n * (1 + (k - 1) * value) - k * value
    freedom = (k - 1) * (n - 1) * (of_readers + of_rest) ** 2 / ((n - 1) * of_readers**2 + of_rest**2)
    tail = 0.5 + level / 2
    down, up = float(f.ppf(tail, n - 1, freedom)), float(f.ppf(tail, freedom, n - 1))
    shared = k * readers + (k * n - k - n) * rest
    return Interval(
        value,
        n * (patients - down * rest) / (down * shared + n * patients),
        n * (up * patients - rest) / (shared + n * up * patients),
    )


def _stepped_up(single: float, k: int) -> float:
    below = 1 + (k - 1) * single
    return k * single / below if below else -math.inf
