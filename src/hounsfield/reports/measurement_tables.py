"""Measurements as tables: one block a region, or one row a region where several share the same measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.reports.names import (
    full_value,
    note_text,
    quantity_label,
    region_labels,
    shown_unit,
    written_number,
    written_uncertainty,
    written_value,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Measurement, Reading

    Places = tuple[str, ...]

_FEWEST_ROWS = 3  # two lungs read best one below the other, five lesions as rows of one table
_MOST_COLUMNS = 10
WHOLE = "Whole image"


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """One measurement; full: the number as stored."""

    label: str
    note: str
    value: str
    full: str
    uncertainty: str
    rule: str


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """What all numbers of a column have in common; note: of their notes what they share."""

    label: str
    note: str
    unit: str
    rule: str


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One number of a matrix; uncertainty "" where it is not known; note: what is said of this number alone."""

    value: str
    full: str
    uncertainty: str
    note: str


@dataclass(frozen=True, slots=True)
class MeasurementMatrix:
    """Regions as rows, measures as columns."""

    columns: tuple[MatrixColumn, ...]
    rows: tuple[tuple[str, tuple[MatrixCell, ...]], ...]

    @property
    def remark(self) -> str:
        """Rules, and whether uncertainty is known."""
        rules = ", ".join(dict.fromkeys(column.rule for column in self.columns))
        unknown = any(not cell.uncertainty for _, cells in self.rows for cell in cells)
        return f"Rules: {rules}." + (" Uncertainty is not known where none is given." if unknown else "")


@dataclass(frozen=True, slots=True)
class MeasurementTables:
    """All measurements of a reading: matrices of regions measured alike, blocks for the rest."""

    matrices: tuple[MeasurementMatrix, ...]
    blocks: tuple[tuple[str, tuple[MeasurementRow, ...]], ...]


def tabulate(reading: Reading) -> MeasurementTables:
    """The measurements of `reading` by the regions that they came from, in the order of first appearance."""
    groups: dict[Places, list[Measurement]] = {}
    for measurement in dict.fromkeys(reading.all_measurements()):
        groups.setdefault(measurement.regions, []).append(measurement)
    alike: dict[tuple[tuple[str, ...], ...], list[Places]] = {}
    for where, measurements in groups.items():
        alike.setdefault(tuple(_kind(m) for m in measurements), []).append(where)
    in_matrix = [
        places
        for kinds, places in alike.items()
        if len(places) >= _FEWEST_ROWS and len(kinds) <= _MOST_COLUMNS
    ]
    shown = {place for places in in_matrix for place in places}
    labels = {place: region_labels(place, reading) or WHOLE for place in groups}
    return MeasurementTables(
        matrices=tuple(
            _matrix([labels[place] for place in places], [groups[place] for place in places])
            for places in in_matrix
        ),
        blocks=tuple(
            (labels[place], tuple(_row(m) for m in measurements))
            for place, measurements in groups.items()
            if place not in shown
        ),
    )


def _kind(measurement: Measurement) -> tuple[str, ...]:
    """What measurements must share to stand in one column."""
    rule = f"{measurement.rule} {measurement.rule_version}"
    return (measurement.name, quantity_label(measurement), measurement.unit, rule)


def _matrix(labels: Sequence[str], groups: Sequence[Sequence[Measurement]]) -> MeasurementMatrix:
    columns = [_column(measurements) for measurements in zip(*groups, strict=True)]
    rows = (
        (label, tuple(_cell(m, column) for m, column in zip(measurements, columns, strict=True)))
        for label, measurements in zip(labels, groups, strict=True)
    )
    return MeasurementMatrix(tuple(columns), tuple(rows))


def _column(measurements: Sequence[Measurement]) -> MatrixColumn:
    one = measurements[0]
    return MatrixColumn(
        label=quantity_label(one),
        note=note_text(_shared([m.note for m in measurements])),
        unit=shown_unit(one),
        rule=f"{one.rule} {one.rule_version}",
    )


def _shared(notes: Sequence[str]) -> str:
    """What all notes say: all of them, or their part before the colon, or nothing."""
    for said in (set(notes), {note.partition(": ")[0] for note in notes}):
        if len(said) == 1:
            return said.pop()
    return ""


def _cell(measurement: Measurement, column: MatrixColumn) -> MatrixCell:
    note = note_text(measurement.note)
    number = measurement.uncertainty
    return MatrixCell(
        value=written_number(measurement.value, measurement.unit),
        full=full_value(measurement),
        uncertainty="" if number is None else f"± {written_number(number, measurement.unit)}",
        note=note.removeprefix(column.note).removeprefix(": ") if column.note else note,
    )


def _row(measurement: Measurement) -> MeasurementRow:
    return MeasurementRow(
        label=quantity_label(measurement),
        note=note_text(measurement.note),
        value=written_value(measurement),
        full=full_value(measurement),
        uncertainty=written_uncertainty(measurement),
        rule=f"{measurement.rule} {measurement.rule_version}",
    )
