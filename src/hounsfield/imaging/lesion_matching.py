"""Which lesion of one visit is which of another: by place, all at once, and where it is not clear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Farthest that centres of one lesion may lie apart: this, or half of the larger diameter. A project default that
# allows for breathing and for growth to one side.
GATE_MM = 10.0
GATE_DIAMETERS = 0.5
# A pair is open where another assignment of all lesions is longer by less than this in all: what alignment leaves.
AMBIGUOUS_MM = 5.0
_FAR = 1e6


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lesion lies and how large it is; both visits in the same millimetres."""

    centre_mm: tuple[float, float, float]
    diameter_mm: float


@dataclass(frozen=True, slots=True)
class Matching:
    """pairs: earlier to later name. open: the pairs that could as well be otherwise, with what speaks against them."""

    pairs: Mapping[str, str]
    open: Mapping[str, str]
    distances_mm: Mapping[str, float]


def match_lesions(earlier: Mapping[str, Place], later: Mapping[str, Place]) -> Matching:
    """Pair lesions so that the sum of distances is least (Hungarian method), none farther than its gate.

    A lesion without a partner costs its gate, so that a pair is made only where it is nearer than two
    lesions that have nothing to do with each other.
    """
    names = list(earlier), list(later)
    distance = np.array(
        [[_distance_mm(earlier[a], later[b]) for b in names[1]] for a in names[0]], dtype=np.float64
    ).reshape(len(names[0]), len(names[1]))
    gate = np.array(
        [[_gate_mm(earlier[a], later[b]) for b in names[1]] for a in names[0]], dtype=np.float64
    ).reshape(distance.shape)
    cost = _with_partnerless(np.where(distance <= gate, distance, _FAR), gate)
    chosen, best = _assigned(cost)
    pairs = {(a, b) for a, b in chosen if a < len(names[0]) and b < len(names[1])}
    open_pairs = {}
    for a, b in sorted(pairs):
        forbidden = cost.copy()
        forbidden[a, b] = _FAR
        other, total = _assigned(forbidden)
        if total - best < AMBIGUOUS_MM:
            instead = dict(other)[a]
            open_pairs[names[0][a]] = names[1][instead] if instead < len(names[1]) else "no lesion"
    return Matching(
        {names[0][a]: names[1][b] for a, b in sorted(pairs)},
        open_pairs,
        {names[0][a]: float(distance[a, b]) for a, b in sorted(pairs)},
    )


def _distance_mm(one: Place, other: Place) -> float:
    return float(np.linalg.norm(np.subtract(one.centre_mm, other.centre_mm)))


def _gate_mm(one: Place, other: Place) -> float:
    return max(GATE_MM, GATE_DIAMETERS * max(one.diameter_mm, other.diameter_mm))


def _with_partnerless(cost: NDArray[np.float64], gate: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cost with a row and a column more for each lesion: what it costs to leave it without a partner."""
    n, m = cost.shape
    square = np.full((n + m, n + m), _FAR)
    square[:n, :m] = cost
    alone = (
        [gate[a].min() if m else GATE_MM for a in range(n)],
        [gate[:, b].min() if n else GATE_MM for b in range(m)],
    )
    square[np.arange(n), m + np.arange(n)] = alone[0]
    square[n + np.arange(m), np.arange(m)] = alone[1]
    square[n:, m:] = 0.0
    return square


def _assigned(cost: NDArray[np.float64]) -> tuple[list[tuple[int, int]], float]:
    rows, columns = linear_sum_assignment(cost)
    return list(zip(rows.tolist(), columns.tolist(), strict=True)), float(cost[rows, columns].sum())
