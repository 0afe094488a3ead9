"""Glioma, meningioma or pituitary tumour on one contrast-enhanced T1 slice, with the tumour outlined.

Read `read_brain_tumour_mr` first: it refuses what is not such a slice, runs the model, and turns its
outputs into findings. The model knows no slice without a tumour, so every probability is conditional.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.applications._t1_head import NO_CONTRAST, against_t1_head, said_words
from hounsfield.core import (
    Code,
    Condition,
    Finding,
    Inputs,
    Measurement,
    Needs,
    Reading,
    Region,
    Role,
    application,
)
from hounsfield.core.code import (
    BRAIN,
    GLIOMA,
    LESION_OF_BRAIN,
    MENINGIOMA,
    MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
    PITUITARY_TUMOUR,
)
from hounsfield.core.errors import ModelError, RefusedInput
from hounsfield.core.progress import step
from hounsfield.explain import reading_maps
from hounsfield.measures import region_area, region_pixels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hounsfield.core import Certainty, Grid, Image, Model, Prediction, Series
    from hounsfield.core.finding import Presence

VERSION = "1.2.0"
MODEL = "brain-tumour-mr"
TUMOUR = "tumour"
# The model's classes, the coded concept of each, and the finding's name.
CONCEPTS: dict[str, tuple[Code, str]] = {
    "glioma": (GLIOMA, "glioma"),
    "meningioma": (MENINGIOMA, "meningioma"),
    "pituitary": (PITUITARY_TUMOUR, "pituitary-tumour"),
}
SMALLEST_SIDE_PX = 64  # a third of the training pictures' side; below it nothing small can be seen
GREY_TOLERANCE = 2.0  # grey levels of 255 by which JPEG may part the channels of a grey picture
_CONTRAST_WORDS = re.compile(
    r"(?<![a-z0-9])(gd|gad\w*|post|postgad|postkm|km|ce|contrast)(?![a-z0-9])|\+\s?c\b"
)

SLICE = Role("slice", modalities=("MR",), geometry="slice", raster=True)


@application(
    name="brain_tumour_mr",
    title="Brain tumour on a contrast-enhanced T1 slice",
    version=VERSION,
    needs=Needs((SLICE,)),
    models=[MODEL],
    codes=[GLIOMA, MENINGIOMA, PITUITARY_TUMOUR, LESION_OF_BRAIN],
)
def read_brain_tumour_mr(inputs: Inputs) -> Reading:
    """Say which of three tumours a contrast-enhanced T1 slice shows, and outline it.

    Refuses pictures that are no such slice: by their header where one states it, by size and colour,
    by the model's input guard, and where the model outlines no tumour. Raises ModelError if the bundle's classes are not the three.
    """
    series, model = inputs["slice"], inputs.picture_model(MODEL)
    if set(model.classes) != set(CONCEPTS):
        raise ModelError(
            f"model {model.name} has the classes {', '.join(model.classes)}; this application reads "
            f"{', '.join(CONCEPTS)}. Install the bundle that ships with this version."
        )
    image = series.image()
    conditions = header_conditions(series)
    refusals = [c for c in conditions if c.severity == "refusal"]
    if refusals:
        return Reading.refused(*conditions)
    step(inputs.progress, "brain_tumour_mr: running the model", 0.2)
    try:
        picture = grey_picture(image)
        prediction = model.run(picture)
    except RefusedInput as refusal:
        return Reading.refused(*conditions, _refusal("picture-not-readable", str(refusal), series))
    if prediction.is_foreign:
        verdict = prediction.certainty.of_guard_alone() if prediction.certainty else None
        return Reading.refused(*conditions, _foreign(prediction, series), certainty=verdict)
    tumour = _outline(prediction, image.grid, float(model.card["inference"]["mask_threshold"]))
    if tumour is None and prediction.mask is not None:
        verdict = prediction.certainty.of_guard_alone() if prediction.certainty else None
        return Reading.refused(*conditions, _nothing_outlined(series), certainty=verdict)
    step(inputs.progress, "brain_tumour_mr: explaining", 0.7)
    reading = _reading(model, prediction, tumour=tumour, conditions=conditions)
    leading = int(np.argmax(prediction.logits))
    maps = reading_maps(
        model,
        picture,
        leading,
        finding=reading.findings[leading].name,
        grid=image.grid,
        asked=inputs.explain,
    )
    return replace(reading, maps=tuple(maps))


def _reading(
    model: Model,
    prediction: Prediction,
    *,
    tumour: Region | None,
    conditions: tuple[Condition, ...],
) -> Reading:
    leading = int(np.argmax(prediction.logits))
    findings = [
        _finding(model, prediction, index, (TUMOUR,) if tumour is not None and index == leading else ())
        for index in range(len(model.classes))
    ]
    return Reading.complete(
        findings=findings,
        measurements=[area(tumour)] if tumour is not None else [],
        regions=[tumour] if tumour is not None else [],
        conditions=[*conditions, *_model_conditions(model, prediction, has_outline=tumour is not None)],
    ).with_certainty(_certainty(prediction))


def _certainty(prediction: Prediction) -> Certainty | None:
    """As the model states it, with the findings' names. The set stands beside the presences and changes none.

    Presence follows the locked thresholds alone, whose errors were measured; a set that holds several tumours says
    that the others cannot be excluded at its rate, which a reader must see and no rule here decides.
    """
    if prediction.certainty is None:
        return None
    return prediction.certainty.renamed({name: finding for name, (_, finding) in CONCEPTS.items()})


def grey_picture(image: Image) -> NDArray[np.float64]:
    """The one slice of `image` as float64 (y, x); three equal channels count as grey.

    Raises RefusedInput for colour, for several time points and for pictures that are too small.
    """
    array = np.asarray(image.array, dtype=np.float64)
    if image.is_colour:
        spread = float((array.max(axis=-1) - array.min(axis=-1)).max()) if array.size else 0.0
        if spread > GREY_TOLERANCE:
            raise RefusedInput(
                f"this is a colour picture: its channels differ by up to {spread:g} grey levels. MR slices "
                "are grey; give the slice without overlays or colour maps."
            )
        array = array.mean(axis=-1)
    if array.ndim != 3 or array.shape[0] != 1:
        raise RefusedInput(f"one slice is needed, this image has the shape {array.shape}. Give it alone.")
    picture: NDArray[np.float64] = array[0]
    if min(picture.shape) < SMALLEST_SIDE_PX:
        raise RefusedInput(
            f"the picture has {picture.shape[1]} x {picture.shape[0]} pixels; at least {SMALLEST_SIDE_PX} on "
            "each side are needed to see a tumour. Give the slice in its original size."
        )
    return picture


def header_conditions(series: Series) -> tuple[Condition, ...]:
    """What the header says for and against a contrast-enhanced T1 slice of a head.

    A statement against it is a refusal; what is not stated is a warning, never taken for granted.
    """
    if series.kind == "raster" or series.modality is None:
        text = (
            "The file states neither modality nor sequence nor contrast agent. That it is a "
            "contrast-enhanced T1 slice was judged from its pixels alone; use the DICOM original to be sure."
        )
        return (Condition("sequence-unstated", "warning", text, series.files[:1]),)
    tags = series.tags
    against = against_t1_head(
        series, wanted="the contrast-enhanced T1 series of a head"
    ) or _against_contrast(tags)
    if against is not None:
        return (_refusal("not-a-contrast-t1-slice", against, series),)
    if tags.get("ContrastBolusAgent") or _CONTRAST_WORDS.search(said_words(series)):
        return ()
    text = (
        "The header states no contrast agent (0018,0010). The model was made from contrast-enhanced slices "
        "only; if none was given, do not use this reading."
    )
    return (Condition("contrast-unstated", "warning", text, series.files[:1]),)


def _against_contrast(tags: Mapping[str, Any]) -> str | None:
    agent = str(tags.get("ContrastBolusAgent") or "").strip().upper()
    if agent not in NO_CONTRAST:
        return None
    return f"The header states that no contrast agent was given ({agent!r}, 0018,0010). Give the enhanced series."


def _refusal(code: str, text: str, series: Series) -> Condition:
    return Condition(code, "refusal", text[:1].upper() + text[1:], series.files[:1])


def _foreign(prediction: Prediction, series: Series) -> Condition:
    text = (
        "This picture does not look like the slices that the model was made from, contrast-enhanced T1 slices "
        f"of a head with a tumour: its distance from them is {prediction.guard_distance:.4g}, and at most "
        f"{prediction.guard_threshold:.4g} is taken. If it is such a slice, give it as it was stored, upright "
        "and without borders, text, colour or inverted grey. Pictures of any other kind cannot be read here."
    )
    return _refusal("not-a-contrast-t1-slice", text, series)


def _nothing_outlined(series: Series) -> Condition:
    """A second gate beside the guard's: where no tumour is seen the classes, all of them tumours, say nothing.

    Measured by `python -m benchmarks.guard --part tune`: it refuses 2 of 138 slices, and 45 of the same 138 with the
    tumour painted over, of which the guard refuses 3.
    """
    text = (
        "The model outlined no tumour on this slice. It was made only from slices that show one, so that its classes "
        "would mean nothing here; nor does this say that the slice is free of tumour. If one can be seen, give the "
        "slice as it was stored, in its original size and grey."
    )
    return _refusal("outline-empty", text, series)


def _outline(prediction: Prediction, grid: Grid, threshold: float) -> Region | None:
    """The tumour as outlined by the model; None where no pixel reaches the threshold."""
    if prediction.mask is None:
        return None
    mask = np.asarray(prediction.mask >= threshold)[None]
    if not mask.any():
        return None
    return Region(TUMOUR, LESION_OF_BRAIN, grid, mask, category=MORPHOLOGICALLY_ABNORMAL_STRUCTURE)


def area(region: Region) -> Measurement:
    """Area of a region on one slice: mm2 where the image states its spacing, else a count of pixels."""
    return region_area(region) if region.grid.has_millimetres else region_pixels(region)


def _finding(model: Model, prediction: Prediction, index: int, regions: tuple[str, ...]) -> Finding:
    """One class: calibrated probability and its place against the card's locked thresholds."""
    concept, name = CONCEPTS[model.classes[index]]
    score = float(prediction.logits[index])
    threshold = model.card["thresholds"].get(model.classes[index])
    if prediction.probabilities is None or prediction.calibrator is None or threshold is None:
        reason = (
            "The model holds no calibrator or no threshold for this class; its raw score says nothing of "
            "how likely the tumour is."
        )
        return Finding(name, concept, "indeterminate", reason, score=score, site=BRAIN, regions=regions)
    probability = float(np.clip(prediction.probabilities[index], 0.0, 1.0))
    presence, reason = judge(probability, threshold)
    return Finding(
        name,
        concept,
        presence,
        reason,
        probability=probability,
        calibrator=prediction.calibrator,
        score=score,
        site=BRAIN,
        regions=regions,
    )


def judge(probability: float, threshold: Mapping[str, Any]) -> tuple[Presence, str]:
    """Presence, and the sentence that says why, by the locked thresholds of one class.

    threshold: `present_from` and `absent_to`, as in the model card.
    """
    present_from, absent_to = float(threshold["present_from"]), float(threshold["absent_to"])
    given = "given that the slice shows a glioma, meningioma or pituitary tumour"
    if probability >= present_from:
        place = f"is at or above {present_from:.3g}, from which this tumour counts as present"
        return "present", f"The calibrated probability {probability:.3f}, {given}, {place}."
    if probability <= absent_to:
        place = (
            f"is at or below {absent_to:.3g}: one of the other two is far more likely. It does not say that "
            "the brain holds no tumour"
        )
        return "absent", f"The calibrated probability {probability:.3f}, {given}, {place}."
    place = f"lies between the thresholds {absent_to:.3g} and {present_from:.3g}"
    return "indeterminate", f"The calibrated probability {probability:.3f}, {given}, {place}."


def _model_conditions(model: Model, prediction: Prediction, *, has_outline: bool) -> list[Condition]:
    """What every reader of this result must know of the model behind it."""
    conditions = [
        Condition(
            "tumour-assumed",
            "warning",
            "The model was made only from slices that show one of three tumours. It cannot say that a slice "
            "is free of tumour, and it knows no metastasis, lymphoma, abscess or other mass.",
        ),
        Condition("evidence-limited", "warning", f"Evidence of the model: {model.card['evidence_level']}"),
    ]
    if prediction.guard_distance is None:
        text = "This bundle holds no input guard: nothing checked that the picture is of the right kind."
        conditions.append(Condition("guard-absent", "warning", text))
    if not has_outline:
        text = "This model outlines nothing, so that there is no area and its classes rest on no place."
        conditions.append(Condition("outline-absent", "warning", text))
    return conditions
