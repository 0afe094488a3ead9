"""The model card, `hounsfield.json` of a bundle: what a model is for, made of, and worth.

Read from outside, so pydantic: unknown keys, wrong types and impossible values are refused by name.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from hounsfield.core.errors import ModelError
from hounsfield.zoo.card_part import CardPart, Digest, Estimate, Fraction, Text
from hounsfield.zoo.guard_card import Guard  # noqa: TC001 - pydantic reads it when the class is made
from hounsfield.zoo.picture_card import Preprocessing, Scores
from hounsfield.zoo.views_card import ViewsPreprocessing
from hounsfield.zoo.volume_card import Origin, VolumeInference, VolumePreprocessing

CARD_VERSION: Literal["1.0"] = "1.0"
_KEBAB = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"


class ClassCode(CardPart):
    """One output of the model: its name, and the coded concept (value, scheme, meaning) it stands for."""

    name: Text
    value: Text
    scheme: Text
    meaning: Text


class DataSource(CardPart):
    """Data that the model was made from; groups are patients or what stands for them."""

    name: Text
    source: Text
    citation: Text
    licence: Text
    n_cases: int = Field(ge=1)
    n_groups: int = Field(ge=1)


class Figure(Estimate):
    """One figure of merit. n: cases, n_groups: groups resampled for the interval, part: of the split."""

    name: Text
    n: int = Field(ge=1)
    n_groups: int = Field(ge=1)
    part: Literal["train", "tune", "test", "external"]
    by_class: dict[str, Estimate] = Field(default_factory=dict)


class Baseline(CardPart):
    """What a simpler method reached on the same split."""

    name: Text
    metrics: tuple[Figure, ...]


class Threshold(CardPart):
    """Locked thresholds of one class on its calibrated probability.

    At `present_from` and above the class counts as present, at `absent_to` and below as absent,
    between them as indeterminate.
    """

    present_from: Fraction
    absent_to: Fraction
    chosen_on: Text
    purpose: Text

    @model_validator(mode="after")
    def _absent_lies_below_present(self) -> Self:
        if self.absent_to >= self.present_from:
            raise ValueError(f"absent_to {self.absent_to} is not below present_from {self.present_from}")
        return self


class Calibrator(CardPart):
    """How raw outputs become probabilities; ece: expected calibration error on data that fitted nothing.

    shares: of each class among the cases that it was fitted on; a probability holds where the shares are alike.
    note: why this calibrator, and what the errors are to be held against.
    """

    name: Text
    parameters: dict[str, float | tuple[float, ...]]
    fitted_on: Text
    shares: dict[str, Fraction] = Field(default_factory=dict)
    ece_before: Estimate | None = None
    ece_after: Estimate | None = None
    note: str = ""


class Answers(CardPart):
    """How several answers to one picture are made, to see how far they agree.

    way: copies (changed copies of the picture), dropout (left on), members (of an ensemble). The reading itself does
    not come from them.
    """

    way: Literal["copies", "dropout", "members"]
    number: int = Field(ge=2, le=64)


class InferenceSettings(CardPart):
    """How the network is run. test_time_flips: also on the mirrored picture (left and right), averaged.

    mask_threshold: foreground probability from which a pixel belongs to the mask. answers: None for one answer alone.
    """

    test_time_flips: bool = False
    mask_threshold: Fraction = 0.5
    answers: Answers | None = None


class Agreement(CardPart):
    """What several answers were like on the tuning part, and whether they tell wrong answers on the test part.

    open_bits, disagreeing_bits: their quantiles over the tuning part at equal steps from 0 to 1; n, n_groups: its
    cases and groups. tells_errors: AUROC of each for wrong answers, on the test part. error_of_all and error_of_kept:
    share of wrong answers there, among all and among the `kept` share with the least disagreement.
    """

    open_bits: tuple[float, ...] = Field(min_length=2)
    disagreeing_bits: tuple[float, ...] = Field(min_length=2)
    n: int = Field(ge=1)
    n_groups: int = Field(ge=1)
    tells_errors: dict[Literal["open", "disagreeing"], Estimate] = Field(default_factory=dict)
    kept: Fraction = 0.8
    error_of_all: Estimate | None = None
    error_of_kept: Estimate | None = None

    @model_validator(mode="after")
    def _quantiles_rise(self) -> Self:
        for values in (self.open_bits, self.disagreeing_bits):
            if list(values) != sorted(values):
                raise ValueError("quantiles over the tuning part must not fall")
        return self


class Conformal(CardPart):
    """Sets of classes that hold the true one at the rate `coverage`.

    limits: strangeness up to which a class is in the set, under "" for all classes or under the name of each; n_fitted:
    patients (or pictures) behind each. holds_for: of what the coverage is promised. measured: coverage on the test part,
    the mean over its n_groups; band95: where it is expected of one picture a group; size: mean number of classes in a
    set there.
    """

    method: Literal["lac", "aps", "raps"]
    coverage: float = Field(gt=0.0, lt=1.0)
    limits: dict[str, float] = Field(min_length=1)
    n_fitted: dict[str, int] = Field(min_length=1)
    holds_for: Literal["patients", "pictures"]
    fitted_on: Text
    measured: Estimate | None = None
    n: int = Field(default=0, ge=0)
    n_groups: int = Field(default=0, ge=0)
    band95: tuple[Fraction, Fraction] | None = None
    size: Estimate | None = None
    note: str = ""


class Network(CardPart):
    """The architecture: its name in the registry of `networks`, and the arguments that build it."""

    name: Text
    arguments: dict[str, Any] = Field(default_factory=dict)


class MapTest(Estimate):
    """One test of an explanation. reference: what the figure is held against (chance, or a redrawn network).

    passed: whether the whole interval (of the difference, where the reference was measured on the same cases) lies on
    the right side of it.
    """

    name: Text
    said: Text
    better: Literal["above", "below"]
    reference: float
    passed: bool
    n: int = Field(ge=1)
    n_groups: int = Field(ge=1)


class MapEvidence(Estimate):
    """How often the maximum of an explanation lay on the truth (pointing game), on `part`; and its other tests."""

    n: int = Field(ge=1)
    n_groups: int = Field(ge=1)
    part: Literal["tune", "test", "external"]
    chance: Fraction
    note: str = ""
    tests: tuple[MapTest, ...] = ()


def _kind(record: Any) -> str:
    """Which preprocessing a record is; cards older than volumes do not say it."""
    kind = record.get("kind", "picture") if isinstance(record, dict) else getattr(record, "kind", "picture")
    return str(kind)


class AuditNote(CardPart):
    """One question of an audit and its answer in a sentence or two."""

    question: Text
    verdict: Literal["clear", "look", "found", "too few"]
    answer: Text


class AuditSummary(CardPart):
    """What an audit of the model found, on which data, on which day (ISO 8601, UTC)."""

    kind: Text
    made_on: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    data: Text
    notes: tuple[AuditNote, ...] = Field(min_length=1)


class ModelCard(CardPart):
    """Everything that a reader of a result may want to know of the model behind it.

    name: kebab-case. outputs: whether classes exclude each other, are findings that stand alone, or number the voxels of a
    volume (`voxels`; the first class is then the background). split_digest: SHA-256 of the split's list of cases.
    scores: what is shown of the outputs of a model without calibrator.
    volume: how a network of volumes is run. explanations: evidence by the name of the explanation ("grad-cam"). recipe: the
    whole recipe that trained the model. origin: of an imported model; only such a one may leave out data and split.
    files: SHA-256 of every other file of the bundle by its path, filled in by `write_bundle`.
    """

    card_version: Literal["1.0"] = CARD_VERSION
    name: str = Field(pattern=_KEBAB)
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    title: Text
    classes: tuple[ClassCode, ...] = Field(min_length=1)
    outputs: Literal["exclusive", "independent", "voxels"] = "exclusive"
    task: Text
    modality: Text
    intended_use: Text
    not_for: tuple[Text, ...] = Field(min_length=1)
    evidence_level: Text
    data: tuple[DataSource, ...] = ()
    licence: Text
    authors: Text = "The Hounsfield contributors"
    split_digest: Digest | None = None
    seed: int = 0
    network: Network
    preprocessing: Annotated[
        Annotated[Preprocessing, Tag("picture")]
        | Annotated[ViewsPreprocessing, Tag("views")]
        | Annotated[VolumePreprocessing, Tag("volume")],
        Discriminator(_kind),
    ]
    volume: VolumeInference | None = None
    inference: InferenceSettings = InferenceSettings()
    metrics: tuple[Figure, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    thresholds: dict[str, Threshold] = Field(default_factory=dict)
    calibrator: Calibrator | None = None
    scores: Scores | None = None
    conformal: Conformal | None = None
    agreement: Agreement | None = None
    guard: Guard | None = None
    explanations: dict[str, MapEvidence] = Field(default_factory=dict)
    known_shortcuts: tuple[str, ...] = ()
    audits: tuple[AuditSummary, ...] = ()
    recipe: dict[str, Any] = Field(default_factory=dict)
    origin: Origin | None = None
    code_version: Text
    files: dict[str, Digest] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        names = self.class_names
        if len(set(names)) != len(names):
            raise ValueError(f"two classes share a name: {', '.join(names)}")
        unknown = sorted(set(self.thresholds) - set(names))
        if unknown:
            raise ValueError(f"thresholds name classes that the model has not: {', '.join(unknown)}")
        if self.thresholds and self.calibrator is None:
            raise ValueError("thresholds stand on calibrated probabilities, but the card names no calibrator")
        if self.conformal is not None:
            self._check_conformal(self.conformal)
        if self.origin is None and (not self.data or self.split_digest is None):
            raise ValueError("a model that was not imported states its data and the digest of its split")
        if self.scores is not None and set(self.scores.operating_points) not in (set(), set(names)):
            raise ValueError("operating_points are given for other classes than the card's")
        self._check_voxels()
        return self

    def _check_voxels(self) -> None:
        is_volume = isinstance(self.preprocessing, VolumePreprocessing)
        if (self.outputs == "voxels") != is_volume or (self.volume is not None) != is_volume:
            raise ValueError(
                "outputs voxels, a preprocessing of kind volume and `volume` come together or not at all"
            )
        if self.volume is None:
            return
        highest = max(self.volume.voxel_labels.paint, default=0)
        if highest >= len(self.classes) or len(self.classes) < 2:
            raise ValueError(
                f"labels of voxels number the classes from 0, the background: {len(self.classes)} classes are too few"
            )

    def _check_conformal(self, conformal: Conformal) -> None:
        if self.calibrator is None:
            raise ValueError(
                "conformal limits stand on calibrated probabilities, but the card names no calibrator"
            )
        if set(conformal.limits) not in ({""}, set(self.class_names)):
            raise ValueError(
                f"conformal limits are given for {', '.join(map(repr, conformal.limits))}, and must be for "
                "'' (all) or for each class"
            )

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return tuple(item.name for item in self.classes)

    @property
    def picture(self) -> Preprocessing:
        """How a picture becomes the input. Raises ModelError for a model of volumes or of several views."""
        if not isinstance(self.preprocessing, Preprocessing):
            is_views = self.preprocessing.kind == "views"
            takes = "reads several views" if is_views else "labels the voxels of volumes"
            raise ModelError(f"model {self.name} {takes}; one that reads pictures is needed here")
        return self.preprocessing

    @property
    def views(self) -> ViewsPreprocessing:
        """How several views become the input. Raises ModelError for another model."""
        if not isinstance(self.preprocessing, ViewsPreprocessing):
            raise ModelError(f"model {self.name} takes a {self.preprocessing.kind}, not several views")
        return self.preprocessing

    @property
    def of_volumes(self) -> tuple[VolumePreprocessing, VolumeInference]:
        """How a volume becomes the input and how the network is run. Raises ModelError for a model of pictures."""
        if not isinstance(self.preprocessing, VolumePreprocessing) or self.volume is None:
            raise ModelError(
                f"model {self.name} reads pictures; one that labels the voxels of volumes is needed here"
            )
        return self.preprocessing, self.volume

    def figure(self, name: str) -> Figure | None:
        """The figure of that name on data that training never saw; None where none was measured."""
        return next((f for f in self.metrics if f.name == name and f.part in {"test", "external"}), None)


def is_bundle_name(name: str) -> bool:
    """Whether `name` can be a bundle's name: kebab-case, so that it is never a path."""
    return re.fullmatch(_KEBAB, name) is not None
