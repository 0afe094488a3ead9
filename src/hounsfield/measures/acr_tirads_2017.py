"""Thyroid nodules on ultrasound: points, level and recommendation of ACR TI-RADS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import VOLUME, private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Category

COMPOSITION = {"cystic": 0, "spongiform": 0, "mixed": 1, "solid": 2, "indeterminate": 2}
ENDS_AT_TR1 = frozenset({"cystic", "spongiform"})
ECHOGENICITY = {
    "anechoic": 0,
    "hyperechoic": 1,
    "isoechoic": 1,
    "indeterminate": 1,
    "hypoechoic": 2,
    "very_hypoechoic": 3,
}
SHAPE = {"wider": 0, "taller": 3}
MARGIN = {"smooth": 0, "ill_defined": 0, "indeterminate": 0, "lobulated_irregular": 2, "extrathyroidal": 3}
FOCI = {"none": 0, "comet_tail": 0, "macrocalcification": 1, "peripheral": 2, "punctate": 3}


@dataclass(frozen=True, slots=True)
class Management:
    """What a level calls for: sizes in cm at the maximum dimension, years of follow-up, cancers in percent."""

    fna_from_cm: Decimal | None
    follow_up_from_cm: Decimal | None
    follow_up_years: tuple[int, ...]
    malignant_percent: float


MANAGEMENT = {
    "TR1": Management(None, None, (), 0.3),
    "TR2": Management(None, None, (), 1.5),
    "TR3": Management(Decimal("2.5"), Decimal("1.5"), (1, 3, 5), 4.8),
    "TR4": Management(Decimal("1.5"), Decimal("1.0"), (1, 2, 3, 5), 9.1),
    "TR5": Management(Decimal("1.0"), Decimal("0.5"), (1, 2, 3, 4, 5), 35.0),
}
LEAST_POINTS = ((7, "TR5"), (4, "TR4"), (3, "TR3"), (2, "TR2"), (0, "TR1"))
ADULT_FROM_YEARS = 18
GROWTH_CM = Decimal("0.2")
POINTS = private_code("TIRADS_POINTS", "ACR TI-RADS points")


@dataclass(frozen=True, slots=True, kw_only=True)
class TiradsInputs(RuleInput):
    """Descriptors of one nodule (transverse and longitudinal views), its size, and who it is found in."""

    composition: Annotated[
        Literal["cystic", "spongiform", "mixed", "solid", "indeterminate"], Given("", "composition")
    ]
    echogenicity: Annotated[
        Literal["anechoic", "hyperechoic", "isoechoic", "indeterminate", "hypoechoic", "very_hypoechoic"],
        Given("", "echogenicity"),
    ]
    shape: Annotated[Literal["wider", "taller"], Given("", "shape in the transverse plane")]
    margin: Annotated[
        Literal["smooth", "ill_defined", "indeterminate", "lobulated_irregular", "extrathyroidal"],
        Given("", "margin"),
    ]
    foci: Annotated[
        tuple[Literal["none", "comet_tail", "macrocalcification", "peripheral", "punctate"], ...],
        Given("", "echogenic foci, all that apply"),
    ]
    maximum_cm: Annotated[float, Given("cm", "maximum dimension", at_least=0.1, at_most=15)]
    dimensions_cm: Annotated[
        tuple[float, float, float] | None, Given("cm", "three dimensions", at_least=0.1, at_most=15)
    ] = None
    prior_dimensions_cm: Annotated[
        tuple[float, float, float] | None, Given("cm", "three dimensions before", at_least=0.1, at_most=15)
    ] = None
    age_years: Annotated[float | None, Given("a", "age", at_least=0, at_most=120)] = None
    outside: Annotated[
        Literal["none", "fdg-avid", "men2", "suspicious-nodes"],
        Given("", "what the recommendation is not made for"),
    ] = "none"

    def check(self) -> None:
        """Raise RefusedInput if no kind of foci is stated, or `none` stands beside others."""
        if not self.foci or ("none" in self.foci and len(set(self.foci)) > 1):
            raise RefusedInput(
                f"the foci are {', '.join(self.foci) or 'not stated'}: state `none`, or all that apply without it."
            )


CARD = RuleCard(
    name="acr-tirads-2017",
    version="1.0.0",
    source="Tessler 2017, J Am Coll Radiol 14:587",
    takes="numbers",
    inputs=TiradsInputs,
    formula="points of five features, all kinds of foci added; 0 TR1, 2 TR2, 3 TR3, 4-6 TR4, >= 7 TR5; FNA from 2.5, 1.5, "
    "1.0 cm and follow-up from 1.5, 1.0, 0.5 cm (TR3, TR4, TR5)",
    population="adults; not FDG-avid nodules, known MEN 2 or suspicious lymph nodes; at most four nodules are "
    "reported and two biopsied",
    refuses=("a sum of 1 point, which no valid description has", "`none` beside other foci"),
)


def points(inputs: TiradsInputs) -> int:
    """Sum over the five features; all kinds of foci are added. Cystic and spongiform end at 0.

    Raises RefusedInput for a sum of 1, which no valid description has.
    """
    if inputs.composition in ENDS_AT_TR1:
        return 0
    total = (
        COMPOSITION[inputs.composition]
        + ECHOGENICITY[inputs.echogenicity]
        + SHAPE[inputs.shape]
        + MARGIN[inputs.margin]
        + sum(FOCI[focus] for focus in set(inputs.foci))
    )
    if total == 1:
        raise RefusedInput(
            f"a {inputs.composition} nodule that is {inputs.echogenicity} sums to 1 point, which no level holds: "
            "the solid part of a mixed nodule has an echogenicity of its own. Correct the description."
        )
    return total


def level_of(total: int) -> str:
    """0 TR1, 2 TR2, 3 TR3, 4 to 6 TR4, 7 and more TR5."""
    return next(level for least, level in LEAST_POINTS if total >= least)


def action(level: str, maximum_cm: float) -> str:
    """`FNA`, `follow-up` or `none`, by level and maximum dimension (limits count in)."""
    management, size = MANAGEMENT[level], exact(maximum_cm)
    if management.fna_from_cm is not None and size >= management.fna_from_cm:
        return "FNA"
    if management.follow_up_from_cm is not None and size >= management.follow_up_from_cm:
        return "follow-up"
    return "none"


def significant_growth(prior_cm: Sequence[float], current_cm: Sequence[float]) -> bool:
    """At least 20 % and 2 mm in two of three dimensions, or at least 50 % in volume."""
    pairs = [(exact(before), exact(now)) for before, now in zip(prior_cm, current_cm, strict=True)]
    grown = sum(10 * now >= 12 * before and now - before >= GROWTH_CM for before, now in pairs)
    by_volume = 2 * math.prod(now for _, now in pairs) >= 3 * math.prod(before for before, _ in pairs)
    return grown >= 2 or by_volume


@measure(CARD)
def acr_tirads_2017(inputs: TiradsInputs) -> Outcome:
    """Level TR1 to TR5 from the points, and what its size calls for: FNA, follow-up or none.

    With three dimensions the volume, with earlier ones the growth too. The recommendation is withheld, and
    the level given, for children, FDG-avid nodules, MEN 2 and suspicious nodes. Raises RefusedInput for a
    description that no nodule has.
    """
    total = points(inputs)
    level = level_of(total)
    risk = f"cancer in {MANAGEMENT[level].malignant_percent:g} % of the nodules of the source"
    numbers = [CARD.number("tirads-points", total, unit="1", quantity=POINTS)]
    categories = [CARD.category("tirads-level", level, risk, based_on={**inputs.to_json(), "points": total})]
    steps = [f"{total} points: {level}"]
    if inputs.dimensions_cm is not None:
        volume_ml = math.pi / 6 * float(math.prod(exact(cm) for cm in inputs.dimensions_cm))
        numbers.append(
            CARD.number("volume", volume_ml, unit="ml", quantity=VOLUME, note="pi / 6 x a x b x c")
        )
        categories += _growth(inputs)
    withheld = _withheld(inputs)
    if withheld is not None:
        return CARD.outcome(measurements=numbers, categories=categories, conditions=[withheld], steps=steps)
    recommended = action(level, inputs.maximum_cm)
    years = ", ".join(str(year) for year in MANAGEMENT[level].follow_up_years)
    meaning = {
        "FNA": "fine-needle aspiration",
        "follow-up": f"ultrasound at {years} years",
        "none": "no further action for this nodule",
    }[recommended]
    based_on = {"level": level, "maximum_cm": inputs.maximum_cm}
    categories.append(CARD.category("tirads-action", recommended, meaning, based_on=based_on))
    steps.append(f"{level} of {shown(inputs.maximum_cm)} cm: {meaning}")
    return CARD.outcome(measurements=numbers, categories=categories, steps=steps)


def _growth(inputs: TiradsInputs) -> list[Category]:
    if inputs.dimensions_cm is None or inputs.prior_dimensions_cm is None:
        return []
    grown = significant_growth(inputs.prior_dimensions_cm, inputs.dimensions_cm)
    based_on = {"prior_cm": list(inputs.prior_dimensions_cm), "current_cm": list(inputs.dimensions_cm)}
    found = "significant" if grown else "not significant"
    return [CARD.category("nodule-growth", found, f"growth since the prior is {found}", based_on=based_on)]


def _withheld(inputs: TiradsInputs) -> Condition | None:
    is_child = inputs.age_years is not None and exact(inputs.age_years) < ADULT_FROM_YEARS
    if inputs.outside == "none" and not is_child:
        return None
    why = f"an age of {shown(inputs.age_years or 0)} years" if is_child else inputs.outside
    text = f"The recommendation is not made for {why}; only the level is given."
    return Condition("outside-population", "warning", text)
