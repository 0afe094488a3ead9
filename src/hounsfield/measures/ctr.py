"""Cardiothoracic ratio of a chest film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

ENLARGED_ABOVE = exact("0.50")  # Danzer 1919; exactly 0.50 is not enlarged
UNCERTAINTY = 0.03  # automatic against manual
MINIMUM_AGE_YEARS = 2  # infants reach about 0.60

View = Literal["PA erect", "AP erect", "AP supine", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartAndThoraxWidth(RuleInput):
    """Horizontal distances on one film, all in the same unit; pixels do."""

    mrd_px: Annotated[
        float, Given("{pixels}", "largest distance of the right heart border from the midline", above=0)
    ]
    mld_px: Annotated[
        float, Given("{pixels}", "largest distance of the left heart border from the midline", above=0)
    ]
    thorax_px: Annotated[float, Given("{pixels}", "largest width between the inner rib margins", above=0)]
    view: Annotated[View, Given("", "projection and position of the patient")] = "unknown"
    age_years: Annotated[float | None, Given("a", "age of the patient", at_least=0, at_most=120)] = None
    is_rotated: Annotated[bool, Given("", "the patient stood rotated")] = False
    is_full_inspiration: Annotated[bool, Given("", "the film was taken in full inspiration")] = True
    border_lost: Annotated[bool, Given("", "effusion or consolidation hides a heart border")] = False
    thorax_cut: Annotated[bool, Given("", "a lateral chest wall is outside the film")] = False


CARD = RuleCard(
    name="ctr",
    version="1.0.0",
    source="Danzer 1919, Am J Med Sci 157:513",
    quantity=private_code("CTR", "Cardiothoracic ratio"),
    unit="1",
    takes="numbers",
    inputs=HeartAndThoraxWidth,
    formula="CTR = (right + left distance of the heart border from the midline) / inner thoracic width; "
    "enlarged above 0.50",
    population="adults, PA film, standing, in inspiration",
    refuses=("a heart border is hidden", "the thorax is cut", "columns and rows resampled unequally"),
    uncertainty="automatic against manual about +-0.02 to 0.03",
)


@measure(CARD)
def ctr(film: HeartAndThoraxWidth) -> Outcome:
    """Cardiothoracic ratio, and whether the heart counts as enlarged.

    The class is given only for a PA film of a standing adult in inspiration who is not rotated; the
    number is given in any case, with a condition. Raises RefusedInput where a border or the thorax
    is incomplete. Source: Danzer 1919.
    """
    if film.border_lost or film.thorax_cut:
        found = "a heart border is hidden" if film.border_lost else "the thorax is cut"
        raise RefusedInput(f"{found}, so the cardiothoracic ratio cannot be measured. Use another film.")
    heart, thorax = exact(film.mrd_px) + exact(film.mld_px), exact(film.thorax_px)
    if heart > thorax:
        raise RefusedInput(
            f"the heart is {shown(heart)} wide in a thorax of {shown(thorax)}: check which distance is which."
        )
    ratio = heart / thorax
    why_not = _outside_population(film)
    is_enlarged = ratio > ENLARGED_ABOVE
    state = "enlarged" if is_enlarged else "not enlarged"
    classes = CARD.category(
        "ctr-state", state, f"heart {state} on the film", based_on={**film.to_json(), "ctr": ratio}
    )
    condition = Condition(
        "outside-population", "warning", f"{why_not}: the ratio is given, the label enlarged is not."
    )
    return CARD.outcome(
        measurements=[CARD.number("ctr", ratio, uncertainty=UNCERTAINTY)],
        categories=[] if why_not else [classes],
        conditions=[condition] if why_not else [],
        steps=[
            f"CTR = ({shown(film.mrd_px)} + {shown(film.mld_px)}) / {shown(thorax)} = {shown(ratio)}",
            why_not or f"{shown(ratio)} {'>' if is_enlarged else '<='} {ENLARGED_ABOVE}: {state}",
        ],
    )


def _outside_population(film: HeartAndThoraxWidth) -> str:
    """Why the film does not suit the label, "" where it does."""
    if film.view != "PA erect":
        return f"the view is {film.view}, not PA erect"
    if film.is_rotated:
        return "the patient is rotated"
    if not film.is_full_inspiration:
        return "the film was not taken in full inspiration"
    if film.age_years is not None and exact(film.age_years) < MINIMUM_AGE_YEARS:
        return f"the patient is younger than {MINIMUM_AGE_YEARS} years"
    return ""
