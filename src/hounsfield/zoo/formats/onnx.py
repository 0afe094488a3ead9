"""ONNX files of networks that classify pictures: read as a graph of layers, its numbers as safetensors; nothing of it is run.

Read are the operations of plain networks (`published_networks/onnx_layers.py`); another one is an error that names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from hounsfield.core.errors import HounsfieldError
from hounsfield.zoo.foreign_weights.onnx_graph import is_onnx, read_onnx
from hounsfield.zoo.model_formats import model_format
from hounsfield.zoo.published_networks.classifier_bundle import (
    INPUT,
    LABELS,
    OUTPUTS,
    stated_labels,
    write_classifier,
)
from hounsfield.zoo.published_networks.graph_layers import ENDS
from hounsfield.zoo.published_networks.onnx_layers import OnnxLayers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hounsfield.zoo.bundle import Bundle
    from hounsfield.zoo.model_formats import ImportRequest


@model_format("onnx")
class Onnx:
    """One file with graph and numbers."""

    title = "ONNX files of networks that classify pictures"
    options: ClassVar[Mapping[str, str]] = {"labels": LABELS, "outputs": OUTPUTS, "input": INPUT}

    def detects(self, path: Path) -> bool:
        """Whether it begins as ONNX and holds a graph."""
        if not is_onnx(path):
            return False
        try:
            return bool(read_onnx(path).nodes)
        except HounsfieldError:
            return False

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle; a softmax or sigmoid at the end is told by the card instead of being run."""
        graph = read_onnx(request.path)
        found, end = OnnxLayers(graph, request.path.name).network()
        said: dict[str, Any] = {"labels": stated_labels(request)}
        said["picture_yx"] = graph.shapes[graph.inputs[0]][2:]
        if end:
            said["outputs"] = ENDS[end]
        return write_classifier(request, "onnx", found, said)
