"""Temperature scaling: one number that makes a classifier as sure as it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEMPERATURE = "temperature"  # the calibrator's name in a model's card; its parameter has the same name
_RANGE = (0.05, 20.0)


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Probabilities over the last axis of logits (..., classes)."""
    values = np.asarray(logits, dtype=np.float64)
    exponents = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True), dtype=np.float64)


def apply_temperature(logits: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    """Calibrated probabilities of logits (..., classes); the order of the classes never changes."""
    if not temperature > 0:
        raise UsageError(f"a temperature must be above 0, not {temperature}; fit the calibrator again")
    return softmax(np.asarray(logits, dtype=np.float64) / temperature)


def fit_temperature(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """The temperature that makes the true labels most likely.

    logits: (n, classes) of cases that the network was not trained on. labels: (n,) class indices.
    Source: Guo 2017, ICML 70:1321.
    """
    values, true = np.asarray(logits, dtype=np.float64), np.asarray(labels, dtype=np.intp)
    if values.ndim != 2 or len(values) != len(true) or len(true) == 0:
        raise UsageError(f"logits {values.shape} and labels {true.shape} do not fit; give one label a row")

    def loss(log_temperature: float) -> float:
        chosen = apply_temperature(values, float(np.exp(log_temperature)))[np.arange(len(true)), true]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    found = minimize_scalar(loss, bounds=(np.log(_RANGE[0]), np.log(_RANGE[1])), method="bounded")
    return float(np.exp(found.x))
