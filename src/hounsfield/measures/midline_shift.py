"""Midline shift at the foramen of Monro."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

FLAG_ABOVE_MM = 5  # also the surgical limit of the Brain Trauma Foundation (2006) for subdural blood
MAX_ROTATION_DEG = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SeptumAndInnerTable(RuleInput):
    """Two distances on one line at the foramen of Monro."""

    inner_table_width_mm: Annotated[
        float, Given("mm", "width between the inner tables", above=0, at_most=250)
    ]
    inner_table_to_septum_mm: Annotated[
        float, Given("mm", "distance of the septum pellucidum from one inner table", at_least=0, at_most=250)
    ]
    rotation_deg: Annotated[
        float,
        Given("deg", "rotation of the head against the slice, after resampling", at_least=-180, at_most=180),
    ] = 0

    def check(self) -> None:
        """The septum lies inside the skull."""
        if exact(self.inner_table_to_septum_mm) > exact(self.inner_table_width_mm):
            raise RefusedInput("the septum lies outside the inner table: check which distance is which.")


CARD = RuleCard(
    name="midline-shift",
    version="1.0.0",
    source="Bullock 2006, Neurosurgery 58 suppl 3 (Brain Trauma Foundation)",
    quantity=private_code("MIDLINE_SHIFT", "Midline shift"),
    unit="mm",
    takes="numbers",
    inputs=SeptumAndInnerTable,
    formula="shift = |W/2 - d|, W inner-table width, d inner table to septum pellucidum; flag above 5 mm",
    population="adults, CT or MR of the head resampled to the mid-sagittal plane",
    refuses=("head rotated by more than 5 degrees", "septum outside the inner table"),
)


@measure(CARD)
def midline_shift(head: SeptumAndInnerTable) -> Outcome:
    """Midline shift in mm, and whether it is above 5 mm.

    Raises RefusedInput where the head is rotated by more than 5 degrees: resample it first.
    """
    if abs(exact(head.rotation_deg)) > MAX_ROTATION_DEG:
        raise RefusedInput(
            f"the head is rotated by {shown(head.rotation_deg)} degrees: above {MAX_ROTATION_DEG} the shift is wrong. "
            "Resample to the mid-sagittal plane first."
        )
    width, distance = exact(head.inner_table_width_mm), exact(head.inner_table_to_septum_mm)
    shift_mm = abs(width / 2 - distance)
    value = "above 5 mm" if shift_mm > FLAG_ABOVE_MM else "not above 5 mm"
    return CARD.outcome(
        measurements=[CARD.number("midline-shift", shift_mm)],
        categories=[
            CARD.category(
                "midline-shift-flag", value, f"midline shift {value}", based_on={"midline_shift_mm": shift_mm}
            )
        ],
        steps=[f"|{shown(width)} / 2 - {shown(distance)}| = {shown(shift_mm)} mm: {value}"],
    )
