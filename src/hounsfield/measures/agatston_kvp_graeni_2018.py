"""Agatston score with limits adapted to a lower tube voltage."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hounsfield.core import Condition, Outcome
from hounsfield.core.exact import shown
from hounsfield.measures._calcium_scan import (
    CALCIUM_SCORE,
    REFUSES,
    calcium_on_slices,
    increment_mm,
    refuse_unfit,
)
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.measures.agatston_1990 import (
    FACTOR_LIMITS_HU,
    CalciumLesions,
    on_regions,
    score_outcome,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Image, Region

# Lower limits in HU of the factors 1 to 4, by tube voltage in kV.
LIMITS_HU_BY_KVP = {
    70: (207, 318, 477, 636),
    80: (177, 271, 408, 544),
    100: (145, 222, 334, 446),
    120: FACTOR_LIMITS_HU,
}

CARD = RuleCard(
    name="agatston-kvp-graeni-2018",
    version="1.0.0",
    source="Graeni 2018, Eur Heart J Cardiovasc Imaging 19:1362",
    quantity=CALCIUM_SCORE,
    unit="1",
    image_unit="HU",
    takes="numbers",
    inputs=CalciumLesions,
    evidence="unverified",
    formula="as agatston-1990, with limits of the factors for 70 kV 207/318/477/636, 80 kV 177/271/408/544, "
    "100 kV 145/222/334/446 HU",
    population="adults, CT of the heart without contrast agent at 70, 80, 100 or 120 kVp, triggered by the ECG",
    refuses=REFUSES,
    uncertainty="against 120 kVp, 7 % of patients changed class at 80 kV and 17 % at 70 kV (of 170)",
)


@measure(CARD)
def agatston_kvp_graeni_2018(calcium: CalciumLesions) -> Outcome:
    """Agatston score with the density limits of Graeni 2018 for 70, 80 and 100 kV.

    Always with the condition `calcium-limits-adapted` below 120 kV: it is another score than that of
    1990. Raises RefusedInput for any other voltage, contrast, or an incomplete heart.
    """
    refuse_unfit(calcium, kvps=tuple(LIMITS_HU_BY_KVP))
    outcome = score_outcome(CARD, calcium, LIMITS_HU_BY_KVP[int(calcium.kvp)])
    if calcium.kvp == 120:
        return outcome
    adapted = Condition(
        "calcium-limits-adapted",
        "warning",
        f"Scored at {shown(calcium.kvp)} kV with adapted limits: not the same as a score at 120 kV "
        f"({CARD.uncertainty}).",
    )
    return replace(outcome, conditions=(*outcome.conditions, adapted))


def agatston_kvp_of_image(image: Image, vessels: Sequence[Region], *, kvp: float, **scan: Any) -> Outcome:
    """The score with adapted limits of the calcium inside `vessels`, as `agatston_of_image` does it.

    Components are those of voxels at or above the lowest limit of `kvp`. Raises RefusedInput for a voltage
    without limits of its own, and as `agatston_of_image`.
    """
    threshold_hu = LIMITS_HU_BY_KVP.get(int(kvp), FACTOR_LIMITS_HU)[0]
    lesions = calcium_on_slices(CARD, image, vessels, threshold_hu=threshold_hu)
    calcium = CalciumLesions(lesions=lesions, slice_increment_mm=increment_mm(image), kvp=kvp, **scan)
    return on_regions(agatston_kvp_graeni_2018(calcium), vessels)
