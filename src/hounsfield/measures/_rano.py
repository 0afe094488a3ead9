"""What the RANO rules share: changes against baseline and nadir, in products or volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from hounsfield.core import Code, Condition, Given, Outcome, RuleInput
from hounsfield.core.code import AREA, VOLUME, private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown

if TYPE_CHECKING:
    from decimal import Decimal

    from hounsfield.core.rule import RuleCard

RANO_METHOD = Code("C114879", "NCIt", "RANO")
CHANGE = private_code("CHANGE_OF_TUMOUR_SIZE", "Change of tumour size")
PSEUDOPROGRESSION_WEEKS = 12  # after radiotherapy, inside the 80 % isodose
CONFIRMATION_WEEKS = 4
MISSING_CLINICAL = (
    "Corticosteroid dose and clinical state are not known to imaging, so the overall RANO class is not given."
)
MEANINGS = {
    "CR": "radiographic complete response",
    "PR": "radiographic partial response",
    "MR": "radiographic minor response",
    "SD": "radiographically stable",
    "PD": "radiographic progression",
}
REFUSES = (
    "no contrast-enhanced T1 for enhancing disease",
    "neither products nor volumes",
    "nadir above baseline",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Decrease from baseline and increase over nadir, in %, that change the class."""

    minor_percent: int
    partial_percent: int
    progression_percent: int


# The minor response by volume is a value of the table; isotropic scaling would give 35 %.
OF_PRODUCTS = Limits(minor_percent=25, partial_percent=50, progression_percent=25)
OF_VOLUMES = Limits(minor_percent=40, partial_percent=65, progression_percent=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class TumourSizes(RuleInput):
    """Sums of products of perpendicular diameters, or total volumes, at three time points."""

    baseline_mm2: Annotated[float | None, Given("mm2", "sum of products at baseline", at_least=0)] = None
    nadir_mm2: Annotated[float | None, Given("mm2", "smallest sum of products so far", at_least=0)] = None
    current_mm2: Annotated[float | None, Given("mm2", "sum of products now", at_least=0)] = None
    baseline_ml: Annotated[float | None, Given("ml", "volume at baseline", at_least=0)] = None
    nadir_ml: Annotated[float | None, Given("ml", "smallest volume so far", at_least=0)] = None
    current_ml: Annotated[float | None, Given("ml", "volume now", at_least=0)] = None
    new_lesion: Annotated[bool, Given("", "a new measurable lesion")] = False
    other_progression: Annotated[
        bool, Given("", "clear progression of non-measurable or (2010, low grade) T2/FLAIR disease")
    ] = False
    all_gone_weeks: Annotated[
        float | None, Given("wk", "weeks for which all disease has been gone; none: not gone", at_least=0)
    ] = None
    weeks_since_radiotherapy: Annotated[
        float | None, Given("wk", "weeks since the end of radiotherapy; none: no radiotherapy", at_least=0)
    ] = None
    is_outside_80_isodose: Annotated[bool, Given("", "the progression lies outside the 80 % isodose")] = False
    has_enhanced_t1: Annotated[bool, Given("", "contrast-enhanced T1, needed for enhancing disease")] = True
    is_non_enhancing: Annotated[bool, Given("", "non-enhancing disease, measured on T2/FLAIR")] = False
    is_cavity_excluded: Annotated[bool, Given("", "cyst and resection cavity were left out")] = True
    is_same_technique: Annotated[bool, Given("", "same field strength and sequences as before")] = True

    @property
    def products(self) -> tuple[float | None, ...]:
        """The three sums of products."""
        return (self.baseline_mm2, self.nadir_mm2, self.current_mm2)

    @property
    def volumes(self) -> tuple[float | None, ...]:
        """The three volumes."""
        return (self.baseline_ml, self.nadir_ml, self.current_ml)

    def check(self) -> None:
        """One measure at all three time points; a nadir that is not above the baseline."""
        used = [sizes for sizes in (self.products, self.volumes) if any(size is not None for size in sizes)]
        if len(used) != 1 or None in used[0]:
            raise RefusedInput(
                "RANO compares one measure at three time points: give baseline_mm2, nadir_mm2 and current_mm2, "
                "or baseline_ml, nadir_ml and current_ml."
            )
        baseline, nadir, _ = (exact(size or 0) for size in used[0])
        if nadir > baseline:
            raise RefusedInput(
                f"the nadir {shown(nadir)} is above the baseline {shown(baseline)}: it is the smallest so far, "
                "baseline included."
            )
        if not self.has_enhanced_t1 and not self.is_non_enhancing:
            raise RefusedInput(
                "contrast-enhanced T1 is missing: enhancing disease cannot be measured without it."
            )


def radiographic_response(card: RuleCard, sizes: TumourSizes, *, has_minor: bool) -> Outcome:
    """The radiographic part of RANO; `has_minor`: whether the rule knows a minor response."""
    by_volume = sizes.current_ml is not None
    baseline, nadir, current = (exact(size or 0) for size in (sizes.volumes if by_volume else sizes.products))
    limits = OF_VOLUMES if by_volume else OF_PRODUCTS
    grown = is_progression(nadir, current, limits) or sizes.new_lesion or sizes.other_progression
    conditions = _conditions(sizes)
    weeks = sizes.weeks_since_radiotherapy
    is_early = (
        weeks is not None and exact(weeks) < PSEUDOPROGRESSION_WEEKS and not sizes.is_outside_80_isodose
    )
    if sizes.all_gone_weeks is not None and exact(sizes.all_gone_weeks) >= CONFIRMATION_WEEKS:
        response = "CR"
    elif grown:
        response = "PD"
    else:
        response = _decrease(baseline, current, limits, has_minor=has_minor)
    if response == "PD" and is_early:
        text = (
            f"Progression {shown(weeks or 0)} weeks after radiotherapy inside the 80 % isodose is not called PD: it may "
            "be pseudoprogression. Repeat, or state is_outside_80_isodose."
        )
        conditions.append(Condition("within-12-weeks", "warning", text))
    found = card.category(
        "radiographic-response", response, MEANINGS[response], based_on=sizes.to_json(), code=None
    )
    unit, quantity = ("ml", VOLUME) if by_volume else ("mm2", AREA)
    numbers = [card.number("tumour-size", current, unit=unit, quantity=quantity, note=RANO_METHOD.meaning)]
    steps = []
    for name, before in (("baseline", baseline), ("nadir", nadir)):
        if before > 0:
            change = 100 * (current - before) / before
            numbers.append(card.number(f"change-from-{name}", change, unit="%", quantity=CHANGE))
            steps.append(
                f"{name}: 100 x ({shown(current)} - {shown(before)}) / {shown(before)} = {shown(change)} %"
            )
    shown_response = "no class within 12 weeks" if response == "PD" and is_early else response
    return card.outcome(
        measurements=numbers,
        categories=[] if response == "PD" and is_early else [found],
        conditions=conditions,
        steps=[*steps, f"radiographic response: {shown_response}"],
    )


def is_progression(nadir: Decimal, current: Decimal, limits: Limits) -> bool:
    """Whether the size rose by the limit over the nadir, or came back from nothing."""
    if nadir == 0:
        return current > 0
    return 100 * (current - nadir) >= limits.progression_percent * nadir


def _decrease(baseline: Decimal, current: Decimal, limits: Limits, *, has_minor: bool) -> str:
    decrease = 100 * (baseline - current)
    if baseline > 0 and decrease >= limits.partial_percent * baseline:
        return "PR"
    if has_minor and baseline > 0 and decrease >= limits.minor_percent * baseline:
        return "MR"
    return "SD"


def _conditions(sizes: TumourSizes) -> list[Condition]:
    weeks = sizes.all_gone_weeks
    found = [
        (True, Condition("clinical-inputs-missing", "note", MISSING_CLINICAL)),
        (
            weeks is not None and exact(weeks) < CONFIRMATION_WEEKS,
            Condition(
                "response-not-confirmed",
                "warning",
                "All disease is gone for less than 4 weeks: a complete response must last that long.",
            ),
        ),
        (
            not sizes.is_cavity_excluded,
            Condition(
                "cavity-in-measurement",
                "warning",
                "A cyst or cavity is part of the measurement: leave it out.",
            ),
        ),
        (
            not sizes.is_same_technique,
            Condition(
                "technique-changed",
                "warning",
                "Field strength or sequences differ between the visits: a change may be the scanner's.",
            ),
        ),
    ]
    return [condition for is_so, condition in found if is_so]


def volume_ratio_of_products(ratio: float) -> float:
    """The ratio of volumes that a ratio of products of two diameters means in isotropic growth."""
    return float(ratio**1.5)


def volume_ratio_of_diameters(ratio: float) -> float:
    """The ratio of volumes that a ratio of diameters means in isotropic growth."""
    return float(ratio**3)
