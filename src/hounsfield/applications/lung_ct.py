"""Left and right lung on CT of the chest: volume and density, by rules alone.

Read `read_lung_ct` first: it finds the lungs, measures each, and leaves out the emphysema indices where the
literature calls them invalid (contrast, thick slices, sharp kernel), saying which and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core import Condition, Inputs, Measurement, Needs, Reading, Region, Role, application
from hounsfield.core.code import LEFT, LUNG, RIGHT
from hounsfield.core.progress import step
from hounsfield.measures import laa910, laa950, mean_attenuation, perc15, region_volume
from hounsfield.studies.ct_header import is_sharp, stated_contrast, stated_kernel

if TYPE_CHECKING:
    from hounsfield.core import Image, Series
    from hounsfield.imaging.lungs import LungSegmentation

VERSION = "1.0.0"
# Emphysema indices: thin slices, slices that need a warning. Source: Gevenois 1996, COPDGene protocol.
THIN_MM, STILL_VALID_MM = 1.25, 2.5
REFERENCE_KVP = (110.0, 130.0)  # the indices were validated at 120 kVp
TRACHEA_HU, TRACHEA_TOLERANCE_HU = -1000.0, 20.0
CUT_CODES = {"lung-cut-off", "lung-cut-at-side"}  # these make a reading partial

THORAX = Role("thorax", modalities=("CT",), unit="HU", geometry="volume", spacing_mm=10.0, min_slices=10)


@application(
    name="lung_ct",
    title="Lung volume and density on CT",
    version=VERSION,
    needs=Needs((THORAX,)),
    codes=[LUNG],
    memory_mb=2000,
)
def read_lung_ct(inputs: Inputs) -> Reading:
    """Measure each lung without its large airways: volume, mean density, LAA%-950, LAA%-910, Perc15."""
    from hounsfield.imaging.lungs import segment_lungs

    series = inputs["thorax"]
    image = series.image()
    step(inputs.progress, "lung_ct: finding the lungs", 0.2)
    found = segment_lungs(image.array, image.grid)
    if found is None:
        return Reading.refused(
            Condition(
                "no-lung-found",
                "refusal",
                "No region with the density and shape of lung was found clear of the image's side edges. Give a CT "
                "that shows the chest from side to side.",
                series.files[:1],
            )
        )
    regions = lung_regions(image, found)
    step(inputs.progress, "lung_ct: measuring", 0.8)
    against = density_refusals(series, image)
    measurements = [m for region in regions for m in measure_lung(image, region, with_indices=not against)]
    conditions = [*against, *density_warnings(series, image, found), *extent_warnings(found, regions)]
    reading = Reading.complete(measurements=measurements, regions=regions, conditions=conditions)
    return reading.as_partial() if any(c.code in CUT_CODES for c in conditions) else reading


def lung_regions(image: Image, found: LungSegmentation) -> list[Region]:
    """The lungs that hold a voxel, right first, on the image's grid."""
    from hounsfield.imaging.lungs import LEFT as LEFT_LABEL
    from hounsfield.imaging.lungs import RIGHT as RIGHT_LABEL

    sides = (("right-lung", RIGHT_LABEL, RIGHT), ("left-lung", LEFT_LABEL, LEFT))
    made = (Region(name, LUNG, image.grid, found.mask(label), laterality=side) for name, label, side in sides)
    return [region for region in made if not region.is_empty]


def measure_lung(image: Image, region: Region, *, with_indices: bool) -> list[Measurement]:
    """Volume and mean density; the emphysema indices too where they are valid."""
    measured = [region_volume(region), mean_attenuation(image, region)]
    if with_indices:
        measured += [laa950(image, region), laa910(image, region), perc15(image, region)]
    return measured


def density_refusals(series: Series, image: Image) -> list[Condition]:
    """Why LAA% and Perc15 are not given for this series; empty if they may be."""
    found = []
    if stated_contrast(series.tags) == "given":
        found.append(
            "A contrast agent was given (0018,0010): it raises the density of the lung. Use an unenhanced series."
        )
    thickness_mm = slice_thickness_mm(series, image)
    if thickness_mm > STILL_VALID_MM:
        found.append(
            f"Slices of {thickness_mm:g} mm average emphysema away; {STILL_VALID_MM:g} mm or less are needed. "
            "Use a thinner reconstruction."
        )
    kernel = stated_kernel(series.tags)
    if is_sharp(kernel):
        found.append(
            f"The kernel {kernel!r} (0018,1210) sharpens edges and raises the indices several-fold. Use a soft or "
            "standard reconstruction."
        )
    return [
        Condition(
            "lung-density-invalid", "warning", f"LAA% and Perc15 were left out. {text}", series.files[:1]
        )
        for text in found
    ]


def slice_thickness_mm(series: Series, image: Image) -> float:
    """The stated thickness or the distance between slices, whichever is larger."""
    stated = series.tags.get("SliceThickness")
    spacing_mm = image.grid.spacing_mm[0]
    return max(float(stated), spacing_mm) if isinstance(stated, int | float) else spacing_mm


def density_warnings(series: Series, image: Image, found: LungSegmentation) -> list[Condition]:
    """What a reader of the densities must know; nothing that is unstated counts as fulfilled."""
    tags, conditions = series.tags, []

    def warn(code: str, text: str) -> None:
        conditions.append(Condition(code, "warning", text, series.files[:1]))

    if stated_contrast(tags) == "not stated":
        warn(
            "contrast-unstated",
            "The header states no contrast agent (0018,0010), nor that none was given. With contrast, densities are "
            "too high and LAA% too low.",
        )
    if not stated_kernel(tags):
        warn("kernel-unstated", "The kernel (0018,1210) is not stated; a sharp one raises LAA% several-fold.")
    if not isinstance(tags.get("SliceThickness"), int | float):
        warn(
            "thickness-unstated",
            "The slice thickness (0018,0050) is not stated; the distance between slices stands for it.",
        )
    if THIN_MM < slice_thickness_mm(series, image) <= STILL_VALID_MM:
        warn("slices-thick", f"Slices are thicker than {THIN_MM:g} mm: LAA% comes out somewhat too low.")
    kilovolts = tags.get("KVP")
    if isinstance(kilovolts, int | float) and not REFERENCE_KVP[0] <= kilovolts <= REFERENCE_KVP[1]:
        warn("tube-voltage", f"The tube voltage is {kilovolts:g} kV; the indices were validated at 120 kV.")
    air_hu = found.trachea_hu
    if air_hu is not None and abs(air_hu - TRACHEA_HU) > TRACHEA_TOLERANCE_HU:
        warn(
            "air-off-calibration",
            f"Air in the trachea measures {air_hu:.0f} HU instead of {TRACHEA_HU:.0f} HU: densities may be shifted.",
        )
    return conditions


def extent_warnings(found: LungSegmentation, regions: list[Region]) -> list[Condition]:
    """What of the lungs is missing from the image, or could not be told apart."""
    conditions = []
    ends = [name for name, is_cut in (("head", found.cut_at_head), ("feet", found.cut_at_feet)) if is_cut]
    if ends:
        where = " and ".join(f"end towards the {name}" for name in ends)
        text = f"The image cuts the lungs at its {where}: volumes hold only what is imaged."
        conditions.append(Condition("lung-cut-off", "warning", text))
    if found.cut_at_side:
        text = "The image seems to cut a lung at its side: slices in which lung reaches the edge hold none of it."
        conditions.append(Condition("lung-cut-at-side", "warning", text))
    if len(regions) == 1:
        missing = "is cut by the image's edge or holds" if found.cut_at_side else "holds"
        side = regions[0].name.replace("-", " ")
        text = f"Only the {side} was found; the other side {missing} no aerated lung."
        conditions.append(Condition("one-lung", "warning", text))
    if found.separated_by_plane:
        text = "The lungs touch and could not be told apart by shape; they were cut in the midline."
        conditions.append(Condition("lungs-cut-in-midline", "warning", text))
    return conditions
