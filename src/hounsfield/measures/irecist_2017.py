"""iRECIST: whether a progression under immunotherapy is confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.exact import round_half_up, shown
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.measures._target_response import Sums

FURTHER_MM = 5  # growth since iUPD that confirms, of targets or of new targets
MEANINGS = {
    "iCPD": "confirmed progressive disease",
    "iUPD": "unconfirmed progressive disease",
    "iSD": "stable disease after an unconfirmed progression",
    "iPR": "partial response after an unconfirmed progression",
    "iCR": "complete response after an unconfirmed progression",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterUnconfirmedProgression(RuleInput):
    """The assessment 4 to 8 weeks after iUPD; `prev` and `at_iupd` mean the assessment of that iUPD."""

    baseline_mm: Annotated[float, Given("mm", "sum of targets at baseline", at_least=0, at_most=5000)]
    sum_at_iupd_mm: Annotated[float, Given("mm", "sum of targets at iUPD", at_least=0, at_most=5000)]
    current_sum_mm: Annotated[float, Given("mm", "sum of targets now", at_least=0, at_most=5000)]
    still_pd_vs_nadir: Annotated[bool, Given("", "still progression against the nadir")]
    new_target_sum_prev_mm: Annotated[
        float, Given("mm", "sum of new target lesions at iUPD", at_least=0, at_most=5000)
    ] = 0
    new_target_sum_now_mm: Annotated[
        float, Given("mm", "sum of new target lesions now", at_least=0, at_most=5000)
    ] = 0
    non_target_further_increase: Annotated[bool, Given("", "non-target disease grew further")] = False
    new_non_target_increase: Annotated[bool, Given("", "a new non-target lesion grew")] = False
    further_new_lesion: Annotated[bool, Given("", "another new lesion appeared")] = False
    all_gone: Annotated[bool, Given("", "all lesions gone, nodes below 10 mm")] = False


CARD = RuleCard(
    name="irecist-2017",
    version="1.0.0",
    source="Seymour 2017, Lancet Oncol 18:e143; new lesions: EORTC RECIST FAQ",
    takes="numbers",
    inputs=AfterUnconfirmedProgression,
    evidence="secondary",
    formula="iCPD: targets or new targets 5 mm larger than at iUPD, non-targets or new non-targets larger, or "
    "another new lesion; else iUPD while PD against nadir; else iCR, iPR (30 % below baseline) or iSD",
    population="adults with solid tumours under immunotherapy, 4 to 8 weeks after the first progression",
    refuses=("no sum of a time point",),
    uncertainty="sums of two readers differ by about +-20 % (95 %, Yoon 2016; unverified)",
)


@measure(CARD)
def irecist_2017(now: AfterUnconfirmedProgression) -> Outcome:
    """Response at the assessment after iUPD: iCPD, iUPD, iSD, iPR or iCR.

    Growth counts from the iUPD, so that increases over several assessments add up. New lesions are
    measured apart and never added to the sum of targets.
    """
    grown = round_half_up(now.current_sum_mm, 1) - round_half_up(now.sum_at_iupd_mm, 1)
    new_grown = round_half_up(now.new_target_sum_now_mm, 1) - round_half_up(now.new_target_sum_prev_mm, 1)
    reasons = [
        reason
        for is_so, reason in (
            (grown >= FURTHER_MM, f"targets {shown(grown)} mm larger than at iUPD"),
            (new_grown >= FURTHER_MM, f"new targets {shown(new_grown)} mm larger than at iUPD"),
            (now.non_target_further_increase, "non-target disease grew further"),
            (now.new_non_target_increase, "a new non-target lesion grew"),
            (now.further_new_lesion, "another new lesion appeared"),
        )
        if is_so
    ]
    sums = Sums.of(now.baseline_mm, now.baseline_mm, now.current_sum_mm)
    response = _response(now, is_confirmed=bool(reasons), is_partial=sums.is_partial_response)
    told = "; ".join(reasons) or f"targets {shown(grown)} mm, new targets {shown(new_grown)} mm against iUPD"
    found = CARD.category("irecist", response, MEANINGS[response], based_on=now.to_json())
    return CARD.outcome(
        measurements=sums.numbers(CARD)[:2],
        categories=[found],
        steps=[*sums.steps[:1], f"{told}: {response}"],
    )


def _response(now: AfterUnconfirmedProgression, *, is_confirmed: bool, is_partial: bool) -> str:
    if is_confirmed:
        return "iCPD"
    if now.still_pd_vs_nadir:
        return "iUPD"
    if now.all_gone:
        return "iCR"
    return "iPR" if is_partial else "iSD"
