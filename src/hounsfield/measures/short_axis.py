"""Short axis of a lesion: the longest line across its longest diameter, in the same slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import SHORT_AXIS
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.measures.longest_diameter import slice_diameters

if TYPE_CHECKING:
    from hounsfield.core import Measurement, Region

CARD = RuleCard(
    name="short-axis",
    version="1.0.0",
    source="Eisenhauer 2009, Eur J Cancer 45:228 (RECIST 1.1): short axis of lymph nodes",
    quantity=SHORT_AXIS,
    unit="mm",
    takes="region",
    evidence="verified",
    formula="longest chord of the lesion's convex outline at right angles to its longest diameter, on that slice",
    population="lymph nodes and lesions on CT or MR, measured in the acquired plane",
    refuses=("empty region", "no millimetres"),
    uncertainty="of a given region about half a pixel",
)


@measure(CARD)
def short_axis(region: Region) -> Measurement:
    """Short axis in mm of `region` on the slice of its longest diameter; the note names plane and slice.

    Raises RefusedInput if the region is no mask or empty, GeometryError if the grid states no millimetres.
    """
    found = slice_diameters(region)
    note = f"{region.grid.plane} slice {found.slice_index + 1}"
    return CARD.measurement(found.short_axis_mm, region, name="short-axis", note=note)
