"""How far stated probabilities lie from what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics._registry import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_BINS = 10


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Cases whose probability lies in one bin: mean stated probability, share that was true, count."""

    stated: float
    observed: float
    n_cases: int


def calibration_bins(
    truth: NDArray[Any], probability: NDArray[Any], *, n_bins: int = N_BINS
) -> tuple[CalibrationBin, ...]:
    """Occupied bins of equal width; the last includes 1. truth: bool (n,), probability: (n,)."""
    true, stated = np.asarray(truth, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    index = np.minimum((stated * n_bins).astype(int), n_bins - 1)
    return tuple(
        CalibrationBin(
            float(stated[index == own].mean()), float(true[index == own].mean()), int((index == own).sum())
        )
        for own in np.unique(index)
    )


@metric("expected-calibration-error", predicts="probability", best=0.0)
def expected_calibration_error(
    truth: NDArray[Any], probability: NDArray[Any], *, n_bins: int = N_BINS
) -> float:
    """Mean distance of stated and observed over ten bins of equal width, weighted by count; nan if empty.

    For several classes give the top class's probability and whether it was right.
    Source: Naeini 2015, AAAI 29:2901; Guo 2017, ICML 70:1321.
    """
    n_cases = np.size(truth)
    if n_cases == 0:
        return float("nan")
    bins = calibration_bins(truth, probability, n_bins=n_bins)
    return sum(own.n_cases * abs(own.stated - own.observed) for own in bins) / n_cases


def calibration_error_if_perfect(
    probability: NDArray[Any], *, rng: np.random.Generator, n_draws: int = 1000
) -> Interval:
    """The error that chance alone gives a perfectly calibrated model: median, and middle 95 % of draws.

    probability: (n,), of the most likely class. The cases are drawn as independent; slices of one patient
    are not, so the true range is wider. Source: Brocker and Smith 2007, Weather Forecast 22:651
    (consistency resampling).
    """
    stated = np.asarray(probability, dtype=np.float64)
    errors = [expected_calibration_error(rng.random(stated.size) < stated, stated) for _ in range(n_draws)]
    low, middle, high = np.quantile(errors, [0.025, 0.5, 0.975])
    return Interval(float(middle), float(low), float(high))
