"""SUVmax: the hottest voxel of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import MAXIMUM, SUV_BW
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Image, Measurement, Region

CARD = RuleCard(
    name="suv-max",
    version="1.0.0",
    source="QIBA FDG-PET/CT Profile; EANM 2015, Eur J Nucl Med Mol Imaging 42:328: single hottest voxel",
    quantity=SUV_BW,
    unit="g/ml{SUVbw}",
    image_unit="SUVbw",
)


@measure(CARD)
def suv_max(image: Image, region: Region) -> Measurement:
    """Largest voxel value of `region`, not interpolated.

    Raises UnitError if the image is not in SUVbw, GeometryError if both do not share a grid,
    RefusedInput if the region is empty.
    """
    return CARD.measurement(CARD.values(image, region).max(), region, name="suv-max", derivation=MAXIMUM)
