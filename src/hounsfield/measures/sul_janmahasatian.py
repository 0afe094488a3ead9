"""SUV by lean body mass after Janmahasatian."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core import Code, Outcome
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._patient_size import SulInputs
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from decimal import Decimal

# 9270 W / (a + b BMI), by sex.
COEFFICIENTS = {"M": (6680, 216), "F": (8780, 244)}


CARD = RuleCard(
    name="sul-janmahasatian",
    version="1.0.0",
    source="Janmahasatian 2005, Clin Pharmacokinet 44:1051",
    quantity=Code("126405", "DCM", "SUVlbm(Janma)"),
    unit="g/ml{SUVlbm(Janma)}",
    takes="numbers",
    inputs=SulInputs,
    formula="SUL = SUVbw x LBM / W; LBM = 9270 W / (6680 + 216 BMI) for men, 9270 W / (8780 + 244 BMI) for women",
    population="adults, the very obese included",
    refuses=("sex other than M or F", "weight or height that cannot be", "a lean body mass above the weight"),
    evidence="secondary",
)


def lean_body_mass_kg(*, weight_kg: float, height_m: float, sex: str) -> Decimal:
    """9270 W / (6680 + 216 BMI) for men, 9270 W / (8780 + 244 BMI) for women."""
    base, per_bmi = COEFFICIENTS[sex]
    weight = exact(weight_kg)
    return 9270 * weight / (base + per_bmi * weight / exact(height_m) ** 2)


@measure(CARD)
def sul_janmahasatian(inputs: SulInputs) -> Outcome:
    """SUV by lean body mass: SUVbw x lean body mass / weight.

    Raises RefusedInput if the lean body mass would exceed the weight (men below a BMI of 12).
    """
    weight = exact(inputs.weight_kg)
    lean_kg = lean_body_mass_kg(weight_kg=inputs.weight_kg, height_m=inputs.height_m, sex=inputs.sex)
    if lean_kg > weight:
        raise RefusedInput(
            f"the formula gives a lean body mass of {lean_kg:.1f} kg for {shown(weight)} kg and "
            f"{shown(inputs.height_m)} m, more than the whole weight. Check weight and height."
        )
    sul = exact(inputs.suvbw_g_ml) * lean_kg / weight
    note = f"lean body mass {lean_kg:.1f} kg"
    return CARD.outcome(
        measurements=[CARD.number("sul-janmahasatian", sul, note=note)],
        steps=[
            f"LBM = {shown(lean_kg)} kg of {shown(weight)} kg",
            f"SUL = {shown(inputs.suvbw_g_ml)} x {shown(lean_kg)} / {shown(weight)} = {shown(sul)}",
        ],
    )
