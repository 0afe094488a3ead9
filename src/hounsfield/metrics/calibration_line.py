"""Calibration intercept and slope: is the model too sure, and too high or low overall?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics.wilson import Z_95

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Probabilities of exactly 0 or 1 have no logit; they are moved in by this much.
SMALLEST_PROBABILITY = 1e-7
_MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """slope: 1 when right, below 1 when the model is too sure. intercept: of the same line.

    in_the_large: intercept with the slope held at 1: 0 when right, below 0 when probabilities are too high.
    """

    intercept: Interval
    slope: Interval
    in_the_large: Interval


def calibration_line(truth: NDArray[Any], probability: NDArray[Any]) -> CalibrationLine:
    """Logistic regression of the truth on the logit of the probability, with Wald intervals.

    truth: bool (n,). probability: (n,). Raises RefusedInput if a class is absent or the logit does not vary.
    Source: Cox 1958, Biometrika 45:562; Van Calster 2019, BMC Med 17:230.
    """
    positive = np.asarray(truth, dtype=np.float64)
    stated = np.asarray(probability, dtype=np.float64)
    if not 0 < positive.sum() < positive.size:
        raise RefusedInput("a calibration line needs positive and negative cases.")
    clipped = np.clip(stated, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    logit = np.log(clipped) - np.log1p(-clipped)
    if np.ptp(logit) == 0.0:
        raise RefusedInput("all probabilities are equal, so no calibration slope can be fitted.")
    ones = np.ones_like(logit)
    (intercept, slope), line_error = _fitted(np.stack([ones, logit], axis=1), positive, np.zeros_like(logit))
    (shift,), shift_error = _fitted(ones[:, None], positive, logit)
    return CalibrationLine(
        _wald(intercept, line_error[0]), _wald(slope, line_error[1]), _wald(shift, shift_error[0])
    )


def _fitted(
    design: NDArray[np.float64], positive: NDArray[np.float64], offset: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients and standard errors by Newton's method. Raises RefusedInput where it does not settle."""
    from scipy.special import expit

    beta = np.zeros(design.shape[1])
    for _ in range(_MOST_STEPS):
        fitted = expit(design @ beta + offset)
        information = design.T @ (design * (fitted * (1 - fitted))[:, None])
        try:
            change = np.linalg.solve(information, design.T @ (positive - fitted))
        except np.linalg.LinAlgError:
            break
        beta = beta + np.clip(change, -5.0, 5.0)
        if np.abs(change).max() < 1e-10:
            return beta, np.sqrt(np.diag(np.linalg.inv(information)))
    raise RefusedInput(
        "the calibration line does not settle: the probabilities part the classes without overlap."
    )


def _wald(value: float, error: float) -> Interval:
    return Interval(float(value), float(value - Z_95 * error), float(value + Z_95 * error))
