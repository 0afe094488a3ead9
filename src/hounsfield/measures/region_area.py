"""Area of a region on the plane that was acquired: the pixels of its largest section times the area of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import AREA
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.measures.region_pixels import largest_section_pixels

if TYPE_CHECKING:
    from hounsfield.core import Measurement, Region

CARD = RuleCard(
    name="region-area",
    version="1.0.0",
    source="Sum of marked pixels of the largest section; spacing of rows and columns, PS3.3 C.7.6.2.1.1",
    quantity=AREA,
    unit="mm2",
    takes="region",
    evidence="verified",
)


@measure(CARD)
def region_area(region: Region) -> Measurement:
    """Area of `region` in mm2 on the slice that holds most of it; on a single slice, its area there.

    Raises GeometryError if the grid states no millimetres, RefusedInput if the region is no mask.
    """
    _, row_mm, column_mm = region.grid.spacing_mm
    return CARD.measurement(largest_section_pixels(region) * row_mm * column_mm, region, name="area")
