"""MeshNets as brainchop publishes them: a folder of a JSON that lists the layers and a file of weights, in three dialects.

A layers model of TensorFlow.js (model.json with its manifest); a model.json of layers beside safetensors that may be called
model.pth, or beside bare numbers in the order of the layers; and layers.json of a newer tool beside safetensors. What the
project's program does to a volume before the network (axes left, lower, front; 1 mm; grey values of the whole volume
to 0 and 1) is stated in the card. Sources: Fedorov 2017, IJCNN, 3785; Masoud 2023, J Open Source Softw 8:5098;
https://github.com/neuroneural/brainchop.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.foreign_weights.read_weights import read_foreign_weights
from hounsfield.zoo.foreign_weights.tfjs_layers import read_json
from hounsfield.zoo.formats._brain_structures import brain_classes
from hounsfield.zoo.model_formats import ImportRequest, imported_card, model_format
from hounsfield.zoo.volume_card import Channel, GreyValues, VolumeInference
from hounsfield.zoo.write_bundle import write_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.zoo.bundle import Bundle

_DESCRIPTIONS = ("layers.json", "model.json")
_WEIGHTS = ("model.safetensors", "model.pth", "model.bin")
_LARGEST_BARE_BYTES = 2**28
_MOST_LAYERS = 200


@dataclass(frozen=True, slots=True)
class _Layer:
    """One convolution: kernel (out, in, sides) and dilation."""

    n_out: int
    n_in: int
    side: int
    dilation: int


@dataclass(frozen=True, slots=True)
class _Description:
    """What the JSON says: convolutions in order, what follows each but the last, and how channels are normalised."""

    layers: tuple[_Layer, ...]
    activation: str
    norm: str


@model_format("meshnet")
class MeshNetFolder:
    """A folder that holds one network and its weights."""

    title = "MeshNet of brainchop (T1 brain)"
    options: ClassVar[Mapping[str, str]] = {
        "percentiles": "LOW,HIGH of the volume that become 0 and 1, where the published network was fed so (5,95 or 2,98)",
        "crop": "head (default: only the head is run) or none (all of the volume, as the page of the project runs it)",
    }

    def detects(self, path: Path) -> bool:
        """Whether the folder holds a description whose layers are convolutions of volumes."""
        if not path.is_dir():
            return False
        try:
            return len(_description(path).layers) > 1
        except (ModelError, OSError):
            return False

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle. Raises ModelError naming the layer or weight that does not fit."""
        described = _description(request.path)
        weights = _weights(request.path, described)
        body, head = described.layers[:-1], described.layers[-1]
        names = _class_names(request.path, head.n_out)
        said = {
            "classes": brain_classes(names),
            "outputs": "voxels",
            "task": f"Labels of {head.n_out} classes on a T1-weighted head",
            "modality": "MR",
            "network": {
                "name": "meshnet",
                "arguments": {
                    "n_classes": head.n_out,
                    "channels": body[0].n_out,
                    "dilations": [layer.dilation for layer in body],
                    "activation": described.activation,
                    "norm": described.norm,
                },
            },
            "preprocessing": {
                "kind": "volume",
                "channels": [Channel(name="T1", modalities=("MR",), grey_values=_grey_values(request))],
                "axes": ("L", "I", "A"),
                "grey_values_of": "whole",
                "crop": request.option("crop", "head", "head", "none"),
                "spacing_mm": (1.0, 1.0, 1.0),
            },
            "volume": VolumeInference(),
        }
        card = imported_card(request, "meshnet", said)
        return write_bundle(request.parent / card.name, card=card, weights=weights)


def _grey_values(request: ImportRequest) -> GreyValues:
    text = request.option("percentiles", "0,100")
    found = re.fullmatch(r"(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)", text)
    if found is None:
        raise UsageError(f"option percentiles is {text!r}; two numbers are needed, such as 5,95")
    return GreyValues(way="unit-range", percentile_low=float(found[1]), percentile_high=float(found[2]))


def _description(folder: Path) -> _Description:
    path = next((folder / name for name in _DESCRIPTIONS if (folder / name).is_file()), None)
    if path is None:
        raise ModelError(f"{folder.name} holds neither {' nor '.join(_DESCRIPTIONS)}")
    content = read_json(path)
    try:
        if "modelTopology" in content:
            return _of_tfjs(content)
        if "forward_pass" in content:
            return _of_operations(content["forward_pass"])
        return _of_layers(content)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        raise ModelError(f"{path.name} of {folder.name} describes no MeshNet ({error!r})") from error


def _of_tfjs(content: Mapping[str, Any]) -> _Description:
    layers = content["modelTopology"]["model_config"]["config"]["layers"]
    known = {"InputLayer", "Conv3D", "Activation", "Dropout"}
    odd = [one["class_name"] for one in layers if one["class_name"] not in known]
    if odd:
        raise ValueError(f"a layer {odd[0]}")
    convolutions = [one["config"] for one in layers if one["class_name"] == "Conv3D"]
    activations = {one["config"]["activation"] for one in layers if one["class_name"] == "Activation"}
    activations |= {one["activation"] for one in convolutions} - {"linear"}
    if len(activations) != 1 or any(one["padding"] != "same" for one in convolutions):
        raise ValueError(f"activations {sorted(activations)} or a padding other than same")
    n_in = int(layers[0]["config"]["batch_input_shape"][-1])
    found = []
    for one in convolutions:
        found.append(
            _Layer(int(one["filters"]), n_in, int(one["kernel_size"][0]), int(one["dilation_rate"][0]))
        )
        n_in = found[-1].n_out
    return _checked(found, activations.pop(), "none")


def _of_operations(operations: list[Mapping[str, Any]]) -> _Description:
    convolutions = [one["params"] for one in operations if one["op"] == "conv3d"]
    others = {one["op"] for one in operations} - {"conv3d", "group_norm", "dropout3d"}
    # The tool's batch_norm3d stands beside group_norm and has no weights in its files: it is left out there too.
    others -= {"batch_norm3d"}
    if len(others) != 1:
        raise ValueError(f"operations {sorted(others)}")
    norm = "instance" if any(one["op"] == "group_norm" for one in operations) else "none"
    return _checked([_layer(one) for one in convolutions], others.pop(), norm)


def _of_layers(content: Mapping[str, Any]) -> _Description:
    activation = "elu" if content.get("elu") else "gelu" if content.get("gelu") else "relu"
    if content.get("bnorm"):
        raise ValueError("batch normalisation, whose weights this dialect does not name")
    return _checked([_layer(one) for one in content["layers"]], activation, "none")


def _layer(one: Mapping[str, Any]) -> _Layer:
    layer = _Layer(
        int(one["out_channels"]), int(one["in_channels"]), int(one["kernel_size"]), int(one["dilation"])
    )
    if int(one["stride"]) != 1 or int(one["padding"]) != layer.dilation * (layer.side - 1) // 2:
        raise ValueError(f"a stride of {one['stride']} or a padding of {one['padding']}")
    return layer


def _checked(layers: list[_Layer], activation: str, norm: str) -> _Description:
    """Only what `networks.segmentation.MeshNet` is: one width, 3 x 3 x 3 kernels, a head of 1 x 1 x 1."""
    if not 1 < len(layers) <= _MOST_LAYERS:
        raise ValueError(f"{len(layers)} layers")
    body, head = layers[:-1], layers[-1]
    if head.side != 1 or {one.side for one in body} != {3} or len({one.n_out for one in body}) != 1:
        raise ValueError("kernels or widths of another network")
    before = [one.n_out for one in layers[:-1]]
    wrong = [number for number, (a, b) in enumerate(zip(before, layers[1:], strict=True), 1) if a != b.n_in]
    if wrong or body[0].n_in != 1:
        raise ValueError(f"layer {wrong[0] if wrong else 0} does not take what comes before it")
    if activation not in {"relu", "elu", "gelu"}:
        raise ValueError(f"the activation {activation}")
    return _Description(tuple(layers), activation, norm)


def _weights(folder: Path, described: _Description) -> dict[str, NDArray[np.float32]]:
    """Kernels and biases by the keys of MeshNet, each used once; raises ModelError naming what is missing or left over."""
    arrays = _arrays(folder, described)
    kernels = [array for array in arrays if array.ndim == 5]
    biases = [array for array in arrays if array.ndim == 1]
    wanted = [(one.n_out, one.n_in, one.side, one.side, one.side) for one in described.layers]
    if [array.shape for array in kernels] != wanted:
        raise ModelError(
            f"the weights in {folder.name} are kernels {[array.shape for array in kernels]}, the layers need {wanted}"
        )
    with_bias = [len(wanted) - 1] if described.norm == "instance" else list(range(len(wanted)))
    if [array.shape for array in biases] != [(described.layers[k].n_out,) for k in with_bias]:
        raise ModelError(
            f"the weights in {folder.name} hold {len(biases)} biases of other sizes than the layers need"
        )
    per_layer = 3 if described.norm == "instance" else 2
    keys = [*(f"layers.{per_layer * k}" for k in range(len(wanted) - 1)), "head"]
    weights = {f"{key}.weight": kernel for key, kernel in zip(keys, kernels, strict=True)}
    return weights | {f"{keys[k]}.bias": bias for k, bias in zip(with_bias, biases, strict=True)}


def _arrays(folder: Path, described: _Description) -> list[NDArray[np.float32]]:
    """All weights in the order of the layers, kernels as torch has them."""
    description = folder / "model.json"
    if description.is_file() and "modelTopology" in read_json(description):
        return [_as_torch(array) for array in read_foreign_weights(description).arrays().values()]
    path = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
    if path is None:
        raise ModelError(f"{folder.name} holds none of {', '.join(_WEIGHTS)}")
    if path.suffix == ".bin":
        return _bare_numbers(path, described)
    named = read_foreign_weights(path).arrays()
    return [np.array(named[name], dtype=np.float32) for name in sorted(named, key=_place)]


def _place(name: str) -> list[int]:
    """The numbers in a name, so that layer 10 comes after layer 9."""
    return [int(part) for part in re.findall(r"\d+", name)]


def _bare_numbers(path: Path, described: _Description) -> list[NDArray[np.float32]]:
    """Kernel and bias of each layer in turn, as TensorFlow.js stores them but without a manifest."""
    if path.stat().st_size > _LARGEST_BARE_BYTES:
        raise ModelError(f"{path.name} has more than {_LARGEST_BARE_BYTES} bytes; it is no MeshNet")
    numbers = np.frombuffer(path.read_bytes(), dtype="<f4")
    found, at = [], 0
    for one in described.layers:
        for shape in ((one.side, one.side, one.side, one.n_in, one.n_out), (one.n_out,)):
            n = int(np.prod(shape))
            if at + n > numbers.size:
                raise ModelError(
                    f"{path.name} ends within the layers that model.json lists. Get the file again."
                )
            found.append(_as_torch(numbers[at : at + n].reshape(shape)))
            at += n
    if at != numbers.size:
        raise ModelError(f"{path.name} holds {numbers.size} numbers; the layers of model.json take {at}")
    return found


def _as_torch(array: NDArray[Any]) -> NDArray[np.float32]:
    """A kernel (sides, in, out) as (out, in, sides); a bias as it is."""
    turned = array.transpose(4, 3, 0, 1, 2) if array.ndim == 5 else array
    return np.ascontiguousarray(turned, dtype=np.float32)


def _class_names(folder: Path, n_classes: int) -> list[str]:
    """Names from the colour map beside the network; for two and three classes what brainchop's networks mean by them."""
    maps = sorted(folder.glob("colormap*.json")) or sorted(folder.parent.glob("colormap*.json"))
    for path in maps:
        names = [str(name) for name in read_json(path).get("labels", [])]
        if len(names) == n_classes:
            return names
    usual = {2: ["background", "brain"], 3: ["background", "White Matter", "Grey Matter"]}
    if n_classes not in usual:
        raise ModelError(
            f"{folder.name} has {n_classes} classes and no colormap.json that names as many. Add the file of the project."
        )
    return usual[n_classes]
