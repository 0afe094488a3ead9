"""Bands of likelihood of BI-RADS for a calibrated probability of cancer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from hounsfield.core import Code, Condition, Given, Outcome, RuleInput
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

PROBABILITY_OF_CANCER = Code("111047", "DCM", "Probability of cancer")
# Upper end in percent, which belongs to the band; 4C ends below 95.
BANDS = ((Decimal(0), "1 or 2"), (Decimal(2), "3"), (Decimal(10), "4A"), (Decimal(50), "4B"))
HIGHLY_SUGGESTIVE_FROM_PERCENT = 95


@dataclass(frozen=True, slots=True, kw_only=True)
class BiradsInputs(RuleInput):
    """A calibrated probability, and the views that it comes from."""

    likelihood_percent: Annotated[
        float, Given("%", "calibrated probability of cancer", at_least=0, at_most=100)
    ]
    calibrator: Annotated[str, Given("", "what calibrated the probability")]
    examination: Annotated[Literal["screening", "diagnostic"], Given("", "examination")] = "screening"

    def check(self) -> None:
        """Raise RefusedInput if no calibrator is named: an uncalibrated score is no probability."""
        if not self.calibrator.strip():
            raise RefusedInput(
                "no calibrator is named: an uncalibrated score is no probability. Calibrate it first."
            )


CARD = RuleCard(
    name="birads-bands",
    version="1.0.0",
    source="ACR BI-RADS Atlas, 5th edition (2013); categories kept in the v2025 Manual",
    quantity=PROBABILITY_OF_CANCER,
    unit="%",
    takes="numbers",
    inputs=BiradsInputs,
    formula="0 % `1 or 2`; to 2 % `3`; to 10 % `4A`; to 50 % `4B`; below 95 % `4C`; from 95 % `5`",
    population="women with a probability calibrated at the prevalence of use",
    refuses=("a likelihood outside 0 to 100 %", "a probability without its calibrator's name"),
)


def band_of(likelihood_percent: float) -> str:
    """0 % `1 or 2`, to 2 % `3`, to 10 `4A`, to 50 `4B`, below 95 `4C`, from 95 `5`."""
    percent = exact(likelihood_percent)
    for highest, name in BANDS:
        if percent <= highest:
            return name
    return "5" if percent >= HIGHLY_SUGGESTIVE_FROM_PERCENT else "4C"


@measure(CARD)
def birads_bands(inputs: BiradsInputs) -> Outcome:
    """The band of likelihood that a calibrated probability falls into; it is no assessment category.

    Category 1 and 2 cannot be told apart by a probability, and category 3 is never given from screening
    views alone.
    """
    found = band_of(inputs.likelihood_percent)
    text = "A band of likelihood is no BI-RADS assessment category; a reader gives that."
    if found == "3" and inputs.examination == "screening":
        text += " Category 3 is not given from screening views."
    meaning = "band of likelihood, no assessment category"
    return CARD.outcome(
        measurements=[
            CARD.number(
                "probability-of-cancer", inputs.likelihood_percent, note=f"calibrated by {inputs.calibrator}"
            )
        ],
        categories=[CARD.category("birads-band", found, meaning, based_on=inputs.to_json())],
        conditions=[Condition("band-not-category", "note", text)],
        steps=[f"{shown(inputs.likelihood_percent)} % lies in band {found}"],
    )
