"""Breast density: the reader's pattern a to d, what patients are told, and what volumetric software says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Code, Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import band, shown
from hounsfield.measures._rule import RuleCard, measure

DENSITY = {
    "a": Code("129716005", "SCT", "Breast composition almost entirely fat"),
    "b": Code("129717001", "SCT", "Breast composition scattered fibroglandular densities"),
    "c": Code("129718006", "SCT", "Breast composition heterogeneously dense"),
    "d": Code("129719003", "SCT", "Breast composition extremely dense"),
}
NOTIFIED_AS = {"a": "not dense", "b": "not dense", "c": "dense", "d": "dense"}  # MQSA, from 10 September 2024
# Volpara density grades 2 to 4: least volumetric percentage of each.
VOLPARA = ((3.5, "VDG 2"), (7.5, "VDG 3"), (15.5, "VDG 4"))
VOLUMETRIC_DENSITY = private_code("VOLUMETRIC_DENSITY", "Volumetric breast density")


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityInputs(RuleInput):
    """A reader's pattern, or a volumetric percentage; never one made from the other."""

    pattern: Annotated[Literal["a", "b", "c", "d"] | None, Given("", "pattern by a reader")] = None
    volumetric_percent: Annotated[
        float | None, Given("%", "volumetric density of Volpara", at_least=0, at_most=100)
    ] = None

    def check(self) -> None:
        """Raise RefusedInput unless exactly one of both is stated."""
        if (self.pattern is None) == (self.volumetric_percent is None):
            raise RefusedInput(
                "state either a reader's pattern (a to d) or a volumetric percentage; one is not made from the other."
            )


CARD = RuleCard(
    name="birads-density",
    version="1.0.0",
    source="ACR BI-RADS Atlas, 5th edition (2013); MQSA rule in force from 10 September 2024; Volpara density grades",
    takes="numbers",
    inputs=DensityInputs,
    formula="pattern a, b `not dense`, c, d `dense`; Volpara: VDG 2 from 3.5 %, 3 from 7.5 %, 4 from 15.5 %",
    population="mammograms of women without implants",
    refuses=("neither or both of a reader's pattern and a volumetric percentage are stated",),
    uncertainty="two readers agree with a kappa of about 0.6 to 0.7",
)


def grade_of(volumetric_percent: float) -> str:
    """VDG 1 to 4; each limit belongs to the higher grade."""
    return band(volumetric_percent, VOLPARA, below="VDG 1")


@measure(CARD)
def birads_density(inputs: DensityInputs) -> Outcome:
    """Breast density: `dense` (c, d) or `not dense` (a, b) for a reader's pattern; its own grade for a percentage.

    The old quartiles (25, 50, 75 %) no longer define the pattern. Raises RefusedInput unless exactly one of
    pattern and percentage is stated (on construction of the inputs).
    """
    if inputs.pattern is not None:
        told = NOTIFIED_AS[inputs.pattern]
        based_on = {"pattern": inputs.pattern}
        code = DENSITY[inputs.pattern]
        return CARD.outcome(
            categories=[
                CARD.category("breast-density", inputs.pattern, code.meaning, based_on=based_on, code=code),
                CARD.category(
                    "density-notification", told, "what patients are told (MQSA)", based_on=based_on
                ),
            ],
            steps=[f"pattern {inputs.pattern}: {told}"],
        )
    percent = inputs.volumetric_percent or 0.0
    grade = grade_of(percent)
    note = Condition(
        "density-scale", "note", "A volumetric grade is of its own scale and no BI-RADS pattern."
    )
    return CARD.outcome(
        measurements=[CARD.number("volumetric-density", percent, unit="%", quantity=VOLUMETRIC_DENSITY)],
        categories=[
            CARD.category(
                "volpara-grade", grade, "Volpara density grade", based_on={"volumetric_percent": percent}
            )
        ],
        conditions=[note],
        steps=[f"{shown(percent)} % lies in {grade}"],
    )
