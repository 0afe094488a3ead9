"""TorchXRayVision: DenseNet121 and ResNet of chest films, as it publishes them or as a state dict of its names.

Its files hold a whole pickled network, or a state dict; which finding an output stands for lies in its program
(`torchxrayvision_weights.py`). Its outputs are rescaled so that the authors' operating point becomes 0.5: scores, not
probabilities. Source: torchxrayvision 1.5.7, `models.py`; Cohen 2022, MIDL, arXiv:2111.00595.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hounsfield.core.errors import ModelError
from hounsfield.zoo.foreign_weights import StoredNetwork, stored_network
from hounsfield.zoo.model_card import ClassCode
from hounsfield.zoo.model_formats import model_format, named_classes
from hounsfield.zoo.picture_card import Scores
from hounsfield.zoo.published_networks import PRESETS, recognise
from hounsfield.zoo.published_networks.classifier_bundle import check_labels, stated_labels, write_classifier
from hounsfield.zoo.published_networks.recognise import glimpse, plan_of
from hounsfield.zoo.published_networks.torchxrayvision_weights import KNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.zoo.bundle import Bundle
    from hounsfield.zoo.model_formats import ImportRequest

_POINTS = "op_threshs"
_N_OUTPUTS = 18
_SCORE = "TorchXRayVision's score: 0.5 is its authors' operating point; not calibrated, no probability"
# Findings of a chest film for which pydicom's dictionary has the code (SNOMED CT); the rest stay private.
_CODES = {
    "Cardiomegaly": ("287272002", "Cardiomegaly"),
    "Edema": ("19242006", "Pulmonary edema"),
    "Effusion": ("60046008", "Pleural effusion"),
    "Pneumothorax": ("36118008", "Pneumothorax"),
}


@model_format("torchxrayvision")
class TorchXRayVision:
    """The published files and their state dicts."""

    title = "TorchXRayVision's networks of chest films"
    options: ClassVar[Mapping[str, str]] = {
        "weights": f"which published weights they are: {', '.join(KNOWN)}",
        "labels": "names of the outputs in their order, separated by commas, empty for an absent one",
        "input": "another preprocessing than TorchXRayVision's own",
        "outputs": "independent, as its findings are",
    }

    def detects(self, path: Path) -> bool:
        """Whether it holds a network of one grey channel with TorchXRayVision's outputs or operating points."""
        return is_of_this_kind(glimpse(path))

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle of the outputs that have a name and an operating point."""
        stored, name = stored_network(request.path), request.path.name
        found = recognise(_network_alone(stored.weights), name)
        known = request.option("weights", "", "", *KNOWN)
        labels = _labels(request, stored, known)
        check_labels(labels, found.n_classes, name)
        points = _points(stored.weights, known, found.n_classes, name)
        kept = [
            k
            for k, (label, point) in enumerate(zip(labels, points, strict=True))
            if label and np.isfinite(point)
        ]
        if not kept:
            raise ModelError(
                f"no output of {name} has a name and an operating point: nothing could be told of it"
            )
        left_out = [
            f"{labels[k] or f'output {k + 1}'} ({'no operating point' if labels[k] else 'no name'})"
            for k in range(len(labels))
            if k not in kept
        ]
        named = [labels[k] for k in kept]
        scores = Scores(
            way="operating-point",
            name=_SCORE,
            operating_points={labels[k]: float(points[k]) for k in kept},
        )
        said: dict[str, Any] = {
            "title": f"TorchXRayVision {known}".strip(),
            "task": "findings on frontal chest films",
            "modality": "CR, DX",
            "authors": "Cohen et al., TorchXRayVision (arXiv:2111.00595)",
            "outputs": "independent",
            "labels": named,
            "classes": tuple(_coded(item) for item in named_classes(named)),
            "scores": scores,
            "preprocessing": PRESETS[f"torchxrayvision-{_size_px(known, found.network)}"][1],
        }
        return write_classifier(request, "torchxrayvision", found.only(kept), said, left_out=left_out)


def is_of_this_kind(weights: Mapping[str, NDArray[Any]]) -> bool:
    """Whether weights are of a network of one channel with TorchXRayVision's operating points or its 18 outputs."""
    plan = plan_of(_network_alone(weights))
    if plan is None or plan.arguments.get("in_channels") != 1:
        return False
    has_points = any(key.split(".")[-1] == _POINTS for key in weights)
    return has_points or plan.arguments["n_classes"] == _N_OUTPUTS


def _network_alone(weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {key: value for key, value in weights.items() if key.split(".")[-1] != _POINTS}


def _labels(request: ImportRequest, stored: StoredNetwork, known: str) -> tuple[str, ...]:
    """Names of the outputs: as stated, as known of the published weights, or as stored beside the weights."""
    stated = stated_labels(request)
    if stated:
        return stated
    if known:
        return KNOWN[known].labels
    beside = next((stored.texts[key] for key in ("pathologies", "targets") if key in stored.texts), ())
    if not beside:
        same = [key for key, one in KNOWN.items() if one.file == request.path.name]
        hint = f" By its name it may be {same[0]}." if same else ""
        raise ModelError(
            f"{request.path.name} does not say which finding each output stands for.{hint} State option weights, one of "
            f"{', '.join(KNOWN)}, or option labels."
        )
    return beside


def _points(
    weights: Mapping[str, NDArray[Any]], known: str, n_outputs: int, name: str
) -> NDArray[np.float64]:
    """The operating point of each output, not a number where there is none."""
    stored = [value for key, value in weights.items() if key.split(".")[-1] == _POINTS]
    if stored:
        points = np.asarray(stored[0], dtype=np.float64).ravel()
    elif known:
        points = np.array([np.nan if p is None else p for p in KNOWN[known].points])
    else:
        raise ModelError(
            f"{name} holds no operating points ({_POINTS}), without which its outputs cannot be rescaled. State option "
            f"weights, one of {', '.join(KNOWN)}; or import it as picture-classifier, for plain sigmoids."
        )
    if len(points) != n_outputs:
        raise ModelError(f"{name} gives {n_outputs} outputs and has {len(points)} operating points")
    return points


def _size_px(known: str, network: str) -> int:
    return KNOWN[known].size_px if known else {"resnet": 512}.get(network, 224)


def _coded(item: ClassCode) -> ClassCode:
    if item.name not in _CODES:
        return item
    value, meaning = _CODES[item.name]
    return ClassCode(name=item.name, value=value, scheme="SCT", meaning=meaning)
