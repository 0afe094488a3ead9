"""Figures of many scores on resamples of whole groups: sorted once, weighted often.

A resample of patients is a weight for each case: how often its patient was drawn. The area of weighted cases
is a running sum over the sorted scores, so that a resample costs no sorting and labels share the draws, which
makes differences between labels and models paired.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._bootstrap import Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray


# Sums and products of arrays release the interpreter's lock; more threads than this are not faster.
_THREADS = 4


@dataclass(frozen=True, slots=True, eq=False)
class SortedScore:
    """One score in ascending order, for figures of weighted cases; `sort_score` makes it.

    order: (n,) cases by score. positive: (n,), 1 or 0 in that order. ends: index behind each block of ties, None
    where no scores tie. places: (n_positive,) index of each positive in the order. blocks, hits: (2, n_positive) first
    index of its block of ties and the index behind it, and the positives before these; None without ties.
    """

    order: NDArray[np.intp]
    positive: NDArray[np.float64]
    ends: NDArray[np.intp] | None
    places: NDArray[np.intp]
    blocks: NDArray[np.intp] | None
    hits: NDArray[np.intp] | None

    def auroc(self, weights: NDArray[np.float64]) -> float:
        """The area under the ROC curve of cases of these weights (n,); nan if a class has none."""
        # The running sum is taken over all cases, and everything else at the few positives.
        up_to = np.cumsum(weights.take(self.order))
        wins = weights.take(self.order.take(self.places))
        wins_to = np.cumsum(wins)
        n_wins = float(wins_to[-1]) if wins.size else 0.0
        n_losses = float(up_to[-1]) - n_wins
        if not n_wins or not n_losses:
            return float("nan")
        if self.blocks is None or self.hits is None:
            below = up_to.take(self.places) - wins_to
        else:
            # Half of the negatives of the own block count.
            sums, own = np.append(0.0, up_to), np.append(0.0, wins_to)
            below = (sums.take(self.blocks) - own.take(self.hits)).sum(axis=0) / 2
        return float(wins @ below) / (n_wins * n_losses)

    def average_precision(self, weights: NDArray[np.float64]) -> float:
        """Average precision of cases of these weights (n,); nan without positives."""
        w = weights[self.order][::-1]
        hits, called = np.cumsum(w * self.positive[::-1]), np.cumsum(w)
        if not hits[-1]:
            return float("nan")
        if self.ends is not None:
            last = self.order.size - 1 - np.append(0, self.ends[:-1])[::-1]
            hits, called = hits[last], called[last]
        with np.errstate(invalid="ignore"):
            precision = np.where(called > 0, hits / called, 0.0)
        return float(np.diff(hits, prepend=0.0) @ precision / hits[-1])


def sort_score(truth: NDArray[Any], score: NDArray[Any]) -> SortedScore:
    """truth: bool (n,). score: (n,), larger means more likely positive; n at least 1."""
    values = np.asarray(score, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(values[order])) + 1, values.size)
    is_positive = np.asarray(truth, dtype=bool)[order]
    positive, places = is_positive.astype(np.float64), np.flatnonzero(is_positive)
    if ends.size == values.size:
        return SortedScore(order, positive, None, places, None, None)
    block = np.searchsorted(ends, places, side="right")
    blocks = np.stack([np.append(0, ends)[block], ends[block]])
    return SortedScore(order, positive, ends, places, blocks, np.searchsorted(places, blocks))


def resampled(
    statistics: Callable[[NDArray[np.float64]], Sequence[float]],
    groups: Sequence[Any],
    *,
    rng: np.random.Generator,
    n_resamples: int,
) -> NDArray[np.float64]:
    """What `statistics` gives for each draw of whole groups, (n_resamples, k).

    It is called with the weight of each case (n,): how often its group was drawn. All k share each draw, which makes
    their differences paired. Source: Field and Welsh 2007, J R Stat Soc B 69:369 (the cluster bootstrap).
    """
    names, inverse = np.unique(np.asarray(groups), return_inverse=True)

    def draws() -> Iterator[NDArray[np.uint16]]:
        for _ in range(n_resamples):
            drawn = rng.integers(0, len(names), len(names))
            yield np.bincount(drawn, minlength=len(names)).astype(np.uint16)

    def of_draw(counts: NDArray[np.uint16]) -> Sequence[float]:
        return statistics(counts.astype(np.float64)[inverse])

    with ThreadPoolExecutor(_THREADS) as threads:
        return np.array(list(threads.map(of_draw, draws())), dtype=np.float64)


def auroc_resamples(
    truths: Sequence[NDArray[Any]] | NDArray[Any],
    scores: Sequence[NDArray[Any]] | NDArray[Any],
    groups: Sequence[Any],
    *,
    rng: np.random.Generator,
    n_resamples: int = 2000,
) -> NDArray[np.float64]:
    """Areas (n_resamples, k) of k scores on resamples of whole groups; nan where a class was not drawn.

    truths: bool (k, n). scores: (k, n). groups: (n,) names of patients. All k share each draw.
    """
    curves = [sort_score(truth, score) for truth, score in zip(truths, scores, strict=True)]
    return resampled(
        lambda weights: [curve.auroc(weights) for curve in curves], groups, rng=rng, n_resamples=n_resamples
    )


def percentile_interval(value: float, resamples: NDArray[np.float64], *, level: float = 0.95) -> Interval:
    """The interval between percentiles of the resamples that are defined."""
    defined = resamples[np.isfinite(resamples)]
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) if defined.size else (np.nan, np.nan)
    return Interval(value, float(low), float(high), int(resamples.size - defined.size))
