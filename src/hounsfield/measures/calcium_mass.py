"""Mass score of coronary calcium, by a calibration insert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Code, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

MASS_METHOD = Code("112057", "DCM", "Mass scoring method")
CALIBRATION_FACTOR = private_code("CALCIUM_MASS_FACTOR", "Calcium mass calibration factor")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalciumAndInsert(RuleInput):
    """A calibration of exactly this scanner, tube voltage and kernel, and the lesion."""

    insert_mg_per_cm3: Annotated[float, Given("mg/cm3", "hydroxyapatite density of the insert", above=0)]
    insert_hu: Annotated[float, Given("[hnsf'U]", "mean of the insert")]
    water_hu: Annotated[
        float, Given("[hnsf'U]", "mean of water in the same scan", at_least=-100, at_most=100)
    ]
    lesion_mean_hu: Annotated[float, Given("[hnsf'U]", "mean of the lesion", at_least=-1024)]
    volume_mm3: Annotated[float, Given("mm3", "volume of the lesion", at_least=0)]


CARD = RuleCard(
    name="calcium-mass",
    version="1.0.0",
    source="McCollough 2007, Radiology 243:527",
    takes="numbers",
    inputs=CalciumAndInsert,
    formula="c = insert density / (insert HU - water HU) / 1000; mass = c x mean HU x volume",
    population="adults, CT of the heart without contrast agent, with a calibration of that scanner, voltage and kernel",
    refuses=("no calibration insert and no site calibration", "insert not denser than water"),
)


@measure(CARD)
def calcium_mass(calcium: CalciumAndInsert) -> Outcome:
    """Mass of calcium hydroxyapatite in mg: calibration factor x mean HU x volume.

    Raises RefusedInput if the insert is not denser than water. Source: McCollough 2007.
    """
    step_hu = exact(calcium.insert_hu) - exact(calcium.water_hu)
    if step_hu <= 0:
        raise RefusedInput(
            f"the insert measures {shown(calcium.insert_hu)} HU, water {shown(calcium.water_hu)} HU: "
            "the calibration cannot be right. Measure both again."
        )
    factor = exact(calcium.insert_mg_per_cm3) / step_hu / 1000
    mass_mg = factor * exact(calcium.lesion_mean_hu) * exact(calcium.volume_mm3)
    return CARD.outcome(
        measurements=[
            CARD.number("calibration-factor", factor, unit="mg/mm3/[hnsf'U]", quantity=CALIBRATION_FACTOR),
            CARD.number(
                "calcium-mass",
                mass_mg,
                unit="mg",
                quantity=Code("450360000", "SCT", "Coronary artery calcium score"),
                note=MASS_METHOD.meaning,
            ),
        ],
        steps=[
            f"c = {shown(calcium.insert_mg_per_cm3)} / {shown(step_hu)} / 1000 = {shown(factor)} mg/(mm³ HU)",
            f"mass = {shown(factor)} x {shown(calcium.lesion_mean_hu)} x {shown(calcium.volume_mm3)} = {shown(mass_mg)} mg",
        ],
    )
