"""Synthetic courses of patients (P-SER): visits at irregular dates with a latent stage, laboratory values and pictures.

A disease stage grows in each patient at a rate of its own. Laboratory values and the size of a structure in a small
picture follow the stage with noise; any of them may be missing. Whether a patient progresses is decided by the
rate alone, so a learner has to divide change by time: when visits come irregularly, their number and order
do not tell it. All numbers are round ones chosen for tests and belong to no disease.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.phantoms.dicom_attributes import LABEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAYS_PER_YEAR = 365.25
# Stage 0 is health; nothing happens at any other value.
ONSET_STAGE = (0.0, 2.0)
MEDIAN_RATE_PER_YEAR, RATE_SPREAD = 0.5, 0.6  # log-normal
PICTURE_PX, PICTURE_MM = 24, 1.0
STRUCTURE_VALUE, BACKGROUND_VALUE, PICTURE_NOISE = 100.0, 20.0, 8.0
# A structure that withers: its radius at stage 0, and what it loses a stage, never below the least.
RADIUS_MM, LOSS_MM_PER_STAGE, LEAST_RADIUS_MM = 9.0, 1.0, 2.0


@dataclass(frozen=True, slots=True)
class Marker:
    """A laboratory value: `at_health` + `per_stage` x stage, with noise of that standard deviation. unit: UCUM."""

    name: str
    unit: str
    at_health: float
    per_stage: float
    noise: float


MARKERS = (
    Marker("rising-marker", "ug/L", 10.0, 4.0, 1.0),
    Marker("falling-marker", "g/L", 40.0, -3.0, 1.0),
    Marker("idle-marker", "mmol/L", 5.0, 0.0, 0.5),
)


@dataclass(frozen=True, slots=True)
class VisitParameters:
    """What a group of courses is made from; equal parameters give equal courses.

    n_visits: fewest and most of a patient, drawn without regard to the rate. gap_days: median time between two visits.
    irregularity: standard deviation of its logarithm, half of it between patients and half between visits; 0 gives
    visits at equal distances. missing_lab_share, missing_picture_share: chance of each single value and picture to
    be missing, whatever it is (missing completely at random). Raises UsageError outside the ranges checked here.
    """

    seed: int = 1
    n_patients: int = 100
    n_visits: tuple[int, int] = (3, 8)
    gap_days: float = 180.0
    irregularity: float = 0.8
    missing_lab_share: float = 0.2
    missing_picture_share: float = 0.3

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("n_patients", self.n_patients, 1, 100_000),
            ("n_visits", self.n_visits[0], 1, self.n_visits[1]),
            ("n_visits", self.n_visits[1], 1, 100),
            ("gap_days", self.gap_days, 1.0, 3650.0),
            ("irregularity", self.irregularity, 0.0, 2.0),
            ("missing_lab_share", self.missing_lab_share, 0.0, 1.0),
            ("missing_picture_share", self.missing_picture_share, 0.0, 1.0),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(f"{name} is {value}, outside {low:g} to {high:g} that courses can show")


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """One visit. day: whole days since the patient's first. stage: the truth.

    labs: (marker,) float64 in the order and units of MARKERS, nan where missing. picture: (row, column) float32,
    arbitrary unit, pixels of PICTURE_MM; None where missing. structure_area_mm2: the truth of its structure.
    """

    day: int
    stage: float
    labs: NDArray[np.float64]
    picture: NDArray[np.float32] | None
    structure_area_mm2: float


@dataclass(frozen=True, slots=True, eq=False)
class PatientCourse:
    """All visits of one patient in the order of time. progresses: whether the rate exceeds MEDIAN_RATE_PER_YEAR."""

    name: str
    rate_per_year: float
    progresses: bool
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True, eq=False)
class VisitCohort:
    """Synthetic courses and what they were made from."""

    parameters: VisitParameters
    courses: tuple[PatientCourse, ...]
    label: str = LABEL

    def table(self) -> VisitTable:
        """The courses as arrays, for learners."""
        longest = max(len(course.visits) for course in self.courses)
        days = np.full((len(self.courses), longest), np.nan)
        labs = np.full((*days.shape, len(MARKERS)), np.nan)
        for n, course in enumerate(self.courses):
            for t, visit in enumerate(course.visits):
                days[n, t], labs[n, t] = visit.day, visit.labs
        progresses = np.array([course.progresses for course in self.courses])
        return VisitTable(days, labs, progresses)


@dataclass(frozen=True, slots=True, eq=False)
class VisitTable:
    """Padded arrays. days: (patient, visit), nan behind the last visit. labs: (patient, visit, marker), nan where
    missing and behind the last visit. progresses: (patient,) bool.
    """

    days: NDArray[np.float64]
    labs: NDArray[np.float64]
    progresses: NDArray[np.bool_]

    @property
    def is_visit(self) -> NDArray[np.bool_]:
        """(patient, visit): False for padding."""
        return np.isfinite(self.days)


def make_visits(parameters: VisitParameters | None = None) -> VisitCohort:
    """Make the courses; deterministic by seed, and the first patients are the same whatever their number."""
    chosen = parameters or VisitParameters()
    return VisitCohort(chosen, tuple(_course(chosen, number) for number in range(chosen.n_patients)))


def _course(parameters: VisitParameters, number: int) -> PatientCourse:
    rng = np.random.Generator(np.random.PCG64([parameters.seed, number]))
    onset = rng.uniform(*ONSET_STAGE)
    rate = MEDIAN_RATE_PER_YEAR * float(np.exp(rng.normal(0.0, RATE_SPREAD)))
    n_visits = int(rng.integers(parameters.n_visits[0], parameters.n_visits[1] + 1))
    days = _days(parameters, n_visits, rng)
    visits = tuple(_visit(parameters, day, onset + rate * day / DAYS_PER_YEAR, rng) for day in days)
    return PatientCourse(f"SYN-{number + 1:05d}", rate, rate > MEDIAN_RATE_PER_YEAR, visits)


def _days(parameters: VisitParameters, n_visits: int, rng: np.random.Generator) -> list[int]:
    """Days of the visits, the first is 0; two visits never fall on one day."""
    # Half of the variance lies between patients: some are seen often, some seldom.
    spread = parameters.irregularity / np.sqrt(2.0)
    own = rng.normal(0.0, spread)
    gaps = parameters.gap_days * np.exp(own + rng.normal(0.0, spread, n_visits - 1))
    whole = np.maximum(np.rint(gaps).astype(np.int64), 1)
    return [0, *np.cumsum(whole).tolist()]


def _visit(parameters: VisitParameters, day: int, stage: float, rng: np.random.Generator) -> Visit:
    levels = np.array([marker.at_health + marker.per_stage * stage for marker in MARKERS])
    labs = levels + rng.normal(0.0, 1.0, len(MARKERS)) * [marker.noise for marker in MARKERS]
    labs[rng.random(len(MARKERS)) < parameters.missing_lab_share] = np.nan
    radius_mm = max(RADIUS_MM - LOSS_MM_PER_STAGE * stage, LEAST_RADIUS_MM)
    picture = _picture(radius_mm, rng)
    is_missing = rng.random() < parameters.missing_picture_share
    return Visit(day, stage, labs, None if is_missing else picture, float(np.pi * radius_mm**2))


def _picture(radius_mm: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A disc whose edge pixels are filled in proportion, so that its area is exact to a fraction of a pixel."""
    centre_mm = PICTURE_PX * PICTURE_MM / 2 + rng.uniform(-1.0, 1.0, 2)
    y_mm, x_mm = (np.mgrid[:PICTURE_PX, :PICTURE_PX] + 0.5) * PICTURE_MM
    distance_mm = np.hypot(y_mm - centre_mm[0], x_mm - centre_mm[1])
    inside = np.clip((radius_mm - distance_mm) / PICTURE_MM + 0.5, 0.0, 1.0)
    values = BACKGROUND_VALUE + (STRUCTURE_VALUE - BACKGROUND_VALUE) * inside
    noisy: NDArray[np.float32] = (values + rng.normal(0.0, PICTURE_NOISE, values.shape)).astype(np.float32)
    return noisy
