"""Layers models of Keras as TensorFlow.js stores them: plain networks that classify pictures.

A model.json with the layers and the manifest of the weights, or the folder that holds it. Keras's own HDF5 files must be
converted to this form first, since HDF5 is not read here. Source: https://github.com/tensorflow/tfjs, the web format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from hounsfield.core.errors import HounsfieldError, ModelError
from hounsfield.zoo.foreign_weights.tfjs_layers import read_json, read_tfjs_layers
from hounsfield.zoo.model_formats import model_format
from hounsfield.zoo.published_networks.classifier_bundle import (
    INPUT,
    LABELS,
    OUTPUTS,
    stated_labels,
    write_classifier,
)
from hounsfield.zoo.published_networks.graph_layers import ENDS
from hounsfield.zoo.published_networks.keras_layers import KerasLayers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hounsfield.zoo.bundle import Bundle
    from hounsfield.zoo.model_formats import ImportRequest

_FILE = "model.json"


@model_format("keras-layers")
class Keras:
    """A model.json with weights beside it."""

    title = "layers models of Keras as TensorFlow.js stores them, of pictures"
    options: ClassVar[Mapping[str, str]] = {"labels": LABELS, "outputs": OUTPUTS, "input": INPUT}

    def detects(self, path: Path) -> bool:
        """Whether it is a layers model with convolutions of pictures."""
        file = path / _FILE if path.is_dir() else path
        if not file.is_file() or file.suffix != ".json":
            return False
        try:
            content = read_json(file)
        except (HounsfieldError, OSError):
            return False
        if not isinstance(content, dict) or not isinstance(content.get("weightsManifest"), list):
            return False
        return _has_pictures(content.get("modelTopology"))

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle; a softmax or sigmoid at the end is told by the card instead of being run."""
        file = request.path / _FILE if request.path.is_dir() else request.path
        try:
            arrays, topology = read_tfjs_layers(file)
        except (KeyError, TypeError) as error:
            raise ModelError(f"{file.name} is no layers model of TensorFlow.js ({error!r})") from error
        layers = KerasLayers(topology, arrays, request.path.name)
        found, end = layers.network()
        said: dict[str, Any] = {"labels": stated_labels(request), "picture_yx": layers.picture_yx}
        if end:
            said["outputs"] = ENDS[end]
        return write_classifier(request, "keras-layers", found, said)


def _has_pictures(topology: Any) -> bool:
    try:
        model = topology.get("model_config", topology)
        listed = model["config"]["layers"] if isinstance(model["config"], dict) else model["config"]
        return any(layer["class_name"] in {"Conv2D", "DepthwiseConv2D"} for layer in listed)
    except (AttributeError, KeyError, TypeError):
        return False
