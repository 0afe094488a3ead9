"""Mean area of a region over the slices of a slab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import AREA
from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Measurement, Region

CARD = RuleCard(
    name="mean-section-area",
    version="1.0.0",
    source="Sum of marked pixels over the slices, divided by their number; spacing of rows and columns, PS3.3 "
    "C.7.6.2.1.1",
    quantity=AREA,
    unit="cm2",
    takes="region",
    evidence="verified",
)


@measure(CARD)
def mean_section_area(
    region: Region, *, slices: range | None = None, name: str = "mean-area", note: str = ""
) -> Measurement:
    """Area of `region` in cm2, averaged over `slices` (all if None): its area there if they are one.

    Raises GeometryError if the grid states no millimetres, RefusedInput if the region is no mask, UsageError
    if the slices are none or not all on the grid.
    """
    if region.mask is None:
        raise RefusedInput(
            f"region {region.name!r} is a {region.kind}, which has no area. Give a mask instead."
        )
    n_slices = region.grid.shape[0]
    chosen = range(n_slices) if slices is None else slices
    if len(chosen) == 0 or min(chosen) < 0 or max(chosen) >= n_slices:
        raise UsageError(
            f"slices {chosen} are not slices of a grid of {n_slices}: name at least one of 0 to {n_slices - 1}."
        )
    _, row_mm, column_mm = region.grid.spacing_mm
    pixels = int(region.mask[list(chosen)].sum())
    return CARD.measurement(pixels * row_mm * column_mm / 100.0 / len(chosen), region, name=name, note=note)
