"""FIB-4: a score of liver fibrosis from age and three laboratory values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

YOUNGEST_YEARS, ELDERLY_FROM_YEARS = 35, 65
MEANINGS = {
    "low": "advanced fibrosis unlikely",
    "indeterminate": "neither low nor high",
    "high": "advanced fibrosis likely",
}
LOW_BELOW, LOW_BELOW_ELDERLY, HIGH_ABOVE = Decimal("1.30"), Decimal("2.0"), Decimal("2.67")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fib4Inputs(RuleInput):
    """Age and laboratory values of one day."""

    age_years: Annotated[float, Given("a", "age", at_least=0, at_most=120)]
    ast_u_l: Annotated[float, Given("U/L", "aspartate aminotransferase", at_least=1, at_most=10000)]
    alt_u_l: Annotated[float, Given("U/L", "alanine aminotransferase", at_least=1, at_most=10000)]
    platelets_1e9_l: Annotated[float, Given("10*9/L", "platelets", at_least=1, at_most=2000)]


CARD = RuleCard(
    name="fib4",
    version="1.0.0",
    source="Sterling 2006, Hepatology 43:1317; 2.0 from 65 years: McPherson 2017, Am J Gastroenterol 112:740",
    quantity=private_code("FIB4", "FIB-4 index"),
    unit="1",
    takes="numbers",
    inputs=Fib4Inputs,
    formula="FIB-4 = age x AST / (platelets x sqrt(ALT)); low below 1.30 (2.0 from 65 years), high above 2.67",
    population="adults of 35 years or more; a calculator of laboratory values, no imaging result",
    refuses=("an input is missing or cannot be",),
)


@measure(CARD)
def fib4(inputs: Fib4Inputs) -> Outcome:
    """FIB-4 and its band: low below 1.30 (2.0 from 65 years), high above 2.67, else indeterminate.

    Below 35 years the number is given and the band is not, since the limits are not validated there.
    """
    value = inputs.age_years * inputs.ast_u_l / (inputs.platelets_1e9_l * math.sqrt(inputs.alt_u_l))
    number = CARD.number("fib4", value)
    step = (
        f"FIB-4 = {shown(inputs.age_years)} x {shown(inputs.ast_u_l)} / ({shown(inputs.platelets_1e9_l)} x "
        f"sqrt({shown(inputs.alt_u_l)})) = {shown(value)}"
    )
    if exact(inputs.age_years) < YOUNGEST_YEARS:
        condition = Condition(
            "outside-population",
            "warning",
            f"FIB-4 is not validated below {YOUNGEST_YEARS} years; the age is {shown(inputs.age_years)}. "
            "The number is given, the band is not.",
        )
        return CARD.outcome(measurements=[number], conditions=[condition], steps=[step])
    found = band(inputs)
    category = CARD.category(
        "fib4-band", found, MEANINGS[found], based_on={**inputs.to_json(), "fib4": value}
    )
    return CARD.outcome(measurements=[number], categories=[category], steps=[step, f"band: {found}"])


def band(inputs: Fib4Inputs) -> str:
    """low, indeterminate or high; compared by squares, which are exact where a root is not."""
    squared = (exact(inputs.age_years) * exact(inputs.ast_u_l)) ** 2
    scale = exact(inputs.platelets_1e9_l) ** 2 * exact(inputs.alt_u_l)
    low = LOW_BELOW_ELDERLY if exact(inputs.age_years) >= ELDERLY_FROM_YEARS else LOW_BELOW
    if squared < low**2 * scale:
        return "low"
    return "high" if squared > HIGH_ABOVE**2 * scale else "indeterminate"
