"""Trends as tables: a row for each curve that was measured, a column for each visit, and the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core.exact import shown
from hounsfield.reports.names import written_number

if TYPE_CHECKING:
    from hounsfield.core import Curve, Reading, Trend

NOT_MEASURED = "-"
_MOST_VISITS = 8  # columns; of more the first and the latest are shown


@dataclass(frozen=True, slots=True)
class TrendTable:
    """title: with the unit. days: heads of the columns. rows: label, a cell a day, change from the first number.

    marks: a word a day ("" where there is none), or nothing. remark: rule, and what the table leaves out.
    """

    title: str
    days: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...], str], ...]
    marks: tuple[str, ...]
    remark: str


def trend_tables(reading: Reading) -> tuple[TrendTable, ...]:
    """One table for each trend of `reading`."""
    return tuple(_table(trend) for trend in reading.trends)


def _table(trend: Trend) -> TrendTable:
    days = trend.days
    kept = days if len(days) <= _MOST_VISITS else (days[0], *days[-_MOST_VISITS + 1 :])
    marks = dict(trend.marks)
    remarks = [f"Rule: {trend.rule} {trend.rule_version}.", trend.note]
    if len(kept) < len(days):
        remarks.append(f"{len(days) - len(kept)} visits between are in reading.json and on the chart.")
    return TrendTable(
        title=f"{trend.title}, {trend.unit_sign}",
        days=tuple(f"Day {shown(day)}" for day in kept),
        rows=tuple(
            (curve.label, tuple(_cell(curve, day, trend.unit) for day in kept), _change(curve))
            for curve in trend.curves
            if curve.kind == "measured"
        ),
        marks=tuple(marks.get(day, "") for day in kept) if marks else (),
        remark=" ".join(remark for remark in remarks if remark),
    )


def _cell(curve: Curve, day: float, unit: str) -> str:
    value = curve.at(day)
    return NOT_MEASURED if value is None else written_number(value, unit)


def _change(curve: Curve) -> str:
    """In % of the first number; nothing where there is one number, or the first is 0."""
    first, last = curve.points[0][1], curve.points[-1][1]
    if len(curve.points) < 2 or first == 0:
        return NOT_MEASURED
    return f"{100 * (last - first) / first:+.0f} %"
