"""What the calcium rules share: the scan they hold for, and the calcium found on its slices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from scipy import ndimage

from hounsfield.core import Code, Condition, Given, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import GeometryError, RefusedInput, UnitError
from hounsfield.core.exact import exact, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Image, Region
    from hounsfield.core.rule import RuleCard

CALCIUM_SCORE = Code("450360000", "SCT", "Coronary artery calcium score")
UNGATED_SCORE = private_code("UNGATED_CALCIUM_SCORE", "Coronary artery calcium score (not gated)")
THRESHOLD_HU = 130  # Agatston 1990, at 120 kVp; a voxel of 130 HU counts
MIN_AREA_MM2 = 1  # an area of exactly 1 mm2 stays
ORIGINAL_INCREMENT_MM = 3  # the factors were made for contiguous slices of 3 mm
USUAL_THICKNESS_MM = (Decimal("2.5"), Decimal("3.0"))
EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)
REFUSES = (
    "contrast agent present, or aortic lumen above 130 HU",
    "tube voltage without limits of its own",
    "heart not covered whole",
    "increment missing or irregular",
)

Vessel = Literal["LM", "LAD", "LCx", "RCA"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalciumScan(RuleInput):
    """A CT of the heart without contrast agent, as far as the calcium rules must know it."""

    kvp: Annotated[float, Given("kV", "tube voltage", above=0, at_most=200)]
    contrast: Annotated[Literal["none", "given", "not stated"], Given("", "contrast agent")] = "not stated"
    aorta_mean_hu: Annotated[float | None, Given("[hnsf'U]", "mean of the aortic lumen")] = None
    is_gated: Annotated[bool | None, Given("", "the scan was triggered by the ECG")] = None
    covers_heart: Annotated[bool, Given("", "the heart is covered whole")] = True
    slice_thickness_mm: Annotated[float | None, Given("mm", "thickness of a slice", above=0)] = None
    is_sharp_kernel: Annotated[bool, Given("", "reconstructed with a sharp kernel")] = False
    has_metal: Annotated[bool, Given("", "stent, lead, valve or clips near a vessel")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCalcium(RuleInput):
    """One connected component of one slice."""

    area_mm2: Annotated[float, Given("mm2", "area of the component", above=0)]
    max_hu: Annotated[
        float, Given("[hnsf'U]", "its largest value on that slice", at_least=-1024, at_most=65535)
    ]
    vessel: Annotated[Vessel | None, Given("", "vessel it belongs to")] = None


def refuse_unfit(scan: CalciumScan, *, kvps: Sequence[float]) -> None:
    """Raise RefusedInput, with the reason, for a scan that no calcium rule of these voltages may take."""
    aorta_hu = scan.aorta_mean_hu
    if scan.contrast == "given" or (aorta_hu is not None and exact(aorta_hu) > THRESHOLD_HU):
        found = (
            "contrast agent was given"
            if scan.contrast == "given"
            else f"the aorta measures {shown(aorta_hu or 0)} HU"
        )
        raise RefusedInput(
            f"{found}: contrast cannot be told from calcium. Use the scan without contrast agent."
        )
    if not scan.covers_heart:
        raise RefusedInput(
            "the heart is not covered whole: a score of a part is no score. Use a complete scan."
        )
    if exact(scan.kvp) not in {exact(kvp) for kvp in kvps}:
        raise RefusedInput(
            f"the tube voltage is {shown(scan.kvp)} kV; this rule has limits for "
            f"{', '.join(shown(kvp) for kvp in kvps)} kV. Use agatston-kvp-graeni-2018 at 70, 80 or 100 kV."
        )


def scan_conditions(scan: CalciumScan) -> list[Condition]:
    """What departs from the scan that the scores were made for."""
    thickness_mm = scan.slice_thickness_mm
    low, high = USUAL_THICKNESS_MM
    found = [
        (
            scan.contrast == "not stated",
            Condition("contrast-unstated", "warning", "It is not stated that no contrast agent was given."),
        ),
        (
            scan.is_gated is None,
            Condition(
                "gating-unstated", "warning", "It is not stated whether the scan was triggered by the ECG."
            ),
        ),
        (
            scan.is_gated is False,
            Condition(
                "ct-not-gated",
                "warning",
                "The scan was not triggered by the ECG: the number is named ungated and has no class.",
            ),
        ),
        (
            thickness_mm is not None and not low <= exact(thickness_mm) <= high,
            Condition(
                "calcium-slice-thickness",
                "warning",
                f"Slices are {shown(thickness_mm or 0)} mm thick; scores were made for 2.5 to 3 mm, thin slices "
                "score higher.",
            ),
        ),
        (
            scan.is_sharp_kernel,
            Condition("calcium-sharp-kernel", "warning", "A sharp kernel raises the values and the score."),
        ),
        (
            scan.has_metal,
            Condition(
                "calcium-metal", "warning", "Metal lies near a vessel: leave that vessel out and say so."
            ),
        ),
    ]
    return [condition for is_so, condition in found if is_so]


def score_quantity(scan: CalciumScan) -> Code:
    """What a score measures; that of a scan without trigger is another quantity, so that nobody takes it for one."""
    return UNGATED_SCORE if scan.is_gated is False else CALCIUM_SCORE


def score_name(scan: CalciumScan, name: str) -> str:
    """The name of a score, with `-ungated` where the scan was not triggered."""
    return f"{name}-ungated" if scan.is_gated is False else name


def calcium_on_slices(
    card: RuleCard, image: Image, vessels: Sequence[Region], *, threshold_hu: float = THRESHOLD_HU
) -> tuple[SliceCalcium, ...]:
    """Components at or above `threshold_hu` inside `vessels`, slice by slice (8-neighbourhood).

    Every component counts, those below 1 mm2 too: the rule drops them. vessels: masks on the image's
    grid, named "lm", "lad", "lcx" or "rca" where a score by vessel is wanted. Raises UnitError for an
    image that is not in HU, GeometryError if grids differ or slices are not axial.
    """
    if not image.grid.plane.endswith("axial"):
        raise GeometryError(
            f"the slices are {image.grid.plane}: calcium is scored on axial slices. Choose the axial series."
        )
    if image.unit != "HU":
        raise UnitError(f"the image is in {image.unit}: calcium is scored in HU. Choose a CT series in HU.")
    # Nine decimals below take away the noise of binary products, so that 1 mm2 is 1 mm2.
    area_mm2 = float(np.prod(image.grid.spacing_mm[1:]))
    found: list[SliceCalcium] = []
    for vessel in vessels:
        if vessel.is_empty or vessel.mask is None:
            continue
        card.values(image, vessel)
        name = next((one for one in ("LM", "LAD", "LCx", "RCA") if one.lower() == vessel.name.lower()), None)
        candidates = (image.array >= threshold_hu) & vessel.mask
        found += [
            SliceCalcium(area_mm2=round(n * area_mm2, 9), max_hu=hu, vessel=name)  # type: ignore[arg-type]  # one of Vessel
            for k in np.flatnonzero(candidates.any(axis=(1, 2)))
            for n, hu in _components(image.array[k], candidates[k])
        ]
    return tuple(found)


def _components(hu: np.ndarray, candidate: np.ndarray) -> list[tuple[int, float]]:
    labels, n = ndimage.label(candidate, structure=EIGHT_NEIGHBOURS)
    sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    highest = ndimage.maximum(hu, labels, index=np.arange(1, n + 1))
    return [(int(size), float(top)) for size, top in zip(sizes, highest, strict=True)]


def increment_mm(image: Image) -> float:
    """Distance between slices along their normal, from their positions: volume of a voxel / its area."""
    return round(image.grid.voxel_volume_mm3 / float(np.prod(image.grid.spacing_mm[1:])), 9)
