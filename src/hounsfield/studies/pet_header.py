"""The attributes of a PET series as the record that `measures.suv_factor` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.measures import PetHeader
from hounsfield.studies.header_values import clock_time, date_time, first_item, moment, number, text, texts

if TYPE_CHECKING:
    from datetime import datetime

    from pydicom.dataset import Dataset

    from hounsfield.studies.grouping import Unit

_GE_CREATOR, _GE_SCAN_DATETIME = "GEMS_PETD_01", (0x0009, 0x0D)
_PHILIPS_CREATOR = "Philips PET Private Group"
_PHILIPS_SUV, _PHILIPS_ACTIVITY = (0x7053, 0x00), (0x7053, 0x09)


def pet_header(unit: Unit, header: Dataset) -> PetHeader:
    """The record of a PET series. header: of the instance acquired first, whose frame times count."""
    injection = first_item(header, "RadiopharmaceuticalInformationSequence")
    intercepts = [frame.intercept or 0.0 for _, frame in unit.members]
    frame_times = first_item(header, "SharedFunctionalGroupsSequence") or header
    return PetHeader(
        units=text(header, "Units") or None,
        decay_correction=text(header, "DecayCorrection") or None,
        corrected_image=texts(header, "CorrectedImage"),
        series_datetime=moment(text(header, "SeriesDate"), text(header, "SeriesTime")),
        earliest_acquisition_datetime=_acquired(header),
        injection_datetime=date_time(text(injection, "RadiopharmaceuticalStartDateTime"))
        if injection
        else None,
        injection_time=clock_time(text(injection, "RadiopharmaceuticalStartTime")) if injection else None,
        half_life_s=number(injection, "RadionuclideHalfLife") if injection else None,
        total_dose_bq=number(injection, "RadionuclideTotalDose") if injection else None,
        weight_kg=number(header, "PatientWeight"),
        nuclide_code=_nuclide(injection),
        ge_scan_datetime=_ge_scan_datetime(header),
        frame_reference_time_ms=number(frame_times, "FrameReferenceTime"),
        actual_frame_duration_ms=number(frame_times, "ActualFrameDuration"),
        philips_suv_factor=_private_number(header, _PHILIPS_CREATOR, _PHILIPS_SUV),
        philips_activity_factor=_private_number(header, _PHILIPS_CREATOR, _PHILIPS_ACTIVITY),
        suv_type=text(header, "SUVType") or None,
        rescale_intercept=max(intercepts, key=abs) or None,
    )


def _acquired(header: Dataset) -> datetime | None:
    return date_time(text(header, "AcquisitionDateTime")) or moment(
        text(header, "AcquisitionDate"), text(header, "AcquisitionTime")
    )


def _nuclide(injection: Dataset | None) -> str | None:
    code = first_item(injection, "RadionuclideCodeSequence") if injection else None
    return (text(code, "CodeValue") or None) if code is not None else None


def _private_value(header: Dataset, creator: str, place: tuple[int, int]) -> object:
    """The value in the private block of that creator; None if the block or the element is absent."""
    try:
        return header.private_block(place[0], creator)[place[1]].value
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _private_number(header: Dataset, creator: str, place: tuple[int, int]) -> float | None:
    value = _private_value(header, creator, place)
    if isinstance(value, bytes):
        value = value.decode("latin-1").strip(" \0")
    try:
        return float(value) if isinstance(value, str | int | float) and value != "" else None
    except ValueError:
        return None


def _ge_scan_datetime(header: Dataset) -> datetime | None:
    value = _private_value(header, _GE_CREATOR, _GE_SCAN_DATETIME)
    written = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
    return date_time(written.strip(" \0"))
