"""For whom predictions are worse: every label by group, all tests adjusted together, thresholds, and what would change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.evaluation.audit._logistic import logit
from hounsfield.evaluation.audit.group_figures import (
    GroupFigures,
    LabelCases,
    figures_by_group,
)
from hounsfield.evaluation.audit.groups import ALL, FEWEST_PATIENTS, Group, groups_of
from hounsfield.evaluation.audit.remedies import Remedy, try_remedies
from hounsfield.evaluation.audit.threshold_effects import ThresholdEffect, threshold_effect
from hounsfield.metrics import (
    Interval,
    calibration_error_if_perfect,
    calibration_line,
    expected_calibration_error,
    holm,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.evaluation.prediction_table import PredictionTable

LEVEL = 0.05
# Remedies are tried on at most this many label and column pairs, those whose gap is surest.
MOST_REMEDIES = 6
_PERFECT_DRAWS = 100


@dataclass(frozen=True, slots=True)
class GroupCalibration:
    """Slope of the calibration line in a group (1 is right), and its calibration error beside what chance alone gives
    a perfect model there. slope is None where the line does not settle.
    """

    label: str
    column: str
    value: str
    slope: Interval | None
    error: float
    error_if_perfect: Interval


@dataclass(frozen=True, slots=True)
class TestedDifference:
    """One test of the audit: a figure of a label in a group against the column's other values."""

    figures: GroupFigures
    name: str
    p_holm: float

    @property
    def interval(self) -> Interval:
        """The difference, group minus the others."""
        return self.figures.differences[self.name].interval

    @property
    def p(self) -> float:
        """Unadjusted."""
        return self.figures.differences[self.name].p

    @property
    def is_found(self) -> bool:
        """Whether it stands after adjustment for all tests of the audit."""
        return self.p_holm < LEVEL


@dataclass(frozen=True, slots=True, eq=False)
class BiasAudit:
    """Everything that was computed. tests: sorted by p. thresholds by label; is_locked: whether they were stated.

    remedies: by label and column, with the pair of groups whose gap is judged.
    """

    table: PredictionTable
    groups: tuple[Group, ...]
    thresholds: Mapping[str, float]
    is_locked: Mapping[str, bool]
    figures: tuple[GroupFigures, ...]
    tests: tuple[TestedDifference, ...]
    calibration: tuple[GroupCalibration, ...]
    effects: tuple[ThresholdEffect, ...]
    remedies: Mapping[tuple[str, str], tuple[Remedy, ...]]
    n_resamples: int
    seed: int


def audit_bias(
    table: PredictionTable,
    *,
    thresholds: Mapping[str, float] | None = None,
    crossed: bool = True,
    n_resamples: int = 1000,
    seed: int = 0,
) -> BiasAudit:
    """Every label of `table` by every column of its groups, and by pairs of columns where `crossed`.

    thresholds: by label, locked on other data; a label without one is cut where as many cases are called positive as
    are positive, one threshold for all groups. Raises UsageError for a threshold of an unknown label, or without a
    column of groups. The same seed gives the same figures.
    """
    unknown = sorted(set(thresholds or {}) - set(table.labels))
    if unknown:
        raise UsageError(
            f"there is a threshold for {', '.join(unknown)}, but no such label: {', '.join(table.labels)}"
        )
    groups = groups_of(table, crossed=crossed)
    stated = dict(thresholds or {})
    parts = [_label_cases(table, k, stated.get(name)) for k, name in enumerate(table.labels)]
    known = [np.flatnonzero(own) for own in table.known]
    figures: list[GroupFigures] = []
    for cases, kept in zip(parts, known, strict=True):
        figures += figures_by_group(cases, _within(groups, kept), rng=_rng(seed), n_resamples=n_resamples)
    tests = _tests(figures)
    by_label = {one.name: (one, kept) for one, kept in zip(parts, known, strict=True)}
    effects, remedies = [], {}
    for label, column in _pairs(figures):
        cases, kept = by_label[label]
        own = _within([one for one in groups if one.column == column], kept)
        rates = _missed_rates(figures, label, column)
        judged = [one for one in own if one.value in rates]
        effects.append(threshold_effect(cases, judged, rates, rng=_rng(seed), n_resamples=n_resamples))
    for label, column in _gaps_found(tests):
        cases, kept = by_label[label]
        effect = next(one for one in effects if (one.label, one.column) == (label, column))
        own = _within([one for one in groups if one.column == column], kept)
        pair, logits = (effect.missed, effect.caught), logit(table.probability[:, kept].T)
        remedies[label, column] = try_remedies(
            cases, own, pair, logits, rng=_rng(seed), n_resamples=n_resamples
        )
    return BiasAudit(
        table,
        tuple(groups),
        {one.name: one.threshold for one in parts},
        {one.name: one.name in stated for one in parts},
        tuple(figures),
        tests,
        tuple(_calibration(figures, by_label, seed)),
        tuple(effects),
        remedies,
        n_resamples,
        seed,
    )


def _rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def _label_cases(table: PredictionTable, k: int, threshold: float | None) -> LabelCases:
    kept = np.flatnonzero(table.known[k])
    truth, probability = table.truth[k][kept], table.probability[k][kept]
    if threshold is None:
        threshold = float(np.quantile(probability, 1.0 - truth.mean(), method="higher")) if kept.size else 0.5
    patient = np.unique(table.patients[kept], return_inverse=True)[1]
    return LabelCases(table.labels[k], truth, probability, patient, threshold)


def _within(groups: Sequence[Group], kept: NDArray[np.intp]) -> list[Group]:
    """The groups over the cases whose truth is known."""
    return [replace(one, members=one.members[kept], others=one.others[kept]) for one in groups]


def _tests(figures: Sequence[GroupFigures]) -> tuple[TestedDifference, ...]:
    """Every difference, each once, adjusted together; the surest first."""
    tested = [(one, name) for one in figures if not one.group.is_mirror for name in one.differences]
    adjusted = holm(np.array([one.differences[name].p for one, name in tested]))
    made = [TestedDifference(one, name, float(p)) for (one, name), p in zip(tested, adjusted, strict=True)]
    return tuple(sorted(made, key=lambda one: one.p))


def _missed_rates(figures: Sequence[GroupFigures], label: str, column: str) -> dict[str, float]:
    """False-negative rate by value, where it is judged."""
    return {
        one.group.value: one.figures["false_negative_rate"].value
        for one in figures
        if one.label == label and one.group.column == column and "false_negative_rate" in one.figures
    }


def _pairs(figures: Sequence[GroupFigures]) -> list[tuple[str, str]]:
    """Label and single column with at least two groups whose false-negative rate is judged."""
    pairs = dict.fromkeys((one.label, one.group.column) for one in figures if not one.group.is_crossed)
    return [pair for pair in pairs if len(_missed_rates(figures, *pair)) > 1]


def _gaps_found(tests: Sequence[TestedDifference]) -> list[tuple[str, str]]:
    """Label and single column whose false-negative rates differ beyond chance, the surest first."""
    found = dict.fromkeys(
        (one.figures.label, one.figures.group.column)
        for one in tests
        if one.is_found and one.name == "false_negative_rate" and not one.figures.group.is_crossed
    )
    return list(found)[:MOST_REMEDIES]


def _calibration(
    figures: Sequence[GroupFigures],
    by_label: Mapping[str, tuple[LabelCases, NDArray[np.intp]]],
    seed: int,
) -> list[GroupCalibration]:
    """Slope and error of the single groups with enough patients of either kind."""
    found = []
    for one in figures:
        if one.group.is_crossed or one.group.column == ALL or "observed_minus_stated" not in one.figures:
            continue
        cases = by_label[one.label][0]
        own = one.group.members
        truth, probability = cases.truth[own], cases.probability[own]
        try:
            slope = calibration_line(truth, probability, groups=cases.patient[own].tolist()).slope
        except RefusedInput:
            slope = None
        chance = calibration_error_if_perfect(probability, rng=_rng(seed), n_draws=_PERFECT_DRAWS)
        error = expected_calibration_error(truth, probability)
        found.append(GroupCalibration(one.label, one.group.column, one.group.value, slope, error, chance))
    return found


def too_few(audit: BiasAudit) -> list[str]:
    """Groups with fewer than FEWEST_PATIENTS patients, as `column: value`; nothing else is said of them."""
    numbers = np.unique(audit.table.patients, return_inverse=True)[1]
    return [
        f"{one.column}: {one.value}"
        for one in audit.groups
        if np.unique(numbers[one.members]).size < FEWEST_PATIENTS
    ]
