"""The brain mask of deepbrain: a U-Net whose weights carry the names of its TensorFlow graph, here as safetensors.

The frozen graph itself (protobuf of TensorFlow 1) is not read; its constants as safetensors are. Version 2 has 16, 32 and 64
channels, version 1 half of them. Source: https://github.com/iitzco/deepbrain (MIT).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hounsfield.core.errors import ModelError
from hounsfield.zoo.foreign_weights.read_weights import read_foreign_weights, weights_format
from hounsfield.zoo.formats._brain_structures import brain_classes
from hounsfield.zoo.model_formats import ImportRequest, imported_card, model_format
from hounsfield.zoo.volume_card import Channel, GreyValues, VolumeInference, VoxelLabels
from hounsfield.zoo.write_bundle import write_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.zoo.bundle import Bundle

# Names of the graph in the order of the network's levels, beside ours.
_CONVOLUTIONS = {
    "conv3d": "down.0.0",
    "conv3d_1": "down.0.1",
    "conv3d_2": "down.1.0",
    "conv3d_3": "down.1.1",
    "conv3d_4": "down.2.0",
    "conv3d_5": "down.2.1",
    "conv3d_6": "up.0",
    "conv3d_7": "up.1",
    "conv3d_8": "up.2",
    "conv3d_9": "head",
}
_RAISED = {"conv3d_transpose": "raise_.0", "conv3d_transpose_1": "raise_.1", "conv3d_transpose_2": "raise_.2"}
_NAMES = {f"{name}/{part}" for name in _CONVOLUTIONS for part in ("kernel", "bias")} | {
    f"{name}/kernel" for name in _RAISED
}
_SIDE = 128


@model_format("deepbrain")
class DeepBrain:
    """One file of safetensors."""

    title = "deepbrain (brain mask on T1)"
    options: ClassVar[Mapping[str, str]] = {}

    def detects(self, path: Path) -> bool:
        """Whether the file holds arrays of just the graph's names."""
        if not path.is_file():
            return False
        try:
            return (
                weights_format(path) == "safetensors" and set(read_foreign_weights(path).arrays()) == _NAMES
            )
        except (ModelError, OSError):
            return False

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle. Raises ModelError naming the array that is missing, left over or of another shape."""
        arrays = read_foreign_weights(request.path).arrays()
        for problem, names in (("lacks", _NAMES - set(arrays)), ("holds besides", set(arrays) - _NAMES)):
            if names:
                raise ModelError(f"{request.path.name} {problem} {min(names)!r}: it is no graph of deepbrain")
        features = [int(arrays[f"conv3d{n}/bias"].size) for n in ("", "_2", "_4")]
        said = {
            "classes": brain_classes(["background", "brain"]),
            "outputs": "voxels",
            "task": "Brain mask on a T1-weighted head",
            "modality": "MR",
            "network": {"name": "pooled-unet", "arguments": {"n_classes": 1, "features": features}},
            "preprocessing": {
                "kind": "volume",
                "channels": [Channel(name="T1", modalities=("MR",), grey_values=GreyValues(way="max-one"))],
                "axes": ("L", "I", "A"),
                "grid": "fixed",
                "shape": (_SIDE, _SIDE, _SIDE),
            },
            "volume": VolumeInference(voxel_labels=VoxelLabels(way="painted", paint=(1,))),
        }
        card = imported_card(request, "deepbrain", said)
        return write_bundle(
            request.parent / card.name, card=card, weights=_weights(arrays, features, request.path.name)
        )


def _weights(
    arrays: Mapping[str, NDArray[np.generic]], features: list[int], name: str
) -> dict[str, NDArray[np.float32]]:
    """Kernels (sides, in, out) of convolutions and (sides, out, in) of raising ones, as torch has them."""
    weights = {}
    for theirs, ours in _CONVOLUTIONS.items():
        weights[f"{ours}.weight"] = _turned(arrays[f"{theirs}/kernel"], name, theirs)
        weights[f"{ours}.bias"] = np.asarray(arrays[f"{theirs}/bias"], dtype=np.float32)
    for theirs, ours in _RAISED.items():
        weights[f"{ours}.weight"] = _turned(arrays[f"{theirs}/kernel"], name, theirs)
    if weights["head.weight"].shape != (1, features[0], 1, 1, 1):
        raise ModelError(
            f"{name}: conv3d_9/kernel has shape {arrays['conv3d_9/kernel'].shape}, no head of one mask"
        )
    return weights


def _turned(kernel: NDArray[np.generic], name: str, layer: str) -> NDArray[np.float32]:
    if kernel.ndim != 5:
        raise ModelError(
            f"{name}: {layer}/kernel has shape {kernel.shape}; a kernel of volumes has five axes"
        )
    return np.ascontiguousarray(kernel.transpose(4, 3, 0, 1, 2), dtype=np.float32)
