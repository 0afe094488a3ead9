"""Intensity histogram of discretised grey levels: the 23 features of IBSI.

Source: Zwanenburg et al. 2020, Radiology 295:328, and the IBSI reference manual (arXiv:1612.07003),
section 3.4. Read intensity_statistics.py first: 16 of the features are those of it, of grey levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.radiomics.intensity_statistics import IntensityStatistics, intensity_statistics

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class IntensityHistogram:
    """The features of a histogram: 16 of its statistics, and seven of its shape.

    levels: statistics of the grey levels; all but energy and root mean square belong to this family.
    mode: the most frequent level, of several the one nearest the mean. entropy in bits. Gradients are
    counts per level.
    """

    levels: IntensityStatistics
    mode: int
    entropy_bits: float
    uniformity: float
    maximum_gradient: float
    maximum_gradient_level: int
    minimum_gradient: float
    minimum_gradient_level: int


def intensity_histogram(levels: NDArray[np.intp], n_bins: int | None = None) -> IntensityHistogram:
    """Features of grey levels (n,), each 1 or more, over the bins 1 to `n_bins` (default: the highest level).

    Gradients are central differences of counts, one-sided at both ends. Raises RefusedInput if a level
    lies outside 1 to n_bins, or there are fewer than two bins.
    """
    grey = np.asarray(levels).ravel()
    bins = int(grey.max(initial=0)) if n_bins is None else n_bins
    if grey.size == 0 or grey.min() < 1 or grey.max() > bins or bins < 2:
        raise RefusedInput(
            f"an intensity histogram needs grey levels of 1 to {bins} in at least two bins; discretise the region first."
        )
    statistics = intensity_statistics(grey.astype(np.float64))
    counts = np.bincount(grey, minlength=bins + 1)[1:].astype(np.float64)
    share = counts[counts > 0] / grey.size
    gradient = np.gradient(counts)
    return IntensityHistogram(
        levels=statistics,
        mode=_mode(counts, statistics.mean),
        entropy_bits=float(-np.sum(share * np.log2(share))),
        uniformity=float(np.sum(share**2)),
        maximum_gradient=float(gradient.max()),
        maximum_gradient_level=int(gradient.argmax()) + 1,
        minimum_gradient=float(gradient.min()),
        minimum_gradient_level=int(gradient.argmin()) + 1,
    )


def _mode(counts: NDArray[np.float64], mean: float) -> int:
    most = np.flatnonzero(counts == counts.max()) + 1
    return int(most[np.argmin(np.abs(most - mean))])
