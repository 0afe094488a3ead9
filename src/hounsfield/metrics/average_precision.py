"""Area under the precision-recall curve, as a sum of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._registry import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric("average-precision", predicts="score", best=1.0)
def average_precision(truth: NDArray[Any], score: NDArray[Any]) -> float:
    """Precision at each threshold, weighted by the rise in recall that it brings; nan without positives.

    truth: bool (n,). score: real (n,). Steps are not joined by lines, which would flatter (Davis and
    Goadrich 2006, ICML 23:233). The value of a useless score is the prevalence, not 0.5.
    """
    if not np.asarray(truth, dtype=bool).any():
        return float("nan")
    recall, precision, _ = precision_recall_curve(truth, score)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def precision_recall_curve(
    truth: NDArray[Any], score: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Recall, precision and threshold at every distinct score, from the highest down.

    A case is called positive when its score is at least the threshold. Positives must occur.
    """
    positive = np.asarray(truth, dtype=bool)
    values = np.asarray(score, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(values[order])), values.size - 1)
    hits = np.cumsum(positive[order])[ends]
    return hits / positive.sum(), hits / (ends + 1.0), values[order][ends]
