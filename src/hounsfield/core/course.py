"""The readings of one patient over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from hounsfield.core.measurement import Measurement
    from hounsfield.core.reading import Reading


@dataclass(frozen=True, slots=True)
class TimePoint:
    """A reading and its day, counted from the first of its course: no date is kept."""

    day: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class Course:
    """Time points in their order; that they are of one patient is for whoever makes it to know.

    Raises RefusedInput where the first day is not 0, days do not rise, a reading was refused, or the
    readings are of different applications (whose figures cannot be compared).
    """

    points: tuple[TimePoint, ...]

    def __post_init__(self) -> None:
        days = [point.day for point in self.points]
        if not days or days[0] != 0 or days != sorted(set(days)):
            raise RefusedInput(
                f"the days of a course are {days}: they begin with 0 and rise. Sort the readings."
            )
        refused = [point.day for point in self.points if point.reading.status == "refused"]
        if refused:
            raise RefusedInput(
                f"the reading of day {refused[0]} was refused: leave it out, or read it again."
            )
        applications = sorted({point.reading.application for point in self.points})
        if len(applications) > 1:
            raise RefusedInput(
                f"the readings are of {' and '.join(applications)}: a course is of one application."
            )

    def followed(self, lesion: str, name: str) -> tuple[tuple[int, Measurement], ...]:
        """Day and measurement `name` of the finding whose tracking identifier is `lesion`, where measured."""
        return tuple(
            (point.day, measured)
            for point in self.points
            for finding in point.reading.findings
            if finding.tracking_identifier == lesion
            for measured in finding.measurements
            if measured.name == name
        )

    @property
    def lesions(self) -> tuple[str, ...]:
        """Tracking identifiers in the order in which they appear."""
        found = [
            finding.tracking_identifier
            for point in self.points
            for finding in point.reading.findings
            if finding.tracking_identifier
        ]
        return tuple(dict.fromkeys(found))
