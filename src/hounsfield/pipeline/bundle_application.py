"""Any installed bundle as an application: `hu read STUDY --model NAME` runs a model that has no application of its own.

What it takes comes from the card: the modality and unit of each channel, or a picture. What it tells is what the card can
answer for: volumes of labelled structures, or findings whose scores are probabilities only after the bundle's calibrator.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import (
    Application,
    Code,
    Condition,
    ExplanationMap,
    Finding,
    Inputs,
    LabelRegion,
    Needs,
    Reading,
    Region,
    Role,
)
from hounsfield.core import applications as registered
from hounsfield.core.code import (
    ANATOMICAL_STRUCTURE,
    MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
    PRIVATE_SCHEME,
    SPATIAL_CONCEPT,
)
from hounsfield.core.errors import RefusedInput
from hounsfield.core.progress import step
from hounsfield.imaging.shown_picture import shown_picture
from hounsfield.measures import region_area, region_pixels, region_volume

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.core import Image, Model, Prediction, Series
    from hounsfield.core.finding import Presence
    from hounsfield.zoo import ModelCard

PREFIX = "bundle-"
_VERSION = "1.0.0"
_FILMS = frozenset({"CR", "DX", "MG", "XA", "RF", "IO", "PX"})
# What cards call a modality, and DICOM's Modality (0008,0060) for it.
_MODALITIES = {
    "XR": ("CR", "DX"),
    "XRAY": ("CR", "DX"),
    "RADIOGRAPHY": ("CR", "DX"),
    "CXR": ("CR", "DX"),
    "CR": ("CR", "DX"),
    "DX": ("CR", "DX"),
    "MRI": ("MR",),
    "PET": ("PT",),
    **{name: (name,) for name in ("CT", "MR", "PT", "US", "MG", "XA", "RF", "NM", "OP", "OPT")},
}
_ABNORMAL = re.compile(
    r"tumou?r|lesion|nodule|cyst|metasta|oedema|edema|necro|haemorrh|hemorrh|infarct|cancer"
)
WHITE = 255.0


def asked_applications(names: Sequence[str] | None, model_folders: Sequence[Path] = ()) -> list[Application]:
    """Applications by name, all registered ones for None; `bundle-NAME` is the installed bundle NAME.

    Raises UsageError for an unknown application, MissingModel for a bundle that is not installed, ModelError for one that
    was altered.
    """
    if names is None:
        return [registered.get(name) for name in registered.names()]
    return [_asked(name, model_folders) for name in names]


def _asked(name: str, model_folders: Sequence[Path]) -> Application:
    if not name.startswith(PREFIX):
        return registered.get(name)
    from hounsfield.zoo import default_search, find_bundle, open_bundle

    bundle = open_bundle(find_bundle(name.removeprefix(PREFIX), (*model_folders, *default_search())))
    return bundle_application(bundle.card)


def bundle_application(card: ModelCard) -> Application:
    """The application that runs the bundle of this card."""
    readers: dict[str, Callable[[ModelCard], _VolumeReader | _PictureReader]] = {
        "volume": _VolumeReader,
        "picture": _PictureReader,
        "views": _ViewsReader,
    }
    read = readers[card.preprocessing.kind](card)
    codes = tuple(Code(c.value, c.scheme, c.meaning) for c in card.classes)
    return Application(
        name=PREFIX + card.name,
        title=card.title,
        version=_VERSION,
        needs=Needs(read.roles),
        run=read,
        models=(card.name,),
        codes=codes,
        memory_mb=8000,
    )


def dicom_modalities(text: str) -> tuple[str, ...]:
    """DICOM modalities that a card's words mean; empty, which is any, where no word is known."""
    words = re.findall(r"[A-Z]+", text.upper().replace("X-RAY", "XRAY"))
    found = [modality for word in words for modality in _MODALITIES.get(word, ())]
    return tuple(dict.fromkeys(found))


class _VolumeReader:
    """Labels voxels: a region and its volume for each class that was found."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        fallback = dicom_modalities(card.modality)
        channels = card.of_volumes[0].channels
        taken = [channel.modalities or fallback for channel in channels]
        self.roles = tuple(
            Role(
                _kebab(channel.name),
                modalities,
                channel.unit,
                # Series of one modality are told apart by what they call themselves.
                words=tuple(_kebab(channel.name).split("-")) if taken.count(modalities) > 1 else (),
            )
            for channel, modalities in zip(channels, taken, strict=True)
        )

    def __call__(self, inputs: Inputs) -> Reading:
        """Run the model and measure what it labelled."""
        images = [inputs[role.name].image() for role in self.roles]
        labels = inputs.volume_model(self.card.name).segment(images, inputs.progress)
        step(inputs.progress, f"{self.card.name}: measuring", 0.9)
        grid = images[0].grid
        counts = np.bincount(labels.ravel(), minlength=len(self.card.classes))
        names = _unique([_kebab(item.name) for item in self.card.classes])
        regions = [
            LabelRegion(names[label], _code(item), grid, (labels, label), category=_category(item))
            for label, item in enumerate(self.card.classes)
            if label > 0 and counts[label]
        ]
        conditions = model_conditions(self.card)
        absent = [c.name for label, c in enumerate(self.card.classes) if label and counts[label] == 0]
        if absent:
            text = f"Not found by the model, which does not say that it is not there: {', '.join(absent)}."
            conditions.append(Condition("structures-not-found", "note", text))
        return Reading.complete(
            measurements=[region_volume(region) for region in regions], regions=regions, conditions=conditions
        )


class _PictureReader:
    """Answers about one picture: a finding for each class."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self.names = _unique([_kebab(name) for name in card.class_names])
        self.roles: tuple[Role, ...] = (
            Role("picture", dicom_modalities(card.modality), geometry="slice", raster=True),
        )

    def __call__(self, inputs: Inputs) -> Reading:
        """Run the model; a picture that its guard calls foreign is refused."""
        series, model = inputs["picture"], inputs.picture_model(self.card.name)
        image = series.image()
        picture, conditions = picture_of(image, series)
        prediction = model.run(picture)
        if prediction.is_foreign:
            verdict = prediction.certainty.of_guard_alone() if prediction.certainty else None
            return Reading.refused(_foreign(self.card, prediction, series), certainty=verdict)
        regions = self._outline(prediction, model, image)
        names = dict(zip(self.card.class_names, self.names, strict=True))
        certainty = prediction.certainty.renamed(names) if prediction.certainty else None
        area = region_area if image.grid.has_millimetres else region_pixels
        return Reading.complete(
            findings=[self._finding(prediction, index, regions) for index in range(len(names))],
            measurements=[area(region) for region in regions],
            regions=regions,
            maps=self._maps(inputs, picture, prediction),
            conditions=[*conditions, *model_conditions(self.card)],
        ).with_certainty(certainty)

    def _maps(
        self, inputs: Inputs, picture: NDArray[np.float64], prediction: Prediction
    ) -> list[ExplanationMap]:
        """Maps of the class with the highest output; none where no map of this model was tested and none is asked for."""
        from hounsfield.explain import reading_maps

        leading = int(np.argmax(prediction.logits))
        return reading_maps(
            inputs.picture_model(self.card.name),
            picture,
            leading,
            finding=self.names[leading],
            grid=inputs["picture"].image().grid,
            asked=inputs.explain,
        )

    def _finding(self, prediction: Prediction, index: int, regions: list[Region]) -> Finding:
        item = self.card.classes[index]
        shown = prediction.logits if prediction.scores is None else prediction.scores
        score = float(shown[index])
        leading = self.card.outputs == "exclusive" and index == int(np.argmax(prediction.logits))
        outlined = tuple(region.name for region in regions) if leading else ()
        threshold = self.card.thresholds.get(item.name)
        if prediction.probabilities is None or prediction.calibrator is None:
            name = "network's own" if self.card.scores is None else self.card.scores.name
            reason = f"The bundle holds no calibrator: the score ({name}) says nothing of how likely it is."
            return Finding(
                self.names[index], _code(item), "indeterminate", reason, score=score, regions=outlined
            )
        probability = float(np.clip(prediction.probabilities[index], 0.0, 1.0))
        presence: Presence = "indeterminate"
        reason = f"The calibrated probability is {probability:.3f}; the card states no threshold for it."
        if threshold is not None:
            presence = _presence(probability, threshold.absent_to, threshold.present_from)
            reason = (
                f"The calibrated probability is {probability:.3f}; from {threshold.present_from:.3g} on it counts as "
                f"present, up to {threshold.absent_to:.3g} as absent."
            )
        return Finding(
            self.names[index],
            _code(item),
            presence,
            reason,
            probability=probability,
            calibrator=prediction.calibrator,
            score=score,
            regions=outlined,
        )

    def _outline(self, prediction: Prediction, model: Model, image: Image) -> list[Region]:
        if prediction.mask is None:
            return []
        mask = np.asarray(prediction.mask >= float(model.card["inference"]["mask_threshold"]))[None]
        code = Code("OUTLINE", PRIVATE_SCHEME, "Outline by a model")
        return [Region("outline", code, image.grid, mask, category=SPATIAL_CONCEPT)] if mask.any() else []


class _ViewsReader(_PictureReader):
    """Answers about several views of one examination together: a finding for each class."""

    def __init__(self, card: ModelCard) -> None:
        super().__init__(card)
        self.roles = tuple(
            Role(
                view.name,
                dicom_modalities(card.modality),
                geometry="slice",
                raster=True,
                view=(view.side, view.position),
            )
            for view in card.views.views
        )

    def __call__(self, inputs: Inputs) -> Reading:
        """Run the model on all views."""
        pictures, conditions = [], []
        for role in self.roles:
            picture, said = picture_of(inputs[role.name].image(), inputs[role.name])
            pictures.append(picture)
            conditions += said
        prediction = inputs.views_model(self.card.name).run_views(pictures)
        return Reading.complete(
            findings=[self._finding(prediction, index, []) for index in range(len(self.names))],
            conditions=[*conditions, *model_conditions(self.card)],
        )


def picture_of(image: Image, series: Series) -> tuple[NDArray[np.float64], list[Condition]]:
    """The picture (y, x) that a model is given.

    Of films, PNG and JPEG as shown, 0 black to 255 white; of CT, MR and the rest the stored values. Raises RefusedInput
    for colour, for several pictures and for small ones.
    """
    if series.kind == "raster" or series.modality in _FILMS:
        picture, conditions = shown_picture(image, series)
        return picture * WHITE, conditions
    array = np.asarray(image.array, dtype=np.float64)
    if image.is_colour or array.ndim != 3 or array.shape[0] != 1:
        raise RefusedInput(
            f"one grey slice is needed, this image has the shape {array.shape}. Give it alone."
        )
    return array[0], []


def model_conditions(card: ModelCard) -> list[Condition]:
    """What is always to be said of a reading by a bundle that has no application of its own."""
    found = []
    if card.origin is not None:
        text = (
            f"The model was imported from {card.origin.source} ({card.origin.format}); its results were not judged here. "
            f"{card.evidence_level}"
        )
        found.append(Condition("model-imported", "warning", text))
    if card.guard is None:
        text = "The bundle holds no guard: it does not notice when an image is not of the kind that it was made for."
        found.append(Condition("model-without-guard", "warning", text))
    if card.outputs != "voxels" and card.calibrator is None:
        text = "The bundle holds no calibrator: its scores are no probabilities, and nothing is called present or absent."
        found.append(Condition("model-not-calibrated", "warning", text))
    return found


def _presence(probability: float, absent_to: float, present_from: float) -> Presence:
    if probability >= present_from:
        return "present"
    return "absent" if probability <= absent_to else "indeterminate"


def _foreign(card: ModelCard, prediction: Prediction, series: Series) -> Condition:
    text = (
        f"This picture does not look like those that {card.title} was made from: its distance from them is "
        f"{prediction.guard_distance:.4g}, and at most {prediction.guard_threshold:.4g} is taken."
    )
    return Condition("picture-foreign", "refusal", text, series.files[:1])


def _kebab(name: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", name.lower())) or "structure"


def _unique(names: list[str]) -> list[str]:
    """The same names; one that came before is followed by its place."""
    return [f"{name}-{place}" if name in names[:place] else name for place, name in enumerate(names)]


def _code(item: Any) -> Code:
    return Code(item.value, item.scheme, item.meaning)


def _category(item: Any) -> Code:
    """CID 7150, as far as the name tells: of a name of others nothing but the place is known."""
    if _ABNORMAL.search(f"{item.name} {item.meaning}".lower()):
        return MORPHOLOGICALLY_ABNORMAL_STRUCTURE
    return SPATIAL_CONCEPT if item.scheme == PRIVATE_SCHEME else ANATOMICAL_STRUCTURE
