"""Metabolic response of a target lesion on FDG PET by PERCIST 1.0."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

CHANGE_PERCENT, CHANGE_SUL = 30, Decimal("0.8")
LIVER_FACTOR, LIVER_SDS = Decimal("1.5"), 2
LONGEST_UPTAKE_DIFFERENCE_MIN, SHORTEST_UPTAKE_MIN, LONGEST_UPTAKE_MIN = 15, 50, 70
LIVER_CHANGE_PERCENT, LIVER_CHANGE_SUL = 20, Decimal("0.3")
UNIT = "g/ml{SUVlbm}"
CHANGE = private_code("SULPEAK_CHANGE", "Change of SULpeak")
MEANINGS = {
    "PMR": "partial metabolic response",
    "SMD": "stable metabolic disease",
    "PMD": "progressive metabolic disease",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PercistInputs(RuleInput):
    """SULpeak before and after, and what makes both examinations comparable (told where it is not stated)."""

    baseline_sul: Annotated[
        float, Given(UNIT, "SULpeak of the hottest lesion before", at_least=0.01, at_most=200)
    ]
    followup_sul: Annotated[
        float, Given(UNIT, "SULpeak of the hottest lesion after", at_least=0, at_most=200)
    ]
    new_lesion: Annotated[bool, Given("", "a new FDG-avid lesion typical of cancer")] = False
    liver_baseline_sul: Annotated[
        float | None, Given(UNIT, "mean SUL of the liver before", at_least=0.01, at_most=20)
    ] = None
    liver_baseline_sd_sul: Annotated[float | None, Given(UNIT, "its SD before", at_least=0, at_most=20)] = (
        None
    )
    liver_followup_sul: Annotated[
        float | None, Given(UNIT, "mean SUL of the liver after", at_least=0.01, at_most=20)
    ] = None
    uptake_baseline_min: Annotated[
        float | None, Given("min", "uptake time before", at_least=0, at_most=600)
    ] = None
    uptake_followup_min: Annotated[
        float | None, Given("min", "uptake time after", at_least=0, at_most=600)
    ] = None
    same_scanner: Annotated[bool | None, Given("", "same scanner and reconstruction")] = None


CARD = RuleCard(
    name="percist-1.0",
    version="1.0.0",
    source="Wahl 2009, J Nucl Med 50 Suppl 1:122S",
    takes="numbers",
    inputs=PercistInputs,
    formula="PMR: SULpeak -30 % and -0.8 or more; PMD: +30 % and +0.8 or more, or a new lesion; else SMD. Measurable "
    "from 1.5 x liver mean + 2 SD",
    population="adults with solid FDG-avid tumours; complete response is a reader's statement and is not given",
    refuses=("a SULpeak of 0 or below before treatment",),
    uncertainty="SUVmax varies within a person by 10 to 12 % (coefficient of variation)",
)


def response(*, baseline_sul: float, followup_sul: float, new_lesion: bool) -> str:
    """PMR, SMD or PMD. Both 30 % and 0.8 must be reached (limits count in); a new lesion is PMD."""
    before, change = exact(baseline_sul), exact(followup_sul) - exact(baseline_sul)
    if new_lesion:
        return "PMD"
    if abs(change) < CHANGE_SUL or 100 * abs(change) < CHANGE_PERCENT * before:
        return "SMD"
    return "PMD" if change > 0 else "PMR"


def measurable_from_sul(*, liver_sul: float, liver_sd_sul: float) -> Decimal:
    """1.5 x liver mean + 2 SD: the least SULpeak of a measurable lesion (3 cm sphere in the right lobe)."""
    return LIVER_FACTOR * exact(liver_sul) + LIVER_SDS * exact(liver_sd_sul)


@measure(CARD)
def percist_1_0(inputs: PercistInputs) -> Outcome:
    """Change of SULpeak, and the response where both examinations are comparable and the lesion measurable.

    Anything that forbids the comparison becomes the condition `not-comparable`, and the class is withheld;
    what is not stated is told.
    """
    before, after = exact(inputs.baseline_sul), exact(inputs.followup_sul)
    change, percent = after - before, 100 * (after - before) / before
    numbers = [
        CARD.number("sulpeak-change", change, unit=UNIT, quantity=CHANGE),
        CARD.number("sulpeak-change-percent", percent, unit="%", quantity=CHANGE),
    ]
    steps = [f"change = {shown(after)} - {shown(before)} = {shown(change)} ({shown(percent)} %)"]
    against, unknown = comparability(inputs)
    conditions = []
    if unknown:
        text = f"Not stated, so not checked: {', '.join(unknown)}."
        conditions.append(Condition("comparability-not-stated", "warning", text))
    if against:
        conditions.append(
            Condition("not-comparable", "warning", f"No response is given: {'; '.join(against)}.")
        )
        return CARD.outcome(measurements=numbers, conditions=conditions, steps=steps)
    found = response(
        baseline_sul=inputs.baseline_sul, followup_sul=inputs.followup_sul, new_lesion=inputs.new_lesion
    )
    category = CARD.category("percist", found, MEANINGS[found], based_on=inputs.to_json())
    steps.append(f"{'a new lesion' if inputs.new_lesion else 'limits 30 % and 0.8, both'}: {found}")
    return CARD.outcome(measurements=numbers, categories=[category], conditions=conditions, steps=steps)


def comparability(inputs: PercistInputs) -> tuple[list[str], list[str]]:
    """What forbids the comparison of both examinations, and what could not be checked."""
    against: list[str] = []
    unknown: list[str] = []
    for check in (_measurable, _liver, _uptake, _scanner):
        found = check(inputs)
        if found is not None:
            (unknown if found[0] == "unknown" else against).append(found[1])
    return against, unknown


Found = tuple[str, str] | None


def _measurable(inputs: PercistInputs) -> Found:
    if inputs.liver_baseline_sul is None or inputs.liver_baseline_sd_sul is None:
        return "unknown", "liver mean and SD before"
    least = measurable_from_sul(
        liver_sul=inputs.liver_baseline_sul, liver_sd_sul=inputs.liver_baseline_sd_sul
    )
    if exact(inputs.baseline_sul) < least:
        return (
            "against",
            f"the lesion is not measurable (SULpeak below 1.5 x liver mean + 2 SD = {shown(least)})",
        )
    return None


def _liver(inputs: PercistInputs) -> Found:
    if inputs.liver_baseline_sul is None or inputs.liver_followup_sul is None:
        return "unknown", "liver mean at both times"
    before = exact(inputs.liver_baseline_sul)
    change = abs(exact(inputs.liver_followup_sul) - before)
    if change > LIVER_CHANGE_SUL or 100 * change > LIVER_CHANGE_PERCENT * before:
        return "against", "the liver changed by more than 20 % or 0.3"
    return None


def _uptake(inputs: PercistInputs) -> Found:
    if inputs.uptake_baseline_min is None or inputs.uptake_followup_min is None:
        return "unknown", "uptake times"
    before, after = exact(inputs.uptake_baseline_min), exact(inputs.uptake_followup_min)
    if abs(after - before) > LONGEST_UPTAKE_DIFFERENCE_MIN:
        return "against", "the uptake times differ by more than 15 minutes"
    if not SHORTEST_UPTAKE_MIN <= min(before, after) <= max(before, after) <= LONGEST_UPTAKE_MIN:
        return "against", "an uptake time lies outside 50 to 70 minutes"
    return None


def _scanner(inputs: PercistInputs) -> Found:
    if inputs.same_scanner is None:
        return "unknown", "scanner"
    return None if inputs.same_scanner else ("against", "the scanner or reconstruction differs")
