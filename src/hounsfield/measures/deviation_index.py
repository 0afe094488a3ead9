"""Exposure of a film against its target: the deviation index."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

TARGET, NOTABLE, GROSS = Decimal("0.5"), 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviationInputs(RuleInput):
    """Exposure index of the film (0018,1411) and its target (0018,1412)."""

    exposure_index: Annotated[float, Given("1", "exposure index", at_least=0.01, at_most=100000)]
    target_exposure_index: Annotated[
        float, Given("1", "target exposure index", at_least=0.01, at_most=100000)
    ]


CARD = RuleCard(
    name="deviation-index",
    version="1.0.0",
    source="IEC 62494-1:2008 (index); AAPM Task Group 116, Med Phys 2009;36:2898 (action levels)",
    quantity=private_code("DEVIATION_INDEX", "Deviation index"),
    unit="1",
    takes="numbers",
    inputs=DeviationInputs,
    formula="DI = 10 log10(EI / EIT); -0.5 to 0.5 target range, > 1 over-, > 3 grossly overexposed, "
    "< -1 underexposed, < -3 repeat",
    population="digital radiographs with an exposure index by IEC 62494-1",
    refuses=("an index of 0 or below",),
)


@measure(CARD)
def deviation_index(inputs: DeviationInputs) -> Outcome:
    """Deviation index of an exposure, and its action level; -0.5 to 0.5 (both in) is the target range."""
    # log10 in 28 digits: exact where the ratio is a power of ten, near enough to no limit elsewhere.
    index = 10 * (exact(inputs.exposure_index) / exact(inputs.target_exposure_index)).log10()
    found = exposure_class(index)
    ratio = f"{shown(inputs.exposure_index)} / {shown(inputs.target_exposure_index)}"
    return CARD.outcome(
        measurements=[CARD.number("deviation-index", index)],
        categories=[
            CARD.category(
                "exposure",
                found,
                f"exposure: {found}",
                based_on={**inputs.to_json(), "deviation_index": index},
            )
        ],
        steps=[f"DI = 10 log10({ratio}) = {shown(index)}", f"action level: {found}"],
    )


def exposure_class(index: Decimal) -> str:
    """The action level of a deviation index."""
    if abs(index) <= TARGET:
        return "target range"
    if index > 0:
        return "grossly overexposed" if index > GROSS else "overexposed" if index > NOTABLE else "acceptable"
    return "repeat" if index < -GROSS else "underexposed" if index < -NOTABLE else "acceptable"
