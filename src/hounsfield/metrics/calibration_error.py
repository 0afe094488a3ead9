"""Calibration error by stated bins, with the part that chance adds taken off, and what a Brier score is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._checks import finite_pair

if TYPE_CHECKING:
    from numpy.typing import NDArray

Bins = Literal["width", "count"]


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """Distance of stated and observed over bins, weighted by cases.

    bins: of equal width on 0 to 1, or of equal count. n_bins: occupied ones. mean: of absolute distances (the expected
    calibration error). largest: of one bin. squared: mean of squared distances. squared_debiased: the same less
    what chance adds to it, below 0 where there is less error than chance gives; nan if a bin holds one case.
    """

    bins: Bins
    n_bins: int
    mean: float
    largest: float
    squared: float
    squared_debiased: float


def calibration_error(
    truth: NDArray[Any], probability: NDArray[Any], *, n_bins: int = 10, bins: Bins = "width"
) -> CalibrationError:
    """truth: bool (n,). probability: (n,). Cases count as independent.

    Equal probabilities share a bin, so bins of equal count may be fewer and uneven. Raises RefusedInput without
    cases or for probabilities outside 0 to 1. Sources: Naeini 2015, AAAI 29:2901; Nixon 2019, CVPR Workshops (equal
    count); debiased: Broecker 2012, Clim Dyn 39:655, which is Kumar, Liang and Ma 2019, NeurIPS 32:3792.
    """
    true, stated = _checked(truth, probability)
    index = _bin_of(stated, n_bins, bins)
    n = np.bincount(index).astype(np.float64)
    occupied = n > 0
    n = n[occupied]
    observed = np.bincount(index, true)[occupied] / n
    apart = np.abs(observed - np.bincount(index, stated)[occupied] / n)
    share = n / true.size
    squared = float(share @ apart**2)
    by_chance = float(share @ (observed * (1 - observed) / (n - 1))) if n.min() > 1 else math.nan
    return CalibrationError(
        bins, n.size, float(share @ apart), float(apart.max()), squared, squared - by_chance
    )


@dataclass(frozen=True, slots=True)
class BrierParts:
    """score = calibration + refinement, and refinement = uncertainty - discrimination.

    calibration: what recalibrating would gain, 0 is best. refinement: what stays after it. uncertainty: the score of
    stating the prevalence for everybody. skill: 1 - score / uncertainty; 0 is no better than the prevalence, nan if
    one class is absent.
    """

    score: float
    calibration: float
    refinement: float
    discrimination: float
    uncertainty: float
    skill: float


def brier_parts(
    truth: NDArray[Any], probability: NDArray[Any], *, n_bins: int | None = None, bins: Bins = "width"
) -> BrierParts:
    """The Brier score taken apart, exactly, by comparing it with the score after recalibration.

    truth: bool (n,). probability: (n,). Recalibrated is by isotonic regression, or with n_bins to the observed share
    of each bin. Raises RefusedInput as calibration_error. Sources: Murphy 1973, J Appl Meteorol 12:595; DeGroot and
    Fienberg 1983, Statistician 32:12 (calibration and refinement); Dimitriadis 2021, PNAS 118:e2016191118 (isotonic).
    """
    true, stated = _checked(truth, probability)
    if n_bins is None:
        recalibrated = _isotonic(true, stated)
    else:
        index = _bin_of(stated, n_bins, bins)
        recalibrated = (np.bincount(index, true) / np.maximum(np.bincount(index), 1))[index]
    score, refinement = float(((stated - true) ** 2).mean()), float(((recalibrated - true) ** 2).mean())
    uncertainty = float(true.mean() * (1 - true.mean()))
    skill = 1 - score / uncertainty if uncertainty else math.nan
    return BrierParts(score, score - refinement, refinement, uncertainty - refinement, uncertainty, skill)


def _checked(
    truth: NDArray[Any], probability: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    true, stated = finite_pair(truth, probability)
    if stated.min() < 0 or stated.max() > 1:
        raise RefusedInput(
            f"probabilities reach from {stated.min():g} to {stated.max():g}; 0 to 1 is needed."
        )
    return true, stated


def _bin_of(stated: NDArray[np.float64], n_bins: int, bins: Bins) -> NDArray[np.intp]:
    """Number of each case's bin."""
    if n_bins < 1 or bins not in {"width", "count"}:
        raise RefusedInput(f"{n_bins} bins by {bins!r}; give at least 1, by 'width' or 'count'.")
    if bins == "width":
        return np.minimum((stated * n_bins).astype(np.intp), n_bins - 1)
    # The first of equal probabilities decides for all of them.
    first = np.searchsorted(np.sort(stated), stated)
    return np.asarray(first * n_bins // stated.size)


def _isotonic(true: NDArray[np.float64], stated: NDArray[np.float64]) -> NDArray[np.float64]:
    """Observed shares that never fall as the stated probability rises; equal ones share a value."""
    from scipy.optimize import isotonic_regression

    _, place, n = np.unique(stated, return_inverse=True, return_counts=True)
    observed = np.bincount(place, true) / n
    fitted: NDArray[np.float64] = isotonic_regression(observed, weights=n.astype(np.float64)).x
    return fitted[place]
