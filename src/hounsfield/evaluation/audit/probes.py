"""Linear probes: can a property be read off numbers of the picture, beyond chance, on groups never fitted on?

A ridge regression on the classes (which orders cases as a linear discriminant does) is fitted on four fifths of the
groups and judged on the rest, five times over. Its held-out scores are linear in the classes, so that a thousand
permutations cost little more than one fit and the p value is that of a permutation test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.evaluation.audit.group_figures import interval_record
from hounsfield.metrics import Interval, percentile_interval, resampled, sort_score

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

N_FOLDS = 5
# Weight of the ridge, as a share of the cases fitted on; features have spread 1.
RIDGE_SHARE = 0.1
# A value of a property is told from the others from this many groups on, in it and outside of it.
FEWEST_GROUPS = 12
N_RESAMPLES = 500


@dataclass(frozen=True, slots=True)
class Probe:
    """What was read (target) off what (source): the area on held-out groups, mean over the values of the target, and
    the p of a permutation of whole groups.
    """

    target: str
    source: str
    auroc: Interval
    p: float
    values: tuple[str, ...]
    n: int

    def to_json(self) -> dict[str, Any]:
        """All fields; the area as value and ci95."""
        return {
            "target": self.target,
            "source": self.source,
            "auroc": interval_record(self.auroc),
            "p": self.p,
            "values": list(self.values),
            "n": self.n,
        }


@dataclass(frozen=True, slots=True, eq=False)
class ProbePlan:
    """Groups (n,) as numbers from 0, the fold of each case, and for each permutation (m, n) the case whose value
    a case takes over; shared by all probes.
    """

    group: NDArray[np.intp]
    fold: NDArray[np.intp]
    permutations: NDArray[np.intp]
    seed: int


def plan_probes(groups: Sequence[str], *, seed: int, n_permutations: int) -> ProbePlan:
    """Folds of whole groups, and permutations of whole groups: each takes over the values of another, in order and from
    the start again where that is smaller, so that the likeness within a group stays.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    group = np.unique(np.asarray(groups), return_inverse=True)[1]
    n_groups = int(group.max()) + 1
    fold = rng.permutation(n_groups)[group] % N_FOLDS
    places = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    within = np.empty(group.size, dtype=np.intp)
    within[places] = np.arange(group.size) - np.repeat(first, sizes)
    permutations = np.empty((n_permutations, group.size), dtype=np.intp)
    for number in range(n_permutations):
        donor = rng.permutation(n_groups)[group]
        permutations[number] = places[first[donor] + within % sizes[donor]]
    return ProbePlan(group, fold, permutations, seed)


def judged_values(values: NDArray[np.str_], group: NDArray[np.intp]) -> tuple[str, ...]:
    """Values with enough groups in them and outside of them; one alone where there are only two."""
    names = [
        str(name)
        for name in np.unique(values)
        if name != "unstated"
        and min(np.unique(group[part]).size for part in (values == name, (values != name))) >= FEWEST_GROUPS
    ]
    stated = set(values.tolist()) - {"unstated"}
    return tuple(names[-1:] if len(stated) == 2 else names)


def probe(
    plan: ProbePlan, features: Array, values: NDArray[np.str_], *, target: str, source: str
) -> Probe | None:
    """Read `values` (n,) off `features` (n, k), each judged value against the others; None if none can be judged."""
    names = judged_values(values, plan.group)
    if not names:
        return None
    truth = np.stack([values == name for name in names])
    hats = [_held_out(features, plan.fold, number) for number in range(N_FOLDS)]
    scores = np.stack([_scores(hats, plan.fold, own[:, None])[:, 0] for own in truth])
    area = _mean_area(plan, truth, scores)
    value = area(np.ones(values.size))
    rng = np.random.Generator(np.random.PCG64(plan.seed))
    drawn = resampled(lambda weights: [area(weights)], plan.group.tolist(), rng=rng, n_resamples=N_RESAMPLES)[
        :, 0
    ]
    by_chance = np.mean([_permuted_areas(plan, hats, own) for own in truth], axis=0)
    p = (1 + int((by_chance >= value - 1e-12).sum())) / (1 + by_chance.size)
    return Probe(target, source, percentile_interval(value, drawn), p, names, int(values.size))


def _held_out(features: Array, fold: NDArray[np.intp], number: int) -> Array:
    """The matrix that turns centred classes of the cases fitted on into scores of those held out."""
    kept, held = features[fold != number], features[fold == number]
    centre, spread = kept.mean(axis=0), kept.std(axis=0)
    varies = spread > 1e-9 * np.maximum(1.0, np.abs(centre))
    kept, held = ((part[:, varies] - centre[varies]) / spread[varies] for part in (kept, held))
    ridge = RIDGE_SHARE * kept.shape[0]
    return np.asarray(held @ np.linalg.solve(kept.T @ kept + ridge * np.eye(kept.shape[1]), kept.T))


def _scores(hats: Sequence[Array], fold: NDArray[np.intp], truth: NDArray[np.bool_]) -> Array:
    """Held-out scores (n, m) of the classes (n, m)."""
    scores = np.empty(truth.shape)
    for number, hat in enumerate(hats):
        kept = truth[fold != number].astype(np.float64)
        scores[fold == number] = hat @ (kept - kept.mean(axis=0))
    return scores


def _mean_area(plan: ProbePlan, truth: NDArray[np.bool_], scores: Array) -> Callable[[Array], float]:
    """The mean over the values of the area, for weights of the cases (n,); only cases of one fold are compared."""
    parts = [plan.fold == number for number in range(N_FOLDS)]
    sorted_once = [
        [(part, own[part], sort_score(own[part], said[part])) for part in parts]
        for own, said in zip(truth, scores, strict=True)
    ]

    def area(weights: Array) -> float:
        areas = []
        for curves in sorted_once:
            wins = pairs = 0.0
            for part, own, curve in curves:
                there = weights[part]
                n_pairs = float(there @ own) * float(there @ ~own)
                if n_pairs:
                    wins += n_pairs * curve.auroc(there)
                    pairs += n_pairs
            areas.append(wins / pairs if pairs else float("nan"))
        return float(np.mean(areas))

    return area


def _permuted_areas(plan: ProbePlan, hats: Sequence[Array], truth: NDArray[np.bool_]) -> Array:
    """The area for each permutation of the classes."""
    from scipy.stats import rankdata

    permuted = truth[plan.permutations].T
    scores = _scores(hats, plan.fold, permuted)
    wins, pairs = np.zeros(permuted.shape[1]), np.zeros(permuted.shape[1])
    for number in range(N_FOLDS):
        own = permuted[plan.fold == number]
        ranks = rankdata(scores[plan.fold == number], axis=0)
        n_own = own.sum(axis=0)
        wins += (ranks * own).sum(axis=0) - n_own * (n_own + 1) / 2
        pairs += n_own * (own.shape[0] - n_own)
    return np.asarray(wins / np.maximum(pairs, 1))
