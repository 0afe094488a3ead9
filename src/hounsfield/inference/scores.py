"""What the authors of a model show of its raw outputs. No torch; none of it is a probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.zoo import ModelCard


def scores_of(logits: NDArray[Any], card: ModelCard) -> NDArray[np.float64] | None:
    """Scores (..., classes) of logits (..., classes), as the card's `scores` says; None where it says nothing, or where a
    calibrator makes probabilities.

    "operating-point": with p the sigmoid and t the class's point, p / 2t below it and 1 - (1 - p) / 2(1 - t) from it on.
    Source: TorchXRayVision 1.5.7, models.py, `op_norm`.
    """
    if card.scores is None or card.calibrator is not None:
        return None
    values = np.asarray(logits, dtype=np.float64)
    if card.scores.way == "logits":
        return values
    if card.scores.way == "softmax":
        return np.asarray(softmax(values, axis=-1))
    p = np.asarray(expit(values))
    if card.scores.way == "sigmoid":
        return p
    point = np.array([card.scores.operating_points[name] for name in card.class_names])
    rescaled: NDArray[np.float64] = np.where(p < point, p / (2 * point), 1 - (1 - p) / (2 * (1 - point)))
    return rescaled
