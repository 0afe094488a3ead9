"""Mean CT number of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import MEAN, MEAN_ATTENUATION
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Image, Measurement, Region

CARD = RuleCard(
    name="mean-attenuation",
    version="1.0.0",
    source="PS3.16 DCM 112181 Mean attenuation: arithmetic mean over voxels",
    quantity=MEAN_ATTENUATION,
    unit="[hnsf'U]",
    image_unit="HU",
    evidence="verified",
)


@measure(CARD)
def mean_attenuation(image: Image, region: Region) -> Measurement:
    """Arithmetic mean of the voxels of `region` in HU.

    Raises UnitError if the image is not in HU, GeometryError if both do not share a grid,
    RefusedInput if the region is empty.
    """
    return CARD.measurement(CARD.values(image, region).mean(), region, name="mean-density", derivation=MEAN)
