"""Chance of still being followed: the weights that make up for patients lost before their event.

The Kaplan-Meier curve of being lost, G. A patient whose event is seen at t was followed until just before t, and stands
for 1 / G(t-) patients; one still followed at t stands for 1 / G(t). Events come before losses of the same time.
Patients are taken as lost for reasons that have nothing to do with their risk.
Source: Robins and Finkelstein 2000, Biometrics 56:779; Gerds and Schumacher 2006, Biom J 48:1029 (the value before t).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.metrics.survival import FollowUp


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """G for patients of any weights, sorted once. times: (k,), distinct; place: (n,), which of them is a patient's."""

    times: NDArray[np.float64]
    place: NDArray[np.intp]
    event: NDArray[np.bool_]

    @classmethod
    def from_follow_up(cls, follow_up: FollowUp) -> Followed:
        """Sort the times."""
        times, place = np.unique(follow_up.time, return_inverse=True)
        return cls(times, place, follow_up.event)

    def curve(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """G after each of the times (k,)."""
        leaving = np.bincount(self.place, weights=weights, minlength=self.times.size)
        events = np.bincount(self.place, weights=weights * self.event, minlength=self.times.size)
        exposed = leaving[::-1].cumsum()[::-1] - events
        lost = leaving - events
        share = np.divide(lost, exposed, out=np.zeros_like(lost), where=exposed > 0)
        return np.asarray(np.cumprod(np.clip(1.0 - share, 0.0, None)), dtype=np.float64)

    def case_weights(self, curve: NDArray[np.float64]) -> NDArray[np.float64]:
        """1 / G just before each patient's own time (n,), 0 for patients without event."""
        before = np.concatenate([[1.0], curve[:-1]])[self.place]
        weights = np.divide(self.event, before, out=np.zeros(before.size), where=before > 0)
        return np.asarray(weights, dtype=np.float64)

    def at(self, curve: NDArray[np.float64], moment: float) -> float:
        """G at a time, 0 behind the longest follow-up of patients with a weight."""
        place = int(np.searchsorted(self.times, moment, side="right")) - 1
        return float(curve[place]) if place >= 0 else 1.0
