"""Survival of groups of patients: Kaplan-Meier curve with its interval, median, and the log-rank test.

Times are in one unit throughout (days, say) and are counted from the start of follow-up. Events come before the losses
to follow-up of the same time. A patient who leaves by another event (death of something else) is taken as lost, which
overstates the risk where that is common.
Sources: Kaplan and Meier 1958, J Am Stat Assoc 53:457; Kalbfleisch and Prentice 1980, The Statistical Analysis of
Failure Time Data (log-log interval of Greenwood's variance); Brookmeyer and Crowley 1982, Biometrics 38:29 (median);
Mantel 1966, Cancer Chemother Rep 50:163 (log-rank).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics.wilson import Z_95

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class FollowUp:
    """How long each patient was followed, and whether the event ended it.

    time: (n,), 0 or more. event: bool (n,), False for patients lost or still without event (censored). Raises
    RefusedInput for lengths that differ, no patient, or a time that is below 0 or not finite.
    """

    time: NDArray[np.float64]
    event: NDArray[np.bool_]

    def __post_init__(self) -> None:
        object.__setattr__(self, "time", np.asarray(self.time, dtype=np.float64))
        object.__setattr__(self, "event", np.asarray(self.event, dtype=np.bool_))
        if self.time.ndim != 1 or self.time.shape != self.event.shape or not self.time.size:
            raise RefusedInput(
                f"{self.time.shape} times and {self.event.shape} events; one of each for every patient is needed."
            )
        if not (np.isfinite(self.time).all() and (self.time >= 0).all()):
            raise RefusedInput(
                "a time of follow-up is below 0 or not a finite number; leave out patients without one."
            )

    def of(self, kept: NDArray[Any]) -> FollowUp:
        """The same for some patients: indices or a mask."""
        return FollowUp(self.time[kept], self.event[kept])


@dataclass(frozen=True, slots=True, eq=False)
class KaplanMeier:
    """Survival after each time at which events happened; `kaplan_meier` makes it.

    time, survival, n_at_risk, n_events: (k,). low, high: (k,), 95 % limits at each time. longest: the longest
    follow-up: behind it nothing is known, unless nobody was left.
    """

    time: NDArray[np.float64]
    survival: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n_at_risk: NDArray[np.int64]
    n_events: NDArray[np.int64]
    longest: float

    def at(self, moment: float) -> Interval:
        """Survival at a time with its 95 % interval; 1 before the first event, nan behind the longest follow-up."""
        if moment > self.longest and not (self.survival.size and self.survival[-1] == 0.0):
            return Interval(math.nan, math.nan, math.nan)
        place = int(np.searchsorted(self.time, moment, side="right")) - 1
        if place < 0:
            return Interval(1.0, 1.0, 1.0)
        return Interval(float(self.survival[place]), float(self.low[place]), float(self.high[place]))

    @property
    def median(self) -> Interval:
        """The first time at which survival is one half or less, with limits where those of the curve are; else inf."""
        value, low, high = (self._first_below_half(curve) for curve in (self.survival, self.low, self.high))
        return Interval(value, low, high)

    def _first_below_half(self, curve: NDArray[np.float64]) -> float:
        # A product of fractions may miss the half by the last digit.
        below = np.flatnonzero(curve <= 0.5 + 1e-12)
        return float(self.time[below[0]]) if below.size else math.inf


@dataclass(frozen=True, slots=True, eq=False)
class LogRank:
    """chi2, df and p: whether groups differ in survival. groups: their names; observed, expected: (groups,) events."""

    chi2: float
    df: int
    p: float
    groups: tuple[Any, ...]
    observed: NDArray[np.float64]
    expected: NDArray[np.float64]


def kaplan_meier(follow_up: FollowUp) -> KaplanMeier:
    """The product-limit estimate with Greenwood's variance and 95 % limits on the scale of log(-log).

    Where survival is 0 both limits are nan, as the variance is not defined.
    """
    times, place = np.unique(follow_up.time, return_inverse=True)
    leaving = np.bincount(place, minlength=times.size)
    n_events = np.bincount(place, weights=follow_up.event, minlength=times.size).astype(np.int64)
    n_at_risk = leaving[::-1].cumsum()[::-1]
    with_events = n_events > 0
    times, n_events, n_at_risk = times[with_events], n_events[with_events], n_at_risk[with_events]
    survival = np.cumprod(1.0 - n_events / n_at_risk)
    left = (n_at_risk - n_events).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(n_events / (n_at_risk * left))
        shift = Z_95 * np.sqrt(greenwood) / np.abs(np.log(survival))
        low, high = survival ** np.exp(shift), survival ** np.exp(-shift)
    unknown = left == 0
    return KaplanMeier(
        times,
        survival,
        np.where(unknown, np.nan, low),
        np.where(unknown, np.nan, high),
        n_at_risk,
        n_events,
        float(follow_up.time.max()),
    )


def log_rank(follow_up: FollowUp, group: NDArray[Any]) -> LogRank:
    """The log-rank test of two groups or more. group: (n,), the group of each patient.

    Raises RefusedInput for one group only, another length, or where no event can tell groups apart.
    """
    from scipy.stats import chi2

    names, member = np.unique(np.asarray(group), return_inverse=True)
    if member.size != follow_up.time.size or names.size < 2:
        raise RefusedInput(
            f"{names.size} groups over {member.size} patients; two groups at least, and one group each patient."
        )
    times, place = np.unique(follow_up.time, return_inverse=True)
    size = (times.size, names.size)
    leaving, events = np.zeros(size), np.zeros(size)
    np.add.at(leaving, (place, member), 1.0)
    np.add.at(events, (place, member), follow_up.event.astype(np.float64))
    at_risk = leaving[::-1].cumsum(axis=0)[::-1]
    n_events, n_at_risk = events.sum(axis=1), at_risk.sum(axis=1)
    share = at_risk / n_at_risk[:, None]
    expected = n_events[:, None] * share
    factor = n_events * (n_at_risk - n_events) / np.maximum(n_at_risk - 1, 1)
    covariance = np.diag(factor @ share) - (share * factor[:, None]).T @ share
    if not np.trace(covariance) > 0:
        raise RefusedInput("no event happened while patients of two groups were followed.")
    apart = (events - expected).sum(axis=0)
    # The last group follows from the others.
    statistic = float(apart[:-1] @ np.linalg.pinv(covariance[:-1, :-1], hermitian=True) @ apart[:-1])
    df = names.size - 1
    return LogRank(
        statistic,
        df,
        float(chi2.sf(statistic, df)),
        tuple(names.tolist()),
        events.sum(axis=0),
        expected.sum(axis=0),
    )
