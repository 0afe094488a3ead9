"""One way to run a network, whatever runs it: torch, ONNX Runtime or OpenVINO.

Begin with `choose_predictor`: it tries what is installed on a sample, keeps what gives the network's own numbers, and takes
the fastest. A `Predictor` takes a float32 batch and gives a tuple of float32 arrays. The packages of the other runtimes are
imported when first asked for; `pip install 'hounsfield[runtime]'` brings them.
"""

from __future__ import annotations

from hounsfield.inference.runtimes.bundled_network import (
    PictureNetwork,
    WholeAnswer,
    choose_for_pictures,
    choose_for_windows,
    made_sample,
    mean_network,
    patch_network,
)
from hounsfield.inference.runtimes.choice import Choice, Trial, choose_predictor
from hounsfield.inference.runtimes.equivalence import TOLERANCES, Likeness, Tolerance, likeness
from hounsfield.inference.runtimes.onnx_graph import exported_onnx
from hounsfield.inference.runtimes.onnxruntime_predictor import OnnxRuntimePredictor
from hounsfield.inference.runtimes.openvino_predictor import OpenVinoPredictor
from hounsfield.inference.runtimes.predictor import RUNTIMES, Predictor
from hounsfield.inference.runtimes.torch_predictor import TorchPredictor

__all__ = [
    "RUNTIMES",
    "TOLERANCES",
    "Choice",
    "Likeness",
    "OnnxRuntimePredictor",
    "OpenVinoPredictor",
    "PictureNetwork",
    "Predictor",
    "Tolerance",
    "TorchPredictor",
    "Trial",
    "WholeAnswer",
    "choose_for_pictures",
    "choose_for_windows",
    "choose_predictor",
    "exported_onnx",
    "likeness",
    "made_sample",
    "mean_network",
    "patch_network",
]
