"""Logistic regression with weights and a small ridge, for recalibration and a re-weighted last layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RIDGE = 1e-2  # in cases: keeps coefficients finite where a class is parted without overlap
_MOST_STEPS, _LARGEST_STEP, _SETTLED = 100, 4.0, 1e-8
_SMALLEST_PROBABILITY = 1e-6


def logit(probability: NDArray[Any]) -> NDArray[np.float64]:
    """Log odds, with probabilities of 0 and 1 moved in by a millionth."""
    stated = np.clip(
        np.asarray(probability, dtype=np.float64), _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY
    )
    return np.asarray(np.log(stated) - np.log1p(-stated))


def with_intercept(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The design (n, 1 + k) of columns (n,) or (n, k)."""
    values = columns.reshape(columns.shape[0], -1)
    return np.concatenate([np.ones((values.shape[0], 1)), values], axis=1)


def fit_logistic(
    design: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Coefficients (k,) by Newton's method. design: (n, k); weights: (n,), 1 where None."""
    from scipy.special import expit

    weight = np.ones(truth.size) if weights is None else weights
    beta = np.zeros(design.shape[1])
    for _ in range(_MOST_STEPS):
        fitted = expit(design @ beta)
        information = design.T @ (design * (weight * fitted * (1 - fitted))[:, None])
        information += RIDGE * np.eye(beta.size)
        change = np.linalg.solve(information, design.T @ (weight * (truth - fitted)) - RIDGE * beta)
        beta = beta + np.clip(change, -_LARGEST_STEP, _LARGEST_STEP)
        if np.abs(change).max() < _SETTLED:
            break
    return np.asarray(beta)


def predict(design: NDArray[np.float64], beta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities (n,)."""
    from scipy.special import expit

    return np.asarray(expit(design @ beta), dtype=np.float64)
