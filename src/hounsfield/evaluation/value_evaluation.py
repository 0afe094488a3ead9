"""Continuous values (a volume, an age, an ejection fraction) beside measured ones: bias, error and agreement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import StudyError, UsageError
from hounsfield.evaluation.case_table import CaseTable
from hounsfield.evaluation.document import figure_record
from hounsfield.evaluation.prediction_table import PATIENT_COLUMNS, patients_of_cases
from hounsfield.metrics import (
    Interval,
    concordance,
    intraclass_correlation,
    limits_of_agreement,
    measurement_errors,
    pearson,
    percentile_interval,
    resampled,
    why_withheld,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.evaluation.prediction_table import Columns

_UNKNOWN = {"", "nan", "na"}
FEWEST_CASES = 10
FEWEST_PAIRS = 3  # that limits of agreement take
FIGURES = ("bias", "mae", "rmse", "limit_low", "limit_high", "correlation", "concordance", "icc")


@dataclass(frozen=True, slots=True, eq=False)
class ValueTable:
    """Predicted beside measured values. quantities: names. truth, said: (k, n), nan where either is blank."""

    cases: NDArray[np.str_]
    patients: NDArray[np.str_]
    has_patients: bool
    quantities: tuple[str, ...]
    truth: NDArray[np.float64]
    said: NDArray[np.float64]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class QuantityFigures:
    """One quantity: figures by name, or why there are none."""

    quantity: str
    n: int
    figures: Mapping[str, Interval]
    withheld: str = ""

    def to_json(self) -> dict[str, Any]:
        """Count, then each figure as value and ci95."""
        record: dict[str, Any] = {"n": self.n}
        record |= {name: figure_record(interval) for name, interval in self.figures.items()}
        return record | ({"withheld": self.withheld} if self.withheld else {})


@dataclass(frozen=True, slots=True, eq=False)
class ValueEvaluation:
    """All quantities of a table."""

    table: ValueTable
    quantities: tuple[QuantityFigures, ...]
    n_resamples: int
    seed: int
    n_patients: int = field(default=0)


def read_value_table(predictions: Path, labels: Path | None, columns: Columns) -> ValueTable:
    """Columns that both tables hold, as numbers; with a prefix both may stand in one table.

    Raises UsageError where no column is in both, StudyError naming the line of a cell that is no number.
    """
    said = CaseTable(predictions, columns.case)
    true = said if labels is None or labels == predictions else CaseTable(labels, columns.case)
    prefix = columns.probability_prefix
    taken = {columns.case or said.header[0], columns.patient, *PATIENT_COLUMNS, *columns.groups}
    stated = [name.removeprefix(prefix) for name in said.header if name.startswith(prefix) and name != prefix]
    names = tuple(name for name in stated if name in true.header and name not in taken)
    if not names or (said is true and not prefix):
        raise UsageError(
            f"no quantity has both a prediction in {said.name} ({prefix or 'no prefix'}) and a measured value in "
            f"{true.name}. Name both columns alike, or say with --probability-prefix what stands before the predicted one."
        )
    rows = [true.row_of(case, predictions.name) for case in said.cases]
    patients, has_patients = patients_of_cases(said, true, rows, columns)
    measured = np.stack([_numbers(true, name)[rows] for name in names])
    found = np.stack([_numbers(said, prefix + name) for name in names])
    n_without = len(true.cases) - len(set(said.cases))
    left_out = (f"{n_without} cases have measured values and no prediction",) if n_without else ()
    return ValueTable(np.array(said.cases), patients, has_patients, names, measured, found, left_out)


def _numbers(table: CaseTable, column: str) -> NDArray[np.float64]:
    """A column as numbers; blank is nan. Raises StudyError naming the line of a cell that is neither."""
    values = []
    for number, text in enumerate(table.column(column)):
        try:
            value = float("nan") if text.lower() in _UNKNOWN else float(text)
        except ValueError:
            value = float("inf")
        if np.isinf(value):
            raise StudyError(
                f"{table.name} line {number + 2}, column {column!r}: {text!r} is no number. Mend it."
            )
        values.append(value)
    return np.array(values)


def evaluate_values(table: ValueTable, *, n_resamples: int = 1000, seed: int = 0) -> ValueEvaluation:
    """Figures of every quantity with intervals from resampling patients. The same seed gives the same intervals."""
    known = np.isfinite(table.truth) & np.isfinite(table.said)
    planned = [
        k
        for k in range(len(table.quantities))
        if why_withheld("agreement", n_positive=int(known[k].sum()), n_negative=0) is None
    ]

    def statistics(weights: NDArray[np.float64]) -> list[float]:
        return [
            value
            for k in planned
            for value in _agreement(table.truth[k][known[k]], table.said[k][known[k]], weights[known[k]])
        ]

    rng = np.random.Generator(np.random.PCG64(seed))
    draws = resampled(statistics, table.patients.tolist(), rng=rng, n_resamples=n_resamples)
    values = statistics(np.ones(len(table.cases)))
    made = []
    for k, name in enumerate(table.quantities):
        n = int(known[k].sum())
        if k not in planned:
            made.append(
                QuantityFigures(name, n, {}, why_withheld("agreement", n_positive=n, n_negative=0) or "")
            )
            continue
        first = planned.index(k) * len(FIGURES)
        own = {
            figure: percentile_interval(values[first + at], draws[:, first + at])
            for at, figure in enumerate(FIGURES)
        }
        made.append(QuantityFigures(name, n, own))
    n_patients = len(set(table.patients.tolist()))
    return ValueEvaluation(table, tuple(made), n_resamples, seed, n_patients)


def _agreement(
    truth: NDArray[np.float64], said: NDArray[np.float64], weights: NDArray[np.float64]
) -> Sequence[float]:
    """FIGURES of cases that count so many times; nan where a draw holds too little for them."""
    drawn = np.repeat(np.arange(truth.size), weights.astype(np.intp))
    measured, predicted = truth[drawn], said[drawn]
    if drawn.size < FEWEST_PAIRS or not np.ptp([measured, predicted]):
        return [float("nan")] * len(FIGURES)
    errors = measurement_errors(measured, predicted)
    limits = limits_of_agreement(predicted, measured, method="approximate")
    return (
        errors.bias.value,
        errors.mean_absolute,
        errors.root_mean_square,
        limits.lower.value,
        limits.upper.value,
        pearson(measured, predicted).value,
        concordance(measured, predicted).value,
        intraclass_correlation(np.stack([measured, predicted], axis=1), "2,1").value.value,
    )
