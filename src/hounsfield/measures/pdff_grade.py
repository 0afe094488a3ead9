"""Grade of steatosis by the proton density fat fraction of MR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Code, Given, Outcome, RuleInput
from hounsfield.core.exact import band, exact, shown
from hounsfield.measures._rule import RuleCard, measure

FAT_FRACTION = Code("129100", "DCM", "Fat fraction")
# Least fat fraction in percent of each grade.
GRADES = ((6.4, "S1"), (17.4, "S2"), (22.1, "S3"))
DISEASE_FROM_PERCENT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PdffInputs(RuleInput):
    """Fat fraction of the liver."""

    pdff_percent: Annotated[
        float, Given("%", "mean proton density fat fraction of the liver", at_least=0, at_most=100)
    ]


CARD = RuleCard(
    name="pdff-grade",
    version="1.0.0",
    source="Tang 2013, Radiology 267:422",
    quantity=FAT_FRACTION,
    unit="%",
    takes="numbers",
    inputs=PdffInputs,
    formula="S1 from 6.4 %, S2 from 17.4 %, S3 from 22.1 % fat fraction",
    population="adults with suspected fatty liver disease; MR corrected for T1, T2* and the spectrum of fat",
    refuses=("the fat fraction is below 0 or above 100 %",),
    uncertainty="repeatability about 1 to 2 percentage points",
)


@measure(CARD)
def pdff_grade(inputs: PdffInputs) -> Outcome:
    """Grade of steatosis: S0 below 6.4 %, S1 from 6.4, S2 from 17.4, S3 from 22.1 % fat fraction."""
    percent = exact(inputs.pdff_percent)
    grade = band(percent, GRADES, below="S0")
    reached = "reaches" if percent >= DISEASE_FROM_PERCENT else "is below"
    note = f"{reached} 5 %, the usual limit of fatty liver disease"
    category = CARD.category(
        "steatosis-grade", grade, f"steatosis grade {grade} on MR", based_on=inputs.to_json()
    )
    return CARD.outcome(
        measurements=[CARD.number("fat-fraction", percent, note=note)],
        categories=[category],
        steps=[f"{shown(percent)} % lies in {grade} (S1 from 6.4, S2 from 17.4, S3 from 22.1 %)"],
    )
