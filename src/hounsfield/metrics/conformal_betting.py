"""Watching a stream of cases at every case: bets against "nothing has changed" whose winnings tell of a change.

Each new case is ranked among the reference and all cases before it. While cases remain exchangeable these ranks are
uniform and independent, so no way of betting on them wins in the long run: starting with 1, the chance of ever holding
1 / alpha is at most alpha, over all looks and without an end (Ville 1939). The bettor mixes bets on small and on large
ranks and moves between them at three paces, so that a change is met early or late in the stream.
Sources: Vovk, Gammerman and Shafer 2005, Algorithmic Learning in a Random World (conformal test martingales); Vovk 2021,
Stat Sci 36:595, and Vovk et al. 2021, PMLR 152:191 (the simple jumper). One case a patient: alike cases of one
patient are not exchangeable.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Slopes of the bets 1 + slope x (rank - 1/2), all above -2 and below 2 so that no bet loses everything; four more
# pay power x rank ^ (power - 1), from either end, for the few but extreme ranks of something new.
BETS = (-1.5, -0.75, 0.0, 0.75, 1.5)
POWERS = (0.5, 0.75)
# Chance at each case that a bettor moves to another bet, one bettor each.
PACES = (1e-2, 1e-3, 1e-4)
_SMALLEST_RANK = 1e-12


def number_ranks(
    reference: NDArray[Any], stream: NDArray[Any], *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Rank in (0, 1) of each number of the stream (n,) among reference (m,) and what came before it; ties are drawn.

    Small ranks are large numbers. Raises RefusedInput for a number that is not finite.
    """
    known = sorted(float(one) for one in reference)
    if (
        not np.isfinite(np.asarray(known)).all()
        or not np.isfinite(np.asarray(stream, dtype=np.float64)).all()
    ):
        raise RefusedInput("numbers that are ranked must be finite; leave the other cases out.")
    drawn = rng.random(len(stream))
    ranks = np.empty(len(stream))
    for index, value in enumerate(np.asarray(stream, dtype=np.float64).tolist()):
        low, high = bisect_left(known, value), bisect_right(known, value)
        ranks[index] = (len(known) - high + drawn[index] * (high - low + 1)) / (len(known) + 1)
        known.insert(high, value)
    return ranks


def category_ranks(
    reference: NDArray[Any], stream: NDArray[Any], *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Rank in (0, 1) of each category of the stream (n,): small where it is among the rarest so far, itself counted."""
    counts = Counter(np.asarray(reference).tolist())
    drawn = rng.random(len(stream))
    ranks = np.empty(len(stream))
    for index, value in enumerate(np.asarray(stream).tolist()):
        counts[value] += 1
        own = counts[value]
        rarer = sum(n for n in counts.values() if n < own)
        alike = sum(n for n in counts.values() if n == own)
        ranks[index] = (rarer + drawn[index] * alike) / counts.total()
    return ranks


def calibration_places(
    truth: NDArray[Any], probability: NDArray[Any], *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Numbers (n,), uniform on 0 to 1 where the probabilities are right, whatever they are: large ones are surprises.

    A positive case lies in the upper part of size `probability`, a negative one below. Source: Smith 1985, J
    Forecast 4:283 (the randomised probability integral transform).
    """
    stated = np.clip(np.asarray(probability, dtype=np.float64), 0.0, 1.0)
    drawn = rng.random(len(stated))
    return np.where(np.asarray(truth, dtype=bool), 1 - stated * drawn, (1 - stated) * drawn)


def betting_log10(ranks: NDArray[Any]) -> NDArray[np.float64]:
    """log10 of what the bettors hold, (n + 1,), the first being 0, after each rank of (n,)."""
    slopes, powers = np.array(BETS), np.repeat(POWERS, 2)
    n_bets = len(slopes) + len(powers)
    shares = np.full((len(PACES), n_bets), 1.0 / (len(PACES) * n_bets))
    paces = np.array(PACES)[:, None]
    held = np.zeros(len(ranks) + 1)
    lost = 0.0  # logarithm of the scale that was taken out, so that nothing under- or overflows
    for index, rank in enumerate(np.asarray(ranks, dtype=np.float64).tolist()):
        moved = (1 - paces) * shares + paces * shares.mean(axis=1, keepdims=True)
        ends = np.maximum([rank, 1 - rank] * len(POWERS), _SMALLEST_RANK)
        shares = moved * np.concatenate([1 + slopes * (rank - 0.5), powers * ends ** (powers - 1)])
        total = float(shares.sum())
        if not 1e-100 < total < 1e100:
            shares, lost, total = shares / total, lost + float(np.log(total)), 1.0
        held[index + 1] = (lost + float(np.log(total))) / np.log(10.0)
    return held
