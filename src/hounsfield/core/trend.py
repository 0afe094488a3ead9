"""Numbers of one kind over the days of a patient: what a chart and a table of visits are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hounsfield.core.code import Code
from hounsfield.core.measurement import UNIT_SIGNS

if TYPE_CHECKING:
    from collections.abc import Mapping

CurveKind = Literal["measured", "limit", "model"]


@dataclass(frozen=True, slots=True)
class Curve:
    """One line over days. points: (day, value), days rising; days count from the first visit, no date is kept.

    kind: `measured` (a number at each visit), `limit` (a threshold of a rule), `model` (a line that a rule
    fits, such as a constant doubling time).
    """

    label: str
    points: tuple[tuple[float, float], ...]
    kind: CurveKind = "measured"

    def __post_init__(self) -> None:
        days = [day for day, _ in self.points]
        if not self.label or not self.points:
            raise ValueError("a curve needs a label and at least one point")
        if days != sorted(days) or (self.kind == "measured" and len(set(days)) != len(days)):
            raise ValueError(f"the days of curve {self.label!r} do not rise: {days}")
        if not all(math.isfinite(value) for _, value in self.points):
            raise ValueError(f"curve {self.label!r} holds a value that is no finite number")

    def at(self, day: float) -> float | None:
        """The value at that day, None where there is none."""
        return next((value for at, value in self.points if at == day), None)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Curve:
        """From the form used in `reading.json`; raises KeyError or ValueError for another form."""
        points = tuple((float(day), float(value)) for day, value in record["points"])
        return cls(record["label"], points, record["kind"])

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json`."""
        return {"label": self.label, "kind": self.kind, "points": [list(point) for point in self.points]}


@dataclass(frozen=True, slots=True)
class Trend:
    """Curves of one quantity and unit, as one chart and one table.

    name: kebab-case, unique within a reading. quantity: its code; unit: UCUM. rule and version: what computed
    the numbers. marks: a word at a day, such as the response at each visit. logarithmic: whether equal
    steps stand for equal ratios, as for volumes that double.
    """

    name: str
    title: str
    quantity: Code
    unit: str
    rule: str
    rule_version: str
    curves: tuple[Curve, ...]
    marks: tuple[tuple[float, str], ...] = ()
    logarithmic: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if self.unit not in UNIT_SIGNS:
            raise ValueError(f"trend {self.name!r} has unit {self.unit!r}, which is not in UNIT_SIGNS")
        if not self.rule or not self.rule_version:
            raise ValueError(f"trend {self.name!r} names no rule or no version of it")
        if not any(curve.kind == "measured" for curve in self.curves):
            raise ValueError(f"trend {self.name!r} holds no measured curve")
        if self.logarithmic and any(value <= 0 for curve in self.curves for _, value in curve.points):
            raise ValueError(f"trend {self.name!r} is logarithmic and holds a value that is not above 0")

    @property
    def unit_sign(self) -> str:
        """The unit as people write it."""
        return UNIT_SIGNS[self.unit]

    @property
    def days(self) -> tuple[float, ...]:
        """Days on which something was measured, rising."""
        return tuple(
            sorted({day for curve in self.curves if curve.kind == "measured" for day, _ in curve.points})
        )

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Trend:
        """From the form used in `reading.json`; raises KeyError or ValueError for another form."""
        return cls(
            name=record["name"],
            title=record["title"],
            quantity=Code(**record["quantity"]),
            unit=record["unit"],
            rule=record["rule"],
            rule_version=record["rule_version"],
            curves=tuple(Curve.from_json(one) for one in record["curves"]),
            marks=tuple((float(day), str(word)) for day, word in record["marks"]),
            logarithmic=bool(record["logarithmic"]),
            note=record["note"],
        )

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json`."""
        return {
            "name": self.name,
            "title": self.title,
            "quantity": self.quantity.to_json(),
            "unit": self.unit,
            "rule": self.rule,
            "rule_version": self.rule_version,
            "logarithmic": self.logarithmic,
            "curves": [curve.to_json() for curve in self.curves],
            "marks": [list(mark) for mark in self.marks],
            "note": self.note,
        }
