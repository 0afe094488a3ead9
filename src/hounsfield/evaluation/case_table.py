"""Tables of others (CSV, plain or compressed): bounded, with columns by name and rows by case."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
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


class Rows:
    """One CSV file in memory: header and rows of cells as text.

    Raises UsageError if there is no such file, StudyError naming file and line for what cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        if not path.is_file():
            raise UsageError(f"there is no table {path}. Give a CSV file, plain or as .gz, .bz2 or .xz.")
        try:
            self.header, self.rows = self._read(path)
        except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError, csv.Error) as error:
            raise StudyError(
                f"{path.name} is no table that can be read ({error}). Give a CSV file in UTF-8."
            ) from error

    def _read(self, path: Path) -> tuple[list[str], list[list[str]]]:
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
        return header, rows

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

    def numbers(self, column: str) -> list[float]:
        """The cells of one column as numbers; raises StudyError naming the line of one that is none."""
        found = []
        for number, text in enumerate(self.column(column)):
            try:
                found.append(float(text))
            except ValueError as error:
                raise StudyError(
                    f"{self.name} line {number + 2}, column {column!r}: {text!r} is no number. Mend it."
                ) from error
        return found


def read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table; raises as `Rows`, and StudyError for a table without a row."""
    table = Rows(path)
    if not table.rows:
        raise StudyError(f"{path.name} holds a header and no case.")
    return table.header, table.rows


class CaseTable(Rows):
    """A table with one row a case. case_column: None for the first."""

    def __init__(self, path: Path, case_column: str | None = None) -> None:
        super().__init__(path)
        if not self.rows:
            raise StudyError(f"{path.name} holds a header and no case.")
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

    def row_of(self, case: str, asker: str) -> int:
        """Number of the case's row; raises StudyError if it is absent."""
        if case not in self._row:
            raise StudyError(f"{asker} names the case {case!r}, which {self.name} does not hold.")
        return self._row[case]


def _bounded(lines: Iterator[str], name: str) -> Iterator[str]:
    """The lines, until there are more or longer ones than a table has."""
    for number, line in enumerate(lines):
        if number > MOST_ROWS or len(line) > LONGEST_LINE:
            raise StudyError(
                f"{name} goes beyond {MOST_ROWS} lines or {LONGEST_LINE} characters a line. Give a part of it."
            )
        yield line


def patients_of(path: Path, cases: Sequence[str], patient_columns: Sequence[str]) -> list[str]:
    """The patient of each case from a table whose first column names the case.

    patient_columns: names that are looked for. Raises UsageError without such a column, StudyError for a case that
    the table does not hold.
    """
    table = CaseTable(path)
    name = next((name for name in patient_columns if name in table.header[1:]), None)
    if name is None:
        table.require(patient_columns[0])
    patients = table.column(str(name))
    return [patients[table.row_of(case, "the data")] for case in cases]


def groups_of(
    path: Path, case_column: str, cases: Sequence[str], columns: Sequence[str]
) -> dict[str, NDArray[np.str_]]:
    """Values (n,) of each column for these cases; an empty cell is `unstated`.

    Raises UsageError for a column that the table lacks, StudyError for a case.
    """
    table = CaseTable(path, case_column)
    rows = [table.row_of(case, "the data") for case in cases]
    found = {}
    for name in columns:
        cells = table.column(name)
        found[name] = np.array([cells[row] or "unstated" for row in rows])
    return found
