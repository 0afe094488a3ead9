"""Volume of the left ventricle by the biplane method of discs (modified Simpson)."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Annotated

from hounsfield.core import Given, Outcome
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import shown
from hounsfield.measures._left_ventricle import (
    VOLUME_CODES,
    EchoLoop,
    Phase,
    foreshortening,
    loop_conditions,
    refuse_unfit,
    volume_name,
)
from hounsfield.measures._rule import RuleCard, measure

N_DISCS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscsOfTwoViews(EchoLoop):
    """Twenty diameters at mid-height of the discs, perpendicular to each view's own long axis."""

    a_cm: Annotated[
        tuple[float, ...], Given("cm", "disc diameters in the apical 4-chamber view", at_least=0, at_most=15)
    ]
    l4_cm: Annotated[float, Given("cm", "long axis in the 4-chamber view", above=0, at_most=20)]
    b_cm: Annotated[
        tuple[float, ...] | None, Given("cm", "disc diameters in the 2-chamber view", at_least=0, at_most=15)
    ] = None
    l2_cm: Annotated[float | None, Given("cm", "long axis in the 2-chamber view", above=0, at_most=20)] = None
    phase: Annotated[Phase, Given("", "ED at the largest area, ES at the smallest")] = "not stated"

    def check(self) -> None:
        """Twenty discs a view."""
        for name, diameters in (("a_cm", self.a_cm), ("b_cm", self.b_cm)):
            if diameters is not None and len(diameters) != N_DISCS:
                raise RefusedInput(
                    f"{name} holds {len(diameters)} diameters; the method takes {N_DISCS} discs."
                )


CARD = RuleCard(
    name="lv-volume-biplane-discs",
    version="1.0.0",
    source="Lang 2015, J Am Soc Echocardiogr 28:1 (ASE/EACVI chamber quantification)",
    takes="numbers",
    inputs=DiscsOfTwoViews,
    evidence="unverified",
    formula="V = pi/4 x sum over 20 discs of a x b x L/20, L the longer axis; one view: b = a",
    population="adults, two-dimensional echocardiography without contrast agent",
    refuses=("no physical spacing", "contrast echo or 3D data", "less than one full cycle"),
)


@measure(CARD)
def lv_volume_biplane_discs(views: DiscsOfTwoViews) -> Outcome:
    """Volume in ml from twenty discs in one or two apical views.

    L is the longer of the two long axes; axes that differ by 10 % or more give the condition
    `foreshortening`. Raises RefusedInput for 3D or contrast data, or not twenty discs.
    """
    refuse_unfit(views)
    b_cm = views.b_cm or views.a_cm
    length_cm = max(views.l4_cm, views.l2_cm or 0.0)
    products_cm2 = sum(a * b for a, b in zip(views.a_cm, b_cm, strict=True))
    volume_ml = pi / 4 * products_cm2 * length_cm / N_DISCS
    note = "biplane" if views.b_cm else "single plane, 4-chamber view"
    code = VOLUME_CODES[views.phase if views.b_cm else "not stated"]
    return CARD.outcome(
        measurements=[CARD.number(volume_name(views.phase), volume_ml, unit="ml", quantity=code, note=note)],
        conditions=[*loop_conditions(views), *foreshortening(views.l4_cm, views.l2_cm)],
        steps=[
            f"pi/4 x {shown(products_cm2)} cm² x {shown(length_cm)} cm / {N_DISCS} = {shown(volume_ml)} mL ({note})"
        ],
    )
