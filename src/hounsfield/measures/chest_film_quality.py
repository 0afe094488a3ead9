"""Quality of a frontal chest film: what speaks against measuring on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

ROTATED_ABOVE_TENTHS = 3  # project limit, no published one: asymmetry above 0.3
ASYMMETRY = private_code("CLAVICLE_ASYMMETRY", "Asymmetry of the clavicles")
LEAST_POSTERIOR_RIBS, LEAST_ANTERIOR_RIBS = 10, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ChestFilmInputs(RuleInput):
    """What a reader or a program saw; what is None was not looked at and is told."""

    left_gap_px: Annotated[
        float,
        Given(
            "{pixels}", "medial end of the left clavicle to the spinous processes", at_least=0, at_most=20000
        ),
    ]
    right_gap_px: Annotated[
        float,
        Given(
            "{pixels}", "medial end of the right clavicle to the spinous processes", at_least=0, at_most=20000
        ),
    ]
    view: Annotated[Literal["PA", "AP", "LL"] | None, Given("", "ViewPosition (0018,5101)")] = None
    n_posterior_ribs: Annotated[
        int | None, Given("1", "posterior ribs above the right dome", at_least=0, at_most=12)
    ] = None
    n_anterior_ribs: Annotated[
        int | None, Given("1", "anterior ribs above the right dome", at_least=0, at_most=12)
    ] = None
    apices_and_angles_inside: Annotated[
        bool | None, Given("", "apices and both costophrenic angles inside")
    ] = None
    scapulae_off_the_lungs: Annotated[bool | None, Given("", "scapulae clear of the lungs (PA)")] = None
    vertebrae_behind_heart_visible: Annotated[
        bool | None, Given("", "vertebrae faintly visible behind the heart")
    ] = None
    marker_agrees: Annotated[
        bool | None, Given("", "side marker agrees with PatientOrientation (0020,0020)")
    ] = None


CARD = RuleCard(
    name="chest-film-quality",
    version="1.0.0",
    source="European guidelines on quality criteria, EUR 16260 (1996): six anterior or ten posterior ribs; "
    "rotation: limit of this project",
    takes="numbers",
    inputs=ChestFilmInputs,
    formula="asymmetry = |left - right| / mean of both clavicle gaps; rotated above 0.3",
    population="adults, frontal chest films",
    refuses=("both clavicle gaps are 0",),
)


@measure(CARD)
def chest_film_quality(inputs: ChestFilmInputs) -> Outcome:
    """Asymmetry of the clavicles, and every departure from a film that can be measured on.

    `limited` where anything speaks against the film; the conditions say what, and gate what is computed
    on it. What was not looked at is told. Raises RefusedInput if both distances are 0.
    """
    left, right = exact(inputs.left_gap_px), exact(inputs.right_gap_px)
    if left + right == 0:
        raise RefusedInput(
            "both clavicles end at the spinous processes: 0 px on both sides is no measurement. Measure again."
        )
    mean = (left + right) / 2
    asymmetry = abs(left - right) / mean
    departures = _departures(inputs, is_rotated=10 * abs(left - right) > ROTATED_ABOVE_TENTHS * mean)
    found = "limited" if departures else "no objection"
    meaning = "; ".join(condition.code for condition in departures) or "nothing found against measuring on it"
    return CARD.outcome(
        measurements=[CARD.number("clavicle-asymmetry", asymmetry, unit="1", quantity=ASYMMETRY)],
        categories=[CARD.category("film-quality", found, meaning, based_on=inputs.to_json())],
        conditions=[*departures, *_not_assessed(inputs)],
        steps=[
            f"asymmetry = |{shown(left)} - {shown(right)}| / {shown(mean)} = {shown(asymmetry)} (rotated above 0.3)",
            f"{found}: {meaning}",
        ],
    )


DEPARTURE_TEXTS = {
    "film-rotated": "The clavicles end at unequal distances from the spine (asymmetry above 0.3): the chest is rotated.",
    "film-expiration": "Fewer than ten posterior and six anterior ribs stand above the right dome: no full inspiration.",
    "film-cut-off": "An apex or a costophrenic angle lies outside the film: nothing can be called absent there.",
    "film-scapulae": "The scapulae lie over the lungs.",
    "film-penetration": "The vertebrae are not visible behind the heart: too little penetration.",
    "film-side-unsure": "The side marker contradicts PatientOrientation (0020,0020): no side is stated.",
    "film-lateral": "The view is lateral; these criteria are of a frontal film.",
}


def _departures(inputs: ChestFilmInputs, *, is_rotated: bool) -> list[Condition]:
    seen = {
        "film-rotated": is_rotated,
        "film-expiration": _has_few_ribs(inputs),
        "film-cut-off": inputs.apices_and_angles_inside is False,
        "film-scapulae": inputs.scapulae_off_the_lungs is False,
        "film-penetration": inputs.vertebrae_behind_heart_visible is False,
        "film-side-unsure": inputs.marker_agrees is False,
        "film-lateral": inputs.view == "LL",
    }
    return [Condition(code, "warning", DEPARTURE_TEXTS[code]) for code, there in seen.items() if there]


def _has_few_ribs(inputs: ChestFilmInputs) -> bool:
    """Whether every count that was made falls short; one that suffices is enough."""
    counts = ((inputs.n_posterior_ribs, LEAST_POSTERIOR_RIBS), (inputs.n_anterior_ribs, LEAST_ANTERIOR_RIBS))
    made = [count >= least for count, least in counts if count is not None]
    return bool(made) and not any(made)


def _not_assessed(inputs: ChestFilmInputs) -> list[Condition]:
    looked_at = {
        "view": inputs.view,
        "inspiration": inputs.n_posterior_ribs if inputs.n_anterior_ribs is None else inputs.n_anterior_ribs,
        "coverage": inputs.apices_and_angles_inside,
        "scapulae": inputs.scapulae_off_the_lungs,
        "penetration": inputs.vertebrae_behind_heart_visible,
        "side marker": inputs.marker_agrees,
    }
    names = [name for name, value in looked_at.items() if value is None]
    return [Condition("film-not-assessed", "note", f"Not assessed: {', '.join(names)}.")] if names else []
