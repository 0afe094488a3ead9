"""Estimated fetal weight after Hadlock 1985: four formulas, by what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Code, Given, Outcome
from hounsfield.core.exact import shown
from hounsfield.measures._fetal_scan import AC_CM, BPD_CM, FL_CM, HC_CM, FetalScan
from hounsfield.measures._rule import RuleCard, measure

FETAL_WEIGHT = Code("11727-5", "LN", "Estimated fetal weight")
# 95 % interval of the estimate; the SD is 7.3 to 7.7 %.
UNCERTAINTY = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class HadlockEfwInputs(FetalScan):
    """Abdomen and femur in centimetres, and the head where it was measured."""

    ac_cm: Annotated[float, Given("cm", "abdominal circumference", at_least=AC_CM[0], at_most=AC_CM[1])]
    fl_cm: Annotated[float, Given("cm", "femur length", at_least=FL_CM[0], at_most=FL_CM[1])]
    bpd_cm: Annotated[
        float | None,
        Given("cm", "biparietal diameter, outer to inner", at_least=BPD_CM[0], at_most=BPD_CM[1]),
    ] = None
    hc_cm: Annotated[float | None, Given("cm", "head circumference", at_least=HC_CM[0], at_most=HC_CM[1])] = (
        None
    )


CARD = RuleCard(
    name="hadlock-efw-1985",
    version="1.0.0",
    source="Hadlock 1985, Am J Obstet Gynecol 151:333",
    quantity=FETAL_WEIGHT,
    unit="g",
    takes="numbers",
    inputs=HadlockEfwInputs,
    formula="log10 W: H1 1.304 + 0.05281 AC + 0.1938 FL - 0.004 AC FL; H2 1.335 - 0.0034 AC FL + 0.0316 BPD + 0.0457 AC + "
    "0.1623 FL; H3 1.326 - 0.00326 AC FL + 0.0107 HC + 0.0438 AC + 0.158 FL; H4 1.3596 - 0.00386 AC FL + 0.0064 HC "
    "+ 0.00061 BPD AC + 0.0424 AC + 0.174 FL (cm, g)",
    population="singletons of the second and third trimester, planes confirmed and calibrated",
    refuses=("no calibration, plane or label of the fetus", "sizes that no fetus has (mm stated as cm)"),
    uncertainty="95 % of weights lie within 15 % of the estimate",
)


def log10_weights(inputs: HadlockEfwInputs) -> dict[str, float]:
    """log10 of the weight in g by each formula that the measurements allow: H1 always, H2 to H4 with the head."""
    ac, fl, bpd, hc = inputs.ac_cm, inputs.fl_cm, inputs.bpd_cm, inputs.hc_cm
    found = {"h1-ac-fl": 1.304 + 0.05281 * ac + 0.1938 * fl - 0.004 * ac * fl}
    if bpd is not None:
        found["h2-bpd-ac-fl"] = 1.335 - 0.0034 * ac * fl + 0.0316 * bpd + 0.0457 * ac + 0.1623 * fl
    if hc is not None:
        found["h3-hc-ac-fl"] = 1.326 - 0.00326 * ac * fl + 0.0107 * hc + 0.0438 * ac + 0.158 * fl
    if bpd is not None and hc is not None:
        found["h4-bpd-hc-ac-fl"] = (
            1.3596 - 0.00386 * ac * fl + 0.0064 * hc + 0.00061 * bpd * ac + 0.0424 * ac + 0.174 * fl
        )
    return found


@measure(CARD)
def hadlock_efw_1985(inputs: HadlockEfwInputs) -> Outcome:
    """Fetal weight in g by every formula that the measurements allow, each with its 95 % interval of 15 %."""
    weights_g = {name: 10.0**exponent for name, exponent in log10_weights(inputs).items()}
    return CARD.outcome(
        measurements=[
            CARD.number(f"efw-{name}", grams, uncertainty=UNCERTAINTY * grams, note="95 % within 15 %")
            for name, grams in weights_g.items()
        ],
        steps=[f"{name}: {shown(grams)} g +- 15 %" for name, grams in weights_g.items()],
    )
