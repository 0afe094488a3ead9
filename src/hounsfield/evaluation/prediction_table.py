"""Predictions and labels of any model as tables: read, checked, and put case beside case.

The first column names the case, one column the patient, one column a label; other columns can be groups (sex,
view, site). Tables of others fit by naming their columns. Compressed files (.gz, .bz2, .xz) are read as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import StudyError, UsageError
from hounsfield.evaluation.case_table import CaseTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_TRUE, _FALSE, _UNKNOWN = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}, {"", "nan", "-1", "-1.0"}
PATIENT_COLUMNS = ("patient_id", "patient", "PatientID", "subject_id")


@dataclass(frozen=True, slots=True)
class Columns:
    """How the tables at hand name their columns. case: None for the first. patient: None for one of PATIENT_COLUMNS.

    probability_prefix: what stands before a label in the predictions. groups: columns to look at apart.
    """

    case: str | None = None
    patient: str | None = None
    probability_prefix: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PredictionTable:
    """What was said of n cases, beside the truth.

    cases, patients: (n,) names; patients are the cases where none are stated, which has_patients tells. labels: names.
    truth: (k, n) bool; known: (k, n), False where the label is blank or -1 (uncertain). probability: (k, n). groups:
    values (n,) by column. left_out: what was not used, in sentences.
    """

    cases: NDArray[np.str_]
    patients: NDArray[np.str_]
    has_patients: bool
    labels: tuple[str, ...]
    truth: NDArray[np.bool_]
    known: NDArray[np.bool_]
    probability: NDArray[np.float64]
    groups: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def read_prediction_table(
    predictions: Path, labels: Path | None = None, columns: Columns | None = None
) -> PredictionTable:
    """Predictions with their labels, which may stand in the same table (labels: None).

    Every case of the predictions must have its labels; cases with labels alone are left out and told. Raises
    UsageError for a missing column, StudyError naming file and line for a cell that is no number or label.
    """
    columns = columns or Columns()
    said = CaseTable(predictions, columns.case)
    true = said if labels is None or labels == predictions else CaseTable(labels, columns.case)
    names = _labels_in_both(said, true, columns)
    rows = [true.row_of(case, predictions.name) for case in said.cases]
    truth, known = _truth(true, names, rows)
    probability = np.stack([probabilities(said, columns.probability_prefix + name) for name in names])
    patients, has_patients = patients_of_cases(said, true, rows, columns)
    groups = {name: group_values(said, true, rows, name) for name in columns.groups}
    n_without = len(true.cases) - len(set(said.cases))
    left_out = (f"{n_without} cases have labels and no prediction",) if n_without else ()
    return PredictionTable(
        np.array(said.cases), patients, has_patients, names, truth, known, probability, groups, left_out
    )


def read_probabilities(path: Path, table: PredictionTable, columns: Columns) -> NDArray[np.float64]:
    """What another model says of the same cases and labels, (k, n), in the order of `table`.

    Raises UsageError if a label is absent, StudyError if a case is.
    """
    other = CaseTable(path, columns.case)
    for name in table.labels:
        other.require(columns.probability_prefix + name)
    rows = [other.row_of(case, path.name) for case in table.cases.tolist()]
    return np.stack([probabilities(other, columns.probability_prefix + name)[rows] for name in table.labels])


def _labels_in_both(said: CaseTable, true: CaseTable, columns: Columns) -> tuple[str, ...]:
    """Labels with a probability and a truth, in the order of the predictions."""
    prefix = columns.probability_prefix
    if said is true and not prefix:
        raise UsageError(
            f"{said.name} holds labels and predictions under one name. Give the labels in a table of their own, or say "
            "with --probability-prefix what stands before a label in the columns of predictions."
        )
    stated = [name.removeprefix(prefix) for name in said.header if name.startswith(prefix) and name != prefix]
    taken = {columns.case or said.header[0], columns.patient, *PATIENT_COLUMNS, *columns.groups}
    names = tuple(name for name in stated if name in true.header and name not in taken)
    if not names:
        raise UsageError(
            f"no label has both a prediction in {said.name} ({prefix or 'no prefix'}) and a truth in {true.name}. "
            f"Predictions: {', '.join(stated[:8]) or 'none'}. Columns of labels: {', '.join(true.header[:12])}."
        )
    return names


def _truth(
    true: CaseTable, names: Sequence[str], rows: Sequence[int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    truth = np.zeros((len(names), len(rows)), dtype=np.bool_)
    known = np.zeros_like(truth)
    for k, name in enumerate(names):
        cells = [cell.lower() for cell in true.column(name)]
        wrong = next((n for n, cell in enumerate(cells) if cell not in _TRUE | _FALSE | _UNKNOWN), None)
        if wrong is not None:
            raise StudyError(
                f"{true.name} line {wrong + 2}, column {name!r}: {cells[wrong]!r} is no label; 0, 1, or nothing (unknown) "
                "is taken."
            )
        truth[k] = [cells[row] in _TRUE for row in rows]
        known[k] = [cells[row] not in _UNKNOWN for row in rows]
    return truth, known


def probabilities(table: CaseTable, column: str) -> NDArray[np.float64]:
    """A column as numbers from 0 to 1, (n,); raises StudyError naming the line of a cell that is none."""
    cells = table.column(column)
    try:
        found = np.array(cells, dtype=np.float64)
    except ValueError:
        found = np.array([np.nan])
    if found.size == len(cells) and ((found >= 0) & (found <= 1)).all():
        return found
    for number, cell in enumerate(cells):
        try:
            is_fit = 0.0 <= float(cell) <= 1.0
        except ValueError:
            is_fit = False
        if not is_fit:
            raise StudyError(
                f"{table.name} line {number + 2}, column {column!r}: {cell!r} is no probability from 0 to 1. Turn scores "
                "into probabilities first, on data that are not these."
            )
    return found


def patients_of_cases(
    said: CaseTable, true: CaseTable, rows: Sequence[int], columns: Columns
) -> tuple[NDArray[np.str_], bool]:
    """Patient of each case; the case itself where no column states one."""
    if columns.patient is not None and columns.patient not in said.header + true.header:
        true.require(columns.patient)
    for name in (columns.patient,) if columns.patient else PATIENT_COLUMNS:
        if name in said.header or name in true.header:
            return group_values(said, true, rows, name), True
    return np.array(said.cases), False


def group_values(said: CaseTable, true: CaseTable, rows: Sequence[int], name: str) -> NDArray[np.str_]:
    """A column of either table, case by case; an empty cell is `unstated`."""
    if name in said.header:
        return np.array([cell or "unstated" for cell in said.column(name)])
    cells = true.column(name)
    return np.array([cells[row] or "unstated" for row in rows])
