"""Low attenuation area below -950 HU: the emphysema index of quantitative CT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.code import LAA_950
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Image, Measurement, Region

THRESHOLD_HU = -950.0

CARD = RuleCard(
    name="laa950",
    version="1.0.0",
    source="Gevenois 1996, Am J Respir Crit Care Med 154:187; threshold exclusive (< -950 HU)",
    quantity=LAA_950,
    unit="%",
    image_unit="HU",
)


@measure(CARD)
def laa950(image: Image, region: Region) -> Measurement:
    """Percentage of the voxels of `region` (a lung without airways) below -950 HU.

    A voxel of exactly -950 HU does not count. The number alone is no diagnosis, and it is valid only
    for an unenhanced thin-slice CT at 120 kVp with a soft kernel in full inspiration: whoever calls
    this rule checks that. Raises as `mean_attenuation` does.
    """
    percent = low_attenuation_percent(CARD.values(image, region), threshold_hu=THRESHOLD_HU)
    return CARD.measurement(percent, region, name="laa-950", note="voxels < -950 HU")


def low_attenuation_percent(
    hu: NDArray[np.float64], *, threshold_hu: float, inclusive: bool = False
) -> float:
    """100 x voxels below `threshold_hu` / voxels; `inclusive` counts those at the threshold too."""
    below = hu <= threshold_hu if inclusive else hu < threshold_hu
    return 100.0 * float(np.count_nonzero(below)) / hu.size
