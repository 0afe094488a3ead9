"""Gestational age from fetal measurements after Hadlock 1984."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Condition, Given, Outcome
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import shown
from hounsfield.measures._fetal_scan import AC_CM, BPD_CM, FL_CM, GESTATIONAL_AGE, HC_CM, FetalScan
from hounsfield.measures._rule import RuleCard, measure

VALID_WEEKS = (14.0, 42.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HadlockGaInputs(FetalScan):
    """Any of four measurements in centimetres; the combined formula needs all."""

    bpd_cm: Annotated[
        float | None,
        Given("cm", "biparietal diameter, outer to inner", at_least=BPD_CM[0], at_most=BPD_CM[1]),
    ] = None
    hc_cm: Annotated[float | None, Given("cm", "head circumference", at_least=HC_CM[0], at_most=HC_CM[1])] = (
        None
    )
    ac_cm: Annotated[
        float | None, Given("cm", "abdominal circumference", at_least=AC_CM[0], at_most=AC_CM[1])
    ] = None
    fl_cm: Annotated[float | None, Given("cm", "femur length", at_least=FL_CM[0], at_most=FL_CM[1])] = None


CARD = RuleCard(
    name="hadlock-ga-1984",
    version="1.0.0",
    source="Hadlock 1984, Radiology 152:497",
    quantity=GESTATIONAL_AGE,
    unit="wk",
    takes="numbers",
    inputs=HadlockGaInputs,
    formula="HC 8.96 + 0.540 HC + 0.0003 HC^3; BPD 9.54 + 1.482 BPD + 0.1676 BPD^2; AC 8.14 + 0.753 AC + 0.0036 AC^2; "
    "FL 10.35 + 2.460 FL + 0.170 FL^2; all 10.85 + 0.060 HC FL + 0.6700 BPD + 0.1680 AC (cm)",
    population="singletons of 14 to 42 weeks, planes confirmed and calibrated",
    refuses=(
        "no calibration, plane or label of the fetus",
        "no measurement",
        "sizes that no fetus has (mm stated as cm)",
        "ages outside 14 to 42 weeks",
    ),
)


def weeks_by_hc(hc_cm: float) -> float:
    """8.96 + 0.540 HC + 0.0003 HC^3."""
    return 8.96 + 0.540 * hc_cm + 0.0003 * hc_cm**3


def weeks_by_bpd(bpd_cm: float) -> float:
    """9.54 + 1.482 BPD + 0.1676 BPD^2."""
    return 9.54 + 1.482 * bpd_cm + 0.1676 * bpd_cm**2


def weeks_by_ac(ac_cm: float) -> float:
    """8.14 + 0.753 AC + 0.0036 AC^2."""
    return 8.14 + 0.753 * ac_cm + 0.0036 * ac_cm**2


def weeks_by_fl(fl_cm: float) -> float:
    """10.35 + 2.460 FL + 0.170 FL^2."""
    return 10.35 + 2.460 * fl_cm + 0.170 * fl_cm**2


def weeks_by_all(*, bpd_cm: float, hc_cm: float, ac_cm: float, fl_cm: float) -> float:
    """10.85 + 0.060 HC FL + 0.6700 BPD + 0.1680 AC."""
    return 10.85 + 0.060 * hc_cm * fl_cm + 0.6700 * bpd_cm + 0.1680 * ac_cm


@measure(CARD)
def hadlock_ga_1984(inputs: HadlockGaInputs) -> Outcome:
    """Gestational age by each measurement that is stated, and by all four together where all are.

    An age outside 14 to 42 weeks is not reported. Raises RefusedInput if nothing is stated or nothing lies
    within.
    """
    found = _weeks(inputs)
    low, high = VALID_WEEKS
    valid = {name: weeks for name, weeks in found.items() if low <= weeks <= high}
    if not valid:
        told = ", ".join(f"{name} {weeks:.1f}" for name, weeks in found.items()) or "none is stated"
        raise RefusedInput(
            f"no measurement gives an age of 14 to 42 weeks, where these formulas hold ({told}). Check the unit "
            "(cm); earlier, date by crown-rump length."
        )
    conditions = [
        Condition(
            "outside-population", "warning", f"{name} is {weeks:.1f} weeks, outside 14 to 42: not reported."
        )
        for name, weeks in found.items()
        if name not in valid
    ]
    return CARD.outcome(
        measurements=[CARD.number(name, weeks) for name, weeks in valid.items()],
        conditions=conditions,
        steps=[f"{name} = {shown(weeks)} weeks" for name, weeks in found.items()],
    )


def _weeks(inputs: HadlockGaInputs) -> dict[str, float]:
    """Age in weeks by every formula whose measurements are stated."""
    bpd, hc, ac, fl = inputs.bpd_cm, inputs.hc_cm, inputs.ac_cm, inputs.fl_cm
    formulas = (
        ("bpd", weeks_by_bpd, bpd),
        ("hc", weeks_by_hc, hc),
        ("ac", weeks_by_ac, ac),
        ("fl", weeks_by_fl, fl),
    )
    found = {f"ga-by-{name}": formula(cm) for name, formula, cm in formulas if cm is not None}
    if bpd is not None and hc is not None and ac is not None and fl is not None:
        found["ga-by-all"] = weeks_by_all(bpd_cm=bpd, hc_cm=hc, ac_cm=ac, fl_cm=fl)
    return found
