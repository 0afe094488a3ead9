"""Labels that stand alone: a sigmoid for each, brought to observed frequencies by a calibrator of each label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.calibration.beta_calibration import apply_beta, fit_beta
from hounsfield.calibration.isotonic import apply_isotonic, fit_isotonic
from hounsfield.calibration.platt import fitted_line
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SIGMOID = "sigmoid"  # as it is
PLATT_PER_LABEL = "platt-per-label"  # parameters: slopes and offsets, one each a label
BETA_PER_LABEL = "beta-per-label"  # a, b and c, one each a label
ISOTONIC_PER_LABEL = (
    "isotonic-per-label"  # scores and probabilities of all corners; corners: how many a label has
)
_SMALLEST_SLOPE = 0.0025  # keeps the order of cases where a label runs backwards


def sigmoid(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Probability of each label of logits (..., labels), each on its own."""
    values = np.asarray(logits, dtype=np.float64)
    shrunk = np.exp(-np.abs(values))  # at most 1: nothing overflows
    return np.asarray(np.where(values >= 0, 1.0, shrunk) / (1.0 + shrunk), dtype=np.float64)


def apply_platt_per_label(
    logits: NDArray[Any], slopes: Sequence[float], offsets: Sequence[float]
) -> NDArray[np.float64]:
    """Calibrated probabilities of logits (..., labels). slopes: above 0, so that the order of cases stays."""
    values = np.asarray(logits, dtype=np.float64)
    if not len(slopes) == len(offsets) == values.shape[-1] or not all(slope > 0 for slope in slopes):
        raise UsageError(
            f"{values.shape[-1]} labels need as many slopes above 0 and offsets, not {slopes} and {offsets}; "
            "fit the calibrator again"
        )
    return sigmoid(values * np.asarray(slopes, dtype=np.float64) + np.asarray(offsets, dtype=np.float64))


def fit_platt_per_label(
    logits: NDArray[Any], truth: NDArray[Any]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Slope and offset of each label that make the truth most likely, as in `fit_platt`.

    logits: (n, labels) of cases that the network was not trained on. truth: (n, labels) bool. A network whose loss
    weighs positives more than they are frequent needs the offset. A label that runs backwards keeps a slope just above
    0, which says that its score tells nothing.
    """
    values, true = _checked(logits, truth)
    pairs = [
        fitted_line(values[:, k], true[:, k], smallest_slope=_SMALLEST_SLOPE) for k in range(values.shape[1])
    ]
    return tuple(slope for slope, _ in pairs), tuple(offset for _, offset in pairs)


def fit_beta_per_label(logits: NDArray[Any], truth: NDArray[Any]) -> dict[str, tuple[float, ...]]:
    """`a`, `b` and `c` of each label, by `fit_beta` on the sigmoid of logits (n, labels); truth: (n, labels) bool."""
    values, true = _checked(logits, truth)
    stated = sigmoid(values)
    found = [fit_beta(stated[:, k], true[:, k]) for k in range(values.shape[1])]
    return {name: tuple(one[name] for one in found) for name in ("a", "b", "c")}


def apply_beta_per_label(
    logits: NDArray[Any], a: Sequence[float], b: Sequence[float], c: Sequence[float]
) -> NDArray[np.float64]:
    """Calibrated probabilities of logits (..., labels); raises UsageError unless there is one of each a label."""
    stated = sigmoid(logits)
    if not len(a) == len(b) == len(c) == stated.shape[-1]:
        raise UsageError(
            f"{stated.shape[-1]} labels need as many a, b and c, not {len(a)}, {len(b)} and {len(c)}; fit it again"
        )
    return np.stack([apply_beta(stated[..., k], a[k], b[k], c[k]) for k in range(len(a))], axis=-1)


def fit_isotonic_per_label(logits: NDArray[Any], truth: NDArray[Any]) -> dict[str, tuple[float, ...]]:
    """Steps of each label by `fit_isotonic` on logits (n, labels), one label after the other; truth: (n, labels) bool.

    A step at 0 or 1 is drawn in to 1 / (n + 2): n cases that agree do not make the next one certain (Laplace).
    """
    values, true = _checked(logits, truth)
    found = [fit_isotonic(values[:, k], true[:, k]) for k in range(values.shape[1])]
    edge = 1 / (len(values) + 2)
    return {
        "scores": tuple(score for one in found for score in one["scores"]),
        "probabilities": tuple(
            float(np.clip(p, edge, 1 - edge)) for one in found for p in one["probabilities"]
        ),
        "corners": tuple(float(len(one["scores"])) for one in found),
    }


def apply_isotonic_per_label(
    logits: NDArray[Any],
    scores: Sequence[float],
    probabilities: Sequence[float],
    corners: Sequence[float],
) -> NDArray[np.float64]:
    """Calibrated probabilities of logits (..., labels); raises UsageError unless the corners are those of the labels."""
    values = np.asarray(logits, dtype=np.float64)
    counts = [int(count) for count in corners]
    fits = len(counts) == values.shape[-1] and sum(counts) == len(scores) == len(probabilities)
    if not fits or any(count != exact or count < 1 for count, exact in zip(counts, corners, strict=True)):
        raise UsageError(
            f"{values.shape[-1]} labels need as many numbers of corners, which sum to {len(scores)} scores and "
            f"{len(probabilities)} probabilities, not {list(corners)}; fit the calibrator again"
        )
    ends = np.cumsum(counts)
    said = [
        apply_isotonic(values[..., k], scores[end - count : end], probabilities[end - count : end])
        for k, (count, end) in enumerate(zip(counts, ends, strict=True))
    ]
    return np.stack(said, axis=-1)


def _checked(logits: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values, true = np.asarray(logits, dtype=np.float64), np.asarray(truth, dtype=bool)
    if values.ndim != 2 or values.shape != true.shape or len(true) == 0:
        raise UsageError(f"logits {values.shape} and truth {true.shape} do not fit; give one truth a logit")
    return values, true
