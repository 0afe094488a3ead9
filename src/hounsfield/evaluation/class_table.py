"""Tables of classes that exclude each other: a probability for each class, and one column that names the true one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import StudyError, UsageError
from hounsfield.evaluation.case_table import CaseTable
from hounsfield.evaluation.class_figures import Predictions
from hounsfield.evaluation.model_evaluation import one_against_others
from hounsfield.evaluation.prediction_table import (
    PATIENT_COLUMNS,
    group_values,
    patients_of_cases,
    probabilities,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.evaluation.prediction_table import Columns, PredictionTable

LABEL_COLUMNS = ("label", "class", "diagnosis")
# Probabilities are often written with three digits.
SUM_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class ClassTable:
    """The same cases twice: as classes, and as labels each against the others (with groups and what was left out)."""

    predictions: Predictions
    table: PredictionTable


def read_class_table(
    predictions: Path, labels: Path | None, columns: Columns, *, label_column: str | None = None
) -> ClassTable:
    """Probabilities of classes with the true class. label_column: None for one of LABEL_COLUMNS.

    A case whose true class is blank is left out and told. Raises UsageError for a missing column, StudyError naming the
    line of a class without probabilities or of probabilities that do not sum to 1.
    """
    said = CaseTable(predictions, columns.case)
    true = said if labels is None or labels == predictions else CaseTable(labels, columns.case)
    at = _label_column(true, label_column)
    classes = _classes(said, true, columns, at)
    rows = [true.row_of(case, predictions.name) for case in said.cases]
    names = [true.column(at)[row] for row in rows]
    known = np.array([bool(name) for name in names])
    for name, row in zip(names, rows, strict=True):
        if name and name not in classes:
            raise StudyError(
                f"{true.name} line {row + 2}, column {at!r}: {name!r} is no class of {said.name}, which has "
                f"{', '.join(classes)}. Name both alike."
            )
    values = np.stack([probabilities(said, columns.probability_prefix + name) for name in classes], axis=1)
    _check_sums(said, values)
    patients, has_patients = patients_of_cases(said, true, rows, columns)
    made = Predictions(
        classes,
        tuple(case for case, is_known in zip(said.cases, known, strict=True) if is_known),
        tuple(patients[known].tolist()),
        np.array([classes.index(name) for name in names if name], dtype=np.int64),
        values[known],
    )
    groups = {name: group_values(said, true, rows, name)[known] for name in columns.groups}
    n_blank, n_without = int((~known).sum()), len(true.cases) - len(set(said.cases))
    left_out = [f"{n_blank} cases without a true class"] if n_blank else []
    left_out += [f"{n_without} cases have a class and no prediction"] if n_without else []
    table = one_against_others(made, has_patients=has_patients, groups=groups, left_out=tuple(left_out))
    return ClassTable(made, table)


def _label_column(true: CaseTable, label_column: str | None) -> str:
    if label_column is not None:
        true.require(label_column)
        return label_column
    found = next((name for name in LABEL_COLUMNS if name in true.header), None)
    if found is None:
        raise UsageError(
            f"{true.name} has no column {', '.join(LABEL_COLUMNS)} for the true class. Name it with --label-column. It has "
            f"{', '.join(true.header[:20])}."
        )
    return found


def _classes(said: CaseTable, true: CaseTable, columns: Columns, label_column: str) -> tuple[str, ...]:
    """Names of the columns of probabilities, without their prefix."""
    prefix = columns.probability_prefix
    if said is true and not prefix:
        raise UsageError(
            f"{said.name} holds classes and predictions in one table. Say with --probability-prefix what stands before a "
            "class in the columns of predictions, or give the classes in a table of their own."
        )
    taken = {columns.case or said.header[0], columns.patient, *PATIENT_COLUMNS, *columns.groups, label_column}
    names = tuple(
        name.removeprefix(prefix)
        for name in said.header
        if name.startswith(prefix) and name != prefix and name not in taken
    )
    if len(names) < 2:
        raise UsageError(
            f"{said.name} holds probabilities of {len(names)} classes ({prefix or 'no prefix'}); two or more are needed. "
            f"It has {', '.join(said.header[:20])}."
        )
    return names


def _check_sums(said: CaseTable, values: NDArray[np.float64]) -> None:
    wrong = np.flatnonzero(np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE)
    if wrong.size:
        raise StudyError(
            f"{said.name} line {wrong[0] + 2}: the probabilities of the classes sum to {values[wrong[0]].sum():.3g}, not 1 "
            f"({wrong.size} such lines). Classes that do not exclude each other are labels: leave --task out."
        )
