"""Total lesion glycolysis: metabolic volume times its mean uptake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.code import TOTAL_LESION_GLYCOLYSIS
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.measures.mtv import OWN_MAXIMUM_41

if TYPE_CHECKING:
    from hounsfield.core import Image, Measurement, Region
    from hounsfield.measures.mtv import UptakeThreshold

CARD = RuleCard(
    name="tlg",
    version="1.0.0",
    source="Larson 1999, Clin Positron Imaging 2:159: mean SUV x MTV of the same threshold",
    quantity=TOTAL_LESION_GLYCOLYSIS,
    unit="g",
    image_unit="SUVbw",
)


@measure(CARD)
def tlg(image: Image, region: Region, *, threshold: UptakeThreshold = OWN_MAXIMUM_41) -> Measurement:
    """Mean SUVbw of the voxels that reach `threshold` x their volume, in g; 0 where none does.

    SUVbw is in g/ml, so times ml it is g. Raises as `mtv` does.
    """
    values = CARD.values(image, region)
    reached = values[threshold.reached_by(values)]
    # mean x count is the sum, also where nothing reaches the threshold.
    value_g = float(reached.sum()) * image.grid.voxel_volume_mm3 / 1000.0
    return CARD.measurement(value_g, region, name=f"tlg-{threshold.name}", note=threshold.text)
