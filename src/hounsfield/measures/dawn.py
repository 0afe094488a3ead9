"""Clinical-core mismatch of DAWN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Condition, Given, Outcome
from hounsfield.core.exact import exact, shown
from hounsfield.measures._perfusion_scan import REFUSES, PerfusionScan, refuse_unfit
from hounsfield.measures._rule import RuleCard, measure

OLD_FROM_YEARS = 80
HOURS = (6, 24)
# group -> at least 80 years, lowest NIHSS, core from (ml), core below (ml)
GROUPS = {"A": (True, 10, 0, 21), "B": (False, 10, 0, 31), "C": (False, 20, 31, 51)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreAndDeficit(PerfusionScan):
    """Age and deficit from the clinician, core from the scan."""

    age_years: Annotated[float, Given("a", "age of the patient", at_least=0, at_most=120)]
    nihss: Annotated[int, Given("1", "NIH stroke scale", at_least=0, at_most=42)]
    core_ml: Annotated[
        float, Given("ml", "core: rCBF below 30 %, or ADC below 620e-6 mm2/s", at_least=0, at_most=2000)
    ]
    hours_since_last_well: Annotated[float | None, Given("h", "time since last known well", at_least=0)] = (
        None
    )


CARD = RuleCard(
    name="dawn",
    version="1.0.0",
    source="Nogueira 2018, N Engl J Med 378:11 (DAWN)",
    takes="numbers",
    inputs=CoreAndDeficit,
    evidence="secondary",
    formula="A: from 80 years, NIHSS from 10, core < 21 mL; B: below 80, NIHSS from 10, core < 31; C: below 80, "
    "NIHSS from 20, core 31 to < 51",
    population="adults 6 to 24 h after last known well with occlusion of ICA or M1",
    refuses=REFUSES,
)


@measure(CARD)
def dawn(patient: CoreAndDeficit) -> Outcome:
    """Group of DAWN: A, B, C, or none (then there is no class); never an indication for treatment.

    Raises RefusedInput for a scan whose volumes cannot be trusted.
    """
    refuse_unfit(patient)
    hours, core = patient.hours_since_last_well, exact(patient.core_ml)
    is_old = exact(patient.age_years) >= OLD_FROM_YEARS
    group = next(
        (
            name
            for name, (old, nihss, from_ml, below_ml) in GROUPS.items()
            if is_old == old and patient.nihss >= nihss and from_ml <= core < below_ml
        ),
        None,
    )
    step = f"age {shown(patient.age_years)}, NIHSS {patient.nihss}, core {shown(core)} mL: group {group or 'none'}"
    if hours is not None and not HOURS[0] <= exact(hours) <= HOURS[1]:
        text = f"{shown(hours)} h since last known well: the trial took 6 to 24 h, so no group is given."
        return CARD.outcome(conditions=[Condition("outside-population", "warning", text)], steps=[step])
    if group is None:
        text = "No group of DAWN fits age, deficit and core."
        return CARD.outcome(conditions=[Condition("dawn-no-group", "note", text)], steps=[step])
    meaning = f"clinical-core mismatch of group {group}"
    return CARD.outcome(
        categories=[CARD.category("dawn-group", group, meaning, based_on=patient.to_json())], steps=[step]
    )
