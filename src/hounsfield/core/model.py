"""What a trained model looks like to the floors above: a card, and a way to run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.core.certainty import Certainty
    from hounsfield.core.image import Image
    from hounsfield.core.progress import Progress


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one run of a model on one picture gave.

    logits: (classes,) raw outputs. probabilities: (classes,) after the bundle's calibrator, or None
    if the bundle holds none. calibrator: its name. scores: (classes,) outputs as the model's authors show them, where
    nothing makes probabilities of them; never shown as probabilities. mask: float (y, x) or (z, y, x), the model's
    foreground probability on the picture's own grid, or None. features: (n,) the vector that the
    guard judged.
    guard_distance and guard_threshold: the picture is foreign to the model when the first exceeds
    the second; None where the bundle holds no guard. certainty: the same with what else tells how far to trust it;
    its set names classes.
    """

    logits: NDArray[Any]
    probabilities: NDArray[Any] | None = None
    calibrator: str | None = None
    scores: NDArray[Any] | None = None
    mask: NDArray[Any] | None = None
    features: NDArray[Any] | None = None
    guard_distance: float | None = None
    guard_threshold: float | None = None
    certainty: Certainty | None = None

    @property
    def is_foreign(self) -> bool:
        """Whether the guard says that the picture is not of the kind the model was trained on."""
        return (
            self.guard_distance is not None
            and self.guard_threshold is not None
            and self.guard_distance > self.guard_threshold
        )


class BundledModel(Protocol):
    """What all models have in common, opened by `zoo`; Protocols, so that core needs no torch."""

    @property
    def name(self) -> str:
        """The bundle's name, kebab-case."""

    @property
    def version(self) -> str:
        """The bundle's version."""

    @property
    def digest(self) -> str:
        """SHA-256 over the bundle's files, verified when it was opened."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""

    @property
    def card(self) -> Mapping[str, Any]:
        """The model card: intended use, data, licence, evidence, metrics, thresholds."""


class Model(BundledModel, Protocol):
    """A model that answers about a picture; run by `inference`."""

    def run(self, picture: NDArray[Any]) -> Prediction:
        """Run on one picture (y, x) or volume (z, y, x) of floats, any size."""


class ViewsModel(BundledModel, Protocol):
    """A model that answers about several views of one examination; run by `inference`."""

    def run_views(self, pictures: Sequence[NDArray[Any]]) -> Prediction:
        """Run on its views in the card's order, each (y, x) as it is shown."""


class VolumeModel(BundledModel, Protocol):
    """A model that labels the voxels of a volume; run by `inference`."""

    def segment(self, images: Sequence[Image], progress: Progress | None = None) -> NDArray[Any]:
        """Labels (z, y, x), numbering `classes` (0 is the background), on the grid of the first image."""
