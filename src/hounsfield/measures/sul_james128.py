"""SUV by lean body mass after James, with the constant 128 for men."""

from __future__ import annotations

from decimal import Decimal

from hounsfield.core import Code, Outcome
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._patient_size import SulInputs
from hounsfield.measures._rule import RuleCard, measure

# a W - b (W / H)^2 with H in cm. A constant of 120 for men circulates; DICOM keeps both apart.
COEFFICIENTS = {"M": (Decimal("1.10"), 128), "F": (Decimal("1.07"), 148)}
SMALLEST_SHARE = Decimal("0.3")  # project limit: below it the formula has broken down (obesity)


CARD = RuleCard(
    name="sul-james128",
    version="1.0.0",
    source="James 1976, Research on Obesity (HMSO); constant 128 as in DICOM's SUVlbm(James128)",
    quantity=Code("126406", "DCM", "SUVlbm(James128)"),
    unit="g/ml{SUVlbm(James128)}",
    takes="numbers",
    inputs=SulInputs,
    formula="SUL = SUVbw x LBM / W; LBM = 1.10 W - 128 (W / H)^2 for men, 1.07 W - 148 (W / H)^2 for women, H in cm",
    population="adults who are not very obese; sul-janmahasatian holds for those too",
    refuses=(
        "sex other than M or F",
        "weight or height that cannot be",
        "a lean body mass below 0.3 or above 1 of the weight",
    ),
    evidence="secondary",
)


def lean_body_mass_kg(*, weight_kg: float, height_m: float, sex: str) -> Decimal:
    """1.10 W - 128 (W / H)^2 for men, 1.07 W - 148 (W / H)^2 for women, H in cm."""
    share, squared = COEFFICIENTS[sex]
    weight = exact(weight_kg)
    return share * weight - squared * (weight / (100 * exact(height_m))) ** 2


@measure(CARD)
def sul_james128(inputs: SulInputs) -> Outcome:
    """SUV by lean body mass after James (128 for men): SUVbw x lean body mass / weight.

    Raises RefusedInput if the lean body mass is below 0.3 of the weight, where the formula falls as weight
    rises, or above it.
    """
    weight = exact(inputs.weight_kg)
    lean_kg = lean_body_mass_kg(weight_kg=inputs.weight_kg, height_m=inputs.height_m, sex=inputs.sex)
    if not SMALLEST_SHARE * weight <= lean_kg <= weight:
        raise RefusedInput(
            f"the formula of James gives a lean body mass of {lean_kg:.1f} kg for {shown(weight)} kg and "
            f"{shown(inputs.height_m)} m, outside 0.3 to 1 of the weight: it breaks down there. Use sul-janmahasatian."
        )
    sul = exact(inputs.suvbw_g_ml) * lean_kg / weight
    note = f"lean body mass {lean_kg:.1f} kg"
    return CARD.outcome(
        measurements=[CARD.number("sul-james128", sul, note=note)],
        steps=[
            f"LBM = {shown(lean_kg)} kg of {shown(weight)} kg",
            f"SUL = {shown(inputs.suvbw_g_ml)} x {shown(lean_kg)} / {shown(weight)} = {shown(sul)}",
        ],
    )
