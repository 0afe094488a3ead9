"""Checkpoints of torchvision and timm and what was fine-tuned from them: CheXNet and its clones among these.

DenseNet, ResNet and transformers with a class token; wrappers of DataParallel, Lightning and compilation and the names of
torch before 0.4 are put right. What the weights do not say, the names of the classes and the way of a picture to the
network, must be stated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hounsfield.core.errors import UsageError
from hounsfield.zoo.foreign_weights import stored_network
from hounsfield.zoo.model_formats import model_format
from hounsfield.zoo.published_networks import recognise
from hounsfield.zoo.published_networks.classifier_bundle import (
    INPUT,
    LABELS,
    OUTPUTS,
    stated_labels,
    write_classifier,
)
from hounsfield.zoo.published_networks.recognise import glimpse, plan_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hounsfield.zoo.bundle import Bundle
    from hounsfield.zoo.model_formats import ImportRequest


@model_format("picture-classifier")
class PictureClassifier:
    """A file of weights with the names of torchvision or timm."""

    title = "networks of pictures with the names of torchvision or timm"
    options: ClassVar[Mapping[str, str]] = {
        "labels": LABELS,
        "outputs": OUTPUTS,
        "input": INPUT,
        "heads": "of a transformer whose width does not tell them",
    }

    def detects(self, path: Path) -> bool:
        """Whether it holds weights of a known network that no more special format takes for its own."""
        from hounsfield.zoo.formats.torchxrayvision import is_of_this_kind

        weights = glimpse(path)
        return plan_of(weights) is not None and not is_of_this_kind(weights)

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle."""
        heads = request.option("heads", "")
        if heads and not heads.isdecimal():
            raise UsageError(f"option heads is {heads!r}, not a number")
        stored = stored_network(request.path)
        found = recognise(stored.weights, request.path.name, {"heads": int(heads)} if heads else None)
        labels = stated_labels(request)
        return write_classifier(request, "picture-classifier", found, {"labels": labels})
