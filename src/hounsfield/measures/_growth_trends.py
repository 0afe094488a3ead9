"""RECIST and doubling times as curves over the days of one patient: what charts and tables are drawn from."""

from __future__ import annotations

from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING

from hounsfield.core import Curve, Trend
from hounsfield.core.code import LONG_AXIS, VOLUME
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._target_response import (
    PARTIAL_RESPONSE_PERCENT,
    PROGRESSION_MM,
    PROGRESSION_PERCENT,
    SUM_OF_DIAMETERS,
)
from hounsfield.measures._tumour_visits import recist_over_time
from hounsfield.measures.longest_diameter import CARD as LONGEST
from hounsfield.measures.recist_1_1 import CARD as RECIST
from hounsfield.measures.vdt import CARD as VDT
from hounsfield.measures.vdt import NoduleAtTwoTimes, vdt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hounsfield.measures._lesion_response import FollowedLesion
    from hounsfield.measures._tumour_visits import TumourVisit

SUM_LABEL = "Sum of targets"
PARTIAL_LABEL = f"Partial response: {PARTIAL_RESPONSE_PERCENT} % below baseline"
PROGRESSION_LABEL = f"Progression: {PROGRESSION_PERCENT} % and {PROGRESSION_MM} mm above nadir"


def recist_trend(visits: Sequence[TumourVisit]) -> Trend:
    """Sum and diameters of the targets at every visit, the limits of RECIST 1.1, and the response at each visit.

    The limit of progression holds from one visit to the next and follows the nadir of the visits before.
    Visits with a target that was not measured have no sum. Raises RefusedInput as `recist_over_time` does.
    """
    outcomes = recist_over_time(visits)
    whole = [visit for visit in visits if all(one.counted_mm is not None for one in visit.targets)]
    sums = tuple((visit.day, visit.sum_mm) for visit in whole)
    single = {
        one.name: tuple(
            (visit.day, found.counted_mm)
            for visit in visits
            for found in visit.targets
            if found.name == one.name and found.counted_mm is not None
        )
        for one in visits[0].targets
    }
    curves = [Curve(name, points) for name, points in single.items() if points and len(single) > 1]
    curves.append(Curve(SUM_LABEL, sums))
    first, last = visits[0].day, visits[-1].day
    if len(visits) > 1:
        partial_mm = float(exact(visits[0].sum_mm) * (100 - PARTIAL_RESPONSE_PERCENT) / 100)
        curves.append(Curve(PARTIAL_LABEL, ((first, partial_mm), (last, partial_mm)), "limit"))
        curves.append(Curve(PROGRESSION_LABEL, _progression(visits), "limit"))
    marks = [(float(first), "baseline")]
    marks += [
        (float(visit.day), outcome.category("overall-response") or "NE")
        for visit, outcome in zip(visits[1:], outcomes, strict=True)
    ]
    return Trend(
        name="sum-of-diameters",
        title="Diameters of target lesions",
        quantity=SUM_OF_DIAMETERS,
        unit="mm",
        rule=RECIST.name,
        rule_version=RECIST.version,
        curves=tuple(curves),
        marks=tuple(marks),
        note="Two readers' sums differ by about +-20 % (95 %).",
    )


def _progression(visits: Sequence[TumourVisit]) -> tuple[tuple[float, float], ...]:
    """The sum from which each visit would be progression, as steps that end at the visit."""
    nadir_mm = visits[0].sum_mm
    points: list[tuple[float, float]] = []
    for before, visit in pairwise(visits):
        if all(one.counted_mm is not None for one in before.targets):
            nadir_mm = min(nadir_mm, before.sum_mm)
        by_percent = exact(nadir_mm) * (100 + PROGRESSION_PERCENT) / 100
        limit_mm = float(max(by_percent, exact(nadir_mm) + PROGRESSION_MM))
        points += [(before.day, limit_mm), (visit.day, limit_mm)]
    return tuple(points)


def diameter_trend(days: Sequence[int], lesions: Sequence[FollowedLesion]) -> Trend:
    """Longest diameters of all lesions (of lymph nodes the short axis), where they were measured. RefusedInput without any."""
    curves = []
    for lesion in lesions:
        points = tuple((day, mm) for day, mm in zip(days, lesion.counted_mm, strict=True) if mm is not None)
        if points:
            curves.append(Curve(f"{lesion.label}, short axis" if lesion.is_node else lesion.label, points))
    if not curves:
        raise RefusedInput("no lesion was measured at any visit: there is nothing to draw.")
    return Trend(
        name="diameters",
        title="Diameters of all lesions",
        quantity=LONG_AXIS,
        unit="mm",
        rule=LONGEST.name,
        rule_version=LONGEST.version,
        curves=tuple(curves),
    )


def volume_trend(volumes_mm3: Mapping[str, Sequence[tuple[int, float]]]) -> Trend:
    """Volumes by lesion and day, in ml and on a scale of ratios, with a line of constant doubling time for each.

    The line runs from the first to the last volume above 0 of a lesion that grew by what `vdt` calls growth,
    and its label says the doubling time; a lesion without one has no line. Raises RefusedInput without any
    volume above 0.
    """
    curves, lines = [], []
    for name, points in volumes_mm3.items():
        there = [(day, mm3) for day, mm3 in points if mm3 > 0]
        if not there:
            continue
        curves.append(Curve(name, tuple((day, mm3 / 1000) for day, mm3 in there)))
        doubling_days = _doubling_days(there[0], there[-1])
        if doubling_days is not None:
            line = ((there[0][0], there[0][1] / 1000), (there[-1][0], there[-1][1] / 1000))
            lines.append(Curve(f"{name}: doubles in {shown(round(doubling_days))} days", line, "model"))
    if not curves:
        raise RefusedInput("no lesion has a volume above 0 at any visit: there is nothing to draw.")
    return Trend(
        name="volume",
        title="Volumes of lesions",
        quantity=VOLUME,
        unit="ml",
        rule=VDT.name,
        rule_version=VDT.version,
        curves=(*curves, *lines),
        logarithmic=True,
        note="A lesion that is gone has no point; a straight line is a constant doubling time.",
    )


def _doubling_days(first: tuple[int, float], last: tuple[int, float]) -> float | None:
    """By the rule `vdt`; None where it gives none."""
    try:
        outcome = vdt(NoduleAtTwoTimes(v1_mm3=first[1], v2_mm3=last[1], days=last[0] - first[0]))
    except RefusedInput:
        return None
    if outcome.category("growth-state") != "growing":
        return None
    return (last[0] - first[0]) / log2(last[1] / first[1])
