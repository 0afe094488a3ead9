"""Coronary calcium on CT of the heart without contrast agent: Agatston score, volume, CAC-DRS.

Read `read_coronary_calcium` first. Which calcium lies in which artery is taken from regions given with the
study (SEG, RTSTRUCT or mask). Without them all calcium in the heart region is scored as one, and no class is
given: calcium of the aortic valve lies there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.applications._coronary_arteries import ARTERIES, artery_of
from hounsfield.applications._coronary_score import (
    CALCIFICATION,
    CORONARY_ARTERY,
    MIN_AREA_MM2,
    Calcium,
    score_calcium,
)
from hounsfield.core import Condition, Finding, Inputs, Needs, Reading, Region, Role, application
from hounsfield.core.code import MORPHOLOGICALLY_ABNORMAL_STRUCTURE, SPATIAL_CONCEPT, private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.progress import step
from hounsfield.imaging.dense_pieces import n_voxels_beyond, of_enough_area, pieces_within
from hounsfield.imaging.heart_region import find_heart_region
from hounsfield.measures.agatston_kvp_graeni_2018 import LIMITS_HU_BY_KVP
from hounsfield.studies.ct_header import stated_contrast

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.applications._coronary_arteries import Artery
    from hounsfield.core import Code, Image, Series
    from hounsfield.core.finding import Presence
    from hounsfield.imaging.heart_region import HeartRegion

    Mask = NDArray[np.bool_]

VERSION = "1.0.0"
LARGEST_BLOOD_HU = (
    130.0  # blood at the threshold of calcium: contrast agent was given, whatever the header says
)
LARGEST_NOISE_HU = 23.0  # McCollough 2007, Radiology 243:527: 20 HU, in large patients 23 HU
METAL_HU = 2000.0  # cortical bone ends here; stents, leads and clips lie above
RESAMPLED = {"gantry-tilt", "slice-spacing-varies"}  # the voxels are not those of the scanner's slices
INCOMPLETE = {"slices-missing", "instances-unreadable", "slices-damaged", "volume-partial"}

HEART_SPACE = private_code("HEART_SPACE", "Region searched for calcium")
CALCIUM_HEART = private_code("CALCIUM_HEART", "Calcium in the heart region")
CALCIUM_ELSEWHERE = private_code("CALCIUM_OUTSIDE_ARTERIES", "Calcium outside the given arteries")


HEART = Role("heart", modalities=("CT",), unit="HU", geometry="volume", spacing_mm=5.0, min_slices=10)
GIVEN = Role("arteries", geometry="any", kind="regions", optional=True)


@application(
    name="coronary_calcium",
    title="Coronary calcium on CT",
    version=VERSION,
    needs=Needs((HEART, GIVEN)),
    codes=[CALCIFICATION, CORONARY_ARTERY],
)
def read_coronary_calcium(inputs: Inputs) -> Reading:
    """Score coronary calcium: Agatston, volume and CAC-DRS, for each artery whose region is given.

    Refuses contrast agent (stated, or seen in the blood), a heart that is cut, slices that were
    interpolated, a tube voltage without limits. At 70, 80 and 100 kV limits are adapted, and no class is given.
    """
    series = inputs["heart"]
    image = series.image()
    against = [*header_refusals(series, image)]
    if against:
        return Reading.refused(*against)
    step(inputs.progress, "coronary_calcium: finding the heart", 0.2)
    heart = find_heart_region(image.array, image.grid)
    against = heart_refusals(heart, series)
    if heart is None or against:
        return Reading.refused(*against)
    step(inputs.progress, "coronary_calcium: looking for calcium", 0.6)
    threshold_hu = LIMITS_HU_BY_KVP[int(series.tags["KVP"])][0]
    calcium = find_calcium(inputs, image, heart, threshold_hu)
    space = Region("heart-region", HEART_SPACE, image.grid, heart.mask, category=SPATIAL_CONCEPT)
    regions = (*calcium.scored, *calcium.elsewhere, space)
    told = [*heart_warnings(heart, series), *calcium.conditions]
    missing = [c for c in series.conditions if c.code in INCOMPLETE]
    if missing:
        text = "Slices are missing, so calcium is outlined and not scored: a score of a part is no score. Send all slices."
        told.append(Condition("calcium-not-scored", "warning", text, series.files[:1]))
        return Reading.complete(findings=[_unscored(calcium)], regions=regions, conditions=told).as_partial()
    score = score_calcium(series, image, calcium)
    reading = Reading.complete(
        findings=score.findings(),
        regions=regions,
        conditions=(*told, *score.conditions),
    )
    return reading.as_partial() if any(c.code == "calcium-metal" for c in calcium.conditions) else reading


def header_refusals(series: Series, image: Image) -> list[Condition]:
    """Why the series as its header states it cannot be scored; empty if it may be."""
    tags, found = series.tags, []
    if image.array.ndim != 3:
        text = (
            f"The CT holds {image.array.shape[0]} time points; a score is of one phase. Give one phase alone."
        )
        found.append(("several-time-points", text))
    for condition in series.conditions:
        if condition.code in RESAMPLED:
            text = f"Calcium is scored on slices as they were acquired, and these had to be interpolated. {condition.text}"
            found.append(("calcium-slices-resampled", text))
    kvp = tags.get("KVP")
    if not isinstance(kvp, int | float):
        text = "The tube voltage (0018,0060) is not stated, and the limits of the score hang on it. Use the original."
        found.append(("tube-voltage-unstated", text))
    elif kvp not in LIMITS_HU_BY_KVP:
        known = ", ".join(str(one) for one in LIMITS_HU_BY_KVP)
        text = f"The tube voltage is {kvp:g} kV; limits of the score exist for {known} kV. Use a scan at one of these."
        found.append(("tube-voltage-not-scored", text))
    if stated_contrast(tags) == "given":
        text = (
            f"A contrast agent was given ({tags['ContrastBolusAgent']}, 0018,0010): it cannot be told from calcium. "
            "Use the scan without contrast agent."
        )
        found.append(("contrast-given", text))
    return [Condition(code, "refusal", text, series.files[:1]) for code, text in found]


def heart_refusals(heart: HeartRegion | None, series: Series) -> list[Condition]:
    """Why what the image shows cannot be scored."""
    if heart is None:
        text = "No heart between two lungs was found. Give a CT that shows the chest from the lung roots to the diaphragm."
        return [Condition("no-heart-found", "refusal", text, series.files[:1])]
    found = []
    if heart.blood_hu > LARGEST_BLOOD_HU:
        text = (
            f"Blood in the heart measures {heart.blood_hu:.0f} HU, so contrast agent was given, whatever the header says: "
            "it cannot be told from calcium. Use the scan without contrast agent."
        )
        found.append(("contrast-seen", text))
    ends = [name for name, is_cut in (("head", heart.cut_at_head), ("feet", heart.cut_at_feet)) if is_cut]
    if ends:
        text = (
            f"The scan does not cover the heart towards the {' and the '.join(ends)}: a score of a part is no score. "
            "Use a scan from the lung roots to below the diaphragm."
        )
        found.append(("heart-cut-off", text))
    return [Condition(code, "refusal", text, series.files[:1]) for code, text in found]


def heart_warnings(heart: HeartRegion, series: Series) -> list[Condition]:
    """What of the image makes a score doubtful."""
    if heart.noise_hu <= LARGEST_NOISE_HU:
        return []
    text = (
        f"Noise in the heart is {heart.noise_hu:.0f} HU; scores are made for at most {LARGEST_NOISE_HU:g} HU. Noise that "
        "reaches the threshold counts as calcium. Use a smoother or thicker reconstruction of 3 mm."
    )
    return [Condition("calcium-noise", "warning", text, series.files[:1])]


def find_calcium(inputs: Inputs, image: Image, heart: HeartRegion, threshold_hu: float) -> Calcium:
    """Calcium in the given arteries, else in the heart region; components below 1 mm2 are none.

    Raises RefusedInput where two given arteries hold the same calcium.
    """
    area = {"pixel_mm2": float(np.prod(image.grid.spacing_mm[1:])), "least_mm2": MIN_AREA_MM2}
    in_heart = of_enough_area(pieces_within(image.array, heart.mask, threshold_hu=threshold_hu), **area)
    drawn, conditions = given_arteries(inputs, image)
    if not drawn:
        scored = _region("calcium", CALCIUM_HEART, image, in_heart)
        return Calcium(scored, conditions=(*conditions, _unassigned()), has_metal=_is_metal(image, in_heart))
    dense = image.array >= threshold_hu
    regions: list[Region] = []
    taken = np.zeros(image.grid.shape, dtype=np.bool_)
    for artery, mask in drawn.items():
        if (taken & mask & dense).any():
            raise RefusedInput(
                f"the region of the {artery.title} and that of another artery hold the same calcium, which can count "
                "only once. Draw the regions apart."
            )
        taken |= mask
        kept = of_enough_area(dense & mask, **area)
        if _is_metal(image, kept):
            conditions.append(_metal(artery))
            continue
        conditions += _cut_by_region(artery, n_voxels_beyond(dense, mask))
        regions += _region(artery.name, artery.calcium, image, kept)
    beside = _region("calcium-elsewhere", CALCIUM_ELSEWHERE, image, in_heart & ~taken)
    return Calcium(tuple(regions), tuple(drawn), beside, (*conditions, *_beside(beside)))


def given_arteries(inputs: Inputs, image: Image) -> tuple[dict[Artery, Mask], list[Condition]]:
    """The masks of the arteries on the image, by code or name of the given regions, and what was not used."""
    drawn: dict[Artery, Mask] = {}
    conditions, others = inputs.unread_regions(), []
    for given in inputs.given_series("heart"):
        try:
            regions = given.regions(image.grid)
        except RefusedInput as refusal:
            text = f"The regions of {given.files[0]} were not used: {refusal}"
            conditions.append(Condition("regions-not-drawn", "warning", text, given.files))
            continue
        for region in regions:
            artery = artery_of(region)
            if artery is None or region.mask is None or region.is_empty:
                others.append(region.name)
            else:
                drawn[artery] = drawn[artery] | region.mask if artery in drawn else region.mask
    if others:
        text = f"Given regions that are none of LM, LAD, LCx and RCA, or hold no voxel, were not used: {', '.join(others[:8])}."
        conditions.append(Condition("regions-not-arteries", "note", text))
    return {artery: drawn[artery] for artery in ARTERIES if artery in drawn}, conditions


def _region(name: str, concept: Code, image: Image, mask: Mask) -> tuple[Region, ...]:
    """The region as a tuple; () if it is empty."""
    if not mask.any():
        return ()
    return (Region(name, concept, image.grid, mask, category=MORPHOLOGICALLY_ABNORMAL_STRUCTURE),)


def _is_metal(image: Image, mask: Mask) -> bool:
    return bool((image.array[mask] >= METAL_HU).any())


def _metal(artery: Artery) -> Condition:
    text = (
        f"The {artery.title} holds voxels of {METAL_HU:.0f} HU and more, denser than calcium: a stent, lead or clip. It was "
        "left out, so the total is that of the other arteries."
    )
    return Condition("calcium-metal", "warning", text)


def _cut_by_region(artery: Artery, n_beyond: int) -> list[Condition]:
    if not n_beyond:
        return []
    text = (
        f"Calcium goes on beyond the region of the {artery.title}: {n_beyond} voxels joined to it lie outside and were not "
        "counted. Draw the region wider, unless bone touches it."
    )
    return [Condition("calcium-cut-by-region", "warning", text)]


def _beside(beside: tuple[Region, ...]) -> list[Condition]:
    if not beside:
        return []
    text = (
        f"Calcium in the heart region that lies in no given artery was not scored ({beside[0].n_voxels} voxels). It may be "
        "that of a valve or of the aorta; where it is coronary, draw the artery wider."
    )
    return [Condition("calcium-outside-arteries", "note", text)]


def _unassigned() -> Condition:
    text = (
        "No region of LM, LAD, LCx or RCA was given, so the score is of all calcium in the heart region: that of the aortic "
        "valve, the mitral ring and the root of the aorta counts in it, and it has no class. Give the arteries as SEG, "
        "RTSTRUCT or mask."
    )
    return Condition("calcium-unassigned", "warning", text)


def _unscored(calcium: Calcium) -> Finding:
    reason = "Calcium was looked for on the slices that are there; what the missing ones hold is not known."
    names = tuple(region.name for region in calcium.scored)
    presence: Presence = "present" if calcium.given and names else "indeterminate"
    return Finding("coronary-calcium", CALCIFICATION, presence, reason, site=CORONARY_ARTERY, regions=names)
