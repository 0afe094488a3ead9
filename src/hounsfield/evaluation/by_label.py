"""Every figure of a table of predictions: by label, by group, at locked thresholds, and beside other models.

Intervals come from resampling patients (all figures share the draws, so that differences are paired); a figure
from too few cases is not given, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.evaluation.document import figure_record
from hounsfield.evaluation.label_statistics import NO_USE, Part, Plan, Use, parts_of, plan_label
from hounsfield.metrics import (
    Interval,
    calibration_line,
    count_decisions,
    delong,
    holm,
    percentile_interval,
    resampled,
    sort_score,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.evaluation.prediction_table import PredictionTable


@dataclass(frozen=True, slots=True, eq=False)
class LabelFigures:
    """One label: counts, figures with intervals by name, and why others are absent.

    use: threshold locked on other data, whose decision figures are in figures, and prevalence of the use. at: decision
    figures by threshold, for choosing one.
    """

    label: str
    n: int
    n_positive: int
    figures: Mapping[str, Interval]
    use: Use = NO_USE
    withheld: str = ""
    at: Mapping[float, Mapping[str, Interval]] = field(default_factory=dict)
    by_group: Mapping[str, Mapping[str, LabelFigures]] = field(default_factory=dict)

    @property
    def threshold(self) -> float | None:
        """The locked threshold."""
        return self.use.threshold

    def to_json(self) -> dict[str, Any]:
        """Counts, then each figure as value and ci95."""
        record: dict[str, Any] = {"n": self.n, "n_positive": self.n_positive}
        record |= {name: figure_record(interval) for name, interval in self.figures.items()}
        if self.use.threshold is not None:
            record["threshold"] = self.use.threshold
        if self.use.prevalence is not None:
            record["prevalence_of_use"] = self.use.prevalence
        if self.withheld:
            record["withheld"] = self.withheld
        if self.at:
            record["at_thresholds"] = [
                {"threshold": limit, **{name: figure_record(interval) for name, interval in own.items()}}
                for limit, own in self.at.items()
            ]
        if self.by_group:
            record["by_group"] = {
                column: {value: one.to_json() for value, one in values.items()}
                for column, values in self.by_group.items()
            }
        return record


@dataclass(frozen=True, slots=True)
class Comparison:
    """Area of the model minus that of another on the same cases; p by resampling patients, then by Holm."""

    label: str
    model: str
    difference: Interval
    p: float
    p_adjusted: float
    p_delong: float

    def to_json(self) -> dict[str, Any]:
        """All fields; the difference as value and ci95."""
        return {
            "label": self.label,
            "model": self.model,
            "auroc_difference": figure_record(self.difference),
            "p": self.p,
            "p_holm": self.p_adjusted,
            "p_delong": self.p_delong,
        }


@dataclass(frozen=True, slots=True, eq=False)
class TableEvaluation:
    """Everything that was computed. macro: unweighted means over the labels that have the figure."""

    table: PredictionTable
    labels: tuple[LabelFigures, ...]
    macro: Mapping[str, Interval]
    comparisons: tuple[Comparison, ...]
    n_resamples: int
    seed: int

    @property
    def n_patients(self) -> int:
        """Distinct patients (cases, where no patients are stated)."""
        return len(set(self.table.patients.tolist()))


def evaluate_table(
    table: PredictionTable,
    *,
    uses: Mapping[str, Use] | None = None,
    others: Mapping[str, NDArray[np.float64]] | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> TableEvaluation:
    """All figures of `table`. uses: by label. others: what other models say, (k, n) by name.

    Raises UsageError for a use of an unknown label, or a prevalence without threshold. The same seed gives the same
    intervals.
    """
    uses = dict.fromkeys(table.labels, NO_USE) | dict(uses or {})
    _check_uses(table, uses)
    plan = Plan()
    for k, label in enumerate(table.labels):
        plan_label(plan, table, k, uses[label])
        part = parts_of(table, k)["all", ""]
        for name, probability in (others or {}).items():
            if not part.too_few:
                curve = sort_score(part.truth, probability[k][part.cases])
                plan.add((label, "other", name, "auroc"), curve.auroc, part.cases)
    rng = np.random.Generator(np.random.PCG64(seed))
    draws = resampled(plan.values, table.patients.tolist(), rng=rng, n_resamples=n_resamples)
    values = dict(zip(plan.keys, plan.values(np.ones(len(table.cases))), strict=True))
    found = {key: percentile_interval(values[key], draws[:, at]) for at, key in enumerate(plan.keys)}
    labels = tuple(_label_figures(table, k, found, uses[label]) for k, label in enumerate(table.labels))
    macro = {
        figure: _mean_of(plan, values, draws, [(label, "all", "", figure) for label in table.labels])
        for figure in ("auroc", "average_precision")
    }
    compared = _comparisons(table, plan, values, draws, others or {})
    return TableEvaluation(table, labels, macro, compared, n_resamples, seed)


def _check_uses(table: PredictionTable, uses: Mapping[str, Use]) -> None:
    unknown = [label for label in uses if label not in table.labels]
    if unknown:
        raise UsageError(
            f"there is a threshold or prevalence for {', '.join(unknown)}, but no such label: {', '.join(table.labels)}"
        )
    without = [label for label, use in uses.items() if use.prevalence is not None and use.threshold is None]
    if without:
        raise UsageError(
            f"PPV and NPV at a prevalence need a threshold, and {', '.join(without)} has none. Lock one on other data "
            "(--lock-thresholds), or state it with --threshold."
        )


def _label_figures(
    table: PredictionTable, k: int, found: Mapping[tuple[str, ...], Interval], use: Use
) -> LabelFigures:
    label, made = table.labels[k], {}
    for key, part in parts_of(table, k).items():
        own = {name[-1]: interval for name, interval in found.items() if name[:-1] == (label, *key)}
        made[key] = LabelFigures(label, part.truth.size, int(part.truth.sum()), own, use, part.too_few)
    whole, part = made.pop(("all", "")), parts_of(table, k)["all", ""]
    figures = dict(whole.figures)
    if not whole.withheld:
        figures |= _by_formula(part, table.patients[part.cases].tolist(), use.threshold)
    at: dict[float, dict[str, Interval]] = {}
    for (own_label, kind, *limit, name), interval in found.items():
        if (own_label, kind) == (label, "at"):
            at.setdefault(float(limit[0]), {})[name] = interval
    by_group: dict[str, dict[str, LabelFigures]] = {}
    for (column, value), one in made.items():
        by_group.setdefault(column, {})[value] = one
    return LabelFigures(label, whole.n, whole.n_positive, figures, use, whole.withheld, at, by_group)


def _by_formula(part: Part, patients: Sequence[str], threshold: float | None) -> dict[str, Interval]:
    """Figures whose interval is a formula: DeLong's and those of ratios count cases as independent."""
    found = {"auroc_delong": delong(part.truth, part.probability).interval()}
    found |= _calibration(part, patients)
    if threshold is not None:
        counts = count_decisions(part.truth, part.probability >= threshold)
        found["likelihood_ratio_positive"] = counts.likelihood_ratio_positive
        found["likelihood_ratio_negative"] = counts.likelihood_ratio_negative
    return found


def _calibration(part: Part, patients: Sequence[str]) -> dict[str, Interval]:
    """Intercept and slope; none where the probabilities part the classes, or are all equal."""
    try:
        line = calibration_line(part.truth, part.probability, groups=patients)
    except RefusedInput:
        return {}
    return {
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
        "calibration_in_the_large": line.in_the_large,
    }


def _mean_of(
    plan: Plan,
    values: Mapping[tuple[str, ...], float],
    draws: NDArray[np.float64],
    keys: Sequence[tuple[str, ...]],
) -> Interval:
    """The mean of several figures, resampled together; of those that are defined in every draw or not at all."""
    there = [key for key in keys if key in values]
    if not there:
        return Interval(float("nan"), float("nan"), float("nan"))
    columns = [plan.keys.index(key) for key in there]
    return percentile_interval(float(np.mean([values[key] for key in there])), draws[:, columns].mean(axis=1))


def _comparisons(
    table: PredictionTable,
    plan: Plan,
    values: Mapping[tuple[str, ...], float],
    draws: NDArray[np.float64],
    others: Mapping[str, NDArray[np.float64]],
) -> tuple[Comparison, ...]:
    from scipy.stats import norm

    raw = []
    for k, label in enumerate(table.labels):
        own = (label, "all", "", "auroc")
        for name, probability in others.items():
            key = (label, "other", name, "auroc")
            if key not in values:
                continue
            apart = draws[:, plan.keys.index(own)] - draws[:, plan.keys.index(key)]
            interval = percentile_interval(values[own] - values[key], apart)
            error = float(np.nanstd(apart, ddof=1))
            p = float(2 * norm.sf(abs(interval.value) / error)) if error > 0 else 1.0
            cases = np.flatnonzero(table.known[k])
            both = np.stack([table.probability[k][cases], probability[k][cases]])
            raw.append((label, name, interval, p, delong(table.truth[k][cases], both).paired().p))
    adjusted = holm(np.array([p for *_, p, _ in raw]))
    return tuple(
        Comparison(label, name, interval, p, float(holm_p), p_delong)
        for (label, name, interval, p, p_delong), holm_p in zip(raw, adjusted, strict=True)
    )
