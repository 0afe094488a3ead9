"""What the rules of the left ventricle share: the echo loop they hold for, names and codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Code, Condition, Given, RuleInput
from hounsfield.core.code import VOLUME
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown

FORESHORTENED_PERCENT = 10  # the two long axes should differ by less
MAX_SEGMENTS_UNSEEN = 2  # of 17

Phase = Literal["ED", "ES", "not stated"]
VOLUME_CODES: dict[Phase, Code] = {
    "ED": Code("79996-5", "LN", "Left ventricular end diastolic volume biplane (MOD)"),
    "ES": Code("80001-1", "LN", "Left ventricular end systolic volume biplane (MOD)"),
    "not stated": VOLUME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoLoop(RuleInput):
    """A two-dimensional loop of the heart, as far as the rules must know it."""

    has_spacing: Annotated[bool, Given("", "the region states equal physical spacing in x and y")] = True
    is_contrast_or_3d: Annotated[bool, Given("", "contrast echo or 3D data")] = False
    is_full_cycle: Annotated[bool, Given("", "at least one full cycle was recorded")] = True
    n_segments_unseen: Annotated[
        int, Given("1", "segments of 17 that are not visible in a view", at_least=0, at_most=17)
    ] = 0


def refuse_unfit(loop: EchoLoop) -> None:
    """Raise RefusedInput for a loop that the two-dimensional rules may not take."""
    found = [
        (not loop.has_spacing, "the loop states no equal physical spacing", "Use a calibrated recording"),
        (loop.is_contrast_or_3d, "the loop is a contrast or 3D recording", "Use the rules made for these"),
        (not loop.is_full_cycle, "less than one full cycle was recorded", "Record a longer loop"),
    ]
    for is_so, what, remedy in found:
        if is_so:
            raise RefusedInput(f"{what}: no volume and no ejection fraction by this rule. {remedy}.")


def loop_conditions(loop: EchoLoop) -> list[Condition]:
    """What of the wall could not be seen."""
    if loop.n_segments_unseen <= MAX_SEGMENTS_UNSEEN:
        return []
    text = (
        f"{loop.n_segments_unseen} of 17 segments are not visible: the border there is a guess of the reader."
    )
    return [Condition("segments-not-visible", "warning", text)]


def foreshortening(l4_cm: float, l2_cm: float | None) -> list[Condition]:
    """A condition where the two long axes differ by 10 % of the longer, or more."""
    if l2_cm is None:
        return []
    longer, shorter = max(exact(l4_cm), exact(l2_cm)), min(exact(l4_cm), exact(l2_cm))
    if 100 * (longer - shorter) < FORESHORTENED_PERCENT * longer:
        return []
    text = f"The long axes are {shown(l4_cm)} and {shown(l2_cm)} cm: one view seems to miss the apex."
    return [Condition("foreshortening", "warning", text)]


def volume_name(phase: Phase) -> str:
    """Name of the volume of that phase."""
    return {"ED": "lv-edv", "ES": "lv-esv", "not stated": "lv-volume"}[phase]
