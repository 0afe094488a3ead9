"""Area under the receiver operating characteristic curve, and the curve itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._registry import metric
from hounsfield.metrics.delong import placements

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric("auroc", predicts="score", best=1.0)
def auroc(truth: NDArray[Any], score: NDArray[Any]) -> float:
    """Chance that a positive case scores above a negative one, ties counted half.

    truth: bool (n,). score: real (n,), larger means more likely positive. nan if one side is empty or a score is nan.
    Source: Hanley and McNeil 1982, Radiology 143:29.
    """
    positive = np.asarray(truth, dtype=bool)
    if positive.all() or not positive.any():
        return float("nan")
    return float(placements(positive, score)[0].mean())


def roc_curve(
    truth: NDArray[Any], score: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """1 - specificity, sensitivity and threshold, from (0, 0) at infinity to (1, 1).

    A case is called positive when its score is at least the threshold. Both classes must occur.
    """
    positive = np.asarray(truth, dtype=bool)
    values = np.asarray(score, dtype=np.float64)
    thresholds = np.unique(values)[::-1]
    called = values[None, :] >= thresholds[:, None]
    sensitivity = (called & positive).sum(axis=1) / positive.sum()
    false_alarms = (called & ~positive).sum(axis=1) / (~positive).sum()
    return (
        np.concatenate([[0.0], false_alarms]),
        np.concatenate([[0.0], sensitivity]),
        np.concatenate([[np.inf], thresholds]),
    )
