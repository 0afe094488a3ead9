"""Measurements as tables: one block a region, or one matrix where several regions share the same measures."""

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

_FEWEST_REGIONS = 2
_MOST_COLUMNS = 6  # more do not fit the width of a printed page
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
class MatrixHead:
    """What all numbers of a row or column have in common; note: of their notes what they share.

    The head of a region has a label alone.
    """

    label: str
    note: str = ""
    unit: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One number of a matrix; uncertainty "" where it is not known; note: what is said of this number alone."""

    value: str
    full: str
    uncertainty: str
    note: str


@dataclass(frozen=True, slots=True)
class MeasurementMatrix:
    """Measures as rows and regions as columns, or the other way round where there are many regions."""

    corner: str
    columns: tuple[MatrixHead, ...]
    rows: tuple[tuple[MatrixHead, tuple[MatrixCell, ...]], ...]

    @property
    def remark(self) -> str:
        """Rules, and whether uncertainty is known."""
        heads = [*self.columns, *(head for head, _ in self.rows)]
        rules = ", ".join(dict.fromkeys(head.rule for head in heads if head.rule))
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
    in_matrix = [places for places in alike.values() if len(places) >= _FEWEST_REGIONS]
    shown = {place for places in in_matrix for place in places}
    labels = {place: region_labels(place, reading) or WHOLE for place in groups}
    return MeasurementTables(
        matrices=tuple(
            matrix
            for places in in_matrix
            for matrix in _matrices([labels[place] for place in places], [groups[place] for place in places])
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


def _matrices(labels: Sequence[str], groups: Sequence[Sequence[Measurement]]) -> list[MeasurementMatrix]:
    """The numbers of regions measured alike; as several tables where one would be too wide."""
    regions = [MatrixHead(label) for label in labels]
    by_measure = list(zip(*groups, strict=True))
    measures = [_head(measurements) for measurements in by_measure]
    cells = [[_cell(m, head) for m in row] for row, head in zip(by_measure, measures, strict=True)]
    if len(regions) > _MOST_COLUMNS >= len(measures):
        by_region = tuple(zip(regions, zip(*cells, strict=True), strict=True))
        return [MeasurementMatrix("Region", tuple(measures), by_region)]
    return [
        MeasurementMatrix(
            "Quantity",
            tuple(regions[first : first + _MOST_COLUMNS]),
            tuple(
                (head, tuple(row[first : first + _MOST_COLUMNS]))
                for head, row in zip(measures, cells, strict=True)
            ),
        )
        for first in range(0, len(regions), _MOST_COLUMNS)
    ]


def _head(measurements: Sequence[Measurement]) -> MatrixHead:
    one = measurements[0]
    notes = [_parts(m.note) for m in measurements]
    shared = [part for part in notes[0] if all(part in parts for parts in notes)]
    return MatrixHead(
        label=quantity_label(one),
        note="; ".join(shared),
        unit=shown_unit(one),
        rule=f"{one.rule} {one.rule_version}",
    )


def _parts(note: str) -> list[str]:
    return [part for part in note_text(note).replace(": ", "; ").split("; ") if part]


def _cell(measurement: Measurement, head: MatrixHead) -> MatrixCell:
    number = measurement.uncertainty
    shared = head.note.split("; ")
    return MatrixCell(
        value=written_number(measurement.value, measurement.unit),
        full=full_value(measurement),
        uncertainty="" if number is None else f"± {written_number(number, measurement.unit)}",
        note="; ".join(part for part in _parts(measurement.note) if part not in shared),
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
