"""measurements.csv: one row a measurement, for spreadsheets and statistics (RFC 4180)."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from hounsfield.results.writer import Context, result_writer

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Finding, Measurement

HEADER = (
    *("application", "finding", "name", "value", "unit", "unit_sign", "uncertainty", "quantity"),
    *("quantity_code", "quantity_scheme", "derivation", "regions", "rule", "rule_version", "note"),
)


def _no_measurements(context: Context) -> str | None:
    return None if context.reading.all_measurements() else "the reading holds no measurement"


@result_writer("measurements_csv", left_out_because=_no_measurements)
def write_measurements_csv(context: Context, folder: Path) -> list[Path]:
    """Write `measurements.csv`: numbers as computed, UCUM units, regions separated by `;`."""
    reading = context.reading
    rows = [_row(reading.application, None, m) for m in reading.measurements]
    rows += [_row(reading.application, f, m) for f in reading.findings for m in f.measurements]
    path = folder / "measurements.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows)
    return [path]


def _row(application: str, finding: Finding | None, measurement: Measurement) -> list[str]:
    quantity, derivation = measurement.quantity, measurement.derivation
    uncertainty = measurement.uncertainty
    name = _text(finding.name) if finding else ""
    return [
        *(_text(application), name, _text(measurement.name)),
        *(repr(float(measurement.value)), measurement.unit, measurement.unit_sign),
        "" if uncertainty is None else repr(float(uncertainty)),
        *(_text(quantity.meaning), quantity.value, quantity.scheme),
        _text(derivation.meaning) if derivation else "",
        _text(";".join(measurement.regions)),
        *(_text(measurement.rule), _text(measurement.rule_version), _text(measurement.note)),
    ]


def _text(value: str) -> str:
    """A text that a spreadsheet does not run as a formula: names of regions can come from outside."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
