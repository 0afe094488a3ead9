"""Fleischner 2017: follow-up of an incidental lung nodule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, round_half_up, shown
from hounsfield.measures._rule import RuleCard, measure

MIN_AGE_YEARS = 35
SMALL_BELOW_MM, LARGE_ABOVE_MM = 6, 8  # in whole millimetres, rounded half up
SMALL_BELOW_MM3, LARGE_ABOVE_MM3 = 100, 250  # not those of Lung-RADS
MAX_THICKNESS_MM, PREFERRED_THICKNESS_MM = 5.0, 1.5
THICK_MATTERS_BELOW_MM = 10

Size = Literal["small", "medium", "large"]
_SAMPLING = "consider CT 3 mo, PET/CT or tissue sampling"
# (several nodules, size) -> recommendation at low and at high risk.
SOLID: dict[tuple[bool, Size], tuple[str, str]] = {
    (False, "small"): ("none", "optional CT 12 mo"),
    (False, "medium"): ("CT 6-12 mo, then consider CT 18-24 mo", "CT 6-12 mo, then CT 18-24 mo"),
    (False, "large"): (_SAMPLING, _SAMPLING),
    (True, "small"): ("none", "optional CT 12 mo"),
    (True, "medium"): ("CT 3-6 mo, then consider CT 18-24 mo", "CT 3-6 mo, then CT 18-24 mo"),
    (True, "large"): ("CT 3-6 mo, then consider CT 18-24 mo", "CT 3-6 mo, then CT 18-24 mo"),
}
# Several subsolid nodules, below 6 mm and from 6 mm.
SUBSOLID_SEVERAL = (
    "CT 3-6 mo; if stable consider CT 2 and 4 y",
    "CT 3-6 mo; then by most suspicious nodule",
)
GROUND_GLASS = "CT 6-12 mo for persistence, then every 2 y to 5 y"
# One part-solid nodule from 6 mm: solid part below and from 6 mm.
PART_SOLID = (
    "CT 3-6 mo for persistence; if unchanged and solid part <6 mm yearly CT for 5 y",
    "CT 3-6 mo for persistence; solid part >=6 mm highly suspicious",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentalNodule(RuleInput):
    """The most suspicious nodule of an adult outside screening, and what the clinician states."""

    type: Annotated[Literal["solid", "part_solid", "ground_glass"], Given("", "kind of nodule")]
    mean_of_axes_mm: Annotated[
        float | None, Given("mm", "mean of long and short axis on one plane", above=0, at_most=300)
    ] = None
    volume_mm3: Annotated[float | None, Given("mm3", "volume, in place of the diameter", above=0)] = None
    solid_mm: Annotated[
        float | None, Given("mm", "mean diameter of the solid part", at_least=0, at_most=300)
    ] = None
    multiple: Annotated[bool, Given("", "there are several nodules")]
    risk: Annotated[Literal["low", "high", "any"], Given("", "risk of cancer, by the clinician")] = "any"
    perifissural: Annotated[bool, Given("", "perifissural or triangular solid nodule")] = False
    age_years: Annotated[float | None, Given("a", "age of the patient", at_least=0, at_most=120)] = None
    known_cancer: Annotated[bool, Given("", "known cancer")] = False
    immunosuppressed: Annotated[bool, Given("", "immunosuppression")] = False
    screening: Annotated[bool, Given("", "found in screening")] = False
    slice_thickness_mm: Annotated[float | None, Given("mm", "slice thickness", above=0)] = None

    def check(self) -> None:
        """One size; the solid part of a part-solid nodule from 6 mm; a risk for solid ones."""
        if (self.mean_of_axes_mm is None) == (self.volume_mm3 is None):
            raise RefusedInput("give either mean_of_axes_mm or volume_mm3: one of them decides.")
        if self.type == "solid" and self.risk == "any":
            raise RefusedInput("a solid nodule needs the clinician's risk: state risk=low or risk=high.")
        if self.type == "part_solid" and self.solid_mm is None and not self.multiple:
            raise RefusedInput("a part-solid nodule needs solid_mm, the diameter of its solid part.")


CARD = RuleCard(
    name="fleischner-2017",
    version="1.0.0",
    source="MacMahon 2017, Radiology 284:228",
    takes="numbers",
    inputs=IncidentalNodule,
    evidence="secondary",
    formula="size rounded half up to whole mm (or volume 100 and 250 mm3): below 6, 6 to 8, above 8; by type, number "
    "and risk as in the table",
    population="adults from 35 years with an incidental nodule; no known cancer, no immunosuppression, no screening",
    refuses=(
        "age below 35, known cancer, immunosuppression, screening",
        "risk of a solid nodule not stated",
        "nodule below 10 mm on slices above 5 mm",
    ),
)


@measure(CARD)
def fleischner_2017(nodule: IncidentalNodule) -> Outcome:
    """Recommended follow-up of an incidental nodule, in the words of the table.

    The risk is the clinician's and never inferred. Raises RefusedInput outside the population, or on
    slices too thick for the size.
    """
    _refuse_unfit(nodule)
    size = _size(nodule)
    if nodule.perifissural and nodule.type == "solid":
        found = "none"
    elif nodule.type == "solid":
        found = SOLID[nodule.multiple, size][nodule.risk == "high"]
    elif nodule.multiple:
        found = SUBSOLID_SEVERAL[size != "small"]
    elif size == "small":
        found = "none"
    elif nodule.type == "ground_glass":
        found = GROUND_GLASS
    else:
        found = PART_SOLID[round_half_up(nodule.solid_mm or 0) >= SMALL_BELOW_MM]
    meaning = "no routine follow-up" if found == "none" else found
    told = "several" if nodule.multiple else "one"
    return CARD.outcome(
        categories=[CARD.category("follow-up", found, meaning, based_on=nodule.to_json())],
        conditions=_conditions(nodule),
        steps=[f"{nodule.type}, {_size_text(nodule)} ({size}), {told}, risk {nodule.risk}: {found}"],
    )


def _size(nodule: IncidentalNodule) -> Size:
    if nodule.volume_mm3 is not None:
        size, small, large = exact(nodule.volume_mm3), SMALL_BELOW_MM3, LARGE_ABOVE_MM3
    else:
        size, small, large = round_half_up(nodule.mean_of_axes_mm or 0), SMALL_BELOW_MM, LARGE_ABOVE_MM
    return "small" if size < small else "large" if size > large else "medium"


def _size_text(nodule: IncidentalNodule) -> str:
    if nodule.volume_mm3 is not None:
        return f"{shown(nodule.volume_mm3)} mm³"
    return f"{shown(nodule.mean_of_axes_mm or 0)} mm, rounded {round_half_up(nodule.mean_of_axes_mm or 0)} mm"


def _refuse_unfit(nodule: IncidentalNodule) -> None:
    reasons = [
        (
            nodule.age_years is not None and exact(nodule.age_years) < MIN_AGE_YEARS,
            "the patient is younger than 35 years",
        ),
        (nodule.known_cancer, "cancer is known"),
        (nodule.immunosuppressed, "the patient is immunosuppressed"),
        (nodule.screening, "the nodule was found in screening (use lung-rads-2022)"),
    ]
    for is_so, reason in reasons:
        if is_so:
            raise RefusedInput(
                f"{reason}: the recommendations of Fleischner 2017 do not hold for this patient."
            )
    thickness_mm = nodule.slice_thickness_mm
    is_thick = thickness_mm is not None and exact(thickness_mm) > exact(MAX_THICKNESS_MM)
    is_below = nodule.mean_of_axes_mm is None or exact(nodule.mean_of_axes_mm) < THICK_MATTERS_BELOW_MM
    if is_thick and is_below:
        raise RefusedInput(
            f"slices are {shown(thickness_mm or 0)} mm thick: above 5 mm a nodule below 10 mm cannot be judged. "
            "Use thin slices."
        )


def _conditions(nodule: IncidentalNodule) -> list[Condition]:
    found = []
    if nodule.age_years is None:
        text = "The age is not stated: the recommendation holds from 35 years on."
        found.append(Condition("age-unstated", "warning", text))
    thickness_mm = nodule.slice_thickness_mm
    if thickness_mm is not None and exact(thickness_mm) > exact(PREFERRED_THICKNESS_MM):
        text = f"Slices are {shown(thickness_mm)} mm thick; nodules should be measured on at most 1.5 mm."
        found.append(Condition("slices-thick-for-nodules", "warning", text))
    return found
