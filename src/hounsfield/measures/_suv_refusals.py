"""What forbids SUV, named by attribute, and what is only told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core import Condition
from hounsfield.measures._pet_header import injection_time, reference_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from hounsfield.measures._pet_header import PetHeader

# Half-lives in seconds; F-18 as in the QIBA pseudo-code, others as in nuclear data tables.
HALF_LIFE_S = {
    "F-18": 6586.2,
    "C-11": 1221.8,
    "Ga-68": 4062.6,
    "N-13": 597.9,
    "O-15": 122.2,
    "Cu-64": 45721.0,
    "Zr-89": 282276.0,
    "Rb-82": 75.4,
}
# CID 4020, values of SNOMED CT and of the older SRT scheme, as in the dictionary of pydicom 3.0.2.
NUCLIDE_OF_CODE = {
    "77004003": "F-18",
    "C-111A1": "F-18",
    "40565003": "C-11",
    "C-105A1": "C-11",
    "35337001": "Ga-68",
    "C-131A3": "Ga-68",
    "21576001": "N-13",
    "C-107A1": "N-13",
    "129504001": "O-15",
    "C-B1038": "O-15",
    "3932008": "Cu-64",
    "C-127A2": "Cu-64",
    "63360001": "Zr-89",
    "C-168A4": "Zr-89",
    "79197006": "Rb-82",
    "C-159A2": "Rb-82",
}
HALF_LIFE_TOLERANCE = 0.01
# QIBA writes DECAY; PS3.3 defines DECY, and files carry that.
DECAY_CORRECTED = frozenset({"DECY", "DECAY"})
# Project limits: 370 stored as dose means MBq, 70000 as weight means grams.
DOSE_RANGE_BQ = (1e6, 1e10)
WEIGHT_RANGE_KG = (1.0, 400.0)
LONGEST_UPTAKE_HALF_LIVES = 6.0


def suv_refusal(header: PetHeader) -> Condition | None:
    """The first thing that forbids SUVbw, as a warning for the series; None if SUV can be computed.

    A warning, because the activity stays readable; whoever needs SUV refuses the series with it.
    """
    for check in _CHECKS:
        found = check(header)
        if found is not None:
            code, text = found
            return Condition(code, "warning", f"SUV cannot be computed: {text}")
    return None


Found = tuple[str, str] | None


def _check_corrections(header: PetHeader) -> Found:
    if "ATTN" not in header.corrected_image or not DECAY_CORRECTED & set(header.corrected_image):
        stated = "\\".join(header.corrected_image) or "nothing"
        return "suv-not-corrected", (
            f"CorrectedImage (0028,0051) states {stated}, without both ATTN (attenuation) and DECY (decay). "
            "Use the attenuation-corrected reconstruction."
        )
    return None


def _check_units(header: PetHeader) -> Found:
    if header.units not in {"BQML", "CNTS", "GML"}:
        return "suv-units", (
            f"Units (0054,1001) is {header.units or 'absent'}; BQML, CNTS with Philips factors, or GML is "
            "needed. Use a series in BQML."
        )
    if header.units == "GML" and header.suv_type not in {None, "", "BW"}:
        return "suv-type", (
            f"SUVType (0054,1006) is {header.suv_type}: the file holds another standardised value than by "
            "body weight, and one is not turned into the other. Use a series in BQML or with SUVType BW."
        )
    factors = (header.philips_suv_factor or 0.0, header.philips_activity_factor or 0.0)
    if header.units == "CNTS" and max(factors) <= 0.0:
        return "suv-counts-without-factor", (
            "Units (0054,1001) is CNTS and neither Philips factor (7053,1000) nor (7053,1009) is above zero. "
            "Export the series with its private attributes, or in BQML."
        )
    return None


def _check_decay_correction(header: PetHeader) -> Found:
    if header.own_factor is None and header.decay_correction not in {"START", "ADMIN"}:
        return "suv-decay-correction", (
            f"DecayCorrection (0054,1102) is {header.decay_correction or 'absent'}; START or ADMIN is needed "
            "to know the time that the activity refers to. Use the decay-corrected reconstruction."
        )
    return None


def _check_weight(header: PetHeader) -> Found:
    low, high = WEIGHT_RANGE_KG
    if header.own_factor is None and not low <= (header.weight_kg or 0.0) <= high:
        return "suv-weight", (
            f"PatientWeight (0010,1030) is {_stated(header.weight_kg, 'kg')}; {low:g} to {high:g} kg is "
            "accepted. Correct the weight in the header."
        )
    return None


def _check_dose(header: PetHeader) -> Found:
    low, high = DOSE_RANGE_BQ
    if header.own_factor is None and not low <= (header.total_dose_bq or 0.0) <= high:
        return "suv-dose", (
            f"RadionuclideTotalDose (0018,1074) is {_stated(header.total_dose_bq, 'Bq')}; {low:g} to {high:g} "
            "Bq is accepted (a value of some hundreds is probably MBq, which is not guessed). Correct the dose "
            "in the header."
        )
    return None


def _check_half_life(header: PetHeader) -> Found:
    if header.own_factor is not None:
        return None
    if not (header.half_life_s or 0.0) > 0.0:
        return (
            None
            if header.decay_correction == "ADMIN"
            else (
                "suv-half-life",
                f"RadionuclideHalfLife (0018,1075) is {_stated(header.half_life_s, 's')}. Correct the header.",
            )
        )
    nuclide = NUCLIDE_OF_CODE.get(header.nuclide_code or "")
    expected_s = HALF_LIFE_S[nuclide] if nuclide else (header.half_life_s or 0.0)
    if abs((header.half_life_s or 0.0) - expected_s) > HALF_LIFE_TOLERANCE * expected_s:
        return "suv-half-life", (
            f"RadionuclideHalfLife (0018,1075) is {header.half_life_s:g} s, but the Radionuclide Code Sequence "
            f"(0054,0300) says {nuclide}, which has {expected_s:g} s. Correct the wrong one of the two."
        )
    return None


def _check_times(header: PetHeader) -> Found:
    if header.own_factor is not None or header.decay_correction == "ADMIN":
        return None
    if header.injection_datetime is None and header.injection_time is None:
        return "suv-injection-time", (
            "neither RadiopharmaceuticalStartDateTime (0018,1078) nor RadiopharmaceuticalStartTime (0018,1072) "
            "is stated, so the uptake time is unknown. Add the injection time to the header."
        )
    reference, _ = reference_time(header)
    if reference is None:
        return "suv-reference-time", (
            "the scan reference time is unknown: SeriesTime (0008,0031) is absent or later than the first "
            "AcquisitionTime (0008,0032), and neither GE (0009,100D) nor FrameReferenceTime (0054,1300) with "
            "ActualFrameDuration (0018,1242) is stated. Use the original, not a post-processed series."
        )
    uptake_s = (reference - injection_time(header, reference)).total_seconds()
    longest_s = LONGEST_UPTAKE_HALF_LIVES * (header.half_life_s or 0.0)
    if not 0.0 <= uptake_s <= longest_s:
        return "suv-uptake-time", (
            f"the uptake time from RadiopharmaceuticalStartDateTime (0018,1078) to the scan is "
            f"{uptake_s / 60.0:.0f} minutes; 0 to {longest_s / 60.0:.0f} (6 half-lives) is accepted. "
            "De-identification may have shifted one date and not the other; restore them."
        )
    return None


_CHECKS: tuple[Callable[[PetHeader], Found], ...] = (
    _check_corrections,
    _check_units,
    _check_decay_correction,
    _check_weight,
    _check_dose,
    _check_half_life,
    _check_times,
)


def _stated(value: float | None, unit: str) -> str:
    return "absent" if value is None else f"{value:g} {unit}"


def suv_remarks(header: PetHeader) -> tuple[Condition, ...]:
    """What had to be concluded or looks odd, though the SUV stands."""
    found: list[Condition] = []
    if header.rescale_intercept:
        found.append(
            Condition(
                "suv-intercept",
                "warning",
                f"RescaleIntercept (0028,1052) is {header.rescale_intercept:g}, which is unusual for PET; "
                "it was used as stated.",
            )
        )
    if header.own_factor is not None:
        return tuple(found)
    if NUCLIDE_OF_CODE.get(header.nuclide_code or "") is None:
        found.append(
            Condition(
                "suv-nuclide-unknown",
                "note",
                "The Radionuclide Code Sequence (0054,0300) names no nuclide that is known here, so "
                "RadionuclideHalfLife (0018,1075) was used as stated.",
            )
        )
    if header.decay_correction == "START":
        found += _remarks_on_times(header)
    return tuple(found)


def _remarks_on_times(header: PetHeader) -> list[Condition]:
    found: list[Condition] = []
    reference, reference_from = reference_time(header)
    if reference_from in {"ge_private", "frame"}:
        source = {"ge_private": "GE (0009,100D)", "frame": "FrameReferenceTime (0054,1300)"}[reference_from]
        found.append(
            Condition(
                "suv-reference-time-concluded",
                "note",
                "SeriesTime (0008,0031) is not before the first AcquisitionTime (0008,0032), as after "
                f"post-processing; the scan reference time was taken from {source}.",
            )
        )
    if reference is not None and header.injection_datetime is None:
        day = (
            "the day before the scan"
            if injection_time(header, reference).date() < reference.date()
            else ("the day of the scan")
        )
        found.append(
            Condition(
                "suv-injection-date-concluded",
                "note",
                "RadiopharmaceuticalStartTime (0018,1072) states no date; the injection was put on "
                f"{day}, the latest that is not after the scan.",
            )
        )
    return found
