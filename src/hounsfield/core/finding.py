"""What a reading says about the patient: a concept, whether it is present, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from hounsfield.core.code import Code
    from hounsfield.core.measurement import Measurement

Presence = Literal["present", "absent", "indeterminate"]


class Urgency(Enum):
    """Classes of the ACR Actionable Reporting Work Group (J Am Coll Radiol 2014) plus routine."""

    U0 = "routine"
    U1 = "minutes"
    U2 = "hours"
    U3 = "days"


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement of a reading.

    name: unique within the reading, kebab-case. presence: `absent` only where the region was covered
    and its quality sufficed. probability: calibrated, in [0, 1], with the calibrator's name; a raw
    network output goes to `score` and is never shown as a probability. regions: names of Regions.
    reason: one sentence that says what the statement rests on. at_prevalence: the probability corrected for the share
    `prevalence` that a user states for the site; both or neither.
    """

    name: str
    concept: Code
    presence: Presence
    reason: str
    probability: float | None = None
    calibrator: str | None = None
    score: float | None = None
    site: Code | None = None
    laterality: Code | None = None
    regions: tuple[str, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    urgency: Urgency = Urgency.U0
    tracking_identifier: str | None = None
    at_prevalence: float | None = None
    prevalence: float | None = None

    def __post_init__(self) -> None:
        if self.probability is not None and not self.calibrator:
            raise ValueError(f"finding {self.name!r} states a probability without naming its calibrator")
        if self.probability is not None and not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"finding {self.name!r} has probability {self.probability}, outside [0, 1]")
        if (self.at_prevalence is None) != (self.prevalence is None):
            raise ValueError(
                f"finding {self.name!r} states a corrected probability without its prevalence, or reversed"
            )
        if self.at_prevalence is not None and self.probability is None:
            raise ValueError(f"finding {self.name!r} corrects a probability that it does not state")
        if not self.reason.strip():
            raise ValueError(f"finding {self.name!r} gives no reason")

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json`."""
        return {
            "name": self.name,
            "concept": self.concept.to_json(),
            "presence": self.presence,
            "probability": self.probability,
            "calibrator": self.calibrator,
            "at_prevalence": self.at_prevalence,
            "prevalence": self.prevalence,
            "score": self.score,
            "site": self.site.to_json() if self.site else None,
            "laterality": self.laterality.to_json() if self.laterality else None,
            "regions": list(self.regions),
            "measurements": [m.to_json() for m in self.measurements],
            "urgency": self.urgency.name,
            "tracking_identifier": self.tracking_identifier,
            "reason": self.reason,
        }
