"""ABC/2: volume of an intracerebral haemorrhage from three lengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import VOLUME, private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from decimal import Decimal

WHOLE_ABOVE_PERCENT = 75  # of the largest slice's area; exactly 75 % counts half, as the paper reads
HALF_FROM_PERCENT = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class HaemorrhageLengths(RuleInput):
    """Two diameters on the slice of largest area, and the area on every slice."""

    a_cm: Annotated[float, Given("cm", "longest diameter on the slice of largest area", above=0, at_most=25)]
    b_cm: Annotated[float, Given("cm", "diameter perpendicular to it", above=0, at_most=25)]
    slice_areas_cm2: Annotated[tuple[float, ...], Given("cm2", "area on each slice", at_least=0)]
    slice_spacing_cm: Annotated[float, Given("cm", "distance between slice positions", above=0, at_most=5)]
    shape: Annotated[
        Literal["ellipsoid", "irregular", "multifocal", "intraventricular", "subdural"],
        Given("", "shape and place of the blood"),
    ] = "ellipsoid"

    def check(self) -> None:
        """A slice with blood, and A not shorter than B."""
        if not any(self.slice_areas_cm2):
            raise RefusedInput("no slice holds blood: slice_areas_cm2 needs an area above 0.")
        if exact(self.b_cm) > exact(self.a_cm):
            raise RefusedInput("b_cm is longer than a_cm: A is the longest diameter. Exchange them.")


CARD = RuleCard(
    name="abc2",
    version="1.0.0",
    source="Kothari 1996, Stroke 27:1304",
    takes="numbers",
    inputs=HaemorrhageLengths,
    formula="V = A B C / 2; C = slice spacing x sum of weights: 1 above 75 % of the largest area, 0.5 from 25 %, else 0",
    population="adults with one ellipsoid intracerebral haemorrhage on CT",
    refuses=("irregular, multifocal, intraventricular or subdural blood", "no slice with blood"),
    uncertainty="a mask's voxels give the better volume: give both with their names",
)


@measure(CARD)
def abc2(blood: HaemorrhageLengths) -> Outcome:
    """Volume in ml by A x B x C / 2, C from the slices weighted by their area.

    Raises RefusedInput for blood that is no single ellipsoid. Whether exactly 75 % counts whole is
    disputed; here it counts half.
    """
    if blood.shape != "ellipsoid":
        raise RefusedInput(
            f"the blood is {blood.shape}: ABC/2 holds for one ellipsoid. Count the voxels of a mask."
        )
    weights = _weights([exact(area) for area in blood.slice_areas_cm2])
    c_cm = sum(weights) * exact(blood.slice_spacing_cm)
    volume_ml = exact(blood.a_cm) * exact(blood.b_cm) * c_cm / 2
    told = " + ".join(shown(weight) for weight in weights)
    return CARD.outcome(
        measurements=[
            CARD.number(
                "c", c_cm, unit="cm", quantity=private_code("ABC2_C", "Weighted height of a haemorrhage")
            ),
            CARD.number("abc2-volume", volume_ml, unit="ml", quantity=VOLUME, note="ABC/2"),
        ],
        steps=[
            f"C = ({told}) x {shown(blood.slice_spacing_cm)} = {shown(c_cm)} cm",
            f"V = {shown(blood.a_cm)} x {shown(blood.b_cm)} x {shown(c_cm)} / 2 = {shown(volume_ml)} mL",
        ],
    )


def _weights(areas: list[Decimal]) -> list[Decimal]:
    largest = max(areas)
    percents = [100 * area / largest for area in areas]
    return [
        exact(1)
        if percent > WHOLE_ABOVE_PERCENT
        else exact("0.5")
        if percent >= HALF_FROM_PERCENT
        else exact(0)
        for percent in percents
    ]
