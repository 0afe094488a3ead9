"""Platt scaling: a slope and an intercept on the logit of one label's score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from hounsfield.calibration._binary import checked_pairs, logistic_loss
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLATT = "platt"


def fit_platt(logits: NDArray[Any], truth: NDArray[Any]) -> dict[str, float]:
    """`slope` and `intercept` that make the truth most likely.

    logits: (n,) raw outputs of cases that the network was not trained on. truth: (n,) bool. Positive and negative
    cases are not taken as certain but as (n1 + 1) / (n1 + 2) and 1 / (n0 + 2), so that a label which the logits part
    without fault keeps a finite slope. A slope below zero would turn the order of the cases round: it is refused
    (UsageError), since the score then says the opposite of the label. Source: Platt 1999, in Advances in Large
    Margin Classifiers, 61; Lin 2007, Machine Learning 68:267 (the targets and their reason).
    """
    slope, intercept = fitted_line(logits, truth)
    if slope < 0:
        raise UsageError(
            "higher scores go with the label's absence on these cases (slope "
            f"{slope:.3g}): check that score and label belong together; such a score is not calibrated"
        )
    return {"slope": slope, "intercept": intercept}


def fitted_line(
    logits: NDArray[Any], truth: NDArray[Any], *, smallest_slope: float | None = None
) -> tuple[float, float]:
    """Slope and intercept of `fit_platt`, whatever the sign of the slope.

    smallest_slope: where the best slope lies below it, it is kept there and the best intercept to it is given.
    """
    values, true = checked_pairs(logits, truth)
    n_positive = int(true.sum())
    target = np.where(true, (n_positive + 1) / (n_positive + 2), 1 / (true.size - n_positive + 2))
    # Centred and scaled, so that both parameters weigh alike in the search.
    centre, scale = float(values.mean()), float(values.std()) or 1.0
    design = np.stack([(values - centre) / scale, np.ones_like(values)])

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        return logistic_loss(parameters, design, target)

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", options={"gtol": 1e-9}).x
    if smallest_slope is not None and found[0] < smallest_slope * scale:
        bounds = [(smallest_slope * scale, None), (None, None)]
        found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds).x
    slope = float(found[0]) / scale
    return slope, float(found[1]) - slope * centre


def apply_platt(logits: NDArray[Any], slope: float, intercept: float) -> NDArray[np.float64]:
    """Calibrated probabilities of logits of any shape; raises UsageError for a slope below 0."""
    if not slope >= 0:
        raise UsageError(f"a slope must not be below 0, as {slope} is; fit the calibrator again")
    return np.asarray(expit(slope * np.asarray(logits, dtype=np.float64) + intercept), dtype=np.float64)
