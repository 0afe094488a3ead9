"""Calibration intercept and slope: is the model too sure, and too high or low overall?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics.wilson import Z_95

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def calibration_line(
    truth: NDArray[Any], probability: NDArray[Any], *, groups: Sequence[Any] | None = None
) -> CalibrationLine:
    """Logistic regression of the truth on the logit of the probability, with Wald intervals.

    truth: bool (n,). probability: (n,). groups: (n,) patients; with them the errors allow for cases of one patient
    being alike (Liang and Zeger 1986, Biometrika 73:13), without them every case counts as independent. Raises
    RefusedInput if a class is absent or the logit does not vary. Source: Cox 1958, Biometrika 45:562; Van Calster
    2019, BMC Med 17:230.
    """
    positive = np.asarray(truth, dtype=np.float64)
    stated = np.asarray(probability, dtype=np.float64)
    if not 0 < positive.sum() < positive.size:
        raise RefusedInput("a calibration line needs positive and negative cases.")
    clipped = np.clip(stated, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    logit = np.log(clipped) - np.log1p(-clipped)
    if np.ptp(logit) == 0.0:
        raise RefusedInput("all probabilities are equal, so no calibration slope can be fitted.")
    cluster = np.unique(np.arange(logit.size) if groups is None else np.asarray(groups), return_inverse=True)[
        1
    ]
    ones = np.ones_like(logit)
    line = _fitted(np.stack([ones, logit], axis=1), positive, np.zeros_like(logit), cluster)
    (intercept, slope), line_error = line
    (shift,), shift_error = _fitted(ones[:, None], positive, logit, cluster)
    return CalibrationLine(
        _wald(intercept, line_error[0]), _wald(slope, line_error[1]), _wald(shift, shift_error[0])
    )


def _fitted(
    design: NDArray[np.float64],
    positive: NDArray[np.float64],
    offset: NDArray[np.float64],
    cluster: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients by Newton's method and their robust standard errors. Raises RefusedInput where it does not settle."""
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
            bread = np.linalg.inv(information)
            scores = np.zeros((int(cluster.max()) + 1, design.shape[1]))
            np.add.at(scores, cluster, design * (positive - fitted)[:, None])
            return beta, np.sqrt(np.diag(bread @ (scores.T @ scores) @ bread))
    raise RefusedInput(
        "the calibration line does not settle: the probabilities part the classes without overlap."
    )


def _wald(value: float, error: float) -> Interval:
    return Interval(float(value), float(value - Z_95 * error), float(value + Z_95 * error))
