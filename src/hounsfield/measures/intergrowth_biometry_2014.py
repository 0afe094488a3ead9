"""Fetal biometry against the INTERGROWTH-21st standards."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated

from hounsfield.core import Code, Given, Outcome
from hounsfield.core.code import private_code
from hounsfield.core.exact import shown
from hounsfield.measures._fetal_scan import AC_MM, BPD_MM, FL_MM, HC_MM, FetalScan
from hounsfield.measures._rule import RuleCard, measure

EXPECTED_SIZE = private_code("EXPECTED_FETAL_SIZE", "Fetal size expected at an age")
Z_SCORE = Code("113071", "DCM", "Z-score")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntergrowthInputs(FetalScan):
    """Age in exact weeks (weeks + days / 7), and any of four measurements in millimetres."""

    ga_weeks: Annotated[float, Given("wk", "gestational age, exact weeks", at_least=14, at_most=40)]
    hc_mm: Annotated[float | None, Given("mm", "head circumference", at_least=HC_MM[0], at_most=HC_MM[1])] = (
        None
    )
    bpd_mm: Annotated[
        float | None,
        Given("mm", "biparietal diameter, outer to outer", at_least=BPD_MM[0], at_most=BPD_MM[1]),
    ] = None
    ac_mm: Annotated[
        float | None, Given("mm", "abdominal circumference", at_least=AC_MM[0], at_most=AC_MM[1])
    ] = None
    fl_mm: Annotated[float | None, Given("mm", "femur length", at_least=FL_MM[0], at_most=FL_MM[1])] = None


CARD = RuleCard(
    name="intergrowth-biometry-2014",
    version="1.0.0",
    source="Papageorghiou 2014, Lancet 384:869 (INTERGROWTH-21st)",
    takes="numbers",
    inputs=IntergrowthInputs,
    formula="z = (x - mean) / SD, both fractional polynomials of the exact age in weeks (mm)",
    population="singletons of healthy, well-nourished mothers in eight countries; 14 to 40 weeks",
    refuses=(
        "no calibration, plane or label of the fetus",
        "an age outside 14 to 40 weeks",
        "sizes that no fetus has (cm stated as mm)",
    ),
    evidence="secondary",
)


def hc_mm(ga_weeks: float) -> tuple[float, float]:
    """Mean and SD of the head circumference."""
    ga, ln = ga_weeks, math.log(ga_weeks)
    mean = -28.2849 + 1.69267 * ga**2 - 0.397485 * ga**2 * ln
    sd = 1.98735 + 0.0136772 * ga**3 - 0.00726264 * ga**3 * ln + 0.000976253 * ga**3 * ln**2
    return mean, sd


def bpd_mm(ga_weeks: float) -> tuple[float, float]:
    """Mean and SD of the biparietal diameter, outer to outer."""
    ga, ln = ga_weeks, math.log(ga_weeks)
    mean = 5.60878 + 0.158369 * ga**2 - 0.00256379 * ga**3
    log_sd = 0.101242 + 0.00150557 * ga**3 - 0.000771535 * ga**3 * ln + 0.0000999638 * ga**3 * ln**2
    return mean, math.exp(log_sd)


def ac_mm(ga_weeks: float) -> tuple[float, float]:
    """Mean and SD of the abdominal circumference."""
    ga = ga_weeks
    mean = -81.3243 + 11.6772 * ga - 0.000561865 * ga**3
    sd = -4.36302 + 0.121445 * ga**2 - 0.0130256 * ga**3 + 0.00282143 * ga**3 * math.log(ga)
    return mean, sd


def fl_mm(ga_weeks: float) -> tuple[float, float]:
    """Mean and SD of the femur length."""
    ga = ga_weeks
    mean = -39.9616 + 4.32298 * ga - 0.0380156 * ga**2
    return mean, math.exp(0.605843 - 42.0014 * ga**-2 + 9.17972e-6 * ga**3)


@measure(CARD)
def intergrowth_biometry_2014(inputs: IntergrowthInputs) -> Outcome:
    """Mean and SD of four fetal sizes at an age, and z with its percentile of each that was measured."""
    numbers, steps = [], []
    for name, standard, value_mm in (
        ("hc", hc_mm, inputs.hc_mm),
        ("bpd", bpd_mm, inputs.bpd_mm),
        ("ac", ac_mm, inputs.ac_mm),
        ("fl", fl_mm, inputs.fl_mm),
    ):
        mean_mm, sd_mm = standard(inputs.ga_weeks)
        numbers += [
            CARD.number(f"{name}-mean", mean_mm, unit="mm", quantity=EXPECTED_SIZE),
            CARD.number(f"{name}-sd", sd_mm, unit="mm", quantity=EXPECTED_SIZE),
        ]
        if value_mm is not None:
            z = (value_mm - mean_mm) / sd_mm
            note = f"percentile {100 * NormalDist().cdf(z):.1f}"
            numbers.append(CARD.number(f"{name}-z", z, unit="1", quantity=Z_SCORE, note=note))
            steps.append(
                f"{name}: z = ({shown(value_mm)} - {shown(mean_mm)}) / {shown(sd_mm)} = {shown(z)}, {note}"
            )
    steps = steps or [f"mean and SD at {shown(inputs.ga_weeks)} weeks; no measurement is stated"]
    return CARD.outcome(measurements=numbers, steps=steps)
