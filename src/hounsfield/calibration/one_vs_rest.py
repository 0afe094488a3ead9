"""Beta and isotonic calibration of classes that exclude each other: each class against the rest, then made to sum to 1.

Source: Zadrozny 2002, KDD, 694 (each class alone, then normalised); Kull 2017 for beta.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.calibration.per_label import (
    apply_beta_per_label,
    apply_isotonic_per_label,
    fit_beta_per_label,
    fit_isotonic_per_label,
)
from hounsfield.calibration.temperature import softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BETA_ONE_VS_REST = "beta-one-vs-rest"
ISOTONIC_ONE_VS_REST = "isotonic-one-vs-rest"
_EDGE = 1e-12


def fit_beta_one_vs_rest(logits: NDArray[Any], labels: NDArray[Any]) -> dict[str, tuple[float, ...]]:
    """`a`, `b` and `c` of each class from logits (n, classes) and labels (n,) of class indices.

    Raises UsageError for a class that no case has, or every case.
    """
    return fit_beta_per_label(*_against_rest(logits, labels))


def apply_beta_one_vs_rest(
    logits: NDArray[Any], a: Sequence[float], b: Sequence[float], c: Sequence[float]
) -> NDArray[np.float64]:
    """Calibrated probabilities of logits (..., classes), which sum to 1."""
    return _normalised(apply_beta_per_label(_log_odds(logits), a, b, c))


def fit_isotonic_one_vs_rest(logits: NDArray[Any], labels: NDArray[Any]) -> dict[str, tuple[float, ...]]:
    """Steps of each class, as `fit_isotonic_per_label`, from logits (n, classes) and labels (n,) of class indices."""
    return fit_isotonic_per_label(*_against_rest(logits, labels))


def apply_isotonic_one_vs_rest(
    logits: NDArray[Any], scores: Sequence[float], probabilities: Sequence[float], corners: Sequence[float]
) -> NDArray[np.float64]:
    """Calibrated probabilities of logits (..., classes), which sum to 1."""
    return _normalised(apply_isotonic_per_label(_log_odds(logits), scores, probabilities, corners))


def _log_odds(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Of each class against the rest, from the softmax."""
    stated = softmax(logits).clip(_EDGE, 1 - _EDGE)
    return np.asarray(np.log(stated) - np.log1p(-stated), dtype=np.float64)


def _against_rest(
    logits: NDArray[Any], labels: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    log_odds = _log_odds(logits)
    return log_odds, np.asarray(labels)[:, None] == np.arange(log_odds.shape[1])


def _normalised(said: NDArray[np.float64]) -> NDArray[np.float64]:
    held = np.maximum(said, _EDGE)
    return np.asarray(held / held.sum(axis=-1, keepdims=True), dtype=np.float64)
