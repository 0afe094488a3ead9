"""Dice overlap of two masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._registry import metric

if TYPE_CHECKING:
    from numpy.typing import NDArray


@metric("dice", predicts="mask", best=1.0)
def dice(truth: NDArray[Any], prediction: NDArray[Any]) -> float:
    """Twice the overlap over the sum of both sizes, in [0, 1].

    truth, prediction: bool masks of one shape. Both empty: nan, the caller reports how many cases that
    were; one empty: 0. Source: Dice 1945, Ecology 26:297.
    """
    first, second = np.asarray(truth, dtype=bool), np.asarray(prediction, dtype=bool)
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else float("nan")
