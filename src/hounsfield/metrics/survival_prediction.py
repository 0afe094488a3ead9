"""Judging a predicted risk at a stated time: time-dependent AUROC, Brier score, its integral, and calibration.

Patients lost before the time are made up for by weights (`_censoring.py` says how); losses must have nothing to do with
the risk. Sources: Uno 2007, J Am Stat Assoc 102:527, and Hung and Chiang 2010, Can J Stat 38:8 (cumulative cases,
dynamic controls); Graf 1999, Stat Med 18:2529 (Brier score).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics._censoring import Followed
from hounsfield.metrics._weighted import percentile_interval, resampled
from hounsfield.metrics.survival import FollowUp, kaplan_meier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SurvivalBin:
    """Patients of like predicted risk: their mean predicted risk of an event by the time, and the observed one.

    observed: 1 - Kaplan-Meier with its 95 % interval; nan where the bin was not followed that long.
    """

    predicted: float
    observed: Interval
    n: int


def auroc_at(
    follow_up: FollowUp,
    risk: NDArray[Any],
    times: Sequence[float],
    groups: Sequence[Any],
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
) -> list[Interval]:
    """Chance that a patient with an event by each time has a higher risk than one without, ties half; 95 % intervals.

    risk: (n,), larger means an earlier event. Cases weigh 1 / G(t-), G estimated again in every resample; all times
    share each draw. groups: (n,) patients, np.arange(n) where each case is its own. Raises RefusedInput for risks that
    do not fit, or a time with no event before or nobody followed beyond.
    """
    stated = np.asarray(risk, dtype=np.float64)
    _require_fit(follow_up, stated, (follow_up.time.size,))
    for time in times:
        _require_time(follow_up, time)
    followed = Followed.from_follow_up(follow_up)
    ranks = np.unique(stated, return_inverse=True)[1]

    def figures(weights: NDArray[np.float64]) -> list[float]:
        cases = weights * followed.case_weights(followed.curve(weights))
        return [_area(ranks, cases * (follow_up.time <= t), weights * (follow_up.time > t)) for t in times]

    drawn = resampled(figures, groups, rng=rng, n_resamples=n_resamples)
    values = figures(np.ones(stated.size))
    return [percentile_interval(value, column) for value, column in zip(values, drawn.T, strict=True)]


def survival_brier(
    follow_up: FollowUp, survival: NDArray[Any], times: Sequence[float]
) -> NDArray[np.float64]:
    """Brier score (k,) of predicted survival at each time: mean squared error weighted for those lost; 0 is best.

    survival: (n, k), the predicted chance of no event by each time. The score of a useless prediction is that of giving
    everybody the Kaplan-Meier survival. Raises RefusedInput for a shape that does not fit, chances outside 0
    to 1, or a time with nobody followed beyond.
    """
    scores = _brier_of_weights(follow_up, survival, times)
    return np.array(scores(np.ones(follow_up.time.size)))


def survival_brier_intervals(
    follow_up: FollowUp,
    survival: NDArray[Any],
    times: Sequence[float],
    groups: Sequence[Any],
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
) -> list[Interval]:
    """`survival_brier` at each time with its 95 % interval by resampling patients; G is estimated again each time.

    groups: (n,) patients, np.arange(n) where each case is its own. A resample in which nobody was followed beyond a
    time is undefined there. Errors as for `survival_brier`.
    """
    scores = _brier_of_weights(follow_up, survival, times)
    drawn = resampled(scores, groups, rng=rng, n_resamples=n_resamples)
    values = scores(np.ones(follow_up.time.size))
    return [percentile_interval(value, column) for value, column in zip(values, drawn.T, strict=True)]


def integrated_brier(follow_up: FollowUp, survival: NDArray[Any], times: Sequence[float]) -> float:
    """Mean of `survival_brier` over the span of the times, by trapezia between them.

    times: two at least, rising. Errors as for `survival_brier`, and RefusedInput if they do not rise.
    """
    at = np.asarray(times, dtype=np.float64)
    if at.size < 2 or not (np.diff(at) > 0).all():
        raise RefusedInput("an integral needs two times at least, each later than the one before.")
    return float(np.trapezoid(survival_brier(follow_up, survival, times), at) / (at[-1] - at[0]))


def survival_calibration(
    follow_up: FollowUp, event_risk: NDArray[Any], moment: float, *, n_bins: int = 10
) -> list[SurvivalBin]:
    """Predicted against observed risk of an event by a moment, in bins of as equal numbers of patients as ties allow.

    event_risk: (n,), the predicted chance of an event by then, 0 to 1; equal ones stay in one bin, so that there may be
    fewer bins. Raises RefusedInput for chances that do not fit.
    """
    stated = np.asarray(event_risk, dtype=np.float64)
    _require_fit(follow_up, stated, (follow_up.time.size,))
    if not ((stated >= 0) & (stated <= 1)).all():
        raise RefusedInput("a predicted risk lies outside 0 to 1.")
    edges = np.unique(np.quantile(stated, np.arange(1, n_bins) / n_bins))
    place = np.searchsorted(edges, stated, side="left")
    bins = []
    for own in (place == number for number in np.unique(place)):
        alive = kaplan_meier(follow_up.of(own)).at(moment)
        observed = Interval(1 - alive.value, 1 - alive.high, 1 - alive.low)
        bins.append(SurvivalBin(float(stated[own].mean()), observed, int(own.sum())))
    return bins


def _brier_of_weights(
    follow_up: FollowUp, survival: NDArray[Any], times: Sequence[float]
) -> Callable[[NDArray[np.float64]], list[float]]:
    stated = np.asarray(survival, dtype=np.float64)
    _require_fit(follow_up, stated, (follow_up.time.size, len(times)))
    if not ((stated >= 0) & (stated <= 1)).all():
        raise RefusedInput("a predicted survival lies outside 0 to 1.")
    for time in times:
        _require_time(follow_up, time)
    followed = Followed.from_follow_up(follow_up)

    def scores(weights: NDArray[np.float64]) -> list[float]:
        curve = followed.curve(weights)
        cases = weights * followed.case_weights(curve)
        found = []
        for chance, time in zip(stated.T, times, strict=True):
            free = weights * (follow_up.time > time)
            if not free.any():
                found.append(float("nan"))
                continue
            lost = cases * (follow_up.time <= time) * chance**2
            lost = lost + free * (1 - chance) ** 2 / followed.at(curve, time)
            found.append(float(lost.sum() / weights.sum()))
        return found

    return scores


def _area(ranks: NDArray[np.intp], cases: NDArray[np.float64], controls: NDArray[np.float64]) -> float:
    wins, losses = np.bincount(ranks, weights=cases), np.bincount(ranks, weights=controls)
    total = float(wins.sum() * losses.sum())
    return float(wins @ (np.cumsum(losses) - losses / 2)) / total if total else float("nan")


def _require_fit(follow_up: FollowUp, stated: NDArray[np.float64], shape: tuple[int, ...]) -> None:
    if stated.shape != shape or not np.isfinite(stated).all():
        raise RefusedInput(
            f"predictions of shape {stated.shape} for {follow_up.time.size} patients; finite numbers {shape} are needed."
        )


def _require_time(follow_up: FollowUp, moment: float) -> None:
    if not (follow_up.time > moment).any():
        raise RefusedInput(
            f"nobody was followed beyond {moment:g} (longest {follow_up.time.max():g}); state an earlier time."
        )
    if not (follow_up.event & (follow_up.time <= moment)).any():
        raise RefusedInput(f"no event happened by {moment:g}; state a later time.")
