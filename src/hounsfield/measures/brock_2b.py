"""Brock model 2b: probability of cancer of a screening nodule in the cohort of its makers."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Annotated, Literal

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

CONSTANT = -6.7892
PER_YEAR_FROM_62 = 0.0287
FEMALE, FAMILY_HISTORY, EMPHYSEMA, UPPER_LOBE, SPICULATION = 0.6011, 0.2961, 0.2953, 0.6581, 0.7729
SIZE, SIZE_CENTRE = -5.3854, 1.58113883
PER_NODULE_FROM_4 = -0.0824
OF_TYPE = {"solid": 0.0, "non_solid": -0.1276, "part_solid": 0.3770}
MIN_AGE_YEARS, MAX_AGE_YEARS = 50, 75
WORK_UP_FROM = exact("0.10")  # BTS 2015


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineNodule(RuleInput):
    """A nodule of a baseline screen; emphysema, family history and spiculation are a reader's inputs."""

    age_years: Annotated[float, Given("a", "age of the patient", at_least=0, at_most=120)]
    female: Annotated[bool, Given("", "the patient is a woman")]
    family_history: Annotated[bool, Given("", "lung cancer in the family")]
    emphysema: Annotated[bool, Given("", "emphysema on CT")]
    diameter_mm: Annotated[float, Given("mm", "diameter of the nodule", above=0, at_most=300)]
    type: Annotated[Literal["solid", "part_solid", "non_solid"], Given("", "kind of nodule")]
    upper_lobe: Annotated[bool, Given("", "the nodule lies in an upper lobe")]
    nodule_count: Annotated[int, Given("1", "number of nodules", at_least=1, at_most=100)]
    spiculation: Annotated[bool, Given("", "the nodule is spiculated")]
    known_cancer: Annotated[bool, Given("", "known cancer")] = False
    is_follow_up: Annotated[bool, Given("", "the nodule was seen at an earlier scan")] = False
    perifissural: Annotated[bool, Given("", "perifissural nodule")] = False


CARD = RuleCard(
    name="brock-2b",
    version="1.0.0",
    source="McWilliams 2013, N Engl J Med 369:910, full model 2b; work-up from 10 %: BTS 2015",
    takes="numbers",
    inputs=BaselineNodule,
    formula="p = 1 / (1 + e^-x), x = -6.7892 + 0.0287 (age - 62) + 0.6011 woman + 0.2961 family + 0.2953 emphysema "
    "- 5.3854 ((d/10)^-0.5 - 1.58113883) + type + 0.6581 upper lobe - 0.0824 (count - 4) + 0.7729 spiculation",
    population="smokers of 50 to 75 years at their baseline screen; not calibrated for incidental nodules",
    refuses=("age outside 50 to 75 years", "known cancer", "nodule at follow-up", "perifissural nodule"),
)


@measure(CARD)
def brock_2b(nodule: BaselineNodule) -> Outcome:
    """Logit and probability of cancer within the cohort's horizon; whether BTS 2015 goes on with work-up.

    Raises RefusedInput outside the cohort that the model was made from. Source: McWilliams 2013.
    """
    _refuse_unfit(nodule)
    logit = (
        CONSTANT
        + PER_YEAR_FROM_62 * (nodule.age_years - 62)
        + FEMALE * nodule.female
        + FAMILY_HISTORY * nodule.family_history
        + EMPHYSEMA * nodule.emphysema
        + SIZE * ((nodule.diameter_mm / 10) ** -0.5 - SIZE_CENTRE)
        + OF_TYPE[nodule.type]
        + UPPER_LOBE * nodule.upper_lobe
        + PER_NODULE_FROM_4 * (nodule.nodule_count - 4)
        + SPICULATION * nodule.spiculation
    )
    probability = 1 / (1 + exp(-logit))
    goes_on = exact(probability) >= WORK_UP_FROM
    value = "10 % or more" if goes_on else "below 10 %"
    meaning = "BTS 2015 continues work-up" if goes_on else "BTS 2015 continues with CT surveillance"
    return CARD.outcome(
        measurements=[
            CARD.number(
                "logit", logit, unit="1", quantity=private_code("BROCK_LOGIT", "Logit of the Brock model")
            ),
            CARD.number(
                "cohort-probability",
                probability,
                unit="1",
                quantity=private_code("BROCK_2B", "Probability of cancer by Brock model 2b"),
                note="of the screening cohort, not calibrated here",
            ),
        ],
        categories=[
            CARD.category(
                "bts-work-up", value, meaning, based_on={**nodule.to_json(), "probability": probability}
            )
        ],
        steps=[f"x = {shown(logit)}", f"p = 1 / (1 + e^{shown(-logit)}) = {shown(probability)}: {value}"],
    )


def _refuse_unfit(nodule: BaselineNodule) -> None:
    reasons = [
        (
            not MIN_AGE_YEARS <= exact(nodule.age_years) <= MAX_AGE_YEARS,
            f"the age is {shown(nodule.age_years)} years, the cohort was 50 to 75",
        ),
        (nodule.known_cancer, "cancer is known"),
        (nodule.is_follow_up, "the nodule was seen before; the model is for the baseline"),
        (nodule.perifissural, "the nodule is perifissural"),
    ]
    for is_so, reason in reasons:
        if is_so:
            raise RefusedInput(f"{reason}: the Brock model does not hold for this nodule.")
