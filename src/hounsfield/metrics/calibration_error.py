"""Calibration error with its bins stated, the part that chance alone adds taken off, and what the Brier score is made of.

The plain error of finite data is too large: bins of few cases lie off the diagonal by chance, the more bins the further.
`calibration_error` therefore gives both the plain and the debiased one. Sources: Naeini 2015, AAAI 29:2901 (plain);
Kumar 2019, NeurIPS 32 and Brocker 2012, Clim Dyn 39:655 (debiased square); Murphy 1973, J Appl Meteorol 12:595.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

Spacing = Literal["equal count", "equal width"]


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """Distance of stated and observed over n_bins occupied bins of the kind `spacing`.

    plain: mean absolute distance, weighted by count (ECE). root_mean_square: the same of squares. debiased: root of the
    mean square less what a perfectly calibrated model would have by chance, 0 where nothing is left.
    """

    plain: float
    root_mean_square: float
    debiased: float
    n_bins: int
    spacing: Spacing


def calibration_error(
    truth: NDArray[Any], probability: NDArray[Any], *, n_bins: int = 15, spacing: Spacing = "equal count"
) -> CalibrationError:
    """truth: bool (n,). probability: (n,) from 0 to 1. Raises RefusedInput for no cases and for other values."""
    counts, stated, observed = _bins(truth, probability, n_bins, spacing)
    share = counts / counts.sum()
    square = (stated - observed) ** 2
    # A bin of one case has no spread to take off: it keeps its distance.
    chance = np.where(counts > 1, observed * (1 - observed) / np.maximum(counts - 1, 1), 0.0)
    left = float(share @ (square - chance))
    return CalibrationError(
        float(share @ np.abs(stated - observed)),
        math.sqrt(float(share @ square)),
        math.sqrt(max(left, 0.0)),
        int(counts.size),
        spacing,
    )


@dataclass(frozen=True, slots=True)
class BrierParts:
    """Brier score of binned probabilities: reliability (lower is better) - resolution + uncertainty of the labels.

    skill: 1 - score / uncertainty, which is 0 for always stating the prevalence. score: of the bins' means.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float

    @property
    def skill(self) -> float:
        """How much better than always stating the prevalence, at most 1; nan where all labels are alike."""
        return 1.0 - self.score / self.uncertainty if self.uncertainty else math.nan


def brier_parts(truth: NDArray[Any], probability: NDArray[Any], *, n_bins: int = 15) -> BrierParts:
    """Murphy's decomposition over bins of equal count; truth: bool (n,), probability: (n,) from 0 to 1."""
    counts, stated, observed = _bins(truth, probability, n_bins, "equal count")
    share = counts / counts.sum()
    prevalence = float(share @ observed)
    reliability = float(share @ (stated - observed) ** 2)
    resolution = float(share @ (observed - prevalence) ** 2)
    uncertainty = prevalence * (1 - prevalence)
    return BrierParts(reliability - resolution + uncertainty, reliability, resolution, uncertainty)


def _bins(
    truth: NDArray[Any], probability: NDArray[Any], n_bins: int, spacing: Spacing
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Count, mean stated and share observed of the occupied bins; cases of equal probability stay in one bin."""
    true, stated = np.asarray(truth, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if stated.ndim != 1 or stated.shape != true.shape or not stated.size or n_bins < 1:
        raise RefusedInput(
            f"truth {true.shape} and probabilities {stated.shape} in {n_bins} bins do not fit; one of each a case."
        )
    if not (stated.min() >= 0.0 and stated.max() <= 1.0):
        raise RefusedInput(f"probabilities go from {stated.min():g} to {stated.max():g}; 0 to 1 is needed.")
    if spacing == "equal width":
        index = np.minimum((stated * n_bins).astype(int), n_bins - 1)
    else:
        # The first case of a run of equal probabilities decides where the run goes.
        levels, first, inverse = np.unique(np.sort(stated), return_index=True, return_inverse=True)
        del inverse
        place = first * n_bins // stated.size
        index = place[np.searchsorted(levels, stated)]
    counts = np.bincount(index, minlength=n_bins).astype(np.float64)
    kept = counts > 0
    means = [
        np.bincount(index, weights=values, minlength=n_bins)[kept] / counts[kept] for values in (stated, true)
    ]
    return counts[kept], means[0], means[1]
