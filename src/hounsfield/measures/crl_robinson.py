"""Gestational age from the crown-rump length after Robinson and Fleming 1975."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Given, Outcome
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._fetal_scan import GESTATIONAL_AGE, LONGEST_CRL_MM, FetalScan
from hounsfield.measures._rule import RuleCard, measure


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlRobinsonInputs(FetalScan):
    """One crown-rump length in millimetres."""

    crl_mm: Annotated[float, Given("mm", "crown-rump length", at_least=5, at_most=100)]


CARD = RuleCard(
    name="crl-robinson",
    version="1.0.0",
    source="Robinson and Fleming 1975, Br J Obstet Gynaecol 82:702",
    quantity=GESTATIONAL_AGE,
    unit="d",
    takes="numbers",
    inputs=CrlRobinsonInputs,
    formula="days = 8.052 sqrt(1.037 CRL) + 23.73, CRL in mm",
    population="first trimester, crown-rump length of 84 mm or less",
    refuses=(
        "no calibration, plane or label of the fetus",
        "a crown-rump length above 84 mm: date by the head circumference",
    ),
)


@measure(CARD)
def crl_robinson(inputs: CrlRobinsonInputs) -> Outcome:
    """Gestational age in days: 8.052 sqrt(1.037 CRL) + 23.73. Raises RefusedInput above 84 mm."""
    if exact(inputs.crl_mm) > LONGEST_CRL_MM:
        raise RefusedInput(
            f"the crown-rump length is {shown(inputs.crl_mm)} mm: above 84 mm date by the head circumference."
        )
    days = 8.052 * math.sqrt(1.037 * inputs.crl_mm) + 23.73
    return CARD.outcome(
        measurements=[CARD.number("ga-by-crl", days)],
        steps=[f"8.052 sqrt(1.037 x {shown(inputs.crl_mm)}) + 23.73 = {shown(days)} days"],
    )
