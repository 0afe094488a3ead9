"""Every figure of a table of predictions: by label, by group, at locked thresholds, and beside other models.

Intervals come from resampling patients (all figures share the draws, so that differences are paired); a figure
from too few cases is not given, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.evaluation.bands import banded, in_order
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
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.evaluation.prediction_table import PredictionTable

    Statistic = Callable[[NDArray[np.float64]], float]

# Thresholds are shown at which these shares of all cases are called positive.
CALLED_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
DECISIONS = ("sensitivity", "specificity", "ppv", "npv")
# With fewer cases of either kind an area moves by a tenth and more with one of them, and no interval holds.
FEWEST_CASES = 10
N_BINS = 10


@dataclass(frozen=True, slots=True, eq=False)
class LabelFigures:
    """One label: counts, figures with intervals by name, and why others are absent.

    at: decision figures by threshold, for choosing one; those of `threshold`, locked on other data, are in figures.
    """

    label: str
    n: int
    n_positive: int
    figures: Mapping[str, Interval]
    threshold: float | None = None
    withheld: str = ""
    at: Mapping[float, Mapping[str, Interval]] = field(default_factory=dict)
    by_group: Mapping[str, Mapping[str, LabelFigures]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Counts, then each figure as value and ci95."""
        record: dict[str, Any] = {"n": self.n, "n_positive": self.n_positive}
        record |= {name: _figure(interval) for name, interval in self.figures.items()}
        if self.threshold is not None:
            record["threshold"] = self.threshold
        if self.withheld:
            record["withheld"] = self.withheld
        if self.at:
            record["at_thresholds"] = [
                {"threshold": limit, **{name: _figure(interval) for name, interval in own.items()}}
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
            "auroc_difference": _figure(self.difference),
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
    thresholds: Mapping[str, float] | None = None,
    others: Mapping[str, NDArray[np.float64]] | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> TableEvaluation:
    """All figures of `table`. thresholds: by label, locked on other data. others: what other models say, (k, n) by name.

    Raises UsageError for a threshold of an unknown label. The same seed gives the same intervals.
    """
    thresholds = dict(thresholds or {})
    unknown = sorted(set(thresholds) - set(table.labels))
    if unknown:
        raise UsageError(
            f"there is a threshold for {', '.join(unknown)}, but no such label: {', '.join(table.labels)}"
        )
    plan = _Plan()
    for k, label in enumerate(table.labels):
        _plan_label(plan, table, k, thresholds.get(label))
        part = _parts(table, k)["all", ""]
        for name, probability in (others or {}).items():
            if not part.too_few:
                curve = sort_score(part.truth, probability[k][part.cases])
                plan.add((label, "other", name, "auroc"), curve.auroc, part.cases)
    rng = np.random.Generator(np.random.PCG64(seed))
    draws = resampled(plan.values, table.patients.tolist(), rng=rng, n_resamples=n_resamples)
    values = dict(zip(plan.keys, plan.values(np.ones(len(table.cases))), strict=True))
    found = {key: percentile_interval(values[key], draws[:, at]) for at, key in enumerate(plan.keys)}
    labels = tuple(
        _label_figures(table, k, found, thresholds.get(label)) for k, label in enumerate(table.labels)
    )
    macro = {
        figure: _mean_of(plan, values, draws, [(label, "all", "", figure) for label in table.labels])
        for figure in ("auroc", "average_precision")
    }
    compared = _comparisons(table, plan, values, draws, others or {})
    return TableEvaluation(table, labels, macro, compared, n_resamples, seed)


class _Plan:
    """The statistics to resample, each on its own cases, in one list."""

    def __init__(self) -> None:
        self.keys: list[tuple[str, ...]] = []
        self._parts: list[tuple[Statistic, NDArray[np.intp]]] = []

    def add(self, key: tuple[str, ...], statistic: Statistic, cases: NDArray[np.intp]) -> None:
        """A statistic of the weights of `cases`."""
        self.keys.append(key)
        self._parts.append((statistic, cases))

    def values(self, weights: NDArray[np.float64]) -> list[float]:
        """Every statistic, for these weights of all cases."""
        return [statistic(weights[cases]) for statistic, cases in self._parts]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some cases of one label: their numbers in the table, truth and probability."""

    cases: NDArray[np.intp]
    truth: NDArray[np.bool_]
    probability: NDArray[np.float64]

    @property
    def too_few(self) -> str:
        """Why no figure is given, "" where there are enough cases."""
        n_positive = int(self.truth.sum())
        n_negative = self.truth.size - n_positive
        if min(n_positive, n_negative) >= FEWEST_CASES:
            return ""
        return f"{n_positive} positive and {n_negative} negative cases; {FEWEST_CASES} of each are needed"


def _parts(table: PredictionTable, k: int) -> dict[tuple[str, str], _Part]:
    """The cases of label k whose truth is known: all of them, and those of each group, by column and value."""
    cases = np.flatnonzero(table.known[k])
    chosen = {("all", ""): cases}
    for column, values in table.groups.items():
        bands = banded(values)
        for value in in_order(set(bands.tolist())):
            chosen[column, value] = cases[bands[cases] == value]
    return {key: _Part(own, table.truth[k][own], table.probability[k][own]) for key, own in chosen.items()}


def _plan_label(plan: _Plan, table: PredictionTable, k: int, threshold: float | None) -> None:
    """Figures of the label over all cases and over each group, unless they are too few."""
    for key, part in _parts(table, k).items():
        if not part.too_few:
            for name, statistic in _statistics(part, threshold).items():
                plan.add((table.labels[k], *key, name), statistic, part.cases)
    if not (part := _parts(table, k)["all", ""]).too_few:
        for limit in shown_thresholds(part.probability):
            for name, statistic in _decisions(part, limit).items():
                plan.add((table.labels[k], "at", repr(limit), name), statistic, part.cases)


def _statistics(part: _Part, threshold: float | None) -> dict[str, Statistic]:
    """Discrimination, calibration and decisions of some cases."""
    curve, true, said = (
        sort_score(part.truth, part.probability),
        part.truth.astype(np.float64),
        part.probability,
    )
    found: dict[str, Statistic] = {
        "auroc": curve.auroc,
        "average_precision": curve.average_precision,
        "brier": _mean((said - true) ** 2),
        "ece": _ece(true, said),
        "prevalence": _mean(true),
        "mean_probability": _mean(said),
    }
    return found | (_decisions(part, threshold) if threshold is not None else {})


def _decisions(part: _Part, threshold: float) -> dict[str, Statistic]:
    true, called = part.truth.astype(np.float64), (part.probability >= threshold).astype(np.float64)
    both = (
        _share(called, true),
        _share(1 - called, 1 - true),
        _share(true, called),
        _share(1 - true, 1 - called),
    )
    return dict(zip(DECISIONS, both, strict=True))


def shown_thresholds(probability: NDArray[np.float64]) -> list[float]:
    """Distinct probabilities at which CALLED_SHARES of the cases are called positive, rising."""
    return sorted({float(np.quantile(probability, 1 - share, method="higher")) for share in CALLED_SHARES})


def _mean(values: NDArray[np.float64]) -> Statistic:
    return lambda weights: (
        float(weights @ values) / total if (total := float(weights.sum())) else float("nan")
    )


def _share(values: NDArray[np.float64], among: NDArray[np.float64]) -> Statistic:
    """Mean of `values` over the cases in `among` (0 or 1)."""
    both = values * among
    return lambda weights: (
        float(weights @ both) / total if (total := float(weights @ among)) else float("nan")
    )


def _ece(truth: NDArray[np.float64], stated: NDArray[np.float64]) -> Statistic:
    """Expected calibration error over ten bins of equal count, which stay as the data cut them."""
    order = np.argsort(stated, kind="stable")
    bins = np.empty(stated.size, dtype=np.intp)
    bins[order] = np.arange(stated.size) * N_BINS // stated.size
    apart = stated - truth

    def statistic(weights: NDArray[np.float64]) -> float:
        sums = np.bincount(bins, weights * apart, minlength=N_BINS)
        total = float(weights.sum())
        return float(np.abs(sums).sum()) / total if total else float("nan")

    return statistic


def _label_figures(
    table: PredictionTable, k: int, found: Mapping[tuple[str, ...], Interval], threshold: float | None
) -> LabelFigures:
    label, made = table.labels[k], {}
    for key, part in _parts(table, k).items():
        own = {name[-1]: interval for name, interval in found.items() if name[:-1] == (label, *key)}
        made[key] = LabelFigures(label, part.truth.size, int(part.truth.sum()), own, threshold, part.too_few)
    whole, part = made.pop(("all", "")), _parts(table, k)["all", ""]
    figures = dict(whole.figures)
    if not whole.withheld:
        figures |= _by_formula(part, table.patients[part.cases].tolist(), threshold)
    at: dict[float, dict[str, Interval]] = {}
    for (own_label, kind, *limit, name), interval in found.items():
        if (own_label, kind) == (label, "at"):
            at.setdefault(float(limit[0]), {})[name] = interval
    by_group: dict[str, dict[str, LabelFigures]] = {}
    for (column, value), one in made.items():
        by_group.setdefault(column, {})[value] = one
    return LabelFigures(label, whole.n, whole.n_positive, figures, threshold, whole.withheld, at, by_group)


def _by_formula(part: _Part, patients: Sequence[str], threshold: float | None) -> dict[str, Interval]:
    """Figures whose interval is a formula: DeLong's and those of ratios count cases as independent."""
    found = {"auroc_delong": delong(part.truth, part.probability).interval()}
    found |= _calibration(part, patients)
    if threshold is not None:
        counts = count_decisions(part.truth, part.probability >= threshold)
        found["likelihood_ratio_positive"] = counts.likelihood_ratio_positive
        found["likelihood_ratio_negative"] = counts.likelihood_ratio_negative
    return found


def _calibration(part: _Part, patients: Sequence[str]) -> dict[str, Interval]:
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
    plan: _Plan,
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
    plan: _Plan,
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


def _figure(interval: Interval) -> dict[str, Any]:
    """`value` and `ci95`; null where undefined."""
    numbers = [interval.value, interval.low, interval.high]
    value, low, high = (float(number) if np.isfinite(number) else None for number in numbers)
    return {"value": value, "ci95": [low, high], "n_undefined": interval.n_undefined}
