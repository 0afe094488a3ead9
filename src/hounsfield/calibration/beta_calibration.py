"""Beta calibration: three parameters on a probability, which also mend what a slope in the logit cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from hounsfield.calibration._binary import checked_pairs, logistic_loss
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BETA = "beta"
_EDGE = 1e-12  # probabilities of exactly 0 and 1 have no logarithm


def fit_beta(probabilities: NDArray[Any], truth: NDArray[Any]) -> dict[str, float]:
    """`a`, `b` and `c` of logit(q) = a ln(p) - b ln(1 - p) + c that make the truth most likely, a and b not below 0.

    probabilities: (n,) from 0 to 1 of cases that the network was not trained on. truth: (n,) bool. The identity is
    a = b = 1, c = 0. Source: Kull 2017, AISTATS, PMLR 54:623.
    """
    values, true = checked_pairs(probabilities, truth)
    design, target = _design(values), true.astype(np.float64)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        return logistic_loss(parameters, design, target)

    # The bound of 50 stands for "parted without fault", where no finite parameters are best.
    bounds = [(0.0, 50.0), (0.0, 50.0), (-50.0, 50.0)]
    options = {"ftol": 1e-14, "gtol": 1e-10, "maxiter": 1000}
    found = minimize(
        loss, np.array([1.0, 1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    a, b, c = (float(value) for value in found.x)
    return {"a": a, "b": b, "c": c}


def apply_beta(probabilities: NDArray[Any], a: float, b: float, c: float) -> NDArray[np.float64]:
    """Calibrated probabilities of probabilities of any shape; raises UsageError if a or b is below 0."""
    if not (a >= 0 and b >= 0):
        raise UsageError(f"a and b must not be below 0, as {a} and {b} are; fit the calibrator again")
    values = np.asarray(probabilities, dtype=np.float64)
    weights = np.array([a, b, c])
    return np.asarray(expit(np.tensordot(weights, _design(values), axes=1)), dtype=np.float64)


def _design(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    if probabilities.size and not (probabilities.min() >= 0.0 and probabilities.max() <= 1.0):
        raise UsageError(
            f"beta calibration takes probabilities, not values from {probabilities.min():.3g} to "
            f"{probabilities.max():.3g}; for logits take Platt scaling"
        )
    inside = probabilities.clip(_EDGE, 1 - _EDGE)
    return np.stack([np.log(inside), -np.log1p(-inside), np.ones_like(inside)])
