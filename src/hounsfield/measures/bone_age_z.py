"""Bone age against the age in years, in standard deviations of a named table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from hounsfield.core import Code, Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from decimal import Decimal

DIFFERENCE = private_code("BONE_AGE_DIFFERENCE", "Bone age minus age")
Z_SCORE = Code("113071", "DCM", "Z-score")
NORMAL_Z = 2
MATURE_AT_MONTHS = {"M": 19 * 12, "F": 18 * 12}  # Greulich and Pyle
YOUNGEST_MONTHS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class BoneAgeInputs(RuleInput):
    """A reading of the left hand and wrist, and what it is compared with."""

    bone_age_months: Annotated[float, Given("mo", "bone age", at_least=0, at_most=240)]
    age_months: Annotated[float, Given("mo", "age at the study", at_least=0, at_most=240)]
    sd_months: Annotated[
        float, Given("mo", "SD of bone age at that age, from a named table", at_least=0.5, at_most=30)
    ]
    sd_table: Annotated[str, Given("", "the table that the SD comes from")]
    sex: Annotated[Literal["M", "F"], Given("", "sex")]
    hand: Annotated[Literal["left", "right"], Given("", "hand")] = "left"
    method: Annotated[str, Given("", "method of the reading")] = "Greulich-Pyle"
    is_altered: Annotated[bool, Given("", "cast, fracture, dysplasia, or the wrist cut off")] = False


CARD = RuleCard(
    name="bone-age-z",
    version="1.0.0",
    source="Greulich and Pyle 1959, Radiographic Atlas of Skeletal Development of the Hand and Wrist; SD: the table that is named",
    takes="numbers",
    inputs=BoneAgeInputs,
    formula="z = (bone age - age) / SD; advanced above 2, delayed below -2",
    population="children from 2 years to the mature standard; the atlas shows North American children of the 1930s, "
    "Hispanic and Asian children above 12 years are about 1 year ahead of it",
    refuses=("cast, fracture or dysplasia", "wrist cut off", "younger than 2 years", "sex other than M or F"),
    uncertainty="two readers differ by 0.63 years (root mean square)",
)


@measure(CARD)
def bone_age_z(inputs: BoneAgeInputs) -> Outcome:
    """Difference in months, z, and `within 2 SD` (both ends in), `advanced` or `delayed`.

    Above the mature standard (boys 19, girls 18 years) the state is `mature` and no number is given.
    Raises RefusedInput below 2 years, or for a hand whose bones cannot be read.
    """
    if inputs.is_altered:
        raise RefusedInput(
            "the hand has a cast, fracture or dysplasia, or the wrist is cut off: its bone age cannot be read. "
            "Use another film."
        )
    if exact(inputs.age_months) < YOUNGEST_MONTHS:
        raise RefusedInput(
            f"the age is {shown(inputs.age_months)} months: below {YOUNGEST_MONTHS} months the hand shows too few "
            "bones. Use a method for infants."
        )
    conditions = []
    if inputs.hand == "right":
        text = "The standards are of the left hand; this is the right."
        conditions.append(Condition("bone-age-right-hand", "warning", text))
    mature_months = MATURE_AT_MONTHS[inputs.sex]
    if exact(inputs.bone_age_months) > mature_months:
        mature = CARD.category(
            "bone-age-state",
            "mature",
            "beyond the mature standard",
            based_on={"sex": inputs.sex, "mature_at_months": mature_months},
        )
        return CARD.outcome(
            categories=[mature],
            conditions=conditions,
            steps=[f"bone age above {mature_months} months: mature"],
        )
    difference, sd = exact(inputs.bone_age_months) - exact(inputs.age_months), exact(inputs.sd_months)
    found = state(difference, sd)
    return CARD.outcome(
        measurements=[
            CARD.number("bone-age-difference", difference, unit="mo", quantity=DIFFERENCE),
            CARD.number(
                "bone-age-z",
                difference / sd,
                unit="1",
                quantity=Z_SCORE,
                note=f"{inputs.method}; SD: {inputs.sd_table}",
            ),
        ],
        categories=[CARD.category("bone-age-state", found, f"bone age {found}", based_on=inputs.to_json())],
        conditions=conditions,
        steps=[
            f"z = ({shown(inputs.bone_age_months)} - {shown(inputs.age_months)}) / {shown(sd)} = {shown(difference / sd)}",
            f"state: {found} (beyond +-2 SD, exclusive)",
        ],
    )


def state(difference: Decimal, sd: Decimal) -> str:
    """Of a difference and one SD in the same unit; exactly 2 SD is within."""
    if difference > NORMAL_Z * sd:
        return "advanced"
    return "delayed" if difference < -NORMAL_Z * sd else "within 2 SD"
