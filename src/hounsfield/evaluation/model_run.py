"""A bundle run over the cases of a data set, so that it can be judged: what it says, outlines and refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.calibration import softmax
from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.core.progress import Progress, Silent, step
from hounsfield.evaluation.case_pictures import small_picture
from hounsfield.evaluation.class_figures import Predictions
from hounsfield.evaluation.model_evaluation import OUTLINE, Outlines
from hounsfield.evaluation.overlaps import Overlap, Scale, overlap_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.core import Prediction
    from hounsfield.datasets import Case, Dataset
    from hounsfield.evaluation.mask_sections import Volumes
    from hounsfield.inference import TorchModel

TOLERANCE_PX = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class ModelRun:
    """What a model said of the cases that it could read. refused: (n,) by its guard, None without guard.

    left_out: in sentences. cases: by name.
    """

    predictions: Predictions
    outlines: Outlines | None
    refused: NDArray[np.bool_] | None
    left_out: tuple[str, ...]
    cases: Mapping[str, Case]

    def picture_of(self, name: str) -> str:
        """The picture of a case as a small data URI."""
        return small_picture(self.cases[name].picture())


def check_classes(model: TorchModel, dataset: Dataset, source: str) -> None:
    """Raise UsageError unless the data have cases of the model's classes, in the model's order."""
    own = model.classes
    if dataset.classes != own:
        raise UsageError(
            f"the model {model.name} tells {', '.join(own)} apart, {source} is labelled {', '.join(dataset.classes)}. "
            "Judge it on data of its own classes, in its order."
        )
    absent = [name for name in own if not any(case.label == name for case in dataset.cases)]
    if absent:
        raise UsageError(
            f"{source} holds no case of {', '.join(absent)}, which the model {model.name} tells apart from "
            f"{', '.join(name for name in own if name not in absent) or 'nothing else'}. Give labels in the model's words."
        )


def run_model(
    model: TorchModel, dataset: Dataset, indices: Sequence[int], *, progress: Progress | None = None
) -> ModelRun:
    """Run `model` on these cases as reading runs it, one at a time; outlines lie on the pictures' own pixels.

    A picture that cannot be read as one (no contrast) is left out and told. Raises UsageError if none can.
    """
    progress = progress or Silent()
    card, said = model.bundle.card, list[tuple["Case", "Prediction"]]()
    unread: list[str] = []
    rows: list[Overlap] = []
    outlined = _Kept()
    scale = Scale((1.0, 1.0), "px", 1.0, "px", TOLERANCE_PX)
    for number, index in enumerate(indices):
        step(progress, "running the model", number / len(indices))
        case = dataset.cases[index]
        picture = case.picture()
        try:
            one = model.run(picture)
        except RefusedInput:
            unread.append(case.name)
            continue
        said.append((case, one))
        if one.mask is None or case.mask_path is None:
            continue
        found = np.asarray(one.mask) >= card.inference.mask_threshold
        outlined.add(case, found)
        row = overlap_of(case.mask(), found, scale, case=case.name, patient=case.group, structure=OUTLINE)
        rows += [row] if row is not None else []
    step(progress, "running the model", 1.0)
    if not said:
        raise UsageError(
            f"the model {model.name} can read none of {len(indices)} pictures; all lack contrast."
        )
    outlines = Outlines(tuple(rows), scale, outlined.volume) if rows else None
    by_name = {row.case: row.dice for row in rows}
    overlap = np.array([by_name.get(case.name, np.nan) for case, _ in said]) if rows else None
    return ModelRun(
        _predictions(model, dataset, said, overlap),
        outlines,
        np.array([one.is_foreign for _, one in said]) if model.guard is not None else None,
        _left_out(dataset, unread),
        {case.name: case for case, _ in said},
    )


def _predictions(
    model: TorchModel,
    dataset: Dataset,
    said: Sequence[tuple[Case, Prediction]],
    overlap: NDArray[np.float64] | None,
) -> Predictions:
    plain = softmax(np.stack([one.logits for _, one in said]))
    calibrated = [one.probabilities for _, one in said if one.probabilities is not None]
    return Predictions(
        classes=dataset.classes,
        names=tuple(case.name for case, _ in said),
        groups=tuple(case.group for case, _ in said),
        labels=np.array([dataset.classes.index(case.label) for case, _ in said], dtype=np.int64),
        probabilities=np.stack(calibrated) if calibrated else plain,
        uncalibrated=plain if calibrated else None,
        dice=overlap,
        present_from={name: one.present_from for name, one in model.bundle.card.thresholds.items()},
    )


def _left_out(dataset: Dataset, unread: Sequence[str]) -> tuple[str, ...]:
    said = []
    if dataset.n_left_out:
        said.append(f"{dataset.n_left_out} rows of the data have labels that the model does not know")
    if unread:
        said.append(
            f"{len(unread)} pictures without contrast could not be read and are in no figure: {', '.join(unread[:5])}"
        )
    return tuple(said)


class _Kept:
    """Outlines of all cases at a bit a pixel; pictures and references are read again where they are shown."""

    def __init__(self) -> None:
        self._cases: dict[str, tuple[Case, NDArray[np.uint8]]] = {}

    def add(self, case: Case, found: NDArray[np.bool_]) -> None:
        self._cases[case.name] = (case, np.packbits(found, axis=1))

    def volume(self, name: str, structure: str) -> Volumes:
        """Picture, truth and found of a case, as volumes of one slice."""
        del structure
        case, packed = self._cases[name]
        picture: NDArray[Any] = case.picture()
        found = np.unpackbits(packed, axis=1, count=picture.shape[1]).astype(bool)
        return picture[None], case.mask()[None], found[None], (1.0, 1.0)


def open_labelled(
    data: Path, classes: Sequence[str], *, adapter: str = "csv-table", columns: dict[str, str] | None = None
) -> Dataset:
    """The data set in a folder that an adapter reads, or in one table of paths and labels (CSV).

    columns: the table's own names by role (image, label, group, mask). Raises UsageError if there is nothing at `data`.
    """
    from hounsfield.datasets import open_dataset

    options: dict[str, Any] = {"classes": list(classes)} | ({"columns": columns} if columns else {})
    if data.is_file():
        return open_dataset(adapter, data.parent, options | {"table": data.name})
    if not data.is_dir():
        raise UsageError(
            f"there are no data at {data}. Give a folder, a table of paths and labels (CSV), or a recipe (YAML)."
        )
    return open_dataset(adapter, data, options)
