"""Rate of change of a brain volume between two scans."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Annotated, Literal

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

DAYS_PER_YEAR = exact("365.25")
MIN_DAYS = DAYS_PER_YEAR / 2  # six months, a default of this project


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeAtTwoTimes(RuleInput):
    """The same structure at two scans of the same scanner and sequence."""

    v1_mm3: Annotated[float, Given("mm3", "volume at the earlier scan", above=0)]
    v2_mm3: Annotated[float, Given("mm3", "volume at the later scan", above=0)]
    days: Annotated[float, Given("d", "days between the scans", above=0)]
    is_same_scanner: Annotated[bool, Given("", "same scanner and sequence at both scans")] = True
    method: Annotated[
        Literal["symmetric", "simple", "log"], Given("", "which rate is the result; all three are given")
    ] = "symmetric"


CARD = RuleCard(
    name="atrophy-rate",
    version="1.0.0",
    source="Barnes 2009, Neurobiol Aging 30:1711; Fraser 2015, Neuroimage 112:364",
    quantity=private_code("ATROPHY_RATE", "Rate of change of volume"),
    unit="%/a",
    takes="numbers",
    inputs=VolumeAtTwoTimes,
    evidence="verified",
    formula="symmetric: 100 (V2-V1) / ((V1+V2)/2) / years; simple: 100 (V2-V1) / V1 / years; log: 100 ln(V2/V1) / years; "
    "years = days / 365.25",
    population="adults, MR of the brain on one scanner and sequence",
    refuses=("less than six months apart", "another scanner or sequence"),
    uncertainty="scan against rescan about 1 to 3 % (unverified): the size of one normal year",
)


@measure(CARD)
def atrophy_rate(structure: VolumeAtTwoTimes) -> Outcome:
    """Rate in % a year: symmetric by default, simple and logarithmic beside it; the note names the choice.

    Published rates of the hippocampus: Alzheimer's disease -4.66 %/y (95 % interval 3.92 to 5.40),
    controls -1.41 (0.52 to 2.30). Raises RefusedInput below six months, or for another scanner.
    """
    days = exact(structure.days)
    if days < MIN_DAYS:
        raise RefusedInput(f"the scans are {shown(days)} days apart: below six months no rate is given.")
    if not structure.is_same_scanner:
        raise RefusedInput("scanner or sequence changed between the scans: no rate is given.")
    v1, v2, years = exact(structure.v1_mm3), exact(structure.v2_mm3), days / DAYS_PER_YEAR
    rates = {
        "symmetric": float(200 * (v2 - v1) / (v1 + v2) / years),
        "simple": float(100 * (v2 - v1) / v1 / years),
        "log": 100 * log(v2 / v1) / float(years),
    }
    numbers = [
        CARD.number(f"atrophy-rate-{name}", rate, note="the result" if name == structure.method else "")
        for name, rate in rates.items()
    ]
    told = f"{shown(v1)} to {shown(v2)} mm³ in {shown(years)} years"
    return CARD.outcome(
        measurements=numbers,
        steps=[f"{told}: {shown(rates[structure.method])} % a year ({structure.method})"],
    )
