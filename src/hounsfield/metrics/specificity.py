"""Share of the negative cases that were called negative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._registry import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric("specificity", predicts="decision", best=1.0)
def specificity(truth: NDArray[Any], decision: NDArray[Any]) -> float:
    """True negatives over negatives; truth, decision: bool (n,); nan without negatives."""
    negative = ~np.asarray(truth, dtype=bool)
    return float((~np.asarray(decision, dtype=bool))[negative].mean()) if negative.any() else float("nan")
