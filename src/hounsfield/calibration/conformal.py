"""Conformal sets and intervals: answers that hold the truth at a stated rate, whatever the model is worth.

Read `conformal_quantile` first, on which all stands. The promise is for cases that are exchangeable with those of the
fit (the same kind of patients, scanners and labels) and for all of them together; it is not one for each patient or
each site, unless the fit was made apart for each (`by`). Cases of one patient are not exchangeable with each other:
give one case a patient (`one_case_a_group`). Sources: Vovk 2005, Algorithmic Learning in a Random World; Sadinle 2019,
J Am Stat Assoc 114:223 (LAC); Romano 2020, NeurIPS 33:3581 (APS); Angelopoulos 2021, ICLR (RAPS).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

Method = Literal["lac", "aps", "raps"]
# RAPS adds this for each class beyond the rank, which keeps sets of many classes small.
RAPS_PENALTY, RAPS_RANK = 0.01, 2
_ROUNDING = 1e-12


def conformal_quantile(
    scores: NDArray[Any], coverage: float, weights: NDArray[Any] | None = None, own_weight: float = 1.0
) -> float:
    """The score that a new case stays at or below with probability `coverage` at least.

    scores: (n,) how strange the truth of each case of the fit was. It is the ceil((n + 1) coverage)-th smallest, and
    infinite where n is too small for that, so that every answer is allowed. weights: (n,) how much likelier each case
    is in the population asked about than in that of the fit, own_weight that of the new case (Tibshirani 2019,
    NeurIPS 32:2530). Raises UsageError for a coverage outside 0 to 1, for scores that are nan and weights below 0.
    """
    values = np.asarray(scores, dtype=np.float64)
    if not 0.0 < coverage < 1.0:
        raise UsageError(f"the coverage is {coverage:g}; it must lie between 0 and 1")
    if np.isnan(values).any():
        raise UsageError(f"{int(np.isnan(values).sum())} of {values.size} scores are not numbers")
    heights = np.ones(values.size) if weights is None else np.asarray(weights, dtype=np.float64)
    if heights.shape != values.shape or (heights < 0).any() or not own_weight >= 0:
        raise UsageError("weights of a conformal quantile must be one a score and not below 0")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(heights[order])
    needed = coverage * (heights.sum() + own_weight)
    # The slack keeps 0.9 * 10 from asking for the tenth of nine scores by rounding alone.
    at = int(np.searchsorted(reached, needed * (1 - _ROUNDING)))
    return float(values[order[at]]) if at < values.size else math.inf


def strangeness(probabilities: NDArray[Any], method: Method = "lac") -> NDArray[np.float64]:
    """How strange each class would be as the truth, (n, classes), from probabilities (n, classes).

    lac: 1 - p, the smallest sets on average. aps: what is at least as likely, added up: sets that widen where the model
    is unsure; without the random part of its source, so that equal input gives equal sets, which are then larger rather
    than smaller. raps: aps with a penalty on ranks beyond RAPS_RANK.
    """
    stated = np.atleast_2d(np.asarray(probabilities, dtype=np.float64))
    if method == "lac":
        return 1.0 - stated
    # Classes of equal probability get equal strangeness: that of the last of them.
    at_least = stated[:, None, :] >= stated[:, :, None]
    summed = np.asarray((stated[:, None, :] * at_least).sum(axis=2), dtype=np.float64)
    if method == "aps":
        return summed
    rank = at_least.sum(axis=2)
    return np.asarray(summed + RAPS_PENALTY * np.maximum(rank - RAPS_RANK, 0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ConformalSets:
    """Sets of classes that hold the true one at the rate `coverage`.

    limits: strangeness up to which a class is in the set, by stratum ("" where the fit was made over all), and
    n_fitted: how many cases each rests on. by: what the strata are.
    """

    method: Method
    coverage: float
    limits: Mapping[str, float]
    n_fitted: Mapping[str, int]
    by: Literal["", "class", "group"] = ""

    def sets(self, probabilities: NDArray[Any], groups: Sequence[str] = ()) -> NDArray[np.bool_]:
        """Which classes are in the set of each case, bool (n, classes), from probabilities (n, classes).

        groups: (n,) the stratum of each case where the fit was made by group. Raises UsageError for a group that the
        fit has not seen: nothing is promised there.
        """
        strange = strangeness(probabilities, self.method)
        if self.by == "class":
            limit = np.array([self.limits[str(k)] for k in range(strange.shape[1])])[None]
        elif self.by == "group":
            limit = np.array([self._limit_of(group) for group in groups])[:, None]
            if len(limit) != len(strange):
                raise UsageError(f"{len(strange)} cases and {len(limit)} groups do not fit")
        else:
            limit = np.array([[self.limits[""]]])
        return np.asarray(strange <= limit + _ROUNDING)

    def _limit_of(self, group: str) -> float:
        if group not in self.limits:
            raise UsageError(
                f"no conformal limit was fitted for the group {group!r}, only for "
                f"{', '.join(sorted(self.limits))}; fit one on labelled cases of that group"
            )
        return self.limits[group]


def fit_conformal_sets(
    probabilities: NDArray[Any],
    labels: NDArray[Any],
    *,
    coverage: float,
    method: Method = "lac",
    by_class: bool = False,
    groups: Sequence[str] | None = None,
) -> ConformalSets:
    """Limits from cases that neither trained nor calibrated the model, or that only one number was fitted on.

    probabilities: (n, classes). labels: (n,) class indices. by_class holds the coverage for the cases of each class (a
    rare class is then not given up for a frequent one), groups (n,), such as sites, hold it within each of them.
    Raises UsageError for input that does not fit, and for both at once.
    """
    stated, true = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.intp)
    if stated.ndim != 2 or len(stated) != len(true) or not len(true):
        raise UsageError(
            f"probabilities {stated.shape} and labels {true.shape} do not fit; give one label a row"
        )
    own = strangeness(stated, method)[np.arange(len(true)), true]
    n_classes = stated.shape[1]
    by: Literal["", "class", "group"] = ""
    strata, names = np.full(len(true), ""), [""]
    if by_class and groups is not None:
        raise UsageError("conformal limits are fitted by class or by group, not by both")
    if by_class:
        by, strata, names = "class", true.astype(str), [str(k) for k in range(n_classes)]
    elif groups is not None:
        by, strata = "group", np.asarray(groups, dtype=str)
        names = sorted(set(strata.tolist()))
    if len(strata) != len(true):
        raise UsageError(f"{len(true)} cases and {len(strata)} groups do not fit")
    limits = {name: conformal_quantile(own[strata == name], coverage) for name in names}
    return ConformalSets(method, coverage, limits, {n: int((strata == n).sum()) for n in names}, by)


def fit_sets_by_patient(
    probabilities: NDArray[Any],
    labels: NDArray[Any],
    patients: Sequence[Any],
    *,
    coverage: float,
    method: Method = "lac",
) -> ConformalSets:
    """Limits for one picture of a new patient, from several pictures of each of few patients.

    probabilities: (n, classes). labels: (n,) class indices. patients: (n,). Every patient weighs 1, shared by the
    pictures, and the new one weighs 1 too: the promise is that of as many cases as there are patients, without the
    chance of which picture is drawn. n_fitted counts patients; below 1 / (1 - coverage) - 1 of them the limit is
    infinite. Source: Lee 2023, arXiv:2306.06342 (HCP). Raises UsageError for input that does not fit.
    """
    stated, true = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.intp)
    if stated.ndim != 2 or not len(stated) == len(true) == len(patients) or not len(true):
        raise UsageError(
            f"probabilities {stated.shape}, labels {true.shape} and {len(patients)} patients do not fit"
        )
    own = strangeness(stated, method)[np.arange(len(true)), true]
    _, inverse, counts = np.unique(np.asarray(patients), return_inverse=True, return_counts=True)
    limit = conformal_quantile(own, coverage, weights=1.0 / counts[inverse])
    return ConformalSets(method, coverage, {"": limit}, {"": len(counts)})


def fit_conformal_labels(
    probabilities: NDArray[Any], truth: NDArray[Any], *, coverage: float
) -> ConformalSets:
    """Limits for labels that do not exclude each other: each label's present cases stay in the set at the rate `coverage`.

    probabilities and truth: (n, labels). A label outside the set is excluded at that rate; the sets are by class, as in
    `ConformalSets`, and a label with too few present cases is never excluded. Raises UsageError for input that does not fit.
    """
    stated, true = np.asarray(probabilities, dtype=np.float64), np.asarray(truth, dtype=np.bool_)
    if stated.ndim != 2 or stated.shape != true.shape:
        raise UsageError(f"probabilities {stated.shape} and truth {true.shape} do not fit")
    limits = {
        str(k): conformal_quantile(1.0 - stated[true[:, k], k], coverage) for k in range(stated.shape[1])
    }
    return ConformalSets(
        "lac", coverage, limits, {str(k): int(true[:, k].sum()) for k in range(len(limits))}, "class"
    )


@dataclass(frozen=True, slots=True)
class ConformalInterval:
    """Half width of an interval about a measurement, in units of `scale`; infinite where the fit was too small."""

    coverage: float
    half_width: float
    n_fitted: int

    def interval(
        self, estimates: NDArray[Any], scales: NDArray[Any] | float = 1.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper ends (n,) about estimates (n,), in their unit."""
        middle = np.asarray(estimates, dtype=np.float64)
        half = np.broadcast_to(self.half_width * np.asarray(scales, dtype=np.float64), middle.shape)
        return middle - half, middle + half


def fit_conformal_interval(
    estimates: NDArray[Any], truth: NDArray[Any], *, coverage: float, scales: NDArray[Any] | float = 1.0
) -> ConformalInterval:
    """Interval of a measurement from cases (n,) with truth; scales: (n,) how unsure each estimate was, above 0.

    With equal scales all intervals are equally wide; with the spread of an ensemble they widen where it disagrees.
    Source: Lei 2018, J Am Stat Assoc 113:1094.
    """
    said, true = np.asarray(estimates, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    spread = np.broadcast_to(np.asarray(scales, dtype=np.float64), said.shape)
    if said.ndim != 1 or said.shape != true.shape or not (spread > 0).all():
        raise UsageError(
            f"estimates {said.shape}, truth {true.shape} and scales must fit, and scales be above 0"
        )
    return ConformalInterval(coverage, conformal_quantile(np.abs(said - true) / spread, coverage), said.size)


def one_case_a_group(groups: Sequence[Any], *, rng: np.random.Generator) -> NDArray[np.intp]:
    """Numbers of the cases kept, one drawn from each group (patient), in rising order.

    Patients are exchangeable where their several pictures are not (Dunn 2023, J Am Stat Assoc 118:2491).
    """
    names, inverse = np.unique(np.asarray(groups), return_inverse=True)
    order = rng.permutation(len(inverse))
    first = np.full(len(names), -1, dtype=np.intp)
    first[inverse[order]] = order
    return np.sort(first)


def coverage_band(
    *, n_fitted: int, n_test: int, coverage: float, within: float = 0.95
) -> tuple[float, float]:
    """Shares of n_test cases between which the coverage of sets fitted on n_fitted falls with probability `within`.

    The number of covered cases is beta-binomial: both the limit and the test cases are drawn (Angelopoulos 2023,
    Found Trends Mach Learn 16:494). For continuous scores; ties raise the coverage.
    """
    from scipy.stats import betabinom

    rank = math.ceil((n_fitted + 1) * coverage * (1 - _ROUNDING))
    if rank > n_fitted:
        return 1.0, 1.0
    spread = betabinom(n_test, rank, n_fitted + 1 - rank)
    low, high = spread.ppf([(1 - within) / 2, (1 + within) / 2])
    return float(low) / n_test, float(high) / n_test
