"""Volume doubling time of a nodule."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING, Annotated

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import band, exact, shown
from hounsfield.measures._nodule_size import sphere_volume_mm3
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from decimal import Decimal

    from hounsfield.core import Category, Measurement

DOUBLING_TIME = private_code("VOLUME_DOUBLING_TIME", "Volume doubling time")
VOLUME_CHANGE = private_code("VOLUME_CHANGE", "Change of volume")
MIN_DAYS = 30  # project rule; NELSON asks for 3 months
MIN_VOLUME_MM3 = 15
MIN_CHANGE_PERCENT = 25  # repeatability of nodule volumetry
# 400 and 600 days are intermediate; closed above.
FAST_BELOW_DAYS, SLOW_ABOVE_DAYS = 400, 600


@dataclass(frozen=True, slots=True, kw_only=True)
class NoduleAtTwoTimes(RuleInput):
    """Volumes or diameters of one nodule and the days between; or a doubling time to put into a band."""

    v1_mm3: Annotated[float | None, Given("mm3", "volume at the earlier scan", above=0)] = None
    v2_mm3: Annotated[float | None, Given("mm3", "volume at the later scan", above=0)] = None
    d1_mm: Annotated[float | None, Given("mm", "diameter at the earlier scan", above=0)] = None
    d2_mm: Annotated[float | None, Given("mm", "diameter at the later scan", above=0)] = None
    days: Annotated[float | None, Given("d", "days between the acquisition dates", above=0)] = None
    vdt_days: Annotated[float | None, Given("d", "doubling time, if known", above=0)] = None
    relative_sd: Annotated[float | None, Given("1", "relative SD of one volume", above=0, below=1)] = None
    is_same_technique: Annotated[bool, Given("", "same thickness, kernel and software at both scans")] = True
    is_part_solid: Annotated[bool, Given("", "part-solid nodule: measure the solid part too")] = False

    def check(self) -> None:
        """Two volumes or two diameters with the days, or a doubling time alone."""
        stated = [
            pair
            for pair in ((self.v1_mm3, self.v2_mm3), (self.d1_mm, self.d2_mm), (self.vdt_days, self.vdt_days))
            if pair != (None, None)
        ]
        if len(stated) != 1 or None in stated[0] or (self.vdt_days is None) == (self.days is None):
            raise RefusedInput(
                "give v1_mm3, v2_mm3 and days, or d1_mm, d2_mm and days, or vdt_days alone to name its band."
            )


CARD = RuleCard(
    name="vdt",
    version="1.0.0",
    source="van Klaveren 2009, N Engl J Med 361:2221 (NELSON); BTS 2015, Thorax 70 suppl 2",
    takes="numbers",
    inputs=NoduleAtTwoTimes,
    formula="VDT = t ln 2 / ln(V2/V1), from diameters t ln 2 / (3 ln(d2/d1)); from 25 % change of volume; below 400 d "
    "fast, 400 to 600 intermediate, above slow",
    population="solid nodules of adults on CT; of part-solid ones the whole and the solid part apart",
    refuses=("less than 30 days apart", "volume below 15 mm3"),
    uncertainty="sd(VDT) = VDT x sqrt(2) s / |ln(V2/V1)| with the relative SD s of one volume",
)


@measure(CARD)
def vdt(nodule: NoduleAtTwoTimes) -> Outcome:
    """Change of volume and, from 25 % growth on, the doubling time in days with its band.

    Below 25 % the change is within measurement error; a shrinking nodule has no doubling time. Raises
    RefusedInput for less than 30 days, or a volume below 15 mm3.
    """
    if nodule.vdt_days is not None:
        found = _band(nodule.vdt_days, {"vdt_days": nodule.vdt_days})
        return CARD.outcome(categories=[found], steps=[f"{shown(nodule.vdt_days)} d: {found.value}"])
    days, ratio = nodule.days or 0.0, _ratio(nodule)
    if exact(days) < MIN_DAYS:
        raise RefusedInput(
            f"the scans are {shown(days)} days apart: below {MIN_DAYS} days no doubling time is given."
        )
    change = 100 * (ratio - 1)
    state = "growing" if change > 0 else "shrinking"
    if abs(change) < MIN_CHANGE_PERCENT:
        state = "within measurement error"
    based_on = {**nodule.to_json(), "volume_change_percent": change}
    numbers = [CARD.number("volume-change", change, unit="%", quantity=VOLUME_CHANGE)]
    categories = [CARD.category("growth-state", state, f"nodule {state}", based_on=based_on)]
    steps = [f"V2/V1 = {shown(ratio)}: {shown(change)} %, {state}"]
    if state == "growing":
        time = _doubling_time(nodule, days, float(ratio))
        numbers.append(time)
        categories.append(_band(time.value, {**based_on, "vdt_days": time.value}))
        steps.append(
            f"{shown(days)} d x ln 2 / ln {shown(ratio)} = {shown(time.value)} d: {categories[-1].value}"
        )
    return CARD.outcome(
        measurements=numbers, categories=categories, conditions=_conditions(nodule), steps=steps
    )


def _ratio(nodule: NoduleAtTwoTimes) -> Decimal:
    """V2 / V1; raises RefusedInput where a volume is too small to compare."""
    if nodule.d1_mm is not None and nodule.d2_mm is not None:
        smaller_mm3 = exact(sphere_volume_mm3(min(nodule.d1_mm, nodule.d2_mm)))
        ratio = (exact(nodule.d2_mm) / exact(nodule.d1_mm)) ** 3
    else:
        v1, v2 = exact(nodule.v1_mm3 or 1), exact(nodule.v2_mm3 or 1)
        smaller_mm3, ratio = min(v1, v2), v2 / v1
    if smaller_mm3 < MIN_VOLUME_MM3:
        raise RefusedInput(
            f"a volume is {shown(smaller_mm3)} mm³: below {MIN_VOLUME_MM3} mm³ volumes cannot be compared."
        )
    return ratio


def _doubling_time(nodule: NoduleAtTwoTimes, days: float, ratio: float) -> Measurement:
    vdt_days = days * log(2) / log(ratio)
    half_width = None
    if nodule.relative_sd is not None:
        doubled = 1 if nodule.is_same_technique else 2
        half_width = 1.96 * doubled * vdt_days * sqrt(2) * nodule.relative_sd / abs(log(ratio))
    return CARD.number("vdt", vdt_days, unit="d", quantity=DOUBLING_TIME, uncertainty=half_width)


def _band(vdt_days: float, based_on: dict[str, object]) -> Category:
    value = band(vdt_days, [(FAST_BELOW_DAYS, "intermediate")], below="fast")
    value = "slow" if exact(vdt_days) > SLOW_ABOVE_DAYS else value
    return CARD.category("vdt-band", value, f"{value} growth", based_on=based_on)


def _conditions(nodule: NoduleAtTwoTimes) -> list[Condition]:
    found = []
    if not nodule.is_same_technique:
        text = "Thickness, kernel or software differ between the scans: the uncertainty is doubled."
        found.append(Condition("technique-changed", "warning", text))
    if nodule.is_part_solid:
        text = "A part-solid nodule: give the doubling time of the whole and of the solid part apart."
        found.append(Condition("part-solid-nodule", "warning", text))
    return found
