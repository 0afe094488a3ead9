"""Longest diameter of a lesion within its slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import LONG_AXIS
from hounsfield.core.errors import RefusedInput
from hounsfield.imaging.diameters import Diameters, diameters
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Measurement, Region

CARD = RuleCard(
    name="longest-diameter",
    version="1.0.0",
    source="Eisenhauer 2009, Eur J Cancer 45:228 (RECIST 1.1): longest diameter in the plane of measurement",
    quantity=LONG_AXIS,
    unit="mm",
    takes="region",
    evidence="verified",
    formula="largest distance between two pixels of the lesion on one slice and half a pixel more, over all slices",
    population="lesions on CT or MR, measured in the acquired plane",
    refuses=("empty region", "no millimetres"),
    uncertainty="sums of two readers differ by about +-20 % (95 %, Yoon 2016; unverified); of a given region half a pixel",
)


@measure(CARD)
def longest_diameter(region: Region) -> Measurement:
    """Longest diameter in mm of `region` on any slice of its grid; the note names plane and slice.

    Raises RefusedInput if the region is no mask or empty, GeometryError if the grid states no millimetres.
    """
    found = slice_diameters(region)
    note = f"{region.grid.plane} slice {found.slice_index + 1}"
    return CARD.measurement(found.longest_mm, region, name="longest-diameter", note=note)


def slice_diameters(region: Region) -> Diameters:
    """Longest diameter and short axis of `region`. Raises RefusedInput, GeometryError."""
    if region.mask is None:
        raise RefusedInput(
            f"region {region.name!r} is a {region.kind}, which has no diameter. Give a mask instead."
        )
    found = diameters(region.mask, region.grid)
    if found is None:
        raise RefusedInput(f"region {region.name!r} holds no voxel: there is no diameter to measure.")
    return found
