"""Whether a picture can be read as a frontal chest film at all, from numbers that a program measured on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.measures.deviation_index import exposure_class

if TYPE_CHECKING:
    from collections.abc import Callable

# Every limit below is of this project. They were set on one half of the patients of three collections of films
# (benchmarks/radiograph_quality.py, part "choose") so that all gates together doubt about 5 % of films as they are; the
# rates that the benchmark prints are those of the other half.
LEAST_LIKENESS, SURE_LIKENESS = 0.53, 0.56
SURE_MARGIN = 0.05
# Where the lungs end is least sure below; the places tried are 3 to 7 % apart.
CUT_PERCENT = {"top": 3.0, "bottom": 11.5, "left edge": 6.0, "right edge": 6.0}
CUT_MUCH_PERCENT = 15.0
LIGHTEST_LUNG, LIGHTEST_CHEST = 0.62, 0.79
DARKEST_LUNG, DARKEST_CHEST = 0.12, 0.35
MOST_CLIPPED = 0.02
LEAST_RANGE, BLANK_RANGE = 0.18, 0.02
HEART_ON_THE_WRONG_SIDE = -1.1
NODULE_SIDE_PX = 512  # project reference A1: smaller films hide nodules and the edge of a pneumothorax
# What makes a film unusable; any other departure makes it doubtful.
STOPPING = frozenset({"film-not-chest", "film-blank", "film-turned", "film-inverted", "film-lateral"})

View = Literal["PA", "AP", "LL", "RL", "other", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmGateInputs(RuleInput):
    """What `hounsfield.imaging.chest_film` measures; greys are parts of the range that is shown, None if unknown."""

    likeness: Annotated[
        float, Given("1", "how well a mean chest film fits, as the picture is", at_least=-3, at_most=1)
    ]
    other_likeness: Annotated[
        float, Given("1", "the best fit of the picture turned or inverted", at_least=-3, at_most=1)
    ]
    other_turn_deg: Annotated[
        int, Given("deg", "how far it was turned for that, against the clock", at_least=0, at_most=270)
    ] = 0
    other_is_inverted: Annotated[bool, Given("", "whether it was inverted for that")] = False
    cut_top_percent: Annotated[
        float, Given("%", "part of the lungs' height above the picture; below 0 is room")
    ] = 0.0
    cut_bottom_percent: Annotated[float, Given("%", "part of the lungs' height below the picture")] = 0.0
    cut_left_percent: Annotated[
        float, Given("%", "part of the lungs' width beyond the left edge of the picture")
    ] = 0.0
    cut_right_percent: Annotated[float, Given("%", "part of the lungs' width beyond the right edge")] = 0.0
    grey_range: Annotated[
        float, Given("1", "5th to 95th percentile of grey over the chest", at_least=0, at_most=1)
    ]
    lung_grey: Annotated[
        float | None, Given("1", "median grey of the lungs; 0 is black", at_least=0, at_most=1)
    ] = None
    chest_grey: Annotated[float | None, Given("1", "median grey of the chest", at_least=0, at_most=1)] = None
    white_fraction: Annotated[
        float | None, Given("1", "part of the chest at the white end", at_least=0, at_most=1)
    ] = None
    black_fraction: Annotated[
        float | None, Given("1", "part of the chest at the black end", at_least=0, at_most=1)
    ] = None
    heart_side: Annotated[
        float, Given("1", "above 0 where the heart lies at the right of the picture, in deviations")
    ] = 1.0
    n_text_over_chest: Annotated[int, Given("1", "rows of burned-in text over the chest", at_least=0)] = 0
    n_text_beside: Annotated[int, Given("1", "rows of burned-in text elsewhere", at_least=0)] = 0
    view: Annotated[View, Given("", "ViewPosition (0018,5101), LL and RL being lateral")] = "unknown"
    shorter_side_px: Annotated[
        int | None, Given("{pixels}", "shorter side of the picture", at_least=1, at_most=100000)
    ] = None
    deviation_index: Annotated[float | None, Given("1", "deviation index of the exposure")] = None


CARD = RuleCard(
    name="chest-film-gates",
    version="1.0.0",
    source="Limits of this project, set on one half of three collections of films; what is asked: project "
    "reference A1 and B24 (rotated, inverted, cut, extreme exposure, overlays)",
    takes="numbers",
    inputs=FilmGateInputs,
    formula="likeness below 0.53: no frontal chest film; a better fit turned or inverted: stored so; lungs cut by more "
    "than 3 % (top), 11.5 % (bottom), 6 % (sides); greys of lung and chest outside 0.12 to 0.62 and 0.35 to "
    "0.79; range below 0.18; clipped above 2 %; heart side below -1.1; text over the chest",
    population="frontal chest films, PA and AP, adults and older children",
    refuses=("nothing: a picture that is no film is called not usable",),
)
LIKENESS = private_code("FILM_LIKENESS", "Likeness to a mean frontal chest film")
MARGIN = private_code("FILM_LIKENESS_MARGIN", "Likeness above that turned or inverted")
CUT = private_code("FILM_CUT_OFF", "Largest part of the lungs beyond an edge")
RANGE = private_code("FILM_GREY_RANGE", "Range of grey over the chest")


@measure(CARD)
def chest_film_gates(inputs: FilmGateInputs) -> Outcome:
    """Say whether a film is usable, doubtful or not usable, and name every departure with its numbers.

    A picture that is no frontal chest film, or blank, is a refusal and ends the questions; of a film that lies
    turned or inverted nothing else is judged.
    """
    departures = _departures(inputs)
    cut = largest_cut(inputs)[0]
    is_stopped = bool({c.code for c in departures} & STOPPING) or (
        any(c.code == "film-cut-off" for c in departures) and cut > CUT_MUCH_PERCENT
    )
    warned = [c.code for c in departures if c.severity != "note"]
    verdict = "not usable" if is_stopped else "doubtful" if warned else "usable"
    words = ", ".join(code.removeprefix("film-").replace("-", " ") for code in warned)
    meaning = f"{verdict}, because: {words}" if warned else "usable: no gate found anything against it"
    margin = exact(inputs.likeness) - exact(inputs.other_likeness)
    return CARD.outcome(
        measurements=[
            CARD.number("likeness", inputs.likeness, unit="1", quantity=LIKENESS),
            CARD.number("likeness-margin", margin, unit="1", quantity=MARGIN),
            CARD.number("largest-cut", cut, unit="%", quantity=CUT),
            CARD.number("grey-range", inputs.grey_range, unit="1", quantity=RANGE),
        ],
        categories=[CARD.category("film-usability", verdict, meaning, based_on=inputs.to_json())],
        conditions=departures,
        steps=[
            f"likeness {shown(exact(inputs.likeness))} (least {LEAST_LIKENESS}), margin {shown(margin)}",
            f"largest part of the lungs beyond an edge: {cut:.1f} %",
            meaning,
        ],
    )


def _departures(inputs: FilmGateInputs) -> list[Condition]:
    """Everything that was found; what ends the questions alone."""
    for question in (_blank, _foreign, _turned):
        found = question(inputs)
        if found is not None:
            return [found]
    questions: tuple[Callable[[FilmGateInputs], Condition | None], ...] = (
        _doubtful_likeness,
        _lateral,
        _cut,
        _too_light,
        _too_dark,
        _clipped,
        _flat,
        _exposure,
        _mirrored,
        _text,
        _text_beside,
        _small,
    )
    return [found for question in questions if (found := question(inputs)) is not None]


def _blank(inputs: FilmGateInputs) -> Condition | None:
    if inputs.grey_range >= BLANK_RANGE:
        return None
    text = (
        f"The picture is nearly blank: its grey spans {inputs.grey_range:.1%} of the range that is shown (least "
        f"{BLANK_RANGE:.0%}). Export the film again, with its window."
    )
    return Condition("film-blank", "refusal", text)


def _foreign(inputs: FilmGateInputs) -> Condition | None:
    if max(inputs.likeness, inputs.other_likeness) >= LEAST_LIKENESS:
        return None
    text = (
        f"This is not taken for a frontal chest film: its likeness to one is {inputs.likeness:.2f} as it is and "
        f"{inputs.other_likeness:.2f} at best turned or inverted, and {LEAST_LIKENESS} is needed. Lateral films, other "
        "parts of the body and other kinds of picture cannot be read here."
    )
    return Condition("film-not-chest", "refusal", text)


def _turned(inputs: FilmGateInputs) -> Condition | None:
    if inputs.likeness >= LEAST_LIKENESS and inputs.likeness > inputs.other_likeness:
        return None
    numbers = f"likeness {inputs.other_likeness:.2f} against {inputs.likeness:.2f} as it is"
    if inputs.other_likeness <= inputs.likeness:
        return None
    turn = f"turned by {inputs.other_turn_deg} degrees against the clock"
    if inputs.other_is_inverted and not inputs.other_turn_deg:
        text = (
            f"Black and white seem to have changed places: inverted, it fits a chest film better ({numbers}). Check "
            "Photometric Interpretation (0028,0004), or invert the picture."
        )
        return Condition("film-inverted", "warning", text)
    how = f"{turn} and inverted" if inputs.other_is_inverted else turn
    text = (
        f"It fits a frontal chest film better {how} ({numbers}). Turn it upright; if it shows something else, it "
        "cannot be read here."
    )
    return Condition("film-turned", "warning", text)


def _doubtful_likeness(inputs: FilmGateInputs) -> Condition | None:
    margin = exact(inputs.likeness) - exact(inputs.other_likeness)
    if inputs.likeness >= SURE_LIKENESS and margin >= exact(SURE_MARGIN):
        return None
    text = (
        f"It resembles a frontal chest film only weakly (likeness {inputs.likeness:.2f}, {margin:.2f} above its best "
        f"turned or inverted; {SURE_LIKENESS} and {SURE_MARGIN} are usual). Look whether it is one, and upright."
    )
    return Condition("film-weak-likeness", "warning", text)


def _lateral(inputs: FilmGateInputs) -> Condition | None:
    if inputs.view not in {"LL", "RL"}:
        return None
    text = f"The view is lateral ({inputs.view}); frontal films, PA or AP, are read here."
    return Condition("film-lateral", "warning", text)


def largest_cut(inputs: FilmGateInputs) -> tuple[float, str]:
    """The largest part of the lungs (percent) beyond an edge that is beyond its limit, and which edge.

    Where no edge cuts more than its limit: the largest part, not below 0, and no edge.
    """
    cuts = {
        "top": inputs.cut_top_percent,
        "bottom": inputs.cut_bottom_percent,
        "left edge": inputs.cut_left_percent,
        "right edge": inputs.cut_right_percent,
    }
    beyond = {name: percent for name, percent in cuts.items() if percent > CUT_PERCENT[name]}
    if beyond:
        name = max(beyond, key=beyond.__getitem__)
        return beyond[name], name
    return max(0.0, *cuts.values()), ""


def _cut(inputs: FilmGateInputs) -> Condition | None:
    percent, where = largest_cut(inputs)
    if not where:
        return None
    of = "width" if "edge" in where else "height"
    text = (
        f"About {percent:.0f} % of the lungs' {of} seem to lie beyond the {where} of the picture: nothing can be called "
        "absent there. Use the whole film."
    )
    return Condition("film-cut-off", "warning", text)


def _too_light(inputs: FilmGateInputs) -> Condition | None:
    lung, chest = inputs.lung_grey, inputs.chest_grey
    if lung is None or chest is None or (lung <= LIGHTEST_LUNG and chest <= LIGHTEST_CHEST):
        return None
    text = (
        f"The film is very light: grey {lung:.2f} of the lungs (at most {LIGHTEST_LUNG}), {chest:.2f} of the chest (at "
        f"most {LIGHTEST_CHEST}), 1 being white. It was exposed too little, or exported with another window."
    )
    return Condition("film-too-light", "warning", text)


def _too_dark(inputs: FilmGateInputs) -> Condition | None:
    lung, chest = inputs.lung_grey, inputs.chest_grey
    if lung is None or chest is None or (lung >= DARKEST_LUNG and chest >= DARKEST_CHEST):
        return None
    text = (
        f"The film is very dark: grey {lung:.2f} of the lungs (at least {DARKEST_LUNG}), {chest:.2f} of the chest (at "
        f"least {DARKEST_CHEST}), 0 being black. It was exposed too much, or exported with another window."
    )
    return Condition("film-too-dark", "warning", text)


def _clipped(inputs: FilmGateInputs) -> Condition | None:
    ends = {"white": inputs.white_fraction or 0.0, "black": inputs.black_fraction or 0.0}
    end = max(ends, key=ends.__getitem__)
    if ends[end] <= MOST_CLIPPED:
        return None
    text = (
        f"{ends[end]:.0%} of the chest are fully {end} (at most {MOST_CLIPPED:.0%}): what was there is lost. Use the "
        "original, or a wider window."
    )
    return Condition("film-clipped", "warning", text)


def _flat(inputs: FilmGateInputs) -> Condition | None:
    if inputs.grey_range >= LEAST_RANGE:
        return None
    text = (
        f"Contrast is low: the chest spans {inputs.grey_range:.0%} of the grey range (least {LEAST_RANGE:.0%}). Use "
        "the original, or a narrower window."
    )
    return Condition("film-low-contrast", "warning", text)


def _exposure(inputs: FilmGateInputs) -> Condition | None:
    if inputs.deviation_index is None:
        return None
    found = exposure_class(exact(inputs.deviation_index))
    if found not in {"grossly overexposed", "repeat"}:
        return None
    text = f"The deviation index of the exposure is {inputs.deviation_index:.1f} (limits -3 and 3): " + (
        "too little dose, the film is noisy." if found == "repeat" else "far more dose than was meant."
    )
    return Condition("film-exposure-index", "warning", text)


def _mirrored(inputs: FilmGateInputs) -> Condition | None:
    if inputs.heart_side >= HEART_ON_THE_WRONG_SIDE:
        return None
    text = (
        "The heart seems to lie at the left of the picture: the film may be mirrored, or the heart lies on the right or "
        f"is displaced (score {inputs.heart_side:.1f}, below {HEART_ON_THE_WRONG_SIDE}). Check the side marker; no side "
        "is stated."
    )
    return Condition("film-mirrored", "warning", text)


def _text(inputs: FilmGateInputs) -> Condition | None:
    if inputs.n_text_over_chest == 0:
        return None
    text = (
        f"{inputs.n_text_over_chest} rows of text are burned in over the chest: they hide what lies under them and "
        "mislead programs. Use the original without annotations."
    )
    return Condition("film-text", "warning", text)


def _text_beside(inputs: FilmGateInputs) -> Condition | None:
    if inputs.n_text_beside == 0:
        return None
    text = (
        f"{inputs.n_text_beside} rows of burned-in text stand beside the chest; what they say was not read."
    )
    return Condition("film-text-beside", "note", text)


def _small(inputs: FilmGateInputs) -> Condition | None:
    if inputs.shorter_side_px is None or inputs.shorter_side_px >= NODULE_SIDE_PX:
        return None
    text = (
        f"The shorter side has {inputs.shorter_side_px} pixels: below {NODULE_SIDE_PX} small nodules and the edge of a "
        "pneumothorax can be invisible."
    )
    return Condition("film-small", "note", text)
