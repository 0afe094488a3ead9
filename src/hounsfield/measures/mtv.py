"""Metabolic tumour volume: the part of a lesion whose uptake reaches a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.code import METABOLIC_VOLUME
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Image, Measurement, Region

CARD = RuleCard(
    name="mtv",
    version="1.0.0",
    source="EANM 2015, Eur J Nucl Med Mol Imaging 42:328 (41 % of SUVmax); fixed 2.5 and 4.0 SUV",
    quantity=METABOLIC_VOLUME,
    unit="ml",
    image_unit="SUVbw",
)
# A voxel that equals the limit but for the rounding of 32-bit values lies inside.
FLOAT32_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class UptakeThreshold:
    """Where a metabolic volume ends; voxels at the limit count.

    name: as it stands in the names of measurements. Either fraction_of_max, of the lesion's own
    maximum, or fixed_suv is given.
    """

    name: str
    fraction_of_max: float | None = None
    fixed_suv: float | None = None

    def __post_init__(self) -> None:
        if (self.fraction_of_max is None) == (self.fixed_suv is None):
            raise ValueError(f"threshold {self.name!r} needs either a fraction of the maximum or a fixed SUV")

    def suv(self, values: NDArray[np.float64]) -> float:
        """The limit in SUV for a lesion of these values."""
        if self.fixed_suv is not None:
            return self.fixed_suv
        return (self.fraction_of_max or 0.0) * float(values.max())

    def reached_by(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of a lesion's values reach the limit; none does where nothing is taken up."""
        limit = self.suv(values)
        reached: NDArray[np.bool_] = (values >= limit - FLOAT32_ROUNDING * abs(limit)) & (values > 0.0)
        return reached

    @property
    def text(self) -> str:
        """In words."""
        if self.fixed_suv is not None:
            return f"SUV >= {self.fixed_suv:g}"
        return f"SUV >= {100 * (self.fraction_of_max or 0.0):g} % of the lesion's own maximum"


OWN_MAXIMUM_41 = UptakeThreshold("41", fraction_of_max=0.41)
FIXED_2_5 = UptakeThreshold("2.5", fixed_suv=2.5)
FIXED_4_0 = UptakeThreshold("4.0", fixed_suv=4.0)
THRESHOLDS = (OWN_MAXIMUM_41, FIXED_2_5, FIXED_4_0)


@measure(CARD)
def mtv(image: Image, region: Region, *, threshold: UptakeThreshold = OWN_MAXIMUM_41) -> Measurement:
    """Volume in ml of the voxels of `region` whose SUV reaches `threshold`; 0 where none does.

    Raises UnitError if the image is not in SUVbw, GeometryError if both do not share a grid,
    RefusedInput if the region is empty.
    """
    values = CARD.values(image, region)
    volume_ml = np.count_nonzero(threshold.reached_by(values)) * image.grid.voxel_volume_mm3 / 1000.0
    limit = f": limit {threshold.suv(values):.4g}" if threshold.fixed_suv is None else ""
    return CARD.measurement(volume_ml, region, name=f"mtv-{threshold.name}", note=f"{threshold.text}{limit}")
