"""Folders as the Hugging Face hub holds them: config.json beside model.safetensors, of transformers or of timm.

The configuration names the classes (`id2label`, timm's `label_names`) and mostly says how a picture is prepared. Sources:
transformers 5.23 (`ViTForImageClassification`, `ResNetForImageClassification`), timm 1.0 `models/_hub.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from hounsfield.core.errors import HounsfieldError, ModelError
from hounsfield.zoo.foreign_weights import stored_network
from hounsfield.zoo.foreign_weights.tfjs_layers import read_json
from hounsfield.zoo.model_formats import model_format
from hounsfield.zoo.published_networks import input_of_config, recognise
from hounsfield.zoo.published_networks.classifier_bundle import (
    INPUT,
    LABELS,
    OUTPUTS,
    stated_labels,
    write_classifier,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hounsfield.zoo.bundle import Bundle
    from hounsfield.zoo.model_formats import ImportRequest

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_MODELS = ("vit", "resnet")
_ACTIVATIONS = {"vit": "gelu", "resnet": "relu"}


@model_format("hugging-face")
class HuggingFace:
    """A folder with config.json and weights."""

    title = "folders of the Hugging Face hub, of transformers or timm"
    options: ClassVar[Mapping[str, str]] = {"labels": LABELS, "outputs": OUTPUTS, "input": INPUT}

    def detects(self, path: Path) -> bool:
        """Whether it is a folder whose configuration names a model of pictures that is known here."""
        if not path.is_dir() or not (path / "config.json").is_file():
            return False
        try:
            config = _config(path, "config.json")
        except HounsfieldError:
            return False
        return config.get("model_type") in _MODELS or "pretrained_cfg" in config

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle; what the configuration asks for and is not done here is an error that names it."""
        folder = request.path
        config = _config(folder, "config.json")
        weights = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
        if weights is None:
            raise ModelError(f"{folder.name} holds neither {' nor '.join(_WEIGHTS)}: get the whole folder")
        found = recognise(stored_network(weights).weights, weights.name, _arguments(config, folder.name))
        said: dict[str, Any] = {"labels": stated_labels(request) or _labels(config, folder.name)}
        if config.get("problem_type") == "multi_label_classification":
            said["outputs"] = "independent"
        beside = folder / "preprocessor_config.json"
        settings = _config(folder, beside.name) if beside.is_file() else config
        preprocessing = input_of_config(
            settings, f"{folder.name}/{beside.name if beside.is_file() else 'config.json'}"
        )
        if preprocessing is not None:
            said["preprocessing"] = preprocessing
        return write_classifier(request, "hugging-face", found, said)


def _config(folder: Path, name: str) -> dict[str, Any]:
    content = read_json(folder / name)
    if not isinstance(content, dict):
        raise ModelError(f"{name} of {folder.name} is no JSON object")
    return content


def _arguments(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What a configuration says of the network and its weights do not tell; refused where it is not built here."""
    kind = config.get("model_type")
    if kind is None:
        return {}  # timm's architectures are told by their weights
    if config.get("hidden_act", _ACTIVATIONS[kind]) != _ACTIVATIONS[kind]:
        raise ModelError(
            f"{name}: hidden_act {config['hidden_act']!r} is not built here, {_ACTIVATIONS[kind]} is"
        )
    if kind == "resnet":
        for setting in ("downsample_in_first_stage", "downsample_in_bottleneck"):
            if config.get(setting):
                raise ModelError(f"{name}: {setting} is not built here")
        return {}
    if not config.get("qkv_bias", True):
        raise ModelError(f"{name}: a transformer without qkv_bias is not built here")
    return {
        "heads": int(config.get("num_attention_heads", 12)),
        "norm_epsilon": float(config.get("layer_norm_eps", 1e-12)),
    }


def _labels(config: Mapping[str, Any], name: str) -> tuple[str, ...]:
    by_number = config.get("id2label")
    if isinstance(by_number, dict):
        numbers = sorted(int(number) for number in by_number if str(number).isdecimal())
        if numbers != list(range(len(by_number))):
            raise ModelError(f"{name}: id2label does not number its classes from 0 on without a gap")
        return tuple(str(by_number[str(number)]) for number in numbers)
    listed = config.get("label_names")
    return tuple(str(label) for label in listed) if isinstance(listed, list) else ()
