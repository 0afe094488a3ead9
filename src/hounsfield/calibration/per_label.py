"""Labels that stand alone: a sigmoid for each, with two numbers a label that bring it to observed frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SIGMOID = "sigmoid"  # as it is
PLATT_PER_LABEL = "platt-per-label"  # parameters: slopes and offsets, one each a label


def sigmoid(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Probability of each label of logits (..., labels), each on its own."""
    values = np.asarray(logits, dtype=np.float64)
    shrunk = np.exp(-np.abs(values))  # at most 1: nothing overflows
    return np.asarray(np.where(values >= 0, 1.0, shrunk) / (1.0 + shrunk), dtype=np.float64)


def apply_platt_per_label(
    logits: NDArray[Any], slopes: Sequence[float], offsets: Sequence[float]
) -> NDArray[np.float64]:
    """Calibrated probabilities of logits (..., labels). slopes: above 0, so that the order of cases stays."""
    values = np.asarray(logits, dtype=np.float64)
    if not len(slopes) == len(offsets) == values.shape[-1] or not all(slope > 0 for slope in slopes):
        raise UsageError(
            f"{values.shape[-1]} labels need as many slopes above 0 and offsets, not {slopes} and {offsets}; "
            "fit the calibrator again"
        )
    return sigmoid(values * np.asarray(slopes, dtype=np.float64) + np.asarray(offsets, dtype=np.float64))


def fit_platt_per_label(
    logits: NDArray[Any], truth: NDArray[Any]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Slope and offset of each label that make the truth most likely.

    logits: (n, labels) of cases that the network was not trained on. truth: (n, labels) bool. A network whose loss
    weighs positives more than they are frequent needs the offset. Source: Platt 1999, with his smoothed targets
    (N+ + 1) / (N+ + 2) and 1 / (N- + 2), which keep few cases from making it certain.
    """
    values, true = np.asarray(logits, dtype=np.float64), np.asarray(truth, dtype=bool)
    if values.ndim != 2 or values.shape != true.shape or len(true) == 0:
        raise UsageError(f"logits {values.shape} and truth {true.shape} do not fit; give one truth a logit")
    pairs = [_fit(values[:, k], true[:, k]) for k in range(values.shape[1])]
    return tuple(slope for slope, _ in pairs), tuple(offset for _, offset in pairs)


def _fit(logits: NDArray[np.float64], truth: NDArray[np.bool_]) -> tuple[float, float]:
    n_positive = int(truth.sum())
    n_negative = truth.size - n_positive
    target = np.where(truth, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))

    def loss(parameters: NDArray[np.float64]) -> float:
        said = np.exp(parameters[0]) * logits + parameters[1]
        return float((np.logaddexp(0.0, said) - target * said).mean())

    # The slope as its logarithm: it stays above 0, so that calibrating never turns the order round.
    found = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-6.0, 4.0), (-20.0, 20.0)])
    return float(np.exp(found.x[0])), float(found.x[1])
