"""Brier score: mean squared error of a probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._registry import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric("brier", predicts="probability", best=0.0)
def brier(truth: NDArray[Any], probability: NDArray[Any]) -> float:
    """Mean of (probability - truth)^2 over cases, in [0, 1]; nan without cases.

    truth: bool (n,). probability: (n,) in [0, 1]. For several classes, the sum of the classes' scores is
    Brier's original score. Source: Brier 1950, Mon Weather Rev 78:1.
    """
    if np.size(truth) == 0:
        return float("nan")
    difference = np.asarray(probability, dtype=np.float64) - np.asarray(truth, dtype=np.float64)
    return float(np.mean(difference**2))
