"""How many cases were positive for each that the probabilities promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics.wilson import Z_95

if TYPE_CHECKING:
    from numpy.typing import NDArray


def observed_to_expected(truth: NDArray[Any], probability: NDArray[Any], patients: NDArray[Any]) -> Interval:
    """O:E, 1 when right, above 1 when more was positive than stated; interval with patients as the units.

    truth: bool (n,). probability: (n,). patients: (n,) names. nan where nothing was expected. Source: Debray 2017,
    BMJ 356:i6460 (O:E); the error is that of a ratio (Cochran 1977, Sampling Techniques, section 6.4).
    """
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    observed = np.bincount(patient, np.asarray(truth, dtype=np.float64))
    expected = np.bincount(patient, np.asarray(probability, dtype=np.float64))
    total = float(expected.sum())
    if total <= 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    ratio = float(observed.sum()) / total
    error = float(np.sqrt(((observed - ratio * expected) ** 2).sum())) / total
    return Interval(ratio, max(0.0, ratio - Z_95 * error), ratio + Z_95 * error)
