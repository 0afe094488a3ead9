"""Decision curve: what acting on a probability is worth, beside acting on all and on none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


def net_benefit(
    truth: NDArray[Any], probability: NDArray[Any], thresholds: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Net benefit of the model and of acting on everybody, at each threshold; that of acting on nobody is 0.

    truth: bool (n,). probability: (n,) calibrated. thresholds: (m,), each above 0 and below 1: the probability
    at which one would just act, so that a false alarm weighs threshold / (1 - threshold) of a hit. Unit: hits a
    case. Raises RefusedInput outside that range. Source: Vickers and Elkin 2006, Med Decis Making 26:565.
    """
    positive, stated = np.asarray(truth, dtype=bool), np.asarray(probability, dtype=np.float64)
    limits = np.asarray(thresholds, dtype=np.float64)
    if not ((limits > 0) & (limits < 1)).all():
        raise RefusedInput("a decision threshold lies between 0 and 1, both excluded.")
    if not positive.size:
        nothing = np.full(limits.shape, np.nan)
        return nothing, nothing
    odds = limits / (1 - limits)
    hits = _at_least(stated[positive], limits)
    alarms = _at_least(stated[~positive], limits)
    share = positive.mean()
    return (hits - alarms * odds) / positive.size, share - (1 - share) * odds


def _at_least(values: NDArray[np.float64], limits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values.size - np.searchsorted(np.sort(values), limits, side="left"), dtype=np.float64)
