"""What is said about a stack of slices that is not quite regular, naming slices and positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core import Condition
from hounsfield.imaging.slices import EQUAL_STEP_MM, OFF_LINE_MM, tolerated_mm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hounsfield.imaging.slices import SliceStack
    from hounsfield.studies.grouping import Unit

# Gantries tilt by up to 30 degrees.
MOST_TILT_DEG = 45.0
_NAMED = 6


def stack_conditions(unit: Unit, stack: SliceStack) -> tuple[Condition, ...]:
    """Conditions of a stack; the numbers in `stack` are those of `unit.members`."""
    if stack.duplicates:
        return (_duplicates(unit, stack),)
    if not stack.is_one_line:
        return (_off_line(unit, stack),)
    found = []
    if stack.gaps:
        found.append(_missing(unit, stack))
    if not stack.is_regular:
        found.append(_varying(stack))
    elif _is_jittered(stack):
        found.append(_jitter(stack))
    if stack.is_tilted:
        found.append(_tilt(unit, stack))
    return tuple(found)


def split_conditions(unit: Unit) -> tuple[Condition, ...]:
    """That the unit was told apart from others of its series, and that it covers less than these."""
    if not unit.split_by:
        return ()
    instance = unit.members[0][0]
    where = (instance.sop_instance_uid or instance.source.name,)
    said = unit.split_by if unit.split_by != "picture" else "each image having no place of its own"
    split = Condition(
        "series-split",
        "note",
        f"The files call it one series, but it holds several images; they were told apart by {said}.",
        where,
    )
    if len(unit.members) >= unit.n_places_beside:
        return (split,)
    said = (
        f"This volume has slices at {len(unit.members)} of the {unit.n_places_beside} places that the volumes beside it "
        "cover together: it is a part of one. Send the series again in full."
    )
    return (split, Condition("volume-partial", "warning", said, where))


def _uid(unit: Unit, number: int) -> str:
    instance = unit.members[number][0]
    return instance.sop_instance_uid or instance.source.name


def _named(unit: Unit, numbers: Iterable[int]) -> str:
    """File names, or frame numbers in a multi-frame file, of some of the slices."""
    chosen = list(numbers)
    names = []
    for number in chosen[:_NAMED]:
        instance, frame = unit.members[number]
        names.append(instance.source.name + (f" frame {frame.number}" if instance.n_frames > 1 else ""))
    return ", ".join(names) + (f" and {len(chosen) - _NAMED} more" if len(chosen) > _NAMED else "")


def _place(unit: Unit, number: int) -> str:
    x, y, z = unit.members[number][1].position_mm or (np.nan,) * 3
    return f"({x:.1f}, {y:.1f}, {z:.1f}) mm"


def _duplicates(unit: Unit, stack: SliceStack) -> Condition:
    numbers = [number for group in stack.duplicates for number in group]
    first = stack.duplicates[0]
    return Condition(
        "duplicate-positions",
        "refusal",
        f"{len(numbers)} slices share {len(stack.duplicates)} places, for instance {_named(unit, first)} at "
        f"{_place(unit, first[0])}, and no attribute (echo, b-value, time, kernel, ...) tells the volumes apart. "
        "Send only one volume, or keep the attribute that distinguishes them.",
        tuple(_uid(unit, number) for number in numbers),
    )


def _off_line(unit: Unit, stack: SliceStack) -> Condition:
    return Condition(
        "positions-off-line",
        "refusal",
        f"The slices do not lie on one line: one is {stack.off_line_mm:.1f} mm beside the line through the first "
        f"and the last ({_named(unit, [int(stack.order[0]), int(stack.order[-1])])}), at most {OFF_LINE_MM:g} mm is "
        "accepted. These seem to be several stacks; send them as separate series.",
        tuple(_uid(unit, int(number)) for number in stack.order),
    )


def _missing(unit: Unit, stack: SliceStack) -> Condition:
    n_missing = sum(gap.n_missing for gap in stack.gaps)
    places = "; ".join(
        f"{gap.n_missing} between {_place(unit, gap.before)} and {_place(unit, gap.after)} "
        f"({_named(unit, [gap.before, gap.after])})"
        for gap in stack.gaps[:_NAMED]
    )
    neighbours = dict.fromkeys(number for gap in stack.gaps for number in (gap.before, gap.after))
    instances = tuple(_uid(unit, number) for number in neighbours)
    said = f"{n_missing} of {stack.n_slots} slices are missing: {places}."
    if n_missing > stack.n_slots // 2:
        said += " With more missing than there this is no volume. Send the series again in full."
        return Condition("slices-missing", "refusal", said, instances)
    said += (
        " Their places are kept empty and marked as padding, so positions are true and volumes are too small. Send the "
        "series again in full."
    )
    return Condition("slices-missing", "warning", said, instances)


def _steps_mm(stack: SliceStack) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.diff(stack.distances_mm)


def _varying(stack: SliceStack) -> Condition:
    steps = _steps_mm(stack)
    return Condition(
        "slice-spacing-varies",
        "warning",
        f"The distance between slices varies from {steps.min():.2f} to {steps.max():.2f} mm (median "
        f"{np.median(steps):.2f}). The image was interpolated to even distances, so its slices are not those of "
        "the files.",
    )


def _is_jittered(stack: SliceStack) -> bool:
    steps = _steps_mm(stack) / np.diff(stack.slots)
    return bool(steps.max() - steps.min() > EQUAL_STEP_MM)


def _jitter(stack: SliceStack) -> Condition:
    steps = _steps_mm(stack) / np.diff(stack.slots)
    step_mm = float(np.median(steps))
    return Condition(
        "slice-spacing-jitter",
        "note",
        f"The distance between slices varies from {steps.min():.3f} to {steps.max():.3f} mm, within the tolerance "
        f"of {tolerated_mm(step_mm):.2f} mm; slices were taken as even and lie at most {stack.jitter_mm:.3f} mm "
        "from where they are.",
    )


def _tilt(unit: Unit, stack: SliceStack) -> Condition:
    if stack.tilt_deg > MOST_TILT_DEG:
        return Condition(
            "gantry-tilt",
            "refusal",
            f"The slices are shifted against each other by a tilt of {stack.tilt_deg:.1f} degrees, and no gantry tilts "
            f"beyond {MOST_TILT_DEG:g}: positions or orientation (0020,0032; 0020,0037) are wrong. Export the series again.",
            tuple(_uid(unit, int(number)) for number in stack.order[[0, -1]]),
        )
    return Condition(
        "gantry-tilt",
        "warning",
        f"The slices are shifted against each other by a tilt of {stack.tilt_deg:.1f} degrees. They were moved in their "
        "planes onto a straight grid by linear interpolation, so every value stands where it was measured, but the "
        "pixels are not those of the files. What the grid has beyond the slices is marked as padding.",
    )
