"""Perc15: the CT number below which 15 % of the lung lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.code import PERC15
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Image, Measurement, Region

# Air is -1000 HU and 0 g/l, water 0 HU and 1000 g/l.
HU_TO_G_PER_L = 1000.0

CARD = RuleCard(
    name="perc15",
    version="1.0.0",
    source="Parr 2008, Respir Res 9:21; linear interpolation of order statistics at 0.15 (n - 1)",
    quantity=PERC15,
    unit="[hnsf'U]",
    image_unit="HU",
)


@measure(CARD)
def perc15(image: Image, region: Region) -> Measurement:
    """15th percentile of the voxels of `region` (a lung without airways) in HU; the note has g/L.

    Valid under the same conditions as `laa950`. Raises as `mean_attenuation` does.
    """
    value_hu = percentile15_hu(CARD.values(image, region))
    return CARD.measurement(
        value_hu, region, name="perc15", note=f"lung density {value_hu + HU_TO_G_PER_L:.1f} g/L (HU + 1000)"
    )


def percentile15_hu(hu: NDArray[np.float64]) -> float:
    """The order statistic at position 0.15 (n - 1), interpolated linearly."""
    return float(np.percentile(hu, 15.0, method="linear"))


def volume_adjusted_g_per_l(hu: float, *, lung_volume_l: float, reference_volume_l: float) -> float:
    """Density of `hu` in g/L times lung volume over that of the reference scan, for follow-up.

    A deeper breath spreads the same tissue over more air. Source: Parr 2008, Respir Res 9:21.
    """
    return (hu + HU_TO_G_PER_L) * lung_volume_l / reference_volume_l
