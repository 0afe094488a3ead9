"""Gestational age from the crown-rump length after INTERGROWTH-21st 2014."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Condition, Given, Outcome
from hounsfield.core.exact import exact, shown
from hounsfield.measures._fetal_scan import GESTATIONAL_AGE, LONGEST_CRL_MM, FetalScan
from hounsfield.measures._rule import RuleCard, measure


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlIntergrowthInputs(FetalScan):
    """One crown-rump length in millimetres."""

    crl_mm: Annotated[float, Given("mm", "crown-rump length", at_least=15, at_most=95)]


CARD = RuleCard(
    name="crl-intergrowth",
    version="1.0.0",
    source="Papageorghiou 2014, Ultrasound Obstet Gynecol 44:641 (INTERGROWTH-21st)",
    quantity=GESTATIONAL_AGE,
    unit="d",
    takes="numbers",
    inputs=CrlIntergrowthInputs,
    formula="days = 40.9041 + 3.21585 sqrt(CRL) + 0.348956 CRL, CRL in mm",
    population="first trimester, crown-rump length of 15 to 95 mm",
    refuses=("no calibration, plane or label of the fetus", "a crown-rump length outside 15 to 95 mm"),
)


@measure(CARD)
def crl_intergrowth(inputs: CrlIntergrowthInputs) -> Outcome:
    """Gestational age in days; above 84 mm with the warning to date by the head circumference."""
    days = 40.9041 + 3.21585 * math.sqrt(inputs.crl_mm) + 0.348956 * inputs.crl_mm
    conditions = []
    if exact(inputs.crl_mm) > LONGEST_CRL_MM:
        text = (
            f"The crown-rump length is {shown(inputs.crl_mm)} mm: above 84 mm date by the head circumference."
        )
        conditions.append(Condition("crl-long", "warning", text))
    crl = shown(inputs.crl_mm)
    return CARD.outcome(
        measurements=[CARD.number("ga-by-crl", days)],
        conditions=conditions,
        steps=[f"40.9041 + 3.21585 sqrt({crl}) + 0.348956 x {crl} = {shown(days)} days"],
    )
