"""`hounsfield measure RULE --course FILE`: a rule at every visit of a patient, and its chart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

from hounsfield.cli._terminal import print_json, print_tables, table
from hounsfield.core import RESEARCH_USE, Given, RuleInput, Trend
from hounsfield.core.errors import StudyError, UsageError
from hounsfield.core.exact import shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hounsfield.core import Measure

# Rules that hold over visits, and the trend of a reading that answers each.
TREND_OF = {"recist-1.1": "sum-of-diameters", "irecist-2017": "sum-of-diameters", "vdt": "volume"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionVolume(RuleInput):
    """One lesion at one visit."""

    name: Annotated[str, Given("", "name of the lesion, the same at every visit")]
    volume_mm3: Annotated[float, Given("mm3", "its volume; 0: gone", at_least=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeVisit(RuleInput):
    """The volumes that were measured at one visit."""

    day: Annotated[int, Given("d", "days since the first visit")]
    lesions: Annotated[tuple[LesionVolume, ...], Given("", "lesions that were measured")]


@dataclass(frozen=True, slots=True)
class _Answer:
    """rows: under `heads`, one a visit. records: the same for programs."""

    trend: Trend
    heads: tuple[str, ...]
    rows: list[list[str]]
    records: list[dict[str, Any]]


def answer_course(rule: Measure, path: Path, chart: Path | None, *, as_json: bool) -> None:
    """Read visits (or the trends of a reading.json) from `path`, print the rule's answers, draw the chart."""
    name = rule.card.name
    if name not in TREND_OF:
        raise UsageError(f"rule {name} is not one of a course. --course is for {', '.join(TREND_OF)}.")
    record = _read(path)
    answer = _of_reading(name, record, path) if isinstance(record, dict) else _ANSWERS[name](record)
    if chart is not None:
        _draw(answer.trend, chart)
    if as_json:
        print_json(
            {
                "notice": RESEARCH_USE,
                "rule": rule.card.to_json(),
                "course": answer.records,
                "trend": answer.trend.to_json(),
            }
        )
        return
    print(f"{name} {rule.card.version}. {rule.card.source}.")
    print_tables(table("", list(answer.heads), answer.rows))
    if chart is not None:
        print(f"Chart: {chart}")
    print(RESEARCH_USE)


def _draw(trend: Trend, path: Path) -> None:
    from hounsfield.reports import chart_file

    drawn = chart_file(trend, path.suffix.lower())
    try:
        path.write_bytes(drawn)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. Choose another place.") from error


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}. Give a JSON file of visits, or a reading.json."
        ) from error
    except ValueError as error:
        raise StudyError(f"{path} is no JSON ({error}). Give a list of visits, or a reading.json.") from error


def _visits(record: Any, kind: type[RuleInput]) -> list[Any]:
    if not isinstance(record, list) or not record or not all(isinstance(one, dict) for one in record):
        raise UsageError(
            "a course is a JSON list of visits, each with its day: see `hu measure RULE --explain`."
        )
    return [kind.from_mapping(one) for one in record]


def _recist(record: Any) -> _Answer:
    from hounsfield.measures import TumourVisit, irecist_over_time, recist_over_time, recist_trend

    visits: list[TumourVisit] = _visits(record, TumourVisit)
    outcomes, states = recist_over_time(visits), irecist_over_time(visits)
    first = visits[0]
    rows = [[str(first.day), shown(first.sum_mm), "", "", "baseline", "baseline", "baseline"]]
    records: list[dict[str, Any]] = [
        {"day": first.day, "sum_mm": first.sum_mm, "outcome": None, "irecist": None}
    ]
    for visit, outcome, state in zip(visits[1:], outcomes, states, strict=True):
        changes = [outcome.value(f"change-from-{what}") for what in ("baseline", "nadir")]
        words = [outcome.category(f"{what}-response") or "" for what in ("target", "overall")]
        told = ["" if change is None else f"{change:+.1f}" for change in changes]
        rows.append([str(visit.day), shown(visit.sum_mm), *told, *words, state])
        records.append(
            {"day": visit.day, "sum_mm": visit.sum_mm, "outcome": outcome.to_json(), "irecist": state}
        )
    heads = ("day", "sum, mm", "from baseline, %", "from nadir, %", "targets", "overall", "iRECIST")
    return _Answer(recist_trend(visits), heads, rows, records)


def _doubling(record: Any) -> _Answer:
    from hounsfield.measures import NoduleAtTwoTimes, vdt, volume_trend

    visits: list[VolumeVisit] = _visits(record, VolumeVisit)
    days = [visit.day for visit in visits]
    if days != sorted(set(days)):
        raise UsageError(f"the days of the visits are {days}, and they must rise. Sort them.")
    names = dict.fromkeys(one.name for visit in visits for one in visit.lesions)
    volumes = {
        name: [(visit.day, one.volume_mm3) for visit in visits for one in visit.lesions if one.name == name]
        for name in names
    }
    rows, records = [], []
    for name, points in volumes.items():
        there = [(day, mm3) for day, mm3 in points if mm3 > 0]
        for (before, v1), (day, v2) in pairwise(there):
            outcome = vdt(NoduleAtTwoTimes(v1_mm3=v1, v2_mm3=v2, days=day - before))
            time = outcome.value("vdt")
            change = outcome.value("volume-change") or 0.0
            words = [outcome.category(what) or "" for what in ("growth-state", "vdt-band")]
            told = "" if time is None else shown(round(time))
            rows.append([name, f"{before} to {day}", f"{change:+.1f}", told, *words])
            records.append({"lesion": name, "from_day": before, "day": day, "outcome": outcome.to_json()})
    heads = ("lesion", "days", "volume, %", "doubling time, days", "growth", "band")
    return _Answer(volume_trend(volumes), heads, rows, records)


def _of_reading(name: str, record: dict[str, Any], path: Path) -> _Answer:
    """The trend that an application wrote; its numbers are shown as they are and not computed again."""
    wanted = TREND_OF[name]
    try:
        trends = [Trend.from_json(one) for one in record.get("trends", ())]
    except (KeyError, TypeError, ValueError) as error:
        raise StudyError(
            f"{path} is no reading.json of this program ({error}). Write the reading anew."
        ) from error
    found = [trend for trend in trends if trend.name == wanted]
    if not found:
        raise StudyError(
            f"{path} holds no trend {wanted!r} for rule {name}. Give the reading.json of an application over several "
            "visits (lesion_growth), or a JSON list of visits."
        )
    trend = found[0]
    measured = [curve for curve in trend.curves if curve.kind == "measured"]
    marks = dict(trend.marks)
    rows = [
        [
            shown(day),
            *("" if (value := one.at(day)) is None else shown(value) for one in measured),
            marks.get(day, ""),
        ]
        for day in trend.days
    ]
    records = [
        {"day": day, "values": {one.label: one.at(day) for one in measured}, "response": marks.get(day)}
        for day in trend.days
    ]
    heads = ("day", *(f"{one.label}, {trend.unit_sign}" for one in measured), "response")
    return _Answer(trend, heads, rows, records)


_ANSWERS: dict[str, Callable[[Any], _Answer]] = {
    "recist-1.1": _recist,
    "irecist-2017": _recist,
    "vdt": _doubling,
}
