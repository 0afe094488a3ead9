"""What the calibrators of one label share: checks of their input, and the loss of a logistic line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def checked_pairs(scores: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores (n,) and truth (n,) as float64 and bool; raises UsageError unless they fit and both kinds occur."""
    values, true = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.bool_)
    if values.ndim != 1 or values.shape != true.shape:
        raise UsageError(f"scores {values.shape} and truth {true.shape} do not fit; give one of each a case")
    if not np.isfinite(values).all():
        raise UsageError(f"{int((~np.isfinite(values)).sum())} scores are not finite; leave those cases out")
    if true.all() or not true.any():
        raise UsageError(
            f"{int(true.sum())} of {true.size} cases have the label: a calibrator needs cases with and without it"
        )
    return values, true


def logistic_loss(
    weights: NDArray[np.float64], design: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Mean log loss of expit(weights @ design) against target (n,) in 0 to 1, and its gradient.

    weights: (k,). design: (k, n).
    """
    line = weights @ design
    loss = float(np.mean(np.logaddexp(0.0, line) - target * line))
    return loss, np.asarray(design @ (expit(line) - target) / target.size, dtype=np.float64)
