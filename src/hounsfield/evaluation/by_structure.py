"""Figures of outlines by structure, each with its interval from resampling patients; empty masks counted apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.evaluation.document import figure_record
from hounsfield.evaluation.overlaps import HD95_DEFINITION
from hounsfield.metrics import Interval, limits_of_agreement, percentile_interval, resampled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.evaluation.overlaps import Overlap, Scale

    Statistic = Callable[[NDArray[np.float64]], float]

FEWEST_PAIRS = 3  # that limits of agreement take


@dataclass(frozen=True, slots=True, eq=False)
class StructureFigures:
    """One structure. n_cases: whose truth holds it. n_missed: of those, where nothing was found. n_invented: found
    where the truth has none. n_without: cases where neither holds it. figures: by name.
    """

    structure: str
    n_cases: int
    n_patients: int
    n_missed: int
    n_invented: int
    n_without: int
    figures: Mapping[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """Counts, then each figure as value and ci95."""
        counts = {
            "n_cases": self.n_cases,
            "n_patients": self.n_patients,
            "n_missed": self.n_missed,
            "n_invented": self.n_invented,
            "n_without": self.n_without,
        }
        return counts | {name: figure_record(interval) for name, interval in self.figures.items()}


@dataclass(frozen=True, slots=True, eq=False)
class MaskEvaluation:
    """All structures. scale: units and tolerance. macro: unweighted means over the structures."""

    overlaps: tuple[Overlap, ...]
    structures: tuple[StructureFigures, ...]
    macro: Mapping[str, Interval]
    scale: Scale
    n_cases: int
    n_resamples: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """The part `masks` of evaluation.json."""
        return {
            "length_unit": self.scale.length,
            "size_unit": self.scale.amount,
            "tolerance": self.scale.tolerance,
            "hd95_definition": HD95_DEFINITION,
            "structures": {one.structure: one.to_json() for one in self.structures},
            "macro": {name: figure_record(interval) for name, interval in self.macro.items()},
            "cases": [one.to_json() for one in self.overlaps],
        }


def evaluate_masks(
    overlaps: Sequence[Overlap],
    scale: Scale,
    *,
    patients: Mapping[str, str],
    n_resamples: int = 1000,
    seed: int = 0,
) -> MaskEvaluation:
    """Figures of every structure that occurs in `overlaps`. patients: of every case, also of those without outlines.

    Raises UsageError where no case holds an outline. The same seed gives the same intervals.
    """
    names = list(dict.fromkeys(one.structure for one in overlaps))
    if not names:
        raise UsageError("no case holds an outline, neither true nor found. Look at the files.")
    cases = list(patients)
    at = {case: number for number, case in enumerate(cases)}
    plans = {name: _statistics([one for one in overlaps if one.structure == name], at) for name in names}
    keys = [(name, figure) for name, plan in plans.items() for figure in plan]
    macro = {
        figure: [k for k, key in enumerate(keys) if key[1] == figure] for figure in ("dice", "surface_dice")
    }

    def statistics(weights: NDArray[np.float64]) -> list[float]:
        own = [plans[name][figure](weights) for name, figure in keys]
        return own + [float(np.mean([own[k] for k in columns])) for columns in macro.values()]

    rng = np.random.Generator(np.random.PCG64(seed))
    draws = resampled(statistics, [patients[case] for case in cases], rng=rng, n_resamples=n_resamples)
    values = statistics(np.ones(len(cases)))
    found = [_interval(value, draws[:, k]) for k, value in enumerate(values)]
    by_key = dict(zip(keys, found, strict=False))
    structures = tuple(
        _structure(
            name,
            [one for one in overlaps if one.structure == name],
            {figure: by_key[name, figure] for figure in plans[name]},
            len(cases),
        )
        for name in names
    )
    means = dict(zip(macro, found[len(keys) :], strict=True))
    return MaskEvaluation(tuple(overlaps), structures, means, scale, len(cases), n_resamples, seed)


def _interval(value: float, draws: NDArray[np.float64]) -> Interval:
    """The interval between percentiles; a distance to nothing is infinite and counts as the largest, not as undefined."""
    if not np.isinf(draws).any():
        return percentile_interval(value, draws)
    defined = draws[~np.isnan(draws)]
    low, high = np.quantile(defined, 0.025, method="lower"), np.quantile(defined, 0.975, method="higher")
    return Interval(value, float(low), float(high), int(draws.size - defined.size))


def _structure(
    name: str, rows: Sequence[Overlap], figures: Mapping[str, Interval], n_cases: int
) -> StructureFigures:
    true = [one for one in rows if one.in_truth]
    return StructureFigures(
        name,
        len(true),
        len({one.patient for one in true}),
        sum(not one.is_found for one in true),
        sum(not one.in_truth for one in rows),
        n_cases - len(rows),
        figures,
    )


def _statistics(rows: Sequence[Overlap], at: Mapping[str, int]) -> dict[str, Statistic]:
    """Figures as functions of the weights of all cases. Overlap and distance: of cases whose truth holds the structure."""
    true = [one for one in rows if one.in_truth]
    both = [one for one in true if one.is_found]
    of_true, of_both, of_all = (
        np.array([at[one.case] for one in some], dtype=np.intp) for some in (true, both, rows)
    )

    def column(some: Sequence[Overlap], name: str) -> NDArray[np.float64]:
        return np.array([getattr(one, name) for one in some], dtype=np.float64)

    amount, true_amount = column(true, "found_amount"), column(true, "truth_amount")
    apart = amount - true_amount
    relative = 100 * apart / true_amount if true else apart
    found: dict[str, Statistic] = {
        "dice": _mean(column(true, "dice"), of_true),
        "dice_median": _median(column(true, "dice"), of_true),
        "surface_dice": _mean(column(true, "surface_dice"), of_true),
        "hd95_median": _median(column(true, "hd95"), of_true),
        "hd95_mean_of_found": _mean(column(both, "hd95"), of_both),
        "size_error": _mean(apart, of_true),
        "size_error_low": _limit(amount, true_amount, of_true, "lower"),
        "size_error_high": _limit(amount, true_amount, of_true, "upper"),
        "size_error_percent": _mean(relative, of_true),
        "size_error_percent_absolute": _mean(np.abs(relative), of_true),
    }
    hit, lesions = column(rows, "n_lesions_hit"), column(rows, "n_lesions")
    false, marks = column(rows, "n_false_marks"), column(rows, "n_marks")
    missed = lesions - hit
    return found | {
        "lesion_sensitivity": _ratio(hit, lesions, of_all),
        "lesion_ppv": _ratio(marks - false, marks, of_all),
        "lesion_f1": _ratio(2 * hit, 2 * hit + missed + false, of_all),
        "false_lesions_per_case": lambda weights: float(weights[of_all] @ false) / float(weights.sum()),
    }


def _mean(values: NDArray[np.float64], cases: NDArray[np.intp]) -> Statistic:
    return lambda weights: _weighted_mean(values, weights[cases])


def _weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    total = float(weights.sum())
    return float(weights @ values) / total if total else float("nan")


def _limit(
    found: NDArray[np.float64], truth: NDArray[np.float64], cases: NDArray[np.intp], side: str
) -> Statistic:
    """The lower or upper limit of agreement; nan below three cases."""

    def statistic(weights: NDArray[np.float64]) -> float:
        drawn = np.repeat(np.arange(cases.size), weights[cases].astype(np.intp))
        if drawn.size < FEWEST_PAIRS:
            return float("nan")
        limits = limits_of_agreement(found[drawn], truth[drawn], method="approximate")
        return float(getattr(limits, side).value)

    return statistic


def _median(values: NDArray[np.float64], cases: NDArray[np.intp]) -> Statistic:
    """The middle value; the mean of both middle ones for an even number of cases."""
    order = np.argsort(values, kind="stable")
    rising, cases = values[order], cases[order]

    def statistic(weights: NDArray[np.float64]) -> float:
        along = np.cumsum(weights[cases])
        if not along.size or not along[-1]:
            return float("nan")
        half = along[-1] / 2
        low, high = np.searchsorted(along, half, side="left"), np.searchsorted(along, half, side="right")
        first, second = rising[low], rising[min(int(high), rising.size - 1)]
        return float(first) if first == second else float((first + second) / 2)

    return statistic


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64], cases: NDArray[np.intp]) -> Statistic:
    """Sums of both over the cases, pooled."""

    def statistic(weights: NDArray[np.float64]) -> float:
        total = float(weights[cases] @ whole)
        return float(weights[cases] @ part) / total if total else float("nan")

    return statistic
