"""Predictions and labels of any model as tables: read, checked, and put case beside case.

The first column names the case, one column the patient, one column a label; other columns can be groups (sex,
view, site). Tables of others fit by naming their columns. Compressed files (.gz, .bz2, .xz) are read as they are.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import StudyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_OPENERS: Mapping[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
# Beyond this a table is no evaluation set, or a compressed file is hostile.
MOST_ROWS, MOST_COLUMNS, LONGEST_LINE = 5_000_000, 4_000, 1 << 20
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
    said = _Table(predictions, columns.case)
    true = said if labels is None or labels == predictions else _Table(labels, columns.case)
    names = _labels_in_both(said, true, columns)
    rows = [true.row_of(case, predictions.name) for case in said.cases]
    truth, known = _truth(true, names, rows)
    probability = np.stack([_numbers(said, columns.probability_prefix + name) for name in names])
    patients, has_patients = _patients(said, true, rows, columns)
    groups = {name: _group(said, true, rows, name) for name in columns.groups}
    n_without = len(true.cases) - len(set(said.cases))
    left_out = (f"{n_without} cases have labels and no prediction",) if n_without else ()
    return PredictionTable(
        np.array(said.cases), patients, has_patients, names, truth, known, probability, groups, left_out
    )


def read_probabilities(path: Path, table: PredictionTable, columns: Columns) -> NDArray[np.float64]:
    """What another model says of the same cases and labels, (k, n), in the order of `table`.

    Raises UsageError if a label is absent, StudyError if a case is.
    """
    other = _Table(path, columns.case)
    for name in table.labels:
        other.require(columns.probability_prefix + name)
    rows = [other.row_of(case, path.name) for case in table.cases.tolist()]
    return np.stack([_numbers(other, columns.probability_prefix + name)[rows] for name in table.labels])


def read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV file, plain or packed. Raises UsageError if there is none, StudyError if it is no table."""
    if not path.is_file():
        raise UsageError(f"there is no table {path}. Give a CSV file, plain or as .gz, .bz2 or .xz.")
    try:
        return _read(path)
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError, csv.Error) as error:
        raise StudyError(
            f"{path.name} is no table that can be read ({error}). Give a CSV file in UTF-8."
        ) from error


class _Table:
    """One CSV file in memory: its header, its rows, and the row of each case."""

    def __init__(self, path: Path, case_column: str | None) -> None:
        self.name = path.name
        self.header, self.rows = read_rows(path)
        column = case_column or self.header[0]
        self.require(column)
        self.cases = [row[self.header.index(column)] for row in self.rows]
        self._row = {case: number for number, case in enumerate(self.cases)}
        if len(self._row) < len(self.cases):
            twice = next(
                case
                for case, n in zip(self.cases, range(len(self.cases)), strict=True)
                if self._row[case] != n
            )
            raise StudyError(
                f"{path.name} names the case {twice!r} twice in column {column!r}. Keep one row a case, or name the "
                "column of cases with --case-column."
            )

    def require(self, column: str) -> None:
        """Raise UsageError naming the nearest column if there is none of that name."""
        if column not in self.header:
            near = get_close_matches(column, self.header, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UsageError(
                f"{self.name} has no column {column!r}.{hint} It has {', '.join(self.header[:20])}."
            )

    def column(self, name: str) -> list[str]:
        """The cells of one column."""
        self.require(name)
        at = self.header.index(name)
        return [row[at].strip() for row in self.rows]

    def row_of(self, case: str, asker: str) -> int:
        """Number of the case's row; raises StudyError if it is absent."""
        if case not in self._row:
            raise StudyError(f"{asker} names the case {case!r}, which {self.name} does not hold.")
        return self._row[case]


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    with _OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(_bounded(lines, path.name))
        header = next(reader, [])
        if not header or len(header) > MOST_COLUMNS:
            raise StudyError(f"{path.name} has {len(header)} columns; 1 to {MOST_COLUMNS} are taken.")
        if len(set(header)) < len(header):
            raise StudyError(f"{path.name} has two columns of one name. Rename one of them.")
        rows = []
        for row in reader:
            if len(row) != len(header):
                raise StudyError(
                    f"{path.name} line {reader.line_num} has {len(row)} cells and the header {len(header)}. Mend it."
                )
            rows.append(row)
    if not rows:
        raise StudyError(f"{path.name} holds a header and no case.")
    return header, rows


def _bounded(lines: Iterator[str], name: str) -> Iterator[str]:
    """The lines, until there are more or longer ones than a table has."""
    for number, line in enumerate(lines):
        if number > MOST_ROWS or len(line) > LONGEST_LINE:
            raise StudyError(
                f"{name} goes beyond {MOST_ROWS} lines or {LONGEST_LINE} characters a line. Give a part of it."
            )
        yield line


def _labels_in_both(said: _Table, true: _Table, columns: Columns) -> tuple[str, ...]:
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
    true: _Table, names: Sequence[str], rows: Sequence[int]
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


def _numbers(table: _Table, column: str) -> NDArray[np.float64]:
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


def _patients(
    said: _Table, true: _Table, rows: Sequence[int], columns: Columns
) -> tuple[NDArray[np.str_], bool]:
    """Patient of each case; the case itself where no column states one."""
    if columns.patient is not None and columns.patient not in said.header + true.header:
        true.require(columns.patient)
    for name in (columns.patient,) if columns.patient else PATIENT_COLUMNS:
        if name in said.header or name in true.header:
            return _group(said, true, rows, name), True
    return np.array(said.cases), False


def _group(said: _Table, true: _Table, rows: Sequence[int], name: str) -> NDArray[np.str_]:
    """A column of either table, case by case; an empty cell is `unstated`."""
    if name in said.header:
        return np.array([cell or "unstated" for cell in said.column(name)])
    cells = true.column(name)
    return np.array([cells[row] or "unstated" for row in rows])
