"""Share of the positive cases that were called positive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._registry import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric("sensitivity", predicts="decision", best=1.0)
def sensitivity(truth: NDArray[Any], decision: NDArray[Any]) -> float:
    """True positives over positives; truth, decision: bool (n,); nan without positives."""
    positive = np.asarray(truth, dtype=bool)
    return float(np.asarray(decision, dtype=bool)[positive].mean()) if positive.any() else float("nan")
