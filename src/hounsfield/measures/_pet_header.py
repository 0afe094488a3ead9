"""The attributes of a PET series that decide its SUV, and the two times concluded from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from hounsfield.core.errors import UnitError

if TYPE_CHECKING:
    from datetime import time

ReferenceSource = Literal["series", "ge_private", "frame", "injection", "not needed"]


@dataclass(frozen=True, slots=True)
class PetHeader:
    """The attributes of a PET series that decide its SUV; None (or empty) means absent.

    units (0054,1001), decay_correction (0054,1102), corrected_image (0028,0051), suv_type
    (0054,1006). series_datetime: Series Date and Time. earliest_acquisition_datetime: Acquisition
    Date and Time of the instance acquired first; frame_reference_time_ms (0054,1300) and
    actual_frame_duration_ms (0018,1242) are of the same instance. injection_datetime (0018,1078),
    injection_time (0018,1072). half_life_s (0018,1075), total_dose_bq (0018,1074), weight_kg
    (0010,1030). nuclide_code: Code Value of the Radionuclide Code Sequence. ge_scan_datetime:
    (0009,100D) under private creator GEMS_PETD_01. philips_suv_factor (7053,1000) and
    philips_activity_factor (7053,1009), only where the private creator is `Philips PET Private
    Group`. rescale_intercept: the largest by magnitude. All times in one time zone.
    """

    units: str | None
    decay_correction: str | None = None
    corrected_image: tuple[str, ...] = ()
    series_datetime: datetime | None = None
    earliest_acquisition_datetime: datetime | None = None
    injection_datetime: datetime | None = None
    injection_time: time | None = None
    half_life_s: float | None = None
    total_dose_bq: float | None = None
    weight_kg: float | None = None
    nuclide_code: str | None = None
    ge_scan_datetime: datetime | None = None
    frame_reference_time_ms: float | None = None
    actual_frame_duration_ms: float | None = None
    philips_suv_factor: float | None = None
    philips_activity_factor: float | None = None
    suv_type: str | None = None
    rescale_intercept: float | None = None

    def __post_init__(self) -> None:
        times = (
            self.series_datetime,
            self.earliest_acquisition_datetime,
            self.injection_datetime,
            self.ge_scan_datetime,
        )
        if len({moment.tzinfo is None for moment in times if moment is not None}) > 1:
            raise UnitError(
                "some times of the PET header state an offset from UTC and others do not (0008,0201), so no "
                "uptake time can be computed. Give all of them in one time zone."
            )

    @property
    def own_factor(self) -> float | None:
        """The factor to SUVbw that the file itself holds: 1 for GML, the vendor's for CNTS; else None."""
        if self.units == "GML":
            return 1.0
        if self.units == "CNTS" and (self.philips_suv_factor or 0.0) > 0.0:
            return self.philips_suv_factor
        return None


def average_count_rate_time_s(*, half_life_s: float, frame_duration_s: float) -> float:
    """Time after the start of a frame at which its activity equals the frame's average.

    x = ln 2 x duration / half-life; t = ln(x / (1 - e^-x)) / lambda. Source: QIBA SUV pseudo-code.
    """
    decay_per_s = math.log(2.0) / half_life_s
    x = decay_per_s * frame_duration_s
    return math.log(x / -math.expm1(-x)) / decay_per_s


def reference_time(header: PetHeader) -> tuple[datetime | None, ReferenceSource]:
    """Time that decay-corrected values refer to, and where it came from."""
    earliest, series = header.earliest_acquisition_datetime, header.series_datetime
    if series is not None and earliest is not None and series <= earliest:
        return series, "series"
    if header.ge_scan_datetime is not None:
        return header.ge_scan_datetime, "ge_private"
    to_average_ms, duration_ms = header.frame_reference_time_ms, header.actual_frame_duration_ms
    half_life_s = header.half_life_s or 0.0
    if earliest is None or to_average_ms is None or not (duration_ms or 0.0) > 0.0 or half_life_s <= 0.0:
        return None, "series"
    average_s = average_count_rate_time_s(
        half_life_s=half_life_s, frame_duration_s=(duration_ms or 0.0) / 1000.0
    )
    return earliest + timedelta(seconds=average_s - to_average_ms / 1000.0), "frame"


def injection_time(header: PetHeader, reference: datetime) -> datetime:
    """Injection; a time without date is put on the scan's day, or the day before if it were later."""
    if header.injection_datetime is not None or header.injection_time is None:
        return header.injection_datetime or reference
    same_day = datetime.combine(reference.date(), header.injection_time, tzinfo=reference.tzinfo)
    return same_day if same_day <= reference else same_day - timedelta(days=1)
