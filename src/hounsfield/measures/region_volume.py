"""Volume of a region: its voxels times the volume of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import VOLUME
from hounsfield.core.errors import RefusedInput
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Measurement, Region

CARD = RuleCard(
    name="region-volume",
    version="1.0.0",
    source="Sum of segmented voxels (PS3.16 DCM 126030); distance between slices, never Slice Thickness",
    quantity=VOLUME,
    unit="ml",
    takes="region",
    evidence="verified",
)


@measure(CARD)
def region_volume(region: Region) -> Measurement:
    """Volume of `region` in ml: marked voxels x volume of one voxel, 0 for an empty mask.

    The voxel's volume follows from the affine, so it is right for oblique and sheared grids too.
    Raises GeometryError if the grid states no millimetres, RefusedInput if the region is no mask.
    """
    if region.mask is None:
        raise RefusedInput(
            f"region {region.name!r} is a {region.kind}, which has no volume. Give a mask instead."
        )
    volume_ml = region.n_voxels * region.grid.voxel_volume_mm3 / 1000.0
    return CARD.measurement(volume_ml, region, name="volume")
