"""Body composition on CT of the abdomen: muscle, fat under the skin and fat around the organs, by rules alone.

Read `read_body_composition_ct` first. The measures hold at the third lumbar vertebra. Its level is given
(a region of the study that says it is L3), or estimated from the iliac crests and the discs and told to be
an estimate, or not known: then areas are given slab by slab, and none is called that of L3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from hounsfield.core import Condition, Inputs, Measurement, Needs, Reading, Region, Role, application
from hounsfield.core.code import Code, private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.progress import step
from hounsfield.measures import (
    MUSCLE_HU,
    SUBCUTANEOUS_FAT_HU,
    VISCERAL_FAT_HU,
    SmiInputs,
    mean_attenuation,
    mean_section_area,
    smi_l3,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Image, Series
    from hounsfield.imaging.body_composition import Abdomen

VERSION = "1.0.0"
SKELETAL_MUSCLE = Code("127954009", "SCT", "Skeletal muscle")
SUBCUTANEOUS_FAT = private_code("SUBCUTANEOUS_FAT", "Fat under the skin")
VISCERAL_FAT = private_code("VISCERAL_FAT", "Fat around the organs")
L3_VERTEBRA = Code("36470004", "SCT", "L3 vertebra")
_L3_NAME = re.compile(r"(?<![a-z0-9])l3(?![0-9])", re.IGNORECASE)
_NO_CONTRAST = {"NONE", "NO", "N", "WITHOUT", "UNENHANCED"}
# As the rule smi-l3 has it: slices of up to 5 mm, ranges in HU at 120 kV.
THICKEST_MM, VALIDATED_KV = 5.0, 120.0
SLAB_MM = 30.0  # a little less than a vertebra with its disc
# Denser than any bone (cortex reaches about 2000 HU); a screw or clip is larger than this.
METAL_HU, SMALLEST_METAL_ML = 2500.0, 0.1
# Project limit: with less of the wall's inner side seen, its thickness is mostly taken over from elsewhere.
LEAST_SEEN = 0.25
ADULT_YEARS = 18
CUT_CODES = {
    "body-cut-off",
    "muscle-cut-off",
    "l3-unknown",
    "l3-not-measured",
}  # these make a reading partial

ABDOMEN = Role("abdomen", modalities=("CT",), unit="HU", geometry="volume", spacing_mm=10.0, min_slices=5)
VERTEBRAE = Role("vertebrae", geometry="any", kind="regions", optional=True)


@dataclass(frozen=True, slots=True)
class Level:
    """The slice that stands for mid-L3, and how it became known. pitch: slices to the next vertebra, 0 if unknown."""

    k: int
    source: Literal["given", "estimated"]
    pitch: float = 0.0


@application(
    name="body_composition_ct",
    title="Body composition on CT of the abdomen",
    version=VERSION,
    needs=Needs((ABDOMEN, VERTEBRAE)),
    codes=[SKELETAL_MUSCLE, L3_VERTEBRA],
    memory_mb=2000,
)
def read_body_composition_ct(inputs: Inputs) -> Reading:
    """Measure muscle, fat under the skin and fat around the organs at L3, or per slab where L3 is not known."""
    from hounsfield.imaging.body_composition import TissueRanges, segment_tissues

    series = inputs["abdomen"]
    image = series.image()
    if image.grid.plane != "axial":
        text = f"The slices are {image.grid.plane}; body composition is measured on axial ones. Use the axial series."
        return Reading.refused(Condition("not-axial", "refusal", text, series.files[:1]))
    step(inputs.progress, "body_composition_ct: finding muscle and fat", 0.2)
    ranges = TissueRanges(MUSCLE_HU, SUBCUTANEOUS_FAT_HU, VISCERAL_FAT_HU)
    found = segment_tissues(image.array, image.grid, ranges)
    if found is None:
        text = (
            "No abdomen was found: at least 2 cm of a trunk with its spine, below the lungs and above the iliac "
            "crests. Give a CT of the abdomen."
        )
        return Reading.refused(Condition("no-abdomen-found", "refusal", text, series.files[:1]))
    step(inputs.progress, "body_composition_ct: measuring", 0.8)
    level, conditions = find_level(inputs, image, found)
    if level is None:
        reading = measure_slabs(image, found)
        measured = range(min(found.slices), max(found.slices) + 1)
    else:
        reading, told = measure_level(series, image, found, level)
        conditions += told
        measured = range(level.k, level.k + 1)
    conditions += [*extent_conditions(found, measured), *image_conditions(series, image, found)]
    reading = replace(reading, conditions=(*conditions, BY_RULES))
    return reading.as_partial() if any(c.code in CUT_CODES for c in conditions) else reading


BY_RULES = Condition(
    "tissues-told-by-rules",
    "note",
    "Muscle and fat were told apart by density and place alone. An organ that lies against the wall without fat "
    "between, a hernia, oedema or ascites can be counted wrongly: look at the outlines before using a number.",
)


def find_level(inputs: Inputs, image: Image, found: Abdomen) -> tuple[Level | None, list[Condition]]:
    """The level of L3: given before estimated; None with the reason if neither can be used."""
    k, conditions = given_level(inputs, image)
    if k is not None:
        if k in found.slices:
            return Level(k, "given", found.pitch), conditions
        text = (
            f"The given L3 lies on slice {k + 1}, outside the abdomen found (slices {min(found.slices) + 1} to "
            f"{max(found.slices) + 1}): nothing was measured there. Check the region; areas are given per slab."
        )
        return None, [*conditions, Condition("l3-not-measured", "warning", text)]
    if found.l3 is not None and round(found.l3) in found.slices:
        return Level(round(found.l3), "estimated", found.pitch), conditions
    why = (
        "no discs could be told from the vertebrae"
        if found.crest_is_seen
        else "the scan does not show both iliac crests"
    )
    text = (
        f"The level of L3 is not known: the study holds no region that says it is L3, and {why}. Areas are given per "
        "slab from the feet upwards; none of them is a value at L3. Give L3 as SEG, RTSTRUCT or mask."
    )
    return None, [*conditions, Condition("l3-unknown", "warning", text)]


def given_level(inputs: Inputs, image: Image) -> tuple[int | None, list[Condition]]:
    """The slice in the middle of a region that is coded or named L3; None if there is none on this image."""
    conditions = inputs.unread_regions()
    for given in inputs.given_series("abdomen"):
        try:
            regions = [
                region
                for region in given.regions(image.grid)
                if region.concept.value == L3_VERTEBRA.value or _L3_NAME.search(region.name)
            ]
        except RefusedInput as refusal:
            text = f"The regions of {given.files[0]} were not used: {refusal}"
            conditions.append(Condition("regions-not-drawn", "warning", text, given.files))
            continue
        for region in regions:
            if region.mask is not None and region.mask.any():
                slices = np.flatnonzero(region.mask.any(axis=(1, 2)))
                return round(float(slices[0] + slices[-1]) / 2), conditions
            text = f"Region {region.name!r} marks no voxel of this CT. Give the CT that it was drawn on."
            conditions.append(Condition("region-not-on-image", "warning", text))
    return None, conditions


def tissue_regions(image: Image, found: Abdomen, slices: range, suffix: str) -> list[Region]:
    """Muscle and both fats on `slices`; names end in `suffix`."""
    tissues = (
        ("skeletal-muscle", SKELETAL_MUSCLE, found.muscle),
        ("subcutaneous-fat", SUBCUTANEOUS_FAT, found.subcutaneous),
        ("visceral-fat", VISCERAL_FAT, found.visceral),
    )
    return [
        Region(f"{name}{suffix}", concept, image.grid, _only(mask, slices)) for name, concept, mask in tissues
    ]


def _only(mask: NDArray[np.bool_], slices: range) -> NDArray[np.bool_]:
    kept = np.zeros_like(mask)
    kept[slices.start : slices.stop] = mask[slices.start : slices.stop]
    return kept


def measure_level(
    series: Series, image: Image, found: Abdomen, level: Level
) -> tuple[Reading, list[Condition]]:
    """Areas on the slice of L3, attenuation of muscle, and the muscle index where the header states the size."""
    slices = range(level.k, level.k + 1)
    regions = tissue_regions(image, found, slices, "-l3")
    note = f"at L3 ({level.source}), slice {level.k + 1} of {image.grid.shape[0]}"
    areas = [
        mean_section_area(one, slices=slices, name=one.name.replace("-l3", "-area"), note=note)
        for one in regions
    ]
    muscle = regions[0]
    # Not measured: it shows in all planes where L3 was taken to be.
    regions.append(Region("l3-vertebra", L3_VERTEBRA, image.grid, _only(found.spine, slices)))
    conditions = _level_conditions(image, found, level)
    if muscle.is_empty:
        return Reading.complete(measurements=areas, regions=regions), conditions
    attenuation = mean_attenuation(image, muscle)
    is_cut = bool(found.muscle_is_cut[found.slices.index(level.k)])
    index, told = muscle_index(series, areas[0].value, attenuation.value, is_cut=is_cut)
    measured = [*areas, *(replace(m, regions=(muscle.name,)) for m in index or (attenuation,))]
    return Reading.complete(measurements=measured, regions=regions), [*conditions, *told]


def _level_conditions(image: Image, found: Abdomen, level: Level) -> list[Condition]:
    if level.source == "given":
        return []
    step_mm, row_mm, column_mm = image.grid.spacing_mm
    pixel_cm2 = row_mm * column_mm / 100.0
    others = []
    for words, k in (("higher", _moved(image, level, 1)), ("lower", _moved(image, level, -1))):
        if k in found.slices:
            areas = [mask[k].sum() * pixel_cm2 for mask in (found.muscle, found.subcutaneous, found.visceral)]
            others.append(
                f"one vertebra {words}: muscle {areas[0]:.0f}, fat under the skin {areas[1]:.0f}, fat around the organs "
                f"{areas[2]:.0f} cm\u00b2"
            )
    beside = f" {'; '.join(others).capitalize()}." if others else ""
    text = (
        f"L3 was estimated: slice {level.k + 1} of {image.grid.shape[0]}, from the tops of the iliac crests (beside L4 or the disc below it) and "
        f"discs {level.pitch * step_mm:.0f} mm apart. With other crests or a transitional vertebra it is one level off.{beside} "
        "Check the level, or give L3 as SEG, RTSTRUCT or mask."
    )
    return [Condition("l3-estimated", "warning", text)]


def _moved(image: Image, level: Level, levels_up: int) -> int:
    """The slice that lies `levels_up` vertebrae towards the head."""
    towards_head = 1 if image.grid.directions[2, 0] > 0 else -1
    return round(level.k + levels_up * towards_head * level.pitch)


def muscle_index(
    series: Series, area_cm2: float, muscle_hu: float, *, is_cut: bool
) -> tuple[tuple[Measurement, ...], list[Condition]]:
    """The skeletal muscle index by smi-l3, or () and why it is not given."""
    tags = series.tags
    height_m, weight_kg = tags.get("PatientSize"), tags.get("PatientWeight")
    sex = str(tags.get("PatientSex") or "").strip().upper()
    missing = [
        words
        for words, is_there in (
            ("height (0010,1020)", _is_stated(height_m)),
            ("weight (0010,1030)", _is_stated(weight_kg)),
            ("sex F or M (0010,0040)", sex in {"F", "M"}),
        )
        if not is_there
    ]
    if missing:
        text = (
            f"The muscle index (area over height squared) is not given: the header does not state {', '.join(missing)}. "
            "`hounsfield measure smi-l3` computes it from the area here and the patient's size."
        )
        return (), [Condition("patient-size-unstated", "warning", text, series.files[:1])]
    agent = _contrast_agent(series)
    try:
        outcome = smi_l3(
            SmiInputs(
                muscle_area_cm2=area_cm2,
                height_m=float(height_m),  # type: ignore[arg-type]  # stated, see above
                sex="F" if sex == "F" else "M",
                bmi_kg_m2=float(weight_kg) / float(height_m) ** 2,  # type: ignore[arg-type]  # as above
                muscle_hu=muscle_hu,
                phase="unenhanced" if agent in _NO_CONTRAST else None,
                is_cut_off=is_cut,
            )
        )
    except RefusedInput as refusal:
        text = f"The muscle index is not given: {refusal}"
        return (), [Condition("muscle-index-refused", "warning", text, series.files[:1])]
    return outcome.measurements, list(outcome.conditions)


def _is_stated(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


def _contrast_agent(series: Series) -> str:
    return str(series.tags.get("ContrastBolusAgent") or "").strip().upper()


def measure_slabs(image: Image, found: Abdomen) -> Reading:
    """Mean areas of slabs of about 30 mm, numbered from the feet upwards; the last is as long as the scan allows."""
    step_mm = image.grid.spacing_mm[0]
    regions = tissue_regions(image, found, range(min(found.slices), max(found.slices) + 1), "")
    n_slabs = max(1, round(len(found.slices) * step_mm / SLAB_MM))
    measured = []
    for number, part in enumerate(np.array_split(np.array(found.slices), n_slabs), start=1):
        slices = range(int(part.min()), int(part.max()) + 1)
        quantity = private_code(
            f"AREA_SLAB_{number}", f"Mean area of slab {number} of {n_slabs} from the feet"
        )
        note = f"slices {slices.start + 1} to {slices.stop}, {len(slices) * step_mm:.0f} mm"
        for region in regions:
            area = mean_section_area(
                region, slices=slices, name=f"{region.name}-area-slab-{number}", note=note
            )
            measured.append(replace(area, quantity=quantity))
    return Reading.complete(measurements=measured, regions=regions)


def extent_conditions(found: Abdomen, measured: range) -> list[Condition]:
    """What of the body is missing from the measured slices or lies beside it, and how much of the wall was seen."""
    chosen = np.isin(np.array(found.slices), np.array(measured))
    conditions = []

    def warn(code: str, text: str) -> None:
        conditions.append(Condition(code, "warning", text))

    if found.muscle_is_cut[chosen].any():
        warn(
            "muscle-cut-off",
            f"The field of view cuts muscle off on {_slices(found.muscle_is_cut & chosen, found)}: areas hold only what "
            "is imaged. Use a reconstruction of the whole body.",
        )
    elif found.is_cut[chosen].any():
        warn(
            "body-cut-off",
            f"The body reaches the edge of the field of view on {_slices(found.is_cut & chosen, found)}: fat under the "
            "skin is missing there. Use a reconstruction of the whole body.",
        )
    if found.has_limbs[chosen].any():
        warn(
            "arms-in-field",
            "Arms lie beside the trunk. They were left out; streaks between them shift densities of what lies between.",
        )
    seen = float(found.seen_share[chosen].mean())
    if seen < LEAST_SEEN:
        warn(
            "wall-hardly-seen",
            f"Only {seen:.0%} of the inner side of the abdominal wall could be seen, for lack of fat behind it; its "
            "thickness is taken over from there. Muscle may hold organ, or lack muscle.",
        )
    return conditions


def _slices(flags: NDArray[np.bool_], found: Abdomen) -> str:
    numbers = [k + 1 for k, flag in zip(found.slices, flags, strict=True) if flag]
    return f"slice {numbers[0]}" if len(numbers) == 1 else f"slices {min(numbers)} to {max(numbers)}"


def image_conditions(series: Series, image: Image, found: Abdomen) -> list[Condition]:
    """What in the header or the picture shifts densities; nothing that is unstated counts as fulfilled."""
    step_mm = image.grid.spacing_mm[0]
    told = [_contrast(series), _tube_voltage(series), *_thickness(series, step_mm)]
    metal = image.array[min(found.slices) : max(found.slices) + 1] > METAL_HU
    if float(metal.sum()) * image.grid.voxel_volume_mm3 / 1000.0 >= SMALLEST_METAL_ML:
        text = "Metal lies in the measured part. Its streaks shift densities: look at the outlines near it."
        told.append(Condition("metal-in-field", "warning", text, series.files[:1]))
    age = re.fullmatch(r"0*(\d+)Y", str(series.tags.get("PatientAge") or "").strip())
    if age is not None and int(age.group(1)) < ADULT_YEARS:
        text = "The patient is not adult; the measures and their limits are of adults."
        told.append(Condition("outside-population", "warning", text, series.files[:1]))
    return [condition for condition in told if condition is not None]


def _contrast(series: Series) -> Condition | None:
    agent = _contrast_agent(series)
    if not agent:
        text = (
            "The header states no contrast agent (0018,0010), nor that none was given. Contrast raises the attenuation "
            "of muscle by some HU."
        )
        return Condition("contrast-unstated", "warning", text, series.files[:1])
    if agent in _NO_CONTRAST:
        return None
    text = (
        "A contrast agent was given (0018,0010), and its phase is not stated: the attenuation of muscle is some HU "
        "higher than without. Compare only within one phase."
    )
    return Condition("contrast-raises-muscle", "note", text, series.files[:1])


def _tube_voltage(series: Series) -> Condition | None:
    kilovolts = series.tags.get("KVP")
    if not _is_stated(kilovolts):
        text = f"The tube voltage is not stated (0018,0060); the ranges in HU hold at {VALIDATED_KV:g} kV."
        return Condition("kvp-unstated", "warning", text, series.files[:1])
    if kilovolts == VALIDATED_KV:
        return None
    text = f"The ranges in HU hold at {VALIDATED_KV:g} kV; this CT was made at {kilovolts:g} kV."
    return Condition("kvp-not-validated", "warning", text, series.files[:1])


def _thickness(series: Series, step_mm: float) -> list[Condition]:
    stated_mm, told = series.tags.get("SliceThickness"), []
    thickness_mm = step_mm
    if isinstance(stated_mm, int | float) and stated_mm > 0:
        thickness_mm = max(float(stated_mm), step_mm)
    else:
        text = "The slice thickness (0018,0050) is not stated; the distance between slices stands for it."
        told.append(Condition("thickness-unstated", "warning", text, series.files[:1]))
    if thickness_mm > THICKEST_MM:
        text = f"Slices are {thickness_mm:g} mm thick; {THICKEST_MM:g} mm or less are meant."
        told.append(Condition("slice-thick", "warning", text, series.files[:1]))
    return told
