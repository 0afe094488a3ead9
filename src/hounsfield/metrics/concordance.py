"""Concordance: does the patient of higher risk have the event first? Harrell's C and Uno's C, 0.5 by chance, 1 at best.

A pair can be compared if the earlier time is an event; at equal times if one of the two is an event and the other is
not (who was lost is known to have had it later). Pairs with both events at one time are left out. Equal risks count
half. Harrell's C depends on how long patients were followed; Uno's weighs pairs so that it does not, up to a stated
time.
Sources: Harrell 1996, Stat Med 15:361; Uno 2011, Stat Med 30:1105; Therneau and Watson 2017, Mayo Clinic Technical
Report 85 (variance by each patient's influence).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics._censoring import Followed
from hounsfield.metrics._weighted import percentile_interval, resampled
from hounsfield.metrics.wilson import Z_95

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hounsfield.metrics.survival import FollowUp

# Pairs are looked at in blocks of so many patients with an event, so that memory stays bounded.
_BLOCK = 256
# Up to so many pairs are kept between resamples (16 bytes each); beyond they are looked at again.
_MOST_KEPT = 10_000_000


@dataclass(frozen=True, slots=True)
class Concordance:
    """Harrell's C with its interval, and the pairs that it counts.

    n_tied_risk: comparable pairs of equal risk, which count half. n_tied_time: pairs with both events at one time,
    left out.
    """

    c: Interval
    n_concordant: int
    n_discordant: int
    n_tied_risk: int
    n_tied_time: int


def harrell_c(follow_up: FollowUp, risk: NDArray[Any], *, groups: Sequence[Any] | None = None) -> Concordance:
    """Harrell's C with a 95 % interval from each patient's influence on it, cut at 0 and 1.

    risk: (n,), larger means an earlier event; give the negative of a predicted time. groups: (n,) patients where cases
    (lesions, say) are not independent. Work grows with the square of n. Raises RefusedInput for a risk that is not a
    number, lengths that differ, or no comparable pair.
    """
    stated = _risk(follow_up, risk)
    wins, pairs = np.zeros(stated.size), np.zeros(stated.size)
    n_wins = n_ties = n_pairs = 0.0
    for block, own_wins, own_pairs in _pairs(follow_up, stated):
        wins += own_wins.sum(axis=0)
        wins[block] += own_wins.sum(axis=1)
        pairs += own_pairs.sum(axis=0)
        pairs[block] += own_pairs.sum(axis=1)
        n_pairs += float(own_pairs.sum())
        n_ties += (own_wins == 0.5).sum()
        n_wins += (own_wins == 1.0).sum()
    if not n_pairs:
        raise RefusedInput("no pair can be compared: no event happened while another patient was followed.")
    value = float((n_wins + n_ties / 2) / n_pairs)
    cluster = np.arange(stated.size) if groups is None else np.unique(groups, return_inverse=True)[1]
    influence = np.bincount(cluster, weights=(wins - value * pairs) / n_pairs)
    half = Z_95 * float(np.sqrt((influence**2).sum()))
    counts = np.unique(follow_up.time[follow_up.event], return_counts=True)[1]
    return Concordance(
        Interval(value, max(value - half, 0.0), min(value + half, 1.0)),
        int(n_wins),
        int(n_pairs - n_wins - n_ties),
        int(n_ties),
        int((counts * (counts - 1) // 2).sum()),
    )


def uno_c(
    follow_up: FollowUp,
    risk: NDArray[Any],
    groups: Sequence[Any],
    *,
    until: float,
    rng: np.random.Generator,
    n_resamples: int = 1000,
) -> Interval:
    """Uno's C for events before `until`, with its 95 % interval by resampling patients.

    Each pair weighs 1 / G(t-)^2, G being the chance of still being followed at the earlier time; it is estimated again
    in every resample. until: a time at which patients were still followed; the weights grow without bound towards the
    end. risk, groups: as for `harrell_c`; give np.arange(n) where each case is a patient of its own. Raises
    RefusedInput as it does.
    """
    stated = _risk(follow_up, risk)
    followed = Followed.from_follow_up(follow_up)
    early = follow_up.time < until
    kept = list(_pairs(follow_up, stated)) if int(follow_up.event.sum()) * stated.size <= _MOST_KEPT else None

    def figure(weights: NDArray[np.float64]) -> list[float]:
        of_case = weights * early * followed.case_weights(followed.curve(weights)) ** 2
        won = total = 0.0
        for block, wins, pairs in kept or _pairs(follow_up, stated):
            won += float(of_case[block] @ (wins @ weights))
            total += float(of_case[block] @ (pairs @ weights))
        return [won / total if total else np.nan]

    value = figure(np.ones(stated.size))[0]
    if not np.isfinite(value):
        raise RefusedInput(f"no event before {until:g} happened while another patient was followed.")
    drawn = resampled(figure, groups, rng=rng, n_resamples=n_resamples)
    return percentile_interval(value, drawn[:, 0])


def _pairs(
    follow_up: FollowUp, risk: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]]:
    """Blocks of patients with an event: wins (0, 0.5, 1) and comparable pairs (b, n) against all others."""
    cases = np.flatnonzero(follow_up.event)
    for start in range(0, cases.size, _BLOCK):
        block = cases[start : start + _BLOCK]
        time = follow_up.time[block, None]
        comparable = (follow_up.time > time) | ((follow_up.time == time) & ~follow_up.event)
        higher = risk[block, None] > risk
        equal = risk[block, None] == risk
        yield block, (higher + 0.5 * equal) * comparable, comparable.astype(np.float64)


def _risk(follow_up: FollowUp, risk: NDArray[Any]) -> NDArray[np.float64]:
    stated = np.asarray(risk)
    if stated.shape != follow_up.time.shape or not np.isfinite(stated).all():
        raise RefusedInput(
            f"risks of shape {stated.shape} for {follow_up.time.size} patients; one finite number each is needed."
        )
    return stated
