"""In which unit the pixels of a series are, and what has to be said about it. Nothing is assumed.

CT gives Hounsfield units only where the header says so, or where it is an original CT image that says
nothing else; PET gives SUV only where the recipe of `measures.suv_factor` succeeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core import Condition
from hounsfield.measures import suv_factor, suv_refusal
from hounsfield.studies.grouping import is_localizer
from hounsfield.studies.header_values import text
from hounsfield.studies.pet_header import pet_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataset import Dataset

    from hounsfield.studies.grouping import Unit

CT_STORAGE = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.2",  # CT Image Storage
        "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
        "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT
    }
)
_PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"


@dataclass(frozen=True, slots=True)
class Intensity:
    """unit: of the values that the image will hold, None if unstated. factor: after rescale."""

    unit: str | None
    factor: float = 1.0
    conditions: tuple[Condition, ...] = ()


def intensity_of(unit: Unit, header: Dataset) -> Intensity:
    """Unit, factor and conditions of the pixels of one unit; `header` is that of its first acquisition."""
    modality = unit.members[0][0].modality
    judged = _BY_MODALITY.get(modality, _other)(unit, header)
    slopes = {(frame.slope, frame.intercept) for _, frame in unit.members}
    if any(slope == 0.0 for slope, _ in slopes):
        refusal = Condition(
            "rescale-slope-zero",
            "refusal",
            "Rescale Slope (0028,1053) is 0, which makes every pixel the same. Export the series again.",
        )
        return Intensity(None, 1.0, (*judged.conditions, refusal))
    if len(slopes) < 2:
        return judged
    note = Condition(
        "rescale-per-slice",
        "note",
        f"Rescale Slope (0028,1053) or Intercept differs between slices ({len(slopes)} pairs); each slice was "
        "rescaled by its own.",
    )
    return Intensity(judged.unit, judged.factor, (*judged.conditions, note))


def _ct(unit: Unit, header: Dataset) -> Intensity:
    instance = unit.members[0][0]
    if any(f.slope is None or f.intercept is None for _, f in unit.members) and not instance.has_modality_lut:
        return _without_unit(
            "rescale-absent",
            "The CT states no Rescale Slope and Intercept (0028,1053; 0028,1052), so its values are no Hounsfield "
            "units. Use the original series of the scanner.",
        )
    rescale_types = {f.rescale_type for _, f in unit.members}
    if rescale_types == {"HU"}:
        return Intensity("HU")
    is_original = (
        instance.sop_class_uid in CT_STORAGE
        and instance.image_type[:1] == ("ORIGINAL",)
        and not is_localizer(instance)
        and not instance.has_modality_lut
    )
    if rescale_types == {""} and is_original:
        return Intensity("HU")
    said = " and ".join(sorted(kind or "nothing" for kind in rescale_types))
    return _without_unit(
        "rescale-type-not-hu",
        f"Rescale Type (0028,1054) says {said} and Image Type (0008,0008) is "
        f"{text(header, 'ImageType') or 'absent'}, so the values are not known to be Hounsfield units. Use the "
        "original series of the scanner.",
    )


def _pet(unit: Unit, header: Dataset) -> Intensity:
    pet = pet_header(unit, header)
    refusal = suv_refusal(pet)
    if refusal is not None:
        return Intensity("Bq/ml" if pet.units == "BQML" else None, 1.0, (refusal,))
    factor = suv_factor(pet)
    return Intensity("SUVbw", factor.suvbw_per_unit, factor.conditions)


def _mr(unit: Unit, header: Dataset) -> Intensity:
    if unit.members[0][0].sop_class_uid == _PARAMETRIC_MAP:
        return _other(unit, header)
    return Intensity("1")


def _other(unit: Unit, _header: Dataset) -> Intensity:
    if unit.members[0][0].sop_class_uid == _PARAMETRIC_MAP:
        return _without_unit(
            "unit-unstated",
            "This is a parametric map; its unit stands in its Real World Value Mapping, which is not applied. "
            "Values are those stored.",
        )
    return Intensity("1")


def _dose(_unit: Unit, header: Dataset) -> Intensity:
    units = text(header, "DoseUnits").upper()
    if units == "GY":
        return Intensity("Gy")
    return _without_unit(
        "dose-units-not-gray",
        f"Dose Units (3004,0002) is {units or 'absent'}, not GY, so the values are no dose in gray. Export the dose in "
        "gray.",
    )


def _without_unit(code: str, sentence: str) -> Intensity:
    return Intensity(None, 1.0, (Condition(code, "warning", sentence),))


_BY_MODALITY: dict[str, Callable[[Unit, Dataset], Intensity]] = {
    "CT": _ct,
    "PT": _pet,
    "MR": _mr,
    "RTDOSE": _dose,
}
