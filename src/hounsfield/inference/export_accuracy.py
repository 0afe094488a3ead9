"""What a model in 8 bits is worth beside the same in 32: on pictures of the user's own, judged and then taken or refused."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.metrics import auroc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.inference.runtimes import Predictor

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
MOST_PICTURES = 2000
LARGEST_TABLE_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A metric before and after. metric: its name. n: pictures it is of. limit: by which it may fall.

    largest_difference: of any class's probability of any picture.
    """

    metric: str
    n: int
    before: float
    after: float
    limit: float
    largest_difference: float

    @property
    def is_kept(self) -> bool:
        """Whether the metric falls by no more than the limit."""
        return self.before - self.after <= self.limit

    def to_json(self) -> dict[str, Any]:
        """The figures by name, rounded to six digits."""
        return {
            "metric": self.metric,
            "n": self.n,
            "before": round(self.before, 6),
            "after": round(self.after, 6),
            "limit": self.limit,
            "largest_difference": round(self.largest_difference, 6),
        }


def picture_files(folder: Path) -> list[Path]:
    """The pictures in a folder, by name. Raises UsageError for none and for more than can be looked at."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: give one with pictures of the kind the model reads")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES and file.is_file())
    if not 8 <= len(files) <= MOST_PICTURES:
        raise UsageError(
            f"{folder} holds {len(files)} pictures; 8 to {MOST_PICTURES} are needed, half to calibrate and half to judge"
        )
    return files


def read_labels(table: Path, classes: Sequence[str]) -> dict[str, int]:
    """Class number by file name, from a CSV with columns `file` and `label`. Raises UsageError for unknown labels."""
    if table.stat().st_size > LARGEST_TABLE_BYTES:
        raise UsageError(f"{table.name} is larger than {LARGEST_TABLE_BYTES} bytes: it is no such table")
    with table.open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or not {"file", "label"} <= set(rows[0]):
        raise UsageError(f"{table.name} needs the columns `file` and `label`")
    unknown = sorted({row["label"] for row in rows} - set(classes))
    if unknown:
        raise UsageError(
            f"{table.name} names the class {unknown[0]!r}; the model's are {', '.join(classes)}. Leave other pictures out."
        )
    return {row["file"].rsplit("/", maxsplit=1)[-1]: list(classes).index(row["label"]) for row in rows}


def judged_accuracy(
    before: Predictor,
    after: Predictor,
    inputs: Mapping[str, NDArray[np.float32]],
    labels: Mapping[str, int] | None,
    limit: float,
) -> Accuracy:
    """Compare two predictors. inputs: (1, 1, size, size) by file name; labels: class numbers by file name, or None.

    With labels the metric is the mean area under the ROC curve over the classes, without the share of pictures whose most
    likely class stays (before: 1). Raises UsageError where labels lack a picture or all are of one class.
    """
    first, second = (
        np.concatenate([run(one)[0] for one in inputs.values()]).astype(np.float64) for run in (before, after)
    )
    shares = [_softmax(one) for one in (first, second)]
    apart = float(np.abs(shares[0] - shares[1]).max())
    if labels is None:
        agreement = float((first.argmax(axis=1) == second.argmax(axis=1)).mean())
        return Accuracy("share of unchanged decisions", len(inputs), 1.0, agreement, limit, apart)
    missing = [name for name in inputs if name not in labels]
    if missing:
        raise UsageError(f"the table of labels has no line for {missing[0]}")
    truth = np.array([labels[name] for name in inputs])
    areas = [_mean_area(truth, one) for one in shares]
    return Accuracy("mean area under the ROC curve", len(inputs), areas[0], areas[1], limit, apart)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float64)


def _mean_area(truth: NDArray[Any], shares: NDArray[np.float64]) -> float:
    seen = [k for k in range(shares.shape[1]) if 0 < int((truth == k).sum()) < len(truth)]
    if not seen:
        raise UsageError("all judged pictures are of one class: an area needs cases of two")
    return float(np.mean([float(auroc((truth == k).astype(np.int64), shares[:, k])) for k in seen]))
