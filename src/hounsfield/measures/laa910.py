"""Low attenuation area below -910 HU: the emphysema index for thicker slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import LAA_910
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.measures.laa950 import low_attenuation_percent

if TYPE_CHECKING:
    from hounsfield.core import Image, Measurement, Region

THRESHOLD_HU = -910.0

CARD = RuleCard(
    name="laa910",
    version="1.0.0",
    source="Mueller 1988, Chest 94:782 (density mask at -910 HU); threshold exclusive",
    quantity=LAA_910,
    unit="%",
    image_unit="HU",
)


@measure(CARD)
def laa910(image: Image, region: Region) -> Measurement:
    """Percentage of the voxels of `region` (a lung without airways) below -910 HU.

    A voxel of exactly -910 HU does not count. Valid under the same conditions as `laa950`. Raises
    as `mean_attenuation` does.
    """
    percent = low_attenuation_percent(CARD.values(image, region), threshold_hu=THRESHOLD_HU)
    return CARD.measurement(percent, region, name="laa-910", note="voxels < -910 HU")
