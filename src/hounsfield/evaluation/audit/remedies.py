"""What would change: a threshold per group, a calibration per group, a re-weighted last layer.

Each is fitted on four fifths of the patients and judged on the rest, five times over, so that none is judged on what
it was fitted on. Only the predictions are changed; a network that is trained anew may do better or worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.evaluation.audit._logistic import fit_logistic, logit, predict, with_intercept
from hounsfield.evaluation.audit.group_figures import (
    LabelCases,
    drawn_sums,
    interval_record,
    sum_by_patient,
)
from hounsfield.metrics import Interval, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.evaluation.audit.groups import Group

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

N_FOLDS = 5
NAMES = {
    "as-it-is": "as it is",
    "threshold-per-group": "threshold per group",
    "calibration-per-group": "calibration per group",
    "reweighted": "re-weighted last layer",
}
# gap: false-negative rate of the group that is missed most minus that of the one missed least, before anything changed.
OUTCOMES = ("false_negative_rate", "false_positive_rate", "brier", "gap", "calibration_gap")


@dataclass(frozen=True, slots=True, eq=False)
class Remedy:
    """What one change gives: outcomes, and their change against the predictions as they are, on the same resamples."""

    name: str
    outcomes: Mapping[str, Interval]
    changes: Mapping[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """Every outcome and change as value and ci95."""
        return {
            "name": self.name,
            "outcomes": {name: interval_record(one) for name, one in self.outcomes.items()},
            "changes": {name: interval_record(one) for name, one in self.changes.items()},
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Changed:
    """Decisions and probabilities of all cases under one remedy."""

    called: Mask
    probability: Array


def try_remedies(
    cases: LabelCases,
    groups: Sequence[Group],
    pair: tuple[str, str],
    all_logits: Array,
    *,
    rng: np.random.Generator,
    n_resamples: int,
) -> tuple[Remedy, ...]:
    """The predictions as they are, then each remedy. groups: of one column; a case in none keeps the common rule.

    pair: the values missed most and least. all_logits: (n, k) of all labels; with one label alone, a re-weighted last
    layer would order the cases as before, and is left out.
    """
    fold = _folds(cases, rng)
    changed = {"as-it-is": _Changed(cases.called, cases.probability)}
    changed["threshold-per-group"] = _thresholds_per_group(cases, groups, fold)
    changed["calibration-per-group"] = _refitted(cases, fold, _calibration_per_group(cases, groups))
    if all_logits.shape[1] > 1:
        changed["reweighted"] = _refitted(cases, fold, _reweighted(cases, groups, all_logits))
    by_value = {one.value: one.members for one in groups}
    members = (by_value[pair[0]], by_value[pair[1]])
    by_patient = [sum_by_patient(_parts(cases, one, members), cases.patient) for one in changed.values()]
    matrix = np.concatenate(by_patient, axis=1)
    draws = drawn_sums(matrix, rng=rng, n_resamples=n_resamples).reshape(n_resamples, len(changed), -1)
    totals = matrix.sum(axis=0).reshape(len(changed), -1)
    values, resamples = _outcomes(totals), _outcomes(draws)
    found = []
    for at, name in enumerate(changed):
        own = {
            what: percentile_interval(float(values[what][at]), resamples[what][:, at]) for what in OUTCOMES
        }
        apart = {
            what: percentile_interval(
                float(values[what][at] - values[what][0]), resamples[what][:, at] - resamples[what][:, 0]
            )
            for what in OUTCOMES
            if at
        }
        found.append(Remedy(name, own, apart))
    return tuple(found)


def _folds(cases: LabelCases, rng: np.random.Generator) -> NDArray[np.intp]:
    """The fold of each case; patients stay whole."""
    n_patients = int(cases.patient.max()) + 1
    return np.asarray(rng.permutation(n_patients)[cases.patient] % N_FOLDS)


def _thresholds_per_group(cases: LabelCases, groups: Sequence[Group], fold: NDArray[np.intp]) -> _Changed:
    """The threshold of each group at which it misses as large a share as all do at the common one."""
    called = cases.called.copy()
    for number in range(N_FOLDS):
        kept, held = fold != number, fold == number
        rate = float((~cases.called[kept & cases.truth]).mean())
        for group in groups:
            positives = cases.probability[kept & cases.truth & group.members]
            if positives.size:
                limit = float(np.quantile(positives, rate, method="higher"))
                own = held & group.members
                called[own] = cases.probability[own] >= limit
    return _Changed(called, cases.probability)


def _refitted(cases: LabelCases, fold: NDArray[np.intp], fit: Callable[[Mask], Array]) -> _Changed:
    """New probabilities, with the threshold that calls as large a share as before of what was fitted on.

    fit: from the cases to fit on, the probabilities of all cases.
    """
    called, probability = cases.called.copy(), cases.probability.copy()
    for number in range(N_FOLDS):
        kept, held = fold != number, fold == number
        made = fit(kept)
        share = float(cases.called[kept].mean())
        limit = float(np.quantile(made[kept], 1.0 - share, method="higher"))
        probability[held] = made[held]
        called[held] = made[held] >= limit
    return _Changed(called, probability)


def _calibration_per_group(cases: LabelCases, groups: Sequence[Group]) -> Callable[[Mask], Array]:
    """Intercept and slope on the logit, of each group's own; of all cases for those in no group."""
    design = with_intercept(logit(cases.probability))

    def fit(kept: Mask) -> Array:
        made = predict(design, fit_logistic(design[kept], cases.truth[kept]))
        for group in groups:
            own = kept & group.members
            if 0 < cases.truth[own].sum() < own.sum():
                beta = fit_logistic(design[own], cases.truth[own])
                made[group.members] = predict(design[group.members], beta)
        return made

    return fit


def _reweighted(cases: LabelCases, groups: Sequence[Group], all_logits: Array) -> Callable[[Mask], Array]:
    """A logistic layer on the logits of all labels, in which group and truth are made independent by weights
    (Kamiran and Calders 2012, Knowl Inf Syst 33:1).
    """
    design = with_intercept(all_logits)

    def fit(kept: Mask) -> Array:
        weights = np.ones(cases.truth.size)
        for group in groups:
            for state in (cases.truth, ~cases.truth):
                both = kept & group.members & state
                if both.any():
                    expected = (kept & group.members).sum() * (kept & state).sum() / kept.sum()
                    weights[both] = expected / both.sum()
        return predict(design, fit_logistic(design[kept], cases.truth[kept], weights[kept]))

    return fit


def _parts(cases: LabelCases, changed: _Changed, members: tuple[Mask, Mask]) -> Array:
    """What is summed over patients for the outcomes, (n, 15): of all cases five, of each group of the pair five."""
    truth, called = cases.truth.astype(np.float64), changed.called.astype(np.float64)
    error = (changed.probability - truth) ** 2
    everybody = [np.ones_like(truth), truth, (1 - called) * truth, called * (1 - truth), error]
    parts = list(everybody)
    for own in members:
        apart = truth - changed.probability
        parts += [own * column for column in (everybody[0], truth, everybody[2], apart, error)]
    return np.stack(parts, axis=1)


def _outcomes(sums: Array) -> dict[str, Array]:
    n, positive, missed, alarms, error, *rest = np.moveaxis(sums, -1, 0)
    (n_1, positive_1, missed_1, apart_1, _), (n_2, positive_2, missed_2, apart_2, _) = rest[:5], rest[5:]
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "false_negative_rate": missed / positive,
            "false_positive_rate": alarms / (n - positive),
            "brier": error / n,
            "gap": missed_1 / positive_1 - missed_2 / positive_2,
            "calibration_gap": apart_1 / n_1 - apart_2 / n_2,
        }
