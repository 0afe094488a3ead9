"""Intensity statistics of a region: the 18 first-order features of IBSI.

Source: Zwanenburg et al. 2020, Radiology 295:328, and the IBSI reference manual (arXiv:1612.07003),
section 3.3. Variance divides by n, kurtosis is excess, percentiles interpolate linearly between order
statistics (the published values of the digital phantom do not depend on that choice).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class IntensityStatistics:
    """The 18 features; in the unit of the image but for those named.

    variance and energy: unit squared. skewness, excess_kurtosis, coefficient_of_variation and
    quartile_coefficient_of_dispersion: ratios; the last two are None where they divide by zero.
    """

    mean: float
    variance: float
    skewness: float
    excess_kurtosis: float
    median: float
    minimum: float
    percentile_10: float
    percentile_90: float
    maximum: float
    interquartile_range: float
    range: float
    mean_absolute_deviation: float
    robust_mean_absolute_deviation: float
    median_absolute_deviation: float
    coefficient_of_variation: float | None
    quartile_coefficient_of_dispersion: float | None
    energy: float
    root_mean_square: float


def intensity_statistics(values: NDArray[np.float64]) -> IntensityStatistics:
    """The 18 intensity statistics of `values` (n,), the intensities of one region.

    Skewness and excess kurtosis of a constant region are 0, as the manual defines. The median absolute
    deviation is the mean distance from the median. Raises RefusedInput if there is no value or one that
    is no number.
    """
    x = np.asarray(values, dtype=np.float64).ravel()
    if x.size == 0 or not np.isfinite(x).all():
        raise RefusedInput(
            f"intensity statistics need finite values; the region holds {x.size} voxels, of which "
            f"{int((~np.isfinite(x)).sum())} are no numbers. Correct the region."
        )
    mean, median = float(x.mean()), float(np.median(x))
    p10, p25, p75, p90 = (float(p) for p in np.percentile(x, (10.0, 25.0, 75.0, 90.0), method="linear"))
    minimum, maximum = float(x.min()), float(x.max())
    central = x - mean
    # Rounding leaves a trace of variance in a constant region; by definition there is none.
    variance = float(np.mean(central**2)) if maximum > minimum else 0.0
    robust = x[(x >= p10) & (x <= p90)]
    energy = float(np.sum(x**2))
    return IntensityStatistics(
        mean=mean,
        variance=variance,
        skewness=float(np.mean(central**3)) / variance**1.5 if variance else 0.0,
        excess_kurtosis=float(np.mean(central**4)) / variance**2 - 3.0 if variance else 0.0,
        median=median,
        minimum=minimum,
        percentile_10=p10,
        percentile_90=p90,
        maximum=maximum,
        interquartile_range=p75 - p25,
        range=maximum - minimum,
        mean_absolute_deviation=float(np.mean(np.abs(central))),
        robust_mean_absolute_deviation=_mean_distance(robust, float(robust.mean())) if robust.size else 0.0,
        median_absolute_deviation=_mean_distance(x, median),
        coefficient_of_variation=float(np.sqrt(variance)) / mean if mean else None,
        quartile_coefficient_of_dispersion=(p75 - p25) / (p75 + p25) if p75 + p25 else None,
        energy=energy,
        root_mean_square=float(np.sqrt(energy / x.size)),
    )


def _mean_distance(x: NDArray[np.float64], centre: float) -> float:
    return float(np.mean(np.abs(x - centre)))
