"""Target mismatch of DEFUSE 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from hounsfield.core import Condition, Given, Outcome
from hounsfield.core.code import VOLUME, private_code
from hounsfield.core.exact import exact, shown
from hounsfield.measures._perfusion_scan import REFUSES, PerfusionScan, refuse_unfit
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from decimal import Decimal

CORE_BELOW_ML = 70
MISMATCH_FROM_ML = 15
RATIO_FROM = exact("1.8")  # "or more" in the paper; some secondary sources print "more than"
HOURS, AGE_YEARS, NIHSS_FROM = (6, 16), (18, 90), 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreAndHypoperfusion(PerfusionScan):
    """Volumes of core and delayed tissue; what the trial asked for besides, None where not stated."""

    core_ml: Annotated[
        float, Given("ml", "core: rCBF below 30 %, or ADC below 620e-6 mm2/s", at_least=0, at_most=2000)
    ]
    tmax_gt6_ml: Annotated[float, Given("ml", "tissue with Tmax above 6 s", at_least=0, at_most=2000)]
    hours_since_last_well: Annotated[float | None, Given("h", "time since last known well", at_least=0)] = (
        None
    )
    age_years: Annotated[float | None, Given("a", "age of the patient", at_least=0, at_most=120)] = None
    nihss: Annotated[int | None, Given("1", "NIH stroke scale", at_least=0, at_most=42)] = None
    is_ica_or_m1: Annotated[bool | None, Given("", "occlusion of the internal carotid artery or M1")] = None


CARD = RuleCard(
    name="defuse3-mismatch",
    version="1.0.0",
    source="Albers 2018, N Engl J Med 378:708 (DEFUSE 3)",
    takes="numbers",
    inputs=CoreAndHypoperfusion,
    evidence="secondary",
    formula="core < 70 mL, Tmax>6s - core >= 15 mL, Tmax>6s / core >= 1.8 (met where the core is 0)",
    population="6 to 16 h after last known well, 18 to 90 years, NIHSS from 6, occlusion of ICA or M1",
    refuses=REFUSES,
)


@measure(CARD)
def defuse3_mismatch(brain: CoreAndHypoperfusion) -> Outcome:
    """Mismatch volume and ratio, and whether the imaging criteria of DEFUSE 3 are met.

    A core of 0 has no ratio and meets that criterion. Outside the trial's population the numbers are
    given, the class is not; it is never an indication for treatment. Raises RefusedInput for a scan
    whose volumes cannot be trusted.
    """
    refuse_unfit(brain)
    core, delayed = exact(brain.core_ml), exact(brain.tmax_gt6_ml)
    mismatch = delayed - core
    ratio = delayed / core if core else None
    is_met = core < CORE_BELOW_ML and mismatch >= MISMATCH_FROM_ML and (ratio is None or ratio >= RATIO_FROM)
    numbers = [
        CARD.number("mismatch", mismatch, unit="ml", quantity=VOLUME, note="Tmax above 6 s minus core"),
    ]
    if ratio is not None:
        quantity = private_code("MISMATCH_RATIO", "Perfusion mismatch ratio")
        numbers.append(CARD.number("mismatch-ratio", ratio, unit="1", quantity=quantity))
    outside = _outside_population(brain)
    text = f"{outside}: the trial does not speak for this patient, so volumes are given and no class."
    found = CARD.category(
        "target-mismatch",
        "present" if is_met else "absent",
        f"imaging criteria of DEFUSE 3 {'met' if is_met else 'not met'}",
        based_on=brain.to_json(),
    )
    return CARD.outcome(
        measurements=numbers,
        categories=[] if outside else [found],
        conditions=[Condition("outside-population", "warning", text)] if outside else [],
        steps=_steps(core, delayed, ratio, outside or found.value),
    )


def _steps(core: Decimal, delayed: Decimal, ratio: Decimal | None, result: str) -> list[str]:
    told = (
        f"{shown(delayed)} / {shown(core)} = {shown(ratio)}" if ratio is not None else "core 0: no ratio, met"
    )
    return [
        f"core {shown(core)} mL {'<' if core < CORE_BELOW_ML else '>='} {CORE_BELOW_ML}",
        f"mismatch {shown(delayed)} - {shown(core)} = {shown(delayed - core)} mL, needs {MISMATCH_FROM_ML}",
        f"ratio {told}, needs {RATIO_FROM}",
        f"target mismatch: {result}",
    ]


def _outside_population(brain: CoreAndHypoperfusion) -> str:
    """Which stated fact lies outside the trial, "" for none."""
    hours, age = brain.hours_since_last_well, brain.age_years
    reasons = [
        (
            hours is not None and not HOURS[0] <= exact(hours) <= HOURS[1],
            f"{shown(hours or 0)} h since last known well",
        ),
        (age is not None and not AGE_YEARS[0] <= exact(age) <= AGE_YEARS[1], f"age {shown(age or 0)} years"),
        (brain.nihss is not None and brain.nihss < NIHSS_FROM, f"NIHSS {brain.nihss}"),
        (brain.is_ica_or_m1 is False, "no occlusion of ICA or M1"),
    ]
    return "; ".join(reason for is_so, reason in reasons if is_so)
