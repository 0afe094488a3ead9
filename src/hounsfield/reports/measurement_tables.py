"""Measurements as tables: one block a region, or one row a region where several share the same measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.reports.names import (
    full_value,
    quantity_label,
    region_labels,
    written_number,
    written_uncertainty,
    written_value,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Measurement, Reading

_FEWEST_ROWS = 3  # two lungs read best one below the other, five lesions as rows of one table
_MOST_COLUMNS = 9
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
    """What all numbers of a column have in common."""

    label: str
    note: str
    unit: str
    rule: str


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One number of a matrix; uncertainty "" where it is not known."""

    value: str
    full: str
    uncertainty: str


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
    groups: dict[str, list[Measurement]] = {}
    for measurement in dict.fromkeys(reading.all_measurements()):
        where = region_labels(measurement.regions, reading) or WHOLE
        groups.setdefault(where, []).append(measurement)
    alike: dict[tuple[MatrixColumn, ...], list[str]] = {}
    for where, measurements in groups.items():
        alike.setdefault(tuple(_column(m) for m in measurements), []).append(where)
    in_matrix = {
        columns: names
        for columns, names in alike.items()
        if len(names) >= _FEWEST_ROWS and len(columns) <= _MOST_COLUMNS
    }
    shown = {name for names in in_matrix.values() for name in names}
    return MeasurementTables(
        matrices=tuple(
            MeasurementMatrix(columns, tuple((name, _cells(groups[name])) for name in names))
            for columns, names in in_matrix.items()
        ),
        blocks=tuple(
            (name, tuple(_row(m) for m in measurements))
            for name, measurements in groups.items()
            if name not in shown
        ),
    )


def _column(measurement: Measurement) -> MatrixColumn:
    rule = f"{measurement.rule} {measurement.rule_version}"
    return MatrixColumn(quantity_label(measurement), measurement.note, measurement.unit_sign, rule)


def _cells(measurements: Sequence[Measurement]) -> tuple[MatrixCell, ...]:
    return tuple(
        MatrixCell(
            value=written_number(m.value, m.unit),
            full=full_value(m),
            uncertainty="" if m.uncertainty is None else f"± {written_number(m.uncertainty, m.unit)}",
        )
        for m in measurements
    )


def _row(measurement: Measurement) -> MeasurementRow:
    return MeasurementRow(
        label=quantity_label(measurement),
        note=measurement.note,
        value=written_value(measurement),
        full=full_value(measurement),
        uncertainty=written_uncertainty(measurement),
        rule=f"{measurement.rule} {measurement.rule_version}",
    )
