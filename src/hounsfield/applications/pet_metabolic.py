"""Metabolic activity of lesions on FDG-PET: SUVmax, SUVpeak, SUVmean, MTV and TLG at 41 %, 2.5 and 4.0.

Read `read_pet_metabolic` first. Lesions are the regions given with the study; where none is given, foci
of high uptake are searched, and what they are stays open: a bladder is hotter than most tumours.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core import (
    Condition,
    Finding,
    Inputs,
    Measurement,
    Needs,
    Reading,
    Region,
    Role,
    application,
)
from hounsfield.core.code import (
    ANATOMICAL_STRUCTURE,
    INCREASED_UPTAKE,
    LESION,
    MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
    PRIVATE_SCHEME,
    SPATIAL_CONCEPT,
)
from hounsfield.core.errors import RefusedInput
from hounsfield.core.progress import step
from hounsfield.imaging.coverage import reaches_edge, share_outside
from hounsfield.imaging.uptake import find_foci
from hounsfield.measures import THRESHOLDS, mtv, region_volume, suv_max, suv_mean, suvpeak_1cm3, tlg

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hounsfield.core import Image, Series

VERSION = "1.0.0"
# What is searched: the fixed thresholds of the measures themselves. A focus has to reach the one that is
# the benchmark in lymphoma, and is outlined at the other.
PEAK_SUV, BORDER_SUV = 4.0, 2.5
SMALLEST_FOCUS_ML = 0.5  # a sphere of 10 mm, the smallest of the NEMA NU 2 phantom
MOST_FOCI = 20
MOST_NAMED = 8
FDG_CODES = frozenset({"35321007", "C-B1031"})  # CID 4021 in SNOMED CT and in the older SRT scheme
_FDG_NAMES = re.compile(r"(?<![a-z])f?fdg(?![a-z])|(?:deoxy|desoxy)-?glu[ck]os", re.IGNORECASE)

RECONSTRUCTION = Condition(
    "reconstruction-unverified",
    "note",
    "The fixed thresholds, 4.0 above all, are published for reconstructions harmonised as by EARL; no header says "
    "whether this is one. Compare only with images of the same reconstruction.",
)

PET = Role("pet", modalities=("PT",), unit="SUVbw", geometry="volume")
GIVEN = Role("lesions", geometry="any", kind="regions", optional=True)


@dataclass(frozen=True, slots=True, eq=False)
class Lesions:
    """What is measured, each with the finding of its name, and what has to be told.

    least_suv: where the regions end by construction; a lower threshold would be cut off.
    """

    regions: tuple[Region, ...] = ()
    findings: tuple[Finding, ...] = ()
    conditions: tuple[Condition, ...] = ()
    least_suv: float = 0.0


@application(
    name="pet_metabolic",
    title="Metabolic activity of lesions on FDG-PET",
    version=VERSION,
    needs=Needs((PET, GIVEN)),
    codes=[LESION, INCREASED_UPTAKE],
)
def read_pet_metabolic(inputs: Inputs) -> Reading:
    """Measure the uptake of lesions given as SEG, RTSTRUCT or mask, or of foci found without one.

    Given lesions are present because their file says so; found foci are always indeterminate. Refuses a
    PET of several time points; that SUV can be computed at all was asked before.
    """
    series = inputs["pet"]
    image = series.image()
    if image.array.ndim != 3:
        text = (
            f"The PET holds {image.array.shape[0]} time points, and these measures are of a static image. Give the "
            "summed image, or one time point alone."
        )
        return Reading.refused(Condition("several-time-points", "refusal", text, series.files[:1]))
    step(inputs.progress, "pet_metabolic: looking for lesions", 0.1)
    lesions = given_lesions(inputs, image)
    conditions = [*tracer_conditions(series), *lesions.conditions]
    if not lesions.regions:
        lesions = found_foci(image)
        conditions += lesions.conditions
    step(inputs.progress, "pet_metabolic: measuring", 0.5)
    measurements, told = measure_all(image, lesions)
    return Reading.complete(
        findings=lesions.findings,
        measurements=measurements,
        regions=lesions.regions,
        conditions=[*conditions, *told, RECONSTRUCTION],
    )


def tracer_conditions(series: Series) -> list[Condition]:
    """What the header says of the tracer; nothing where it is FDG."""
    name = str(series.tags.get("Radiopharmaceutical") or "").strip()
    code = str(series.tags.get("RadiopharmaceuticalCode") or "")
    if code in FDG_CODES or _FDG_NAMES.search(name):
        return []
    if name or code:
        text = (
            f"The tracer is {name or code!r} by the header (0054,0016), which is not known here as FDG. The SUV holds "
            "for any tracer; the thresholds are published for FDG, and only its uptake may be called glycolysis."
        )
        return [Condition("tracer-not-fdg", "warning", text, series.files[:1])]
    text = (
        "The tracer is not stated (Radiopharmaceutical Information Sequence, 0054,0016). Thresholds and glycolysis "
        "mean something for FDG only; if it was another, do not use them."
    )
    return [Condition("tracer-unstated", "warning", text, series.files[:1])]


def given_lesions(inputs: Inputs, image: Image) -> Lesions:
    """The regions given on this PET that are, or may be, lesions.

    A file that calls a region abnormal (segment category, RT ROI type GTV, CTV or ITV) states a lesion; one
    that calls it anatomical states none, and it is not measured; whatever says neither is measured and open.
    """
    drawn: list[tuple[Region, float]] = []
    conditions = inputs.unread_regions()
    for given in inputs.given_series("pet"):
        try:
            drawn += _drawn(given, image)
        except RefusedInput as refusal:
            text = f"The regions of {given.files[0]} were not used: {refusal}"
            conditions.append(Condition("regions-not-drawn", "warning", text, given.files))
    others = [region.name for region, _ in drawn if region.category == ANATOMICAL_STRUCTURE]
    if others:
        text = (
            f"Not measured, because their file calls them something else than a lesion: {_listed(others)}. Where one "
            "is a lesion, let the file say so (segment category, or RT ROI Interpreted Type GTV)."
        )
        conditions.append(Condition("regions-not-lesions", "note", text))
    lesions = _with_unique_names((r, share) for r, share in drawn if r.category != ANATOMICAL_STRUCTURE)
    conditions += [c for region, share in lesions for c in _not_wholly_there(region, share)]
    there = tuple(region for region, _ in lesions if not region.is_empty)
    return Lesions(there, tuple(_given_finding(r) for r in there), (*conditions, *_unstated(there)))


def _drawn(given: Series, image: Image) -> list[tuple[Region, float]]:
    """The regions of a file on the PET, and which share of each lies outside it (contours are told of before)."""
    regions = given.regions(image.grid)
    if given.grid is None or not given.grid.has_millimetres:
        return [(region, 0.0) for region in regions]
    own = {region.name: region for region in given.regions(given.grid)}
    return [(region, share_outside(own[region.name], image.grid)) for region in regions]


def _with_unique_names(drawn: Iterable[tuple[Region, float]]) -> list[tuple[Region, float]]:
    taken: set[str] = set()
    named = []
    for region, share in drawn:
        name, number = region.name, 2
        while name in taken:
            name, number = f"{region.name}-{number}", number + 1
        taken.add(name)
        named.append((replace(region, name=name), share))
    return named


def _not_wholly_there(region: Region, outside_fraction: float = 0.0) -> list[Condition]:
    """What of a region is not on this PET."""
    if region.is_empty:
        text = (
            f"Region {region.name!r} marks no voxel of this PET: it lies outside, is smaller than a voxel, or is empty. "
            "Nothing was measured of it; give the PET that it was drawn on."
        )
        return [Condition("region-not-on-image", "warning", text)]
    if outside_fraction > 0.0:
        text = (
            f"{outside_fraction:.1%} of region {region.name!r} lie outside this PET and were not measured. Give the "
            "whole series."
        )
        return [Condition("region-outside-image", "warning", text)]
    if reaches_edge(region):
        text = (
            f"Region {region.name!r} reaches the edge of the PET, beyond which it may go on: its measures are of the "
            "part that was imaged."
        )
        return [Condition("region-at-edge", "warning", text)]
    return []


def _given_finding(region: Region) -> Finding:
    if region.category == MORPHOLOGICALLY_ABNORMAL_STRUCTURE:
        concept = LESION if region.concept.scheme == PRIVATE_SCHEME else region.concept
        reason = f"The file that gives {region.name} calls it a lesion; its uptake was measured, not judged."
        return Finding(region.name, concept, "present", reason, regions=(region.name,))
    reason = (
        f"The file that gives {region.name} does not say whether it is a lesion; it was measured as it is."
    )
    return Finding(region.name, LESION, "indeterminate", reason, regions=(region.name,))


def _unstated(regions: Iterable[Region]) -> list[Condition]:
    names = [r.name for r in regions if r.category != MORPHOLOGICALLY_ABNORMAL_STRUCTURE]
    if not names:
        return []
    text = (
        f"It is not stated whether these regions are lesions: {_listed(names)}. A mask cannot say so; a SEG says it by "
        "its segment category, an RTSTRUCT by the type GTV."
    )
    return [Condition("regions-unstated", "note", text)]


def found_foci(image: Image) -> Lesions:
    """The hottest foci of uptake as regions `uptake-1`, `uptake-2`, ..., all of them indeterminate."""
    voxel_ml = image.grid.voxel_volume_mm3 / 1000.0
    foci = find_foci(
        image.array,
        border=BORDER_SUV,
        peak=PEAK_SUV,
        fewest_voxels=math.ceil(SMALLEST_FOCUS_ML / voxel_ml),
        most=MOST_FOCI,
    )
    regions = tuple(
        Region(f"uptake-{n}", INCREASED_UPTAKE, image.grid, mask, category=SPATIAL_CONCEPT)
        for n, mask in enumerate(foci.masks, start=1)
    )
    searched = (
        f"foci of at least SUV {PEAK_SUV:g} and {SMALLEST_FOCUS_ML:g} ml, outlined at SUV {BORDER_SUV:g}"
    )
    text = (
        f"No lesion is given on this PET, so uptake was searched: {searched}. Brain, heart, kidneys, bladder, bowel, muscle, "
        "brown fat and the injection site take up as much, and no anatomy is known here: each focus is open. A lesion "
        "that is smaller or takes up less is not listed. Give the lesion as SEG, RTSTRUCT or mask."
    )
    conditions = [
        Condition("uptake-not-classified", "warning", text),
        *_not_listed(foci.n_further, foci.n_small),
    ]
    if not regions:
        reason = f"There are no {searched}. Smaller or weaker lesions are not searched, so none is excluded."
        finding = Finding("uptake", INCREASED_UPTAKE, "indeterminate", reason)
        return Lesions(findings=(finding,), conditions=tuple(conditions))
    conditions += [condition for region in regions for condition in _not_wholly_there(region)]
    return Lesions(regions, tuple(_found_finding(image, r) for r in regions), tuple(conditions), BORDER_SUV)


def _not_listed(n_further: int, n_small: int) -> list[Condition]:
    conditions = []
    if n_further:
        text = (
            f"{n_further} further foci were found and are not listed: a reading lists the {MOST_FOCI} hottest. Give "
            "the lesions as SEG, RTSTRUCT or mask."
        )
        conditions.append(Condition("foci-left-out", "warning", text))
    if n_small:
        text = f"{n_small} foci above SUV {PEAK_SUV:g} are smaller than {SMALLEST_FOCUS_ML:g} ml and are not listed."
        conditions.append(Condition("foci-too-small", "note", text))
    return conditions


def _found_finding(image: Image, region: Region) -> Finding:
    hottest_suv = float(image.array[region.mask].max())
    reason = (
        f"{region.name} reaches SUV {hottest_suv:.1f}. It was found by its height alone, which cannot tell a lesion "
        "from physiology."
    )
    return Finding(region.name, INCREASED_UPTAKE, "indeterminate", reason, regions=(region.name,))


def measure_all(image: Image, lesions: Lesions) -> tuple[list[Measurement], list[Condition]]:
    """The measurements of every lesion, and what could not be measured of which."""
    measurements: list[Measurement] = []
    conditions: list[Condition] = []
    cut_off: list[str] = []
    for region in lesions.regions:
        made, refusal = measure(image, region, least_suv=lesions.least_suv)
        measurements += made
        if refusal:
            conditions.append(Condition("suv-peak-refused", "warning", refusal))
        if not any(m.name == f"mtv-{THRESHOLDS[0].name}" for m in made):
            cut_off.append(region.name)
    if cut_off:
        text = (
            f"MTV and TLG at {THRESHOLDS[0].text} are left out for {_listed(cut_off)}: that limit lies below SUV "
            f"{lesions.least_suv:g}, where found foci end. Give the lesion as a region."
        )
        conditions.append(Condition("threshold-below-focus", "note", text))
    return measurements, conditions


def measure(image: Image, region: Region, *, least_suv: float = 0.0) -> tuple[list[Measurement], str]:
    """Volume, SUVmax, SUVpeak, SUVmean, MTV and TLG of one region, and why SUVpeak is missing ("" if it is not).

    Thresholds below `least_suv` are left out.
    """
    hottest = suv_max(image, region)
    made, refusal = [region_volume(region), hottest], ""
    try:
        made.append(suvpeak_1cm3(image, region))
    except RefusedInput as error:
        refusal = str(error)
    made.append(suv_mean(image, region))
    for threshold in THRESHOLDS:
        if threshold.suv(np.array([hottest.value])) >= least_suv:
            made += [mtv(image, region, threshold=threshold), tlg(image, region, threshold=threshold)]
    return made, refusal[:1].upper() + refusal[1:]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"
