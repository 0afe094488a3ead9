"""Weights of any known format as NumPy arrays: what it is, is told by its first bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import ModelError
from hounsfield.zoo.foreign_weights.tfjs_layers import read_json, read_tfjs_layers
from hounsfield.zoo.foreign_weights.torch_checkpoint import read_legacy_checkpoint, read_zip_checkpoint
from hounsfield.zoo.foreign_weights.torch_pickle import LARGEST_WEIGHTS_BYTES, Unread
from hounsfield.zoo.safe_arrays import read_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

WeightsFormat = Literal["safetensors", "torch archive", "torch pickle", "tfjs layers", "hdf5"]
_HEAD_BYTES = 512


@dataclass(frozen=True, slots=True, eq=False)
class ForeignWeights:
    """What a file holds. tree: arrays, numbers and texts in dicts and lists as they were stored; what could not be read
    without running it is an `Unread`. description: what lies beside the weights (the layers of a tfjs model).
    unread: names of classes that were passed over.
    """

    format: WeightsFormat
    tree: Any
    description: Mapping[str, Any] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array of the tree by its place in it, keys joined by dots."""
        return dict(_arrays(self.tree, ""))


def weights_format(path: Path) -> WeightsFormat:
    """What `path` is by its content, whatever it is called; raises ModelError for what is none of them."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head.startswith(b"PK\x03\x04"):
        return "torch archive"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5"
    n_header = int.from_bytes(head[:8], "little")
    # Before pickles: a header of 0x280 to 0x580 bytes begins as they do.
    if len(head) > 8 and 2 <= n_header <= path.stat().st_size - 8 and head[8:9] == b"{":
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}:
        return "torch pickle"
    if head.lstrip()[:1] == b"{":
        return _json_format(path)
    raise ModelError(
        f"{path.name} begins as none of the formats that are read here (safetensors, a checkpoint of torch, a layers "
        "model of TensorFlow.js). If it holds bare numbers, give the JSON that describes them."
    )


def _json_format(path: Path) -> WeightsFormat:
    content = read_json(path)
    if isinstance(content, dict) and isinstance(content.get("weightsManifest"), list):
        return "tfjs layers"
    raise ModelError(
        f"{path.name} is JSON without a manifest of weights: it may describe a network, but holds none. Give the file "
        "of the weights."
    )


def read_foreign_weights(path: Path) -> ForeignWeights:
    """The weights in `path`, read by content. `convert_weights` does this in a process of its own.

    Raises ModelError naming the file and what is wrong with it, MissingModel where a library is not installed.
    """
    kind = weights_format(path)
    if kind == "safetensors":
        if path.stat().st_size > LARGEST_WEIGHTS_BYTES:
            raise ModelError(
                f"{path.name} has more than {LARGEST_WEIGHTS_BYTES} bytes, more than are read here"
            )
        return ForeignWeights(kind, read_arrays(path.read_bytes(), path.name))
    if kind == "tfjs layers":
        arrays, topology = read_tfjs_layers(path)
        return ForeignWeights(kind, arrays, topology)
    if kind == "hdf5":
        raise ModelError(
            f"{path.name} is an HDF5 file; Keras models in it are not read yet. Convert it with the TensorFlow.js "
            "converter to a layers model and give its model.json."
        )
    read = read_zip_checkpoint if kind == "torch archive" else read_legacy_checkpoint
    tree, unread = read(path)
    return ForeignWeights(kind, tree, unread=frozenset(unread))


def _arrays(node: Any, place: str) -> list[tuple[str, NDArray[Any]]]:
    if isinstance(node, np.ndarray):
        return [(place, node)]
    if isinstance(node, Unread):
        return []
    if isinstance(node, dict):
        parts = [(str(key), value) for key, value in node.items()]
    elif isinstance(node, (list, tuple)):
        parts = [(str(number), value) for number, value in enumerate(node)]
    else:
        return []
    return [found for key, value in parts for found in _arrays(value, f"{place}.{key}" if place else key)]
