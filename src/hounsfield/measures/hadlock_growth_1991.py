"""Fetal weight for gestational age after Hadlock 1991: the equation, not the printed table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated

from hounsfield.core import Code, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.exact import shown
from hounsfield.measures._rule import RuleCard, measure

EFW_PERCENTILE = Code("11767-1", "LN", "EFW percentile")
SD_FRACTION = 0.127
Z_10 = NormalDist().inv_cdf(0.10)
VARIANT = "equation, SD 12.7 %"
EXPECTED_WEIGHT = private_code("EXPECTED_FETAL_WEIGHT", "Fetal weight expected at an age")


@dataclass(frozen=True, slots=True, kw_only=True)
class HadlockGrowthInputs(RuleInput):
    """Age in exact weeks, and the weight to place where there is one."""

    ga_weeks: Annotated[float, Given("wk", "gestational age, exact weeks", at_least=10, at_most=41)]
    efw_g: Annotated[float | None, Given("g", "estimated fetal weight", at_least=10, at_most=7000)] = None


CARD = RuleCard(
    name="hadlock-growth-1991",
    version="1.0.0",
    source="Hadlock 1991, Radiology 181:129",
    takes="numbers",
    inputs=HadlockGrowthInputs,
    formula="median = exp(0.578 + 0.332 GA - 0.00354 GA^2), SD 12.7 % of it (the equation: percentile 10 and 90 at 0.837 "
    "and 1.163 of the median; the printed table has 0.83 and 1.17); SGA below the 10th",
    population="singletons of one population in Texas, 10 to 41 weeks",
    refuses=("an age outside 10 to 41 weeks",),
)


def median_g(ga_weeks: float) -> float:
    """exp(0.578 + 0.332 GA - 0.00354 GA^2)."""
    return math.exp(0.578 + 0.332 * ga_weeks - 0.00354 * ga_weeks**2)


def percentile_g(ga_weeks: float, z: float) -> float:
    """The weight z SD from the median."""
    return median_g(ga_weeks) * (1.0 + z * SD_FRACTION)


@measure(CARD)
def hadlock_growth_1991(inputs: HadlockGrowthInputs) -> Outcome:
    """Median, 10th and 90th percentile of fetal weight in g; of a weight its percentile, `SGA` below the 10th."""
    weeks = inputs.ga_weeks
    references = {
        "fetal-weight-median": median_g(weeks),
        "fetal-weight-p10": percentile_g(weeks, Z_10),
        "fetal-weight-p90": percentile_g(weeks, -Z_10),
    }
    numbers = [
        CARD.number(name, grams, unit="g", quantity=EXPECTED_WEIGHT, note=VARIANT)
        for name, grams in references.items()
    ]
    steps = [f"{name} at {shown(weeks)} weeks = {shown(grams)} g" for name, grams in references.items()]
    if inputs.efw_g is None:
        return CARD.outcome(measurements=numbers, steps=steps)
    z = (inputs.efw_g / references["fetal-weight-median"] - 1.0) / SD_FRACTION
    percentile = 100.0 * NormalDist().cdf(z)
    numbers.append(
        CARD.number(
            "efw-percentile", percentile, unit="%", quantity=EFW_PERCENTILE, note=f"{VARIANT}; z {z:.2f}"
        )
    )
    found = "SGA" if inputs.efw_g < references["fetal-weight-p10"] else "not SGA"
    meaning = f"{'below' if found == 'SGA' else 'not below'} the 10th percentile ({VARIANT})"
    steps.append(f"{shown(inputs.efw_g)} g: z = {shown(z)}, percentile {shown(percentile)}, {found}")
    category = CARD.category("sga", found, meaning, based_on={**inputs.to_json(), "percentile": percentile})
    return CARD.outcome(measurements=numbers, categories=[category], steps=steps)
