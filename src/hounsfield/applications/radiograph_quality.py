"""Quality of a frontal chest film: whether it can be read at all, and what speaks against it.

Read `read_radiograph_quality` first. It measures the picture as it is shown (`imaging.chest_film`) and puts the
numbers to the rule `chest-film-gates`; each gate becomes a finding, and the first finding is the verdict. Nothing
is said about disease. What the gates find and miss on real films: docs/explanation/chest-film-gates.md. Weak are
mirrored films (two of three are found), too dark and too light ones (three of four), and cuts below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core import (
    Condition,
    Finding,
    Inputs,
    Measurement,
    Needs,
    Outcome,
    Reading,
    Region,
    Role,
    application,
)
from hounsfield.core.code import LUNG, private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.progress import step
from hounsfield.imaging.shown_picture import first_number, shown_picture
from hounsfield.measures import region_pixels
from hounsfield.measures.chest_film_gates import FilmGateInputs, chest_film_gates
from hounsfield.measures.deviation_index import DeviationInputs, deviation_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from hounsfield.core import Image, Series
    from hounsfield.core.code import Code
    from hounsfield.core.finding import Presence
    from hounsfield.imaging.chest_film import FilmNumbers

VERSION = "1.0.0"
CHEST_WORDS = ("CHEST", "THORAX", "LUNG", "RIB")
UNSUITABLE = private_code("FILM_UNSUITABLE", "Film not usable for reading by a program")
PRESENCE_OF: dict[str, Presence] = {"usable": "absent", "doubtful": "indeterminate", "not usable": "present"}

# Each gate: finding's name, concept (the fault), the conditions that mean that it is there, what its absence
# rests on, and the measurement of the rule that belongs to it.
GATES: tuple[tuple[str, Code, tuple[str, ...], str, str], ...] = (
    (
        "turned",
        private_code("FILM_TURNED", "Film stored turned"),
        ("film-turned", "film-weak-likeness"),
        "It fits a frontal chest film better as it is than turned by 90, 180 or 270 degrees.",
        "likeness-margin",
    ),
    (
        "inverted",
        private_code("FILM_INVERTED", "Black and white of a film exchanged"),
        ("film-inverted",),
        "It fits a frontal chest film better as it is shown than inverted.",
        "",
    ),
    (
        "cut-off",
        private_code("FILM_CUT_OFF", "Lungs cut off by the film's edge"),
        ("film-cut-off",),
        "The fitted chest lies within the picture.",
        "largest-cut",
    ),
    (
        "exposure",
        private_code("FILM_EXPOSURE", "Film too light, too dark or clipped"),
        ("film-too-light", "film-too-dark", "film-clipped", "film-exposure-index"),
        "The greys of lungs and chest are those of usual films.",
        "",
    ),
    (
        "low-contrast",
        private_code("FILM_LOW_CONTRAST", "Film of low contrast"),
        ("film-low-contrast",),
        "The chest spans a usual range of grey.",
        "grey-range",
    ),
    (
        "mirrored",
        private_code("FILM_MIRRORED", "Film possibly mirrored"),
        ("film-mirrored",),
        "The heart does not seem to lie at the left of the picture; about a third of mirrored films are missed.",
        "",
    ),
    (
        "text-over-chest",
        private_code("FILM_TEXT", "Text burned in over the chest"),
        ("film-text",),
        "No row of letters was found over the chest.",
        "",
    ),
)

FILM = Role("film", modalities=("CR", "DX"), geometry="slice", raster=True)


@application(
    name="radiograph_quality",
    title="Quality of a chest film",
    version=VERSION,
    needs=Needs((FILM,)),
    codes=[UNSUITABLE],
)
def read_radiograph_quality(inputs: Inputs) -> Reading:
    """Say whether a frontal chest film is usable, doubtful or not usable, and by which gates."""
    from hounsfield.imaging.chest_film import measure_film

    series = inputs["film"]
    refusal = header_refusal(series)
    if refusal is not None:
        return Reading.refused(refusal)
    image = series.image()
    try:
        picture, conditions = shown_picture(image, series)
    except RefusedInput as found:
        return Reading.refused(Condition("picture-not-readable", "refusal", str(found), series.files[:1]))
    step(inputs.progress, "radiograph_quality: measuring", 0.3)
    numbers = measure_film(picture)
    exposure = exposure_outcome(series)
    is_grey_known = not conditions
    given = gate_inputs(numbers, series, picture.shape, exposure, is_grey_known=is_grey_known)
    outcome = chest_film_gates(given)
    conditions += [
        Condition(c.code, c.severity, c.text, series.files[:1]) for c in outcome.conditions
    ] + unstated(series)
    if any(c.severity == "refusal" for c in conditions):
        return Reading.refused(*conditions)
    step(inputs.progress, "radiograph_quality: outlining", 0.7)
    region = lung_region(image, picture, numbers, outcome)
    regions = [region] if region is not None else []
    return Reading.complete(
        findings=findings(outcome, is_grey_known=is_grey_known),
        measurements=[
            *(m for m in outcome.measurements if m.name == "likeness"),
            *(exposure.measurements if exposure is not None else ()),
            *(region_pixels(one) for one in regions),
        ],
        regions=regions,
        conditions=conditions,
    )


def header_refusal(series: Series) -> Condition | None:
    """Why the header says that this is no chest film, None where it does not."""
    part = str(series.tags.get("BodyPartExamined") or "").upper()
    if not part or any(word in part for word in CHEST_WORDS):
        return None
    text = f"The body part examined is {part!r} (0018,0015), not the chest. Give a film of the chest."
    return Condition("film-not-chest", "refusal", text, series.files[:1])


def exposure_outcome(series: Series) -> Outcome | None:
    """The deviation index where the header states both exposure indices (0018,1411 and 1412)."""
    index, target = (first_number(series.tags.get(name)) for name in ("ExposureIndex", "TargetExposureIndex"))
    if not index or not target or min(index, target) < 0.01:
        return None
    return deviation_index(DeviationInputs(exposure_index=index, target_exposure_index=target))


def stated_view(tags: Mapping[str, Any]) -> str:
    """PA, AP, LL, RL, `other` or `unknown`, by the header alone."""
    view = str(tags.get("View") or "unknown").upper()
    if view == "UNKNOWN":
        return "unknown"
    return view if view in {"PA", "AP", "LL", "RL"} else "other"


def gate_inputs(
    numbers: FilmNumbers,
    series: Series,
    shape_yx: tuple[int, ...],
    exposure: Outcome | None,
    *,
    is_grey_known: bool,
) -> FilmGateInputs:
    """The numbers of a film as the rule takes them."""
    fit, cut = numbers.fit, numbers.fit.cut_off()
    known: dict[str, Any] = {}
    if is_grey_known:
        names = ("lung_grey", "chest_grey", "white_fraction", "black_fraction")
        known = {name: getattr(numbers, name) for name in names}
    return FilmGateInputs(
        likeness=fit.likeness,
        other_likeness=fit.other_likeness,
        other_turn_deg=fit.other_turn_deg,
        other_is_inverted=fit.other_is_inverted,
        cut_top_percent=100.0 * cut["top"],
        cut_bottom_percent=100.0 * cut["bottom"],
        cut_left_percent=100.0 * cut["left"],
        cut_right_percent=100.0 * cut["right"],
        grey_range=numbers.grey_range,
        heart_side=numbers.heart_side,
        n_text_over_chest=len(numbers.text_over_chest),
        n_text_beside=len(numbers.text_beside),
        view=stated_view(series.tags),  # type: ignore[arg-type]  # one of the words by construction
        shorter_side_px=min(shape_yx),
        deviation_index=exposure.value("deviation-index") if exposure is not None else None,
        **known,
    )


def unstated(series: Series) -> list[Condition]:
    """What a file that is no DICOM cannot say."""
    if series.kind != "raster":
        return []
    text = (
        "The file states neither body part nor view nor exposure; all was judged from its pixels. Use the DICOM "
        "original to be sure."
    )
    return [Condition("film-header-absent", "note", text, series.files[:1])]


def lung_region(
    image: Image, picture: NDArray[np.float64], numbers: FilmNumbers, outcome: Outcome
) -> Region | None:
    """The lungs as they show, both in one region: no side is stated. None where the film lies turned."""
    from hounsfield.imaging.chest_film import lung_fields

    if {c.code for c in outcome.conditions} & {"film-turned", "film-inverted"}:
        return None
    mask = lung_fields(picture, numbers.fit)[None]
    return Region("lung-fields", LUNG, image.grid, mask) if mask.any() else None


def findings(outcome: Outcome, *, is_grey_known: bool) -> list[Finding]:
    """The verdict, then one finding a gate: present where the fault is there.

    Of a film that lies turned or inverted nothing else was judged, so nothing else is listed.
    """
    (verdict,) = outcome.categories
    said = {c.code: c.text for c in outcome.conditions}
    is_stopped = bool(said.keys() & {"film-turned", "film-inverted"})
    reason = f"{verdict.meaning[:1].upper()}{verdict.meaning[1:]}."
    if is_stopped:
        reason += " The other gates were not judged."
    made = [Finding("unsuitable", UNSUITABLE, PRESENCE_OF[verdict.value], reason)]
    numbers = {m.name: m for m in outcome.measurements}
    for name, concept, codes, otherwise, measured in GATES:
        if is_stopped and name not in {"turned", "inverted"}:
            continue
        found = [said[code] for code in codes if code in said]
        presence: Presence = "present" if found else "absent"
        reason = " ".join(found) or otherwise
        if "film-weak-likeness" in said and name == "turned":
            presence = "indeterminate"
        elif not found and name == "exposure" and not is_grey_known:
            presence, reason = "indeterminate", "Not judged: the file does not state how its greys are shown."
        measurements: tuple[Measurement, ...] = (numbers[measured],) if measured else ()
        made.append(Finding(name, concept, presence, reason, measurements=measurements))
    return made
