"""Growth of the lesions of a course: doubling time from each measured visit to the next."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hounsfield.core.errors import UnitError
from hounsfield.measures.vdt import NoduleAtTwoTimes, vdt

if TYPE_CHECKING:
    from hounsfield.core import Course, Outcome

MM3_PER_UNIT = {"mm3": 1, "cm3": 1000, "ml": 1000}


def vdt_over_time(course: Course, lesion: str, *, name: str = "volume") -> tuple[Outcome, ...]:
    """Change and doubling time of one lesion between successive visits that measured it.

    lesion: tracking identifier. name: the measurement of its volume. Raises UnitError for a
    measurement that is no volume, RefusedInput as `vdt` does.
    """
    outcomes = []
    for (day, before), (later, after) in pairwise(course.followed(lesion, name)):
        for measured in (before, after):
            if measured.unit not in MM3_PER_UNIT:
                raise UnitError(
                    f"measurement {name!r} is in {measured.unit}, which is no volume. Name another one."
                )
        nodule = NoduleAtTwoTimes(
            v1_mm3=before.value * MM3_PER_UNIT[before.unit],
            v2_mm3=after.value * MM3_PER_UNIT[after.unit],
            days=later - day,
        )
        outcomes.append(vdt(nodule))
    return tuple(outcomes)
