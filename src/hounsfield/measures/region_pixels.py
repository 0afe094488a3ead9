"""Pixels of a region on its largest section, where the image states no spacing and so no area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import AREA
from hounsfield.core.errors import RefusedInput
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Measurement, Region

CARD = RuleCard(
    name="region-pixels",
    version="1.0.0",
    source="Count of marked pixels of the largest section",
    quantity=AREA,
    unit="{pixels}",
    takes="region",
    evidence="verified",
)


@measure(CARD)
def region_pixels(region: Region) -> Measurement:
    """Marked pixels of `region` on the slice that holds most of it. Raises RefusedInput if it is no mask."""
    note = "" if region.grid.has_millimetres else "The image states no pixel spacing."
    return CARD.measurement(largest_section_pixels(region), region, name="area", note=note)


def largest_section_pixels(region: Region) -> int:
    """Marked pixels on the slice (z) that holds most of them; 0 for an empty mask."""
    if region.mask is None:
        raise RefusedInput(
            f"region {region.name!r} is a {region.kind}, which has no pixels. Give a mask instead."
        )
    return int(region.mask.sum(axis=(1, 2)).max())
