"""Volume of the left ventricle by area and length."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Annotated

from hounsfield.core import Given, Outcome
from hounsfield.core.code import VOLUME
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import shown
from hounsfield.measures._left_ventricle import (
    EchoLoop,
    Phase,
    foreshortening,
    loop_conditions,
    refuse_unfit,
    volume_name,
)
from hounsfield.measures._rule import RuleCard, measure


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaAndLength(EchoLoop):
    """Area and long axis of one apical view, or of two."""

    area4_cm2: Annotated[float, Given("cm2", "area of the ventricle in the first view", above=0, at_most=200)]
    l4_cm: Annotated[float, Given("cm", "long axis in the first view", above=0, at_most=20)]
    area2_cm2: Annotated[float | None, Given("cm2", "area in the second view", above=0, at_most=200)] = None
    l2_cm: Annotated[float | None, Given("cm", "long axis in the second view", above=0, at_most=20)] = None
    phase: Annotated[Phase, Given("", "ED at the largest area, ES at the smallest")] = "not stated"

    def check(self) -> None:
        """A second view has both its area and its axis."""
        if (self.area2_cm2 is None) != (self.l2_cm is None):
            raise RefusedInput("the second view needs both area2_cm2 and l2_cm: give both or neither.")


CARD = RuleCard(
    name="lv-volume-area-length",
    version="1.0.0",
    source="Lang 2015, J Am Soc Echocardiogr 28:1 (ASE/EACVI chamber quantification)",
    quantity=VOLUME,
    unit="ml",
    takes="numbers",
    inputs=AreaAndLength,
    formula="V = 8 A^2 / (3 pi L); two views: 8 A4 A2 / (3 pi L), L the shorter axis",
    population="adults, two-dimensional echocardiography without contrast agent",
    refuses=("no physical spacing", "contrast echo or 3D data", "less than one full cycle"),
)


@measure(CARD)
def lv_volume_area_length(views: AreaAndLength) -> Outcome:
    """Volume in ml from area and length of one or two apical views; L is the shorter axis.

    Raises RefusedInput for 3D or contrast data, or a second view that is given by half.
    """
    refuse_unfit(views)
    other_cm2 = views.area2_cm2 or views.area4_cm2
    length_cm = min(views.l4_cm, views.l2_cm or views.l4_cm)
    volume_ml = 8 * views.area4_cm2 * other_cm2 / (3 * pi * length_cm)
    note = "biplane" if views.area2_cm2 else "single plane"
    return CARD.outcome(
        measurements=[CARD.number(volume_name(views.phase), volume_ml, note=note)],
        conditions=[*loop_conditions(views), *foreshortening(views.l4_cm, views.l2_cm)],
        steps=[
            f"8 x {shown(views.area4_cm2)} x {shown(other_cm2)} / (3 pi {shown(length_cm)}) = {shown(volume_ml)} mL ({note})"
        ],
    )
