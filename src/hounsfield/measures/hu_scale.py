"""The CT number scale, and the inserts of a phantom on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import MEAN_ATTENUATION, private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

# ACR CT accreditation phantom (Gammex 464), module 1, 120 kV, adult abdomen; both ends are inside.
CT_NUMBER = private_code("CT_NUMBER", "CT number of an attenuation coefficient")
ACR_RANGES_HU = {
    "polyethylene": (-107, -84),
    "water": (-7, 7),
    "acrylic": (110, 135),
    "bone": (850, 970),
    "air": (-1005, -970),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HuScaleInputs(RuleInput):
    """Either two attenuation coefficients, or a material of the phantom and its measured mean."""

    mu_per_cm: Annotated[
        float | None, Given("/cm", "linear attenuation coefficient", at_least=0, at_most=100)
    ] = None
    mu_water_per_cm: Annotated[
        float | None, Given("/cm", "that of water at the same energy", at_least=0.01, at_most=10)
    ] = None
    material: Annotated[
        Literal["polyethylene", "water", "acrylic", "bone", "air"] | None, Given("", "insert of the phantom")
    ] = None
    mean_hu: Annotated[
        float | None, Given("[hnsf'U]", "measured mean of the insert", at_least=-1100, at_most=4000)
    ] = None

    def check(self) -> None:
        """Raise RefusedInput unless exactly one pair is stated, and nothing of the other."""
        coefficients = [value is not None for value in (self.mu_per_cm, self.mu_water_per_cm)]
        insert = [value is not None for value in (self.material, self.mean_hu)]
        if not ((all(coefficients) and not any(insert)) or (all(insert) and not any(coefficients))):
            raise RefusedInput(
                "state either mu and mu of water, or a material and its mean HU, and nothing of the other pair."
            )


CARD = RuleCard(
    name="hu-scale",
    version="1.0.0",
    source="Hounsfield 1973, Br J Radiol 46:1016 (scale); ACR CT accreditation phantom instructions, module 1",
    takes="numbers",
    inputs=HuScaleInputs,
    formula="HU = 1000 (mu - mu_water) / mu_water; ACR module 1 at 120 kV: polyethylene -107 to -84, water -7 to 7, "
    "acrylic 110 to 135, bone 850 to 970, air -1005 to -970 HU",
    population="phantoms at 120 kV, adult abdomen; an older manual has -107 to -87 HU for polyethylene",
    refuses=("neither or both of the pairs mu and mu of water, material and mean are stated",),
)


@measure(CARD)
def hu_scale(inputs: HuScaleInputs) -> Outcome:
    """CT number of an attenuation coefficient, or whether a phantom's insert lies within its range.

    Raises RefusedInput unless exactly one of both pairs is stated (on construction of the inputs).
    """
    if inputs.material is None or inputs.mean_hu is None:
        mu, water = exact(inputs.mu_per_cm or 0.0), exact(inputs.mu_water_per_cm or 0.0)
        hu = 1000 * (mu - water) / water
        number = CARD.number("ct-number", hu, unit="[hnsf'U]", quantity=CT_NUMBER)
        return CARD.outcome(
            measurements=[number],
            steps=[f"HU = 1000 ({shown(mu)} - {shown(water)}) / {shown(water)} = {shown(hu)}"],
        )
    low, high = ACR_RANGES_HU[inputs.material]
    found = "within" if low <= exact(inputs.mean_hu) <= high else "outside"
    meaning = f"{inputs.material} is {found} {low} to {high} HU"
    return CARD.outcome(
        measurements=[
            CARD.number("mean-attenuation", inputs.mean_hu, unit="[hnsf'U]", quantity=MEAN_ATTENUATION)
        ],
        categories=[
            CARD.category(
                "phantom-insert",
                found,
                meaning,
                based_on={"material": inputs.material, "mean_hu": inputs.mean_hu},
            )
        ],
        steps=[f"{shown(inputs.mean_hu)} HU: {meaning}"],
    )
