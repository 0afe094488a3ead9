"""SUVmean: the mean of a region as it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import MEAN, SUV_BW
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Image, Measurement, Region

CARD = RuleCard(
    name="suv-mean",
    version="1.0.0",
    source="EANM 2015, Eur J Nucl Med Mol Imaging 42:328: mean over all voxels of the region",
    quantity=SUV_BW,
    unit="g/ml{SUVbw}",
    image_unit="SUVbw",
)


@measure(CARD)
def suv_mean(image: Image, region: Region) -> Measurement:
    """Arithmetic mean over all voxels of `region`. Raises as `suv_max` does."""
    return CARD.measurement(CARD.values(image, region).mean(), region, name="suv-mean", derivation=MEAN)
