"""Classifiers of several views by their histograms: the baseline of breast density of New York University.

A safetensors file or a state dict with the two layers fc1 and fc2, and nothing else. Source:
nyukat/breast_density_classifier, `BaselineHistogramModel`; Wu 2018, ICASSP, arXiv:1711.03674.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from hounsfield.core.errors import ModelError
from hounsfield.zoo.foreign_weights import stored_network
from hounsfield.zoo.model_card import Network
from hounsfield.zoo.model_formats import imported_card, model_format, named_classes
from hounsfield.zoo.picture_card import Scores
from hounsfield.zoo.published_networks.recognise import glimpse
from hounsfield.zoo.views_card import View, ViewsPreprocessing
from hounsfield.zoo.write_bundle import write_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hounsfield.zoo.bundle import Bundle
    from hounsfield.zoo.model_formats import ImportRequest

_NAMES = {
    "hidden.weight": "fc1.weight",
    "hidden.bias": "fc1.bias",
    "classifier.weight": "fc2.weight",
    "classifier.bias": "fc2.bias",
}
_BINS = 50
_VIEWS = tuple(View(side=side, position=at) for at in ("CC", "MLO") for side in ("L", "R"))
_N_INPUTS = _BINS * len(_VIEWS)
# The four categories of BI-RADS, fifth edition, in the order of the outputs.
_CLASSES = (
    "almost entirely fatty",
    "scattered fibroglandular density",
    "heterogeneously dense",
    "extremely dense",
)


@model_format("histogram-classifier")
class HistogramClassifier:
    """The file of two layers."""

    title = "breast density from the histograms of four mammograms (NYU)"
    options: ClassVar[Mapping[str, str]] = {}

    def detects(self, path: Path) -> bool:
        """Whether it holds these two layers, for 4 views of 50 bins, and nothing else."""
        weights = glimpse(path)
        return set(weights) == set(_NAMES.values()) and weights["fc1.weight"].shape[1:] == (_N_INPUTS,)

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle."""
        weights, name = stored_network(request.path).weights, request.path.name
        for key in _NAMES.values():
            if key not in weights:
                raise ModelError(f"{name} lacks {key!r}: it is not this model")
        width, n_inputs = weights["fc1.weight"].shape
        n_classes = len(weights["fc2.weight"])
        if n_inputs != _N_INPUTS or n_classes != len(_CLASSES):
            raise ModelError(
                f"{name} takes {n_inputs} numbers and gives {n_classes} classes; this model takes {_N_INPUTS} (4 views of "
                f"{_BINS} bins) and gives {len(_CLASSES)}"
            )
        said = {
            "title": "Breast density by histograms",
            "task": "breast density of a mammogram of four views",
            "modality": "MG",
            "authors": "Wu et al., New York University (arXiv:1711.03674)",
            "classes": named_classes(_CLASSES),
            "outputs": "exclusive",
            "scores": Scores(way="softmax", name="the authors' softmax, not calibrated: no probability"),
            "network": Network(
                name="histogram-layers",
                arguments={
                    "n_classes": n_classes,
                    "in_channels": len(_VIEWS),
                    "bins": _BINS,
                    "width": int(width),
                },
            ),
            "preprocessing": ViewsPreprocessing(views=_VIEWS),
        }
        card = imported_card(request, "histogram-classifier", said)
        arrays = {ours: weights[theirs].astype(np.float32) for ours, theirs in _NAMES.items()}
        arrays["hidden.weight"] = arrays["hidden.weight"][:, :, None, None]
        return write_bundle(request.parent / card.name, card=card, weights=arrays)
