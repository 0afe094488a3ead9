"""A layers model of TensorFlow.js: model.json with the layers and a manifest, and the numbers in files beside it.

Source: https://github.com/tensorflow/tfjs, docs of the web format: weights follow each other in the order of the manifest
over all files of a group, little-endian; quantised ones are value * scale + min.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ModelError
from hounsfield.zoo.foreign_weights.torch_pickle import LARGEST_WEIGHTS_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LARGEST_JSON_BYTES = 64 * 1024**2
_TYPES = {"float32": "<f4", "float16": "<f2", "int32": "<i4", "uint8": "<u1", "bool": "|b1"}


def read_json(path: Path) -> Any:
    """The JSON in a file of bounded size; raises ModelError naming the file."""
    if path.stat().st_size > LARGEST_JSON_BYTES:
        raise ModelError(f"{path.name} has more than {LARGEST_JSON_BYTES} bytes: it describes no model")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} is no JSON ({error}). Get the file again.") from error


def read_tfjs_layers(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays by the manifest's names, as stored (kernels: sides, in, out), and the topology, from model.json.

    Raises ModelError for a file that lies elsewhere, is too short or too long, or holds an unknown type.
    """
    model = read_json(path)
    arrays: dict[str, NDArray[Any]] = {}
    for group in model["weightsManifest"]:
        content = b"".join(_shard(path, str(name), alone=len(group["paths"]) == 1) for name in group["paths"])
        at = 0
        for entry in group["weights"]:
            array, at = _entry(entry, content, at, path.name)
            arrays[str(entry["name"])] = array
        if at != len(content):
            raise ModelError(
                f"{path.name} lists {at} bytes of weights in {', '.join(group['paths'])}, which hold {len(content)}: "
                "the files do not belong together. Get the model again."
            )
    return arrays, model.get("modelTopology") or {}


def _shard(path: Path, name: str, *, alone: bool) -> bytes:
    """The bytes of one file of numbers. alone: the only one, which some projects rename without telling the manifest."""
    if "/" in name or "\\" in name or name in {"", ".", ".."}:
        raise ModelError(
            f"{path.name} names weights at {name!r}, which is not beside it. Do not use this model."
        )
    shard = path.parent / name
    others = sorted(path.parent.glob("*.bin"))
    if not shard.is_file() and alone and len(others) == 1:
        shard = others[0]  # that it is the one meant, its length must show
    if not shard.is_file():
        raise ModelError(
            f"{path.name} names the weights file {name}, which is not there. Get the whole folder."
        )
    if shard.stat().st_size > LARGEST_WEIGHTS_BYTES:
        raise ModelError(f"{name} has more than {LARGEST_WEIGHTS_BYTES} bytes, more than are read here")
    return shard.read_bytes()


def _entry(entry: dict[str, Any], content: bytes, at: int, name: str) -> tuple[NDArray[Any], int]:
    """The array of one entry of the manifest from the place `at`, and the place behind it."""
    quantised = entry.get("quantization")
    kind = str((quantised or entry)["dtype"])
    kind = {"uint16": "<u2"}.get(kind, _TYPES.get(kind, ""))
    if not kind:
        raise ModelError(
            f"{name}: weight {entry['name']!r} has the type {entry['dtype']!r}, which is not read"
        )
    shape = tuple(int(n) for n in entry["shape"])
    n_elements = int(np.prod(shape, dtype=object)) if shape else 1
    end = at + n_elements * np.dtype(kind).itemsize
    if min((*shape, 0)) < 0 or end > len(content):
        raise ModelError(
            f"{name}: weight {entry['name']!r} of shape {shape} reaches beyond the {len(content)} bytes of its file. "
            "Get the model again."
        )
    array = np.frombuffer(content[at:end], dtype=kind).reshape(shape)
    if quantised and "scale" in quantised:
        array = (array.astype(np.float64) * quantised["scale"] + quantised["min"]).astype(np.float32)
    elif quantised:
        array = array.astype(np.float32)
    return array, end
