"""A torch network as an ONNX graph, which both other runtimes read."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch

from hounsfield.core.errors import ModelError
from hounsfield.inference.runtimes.predictor import runtime_package
from hounsfield.inference.runtimes.torch_predictor import given

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPSET = 17  # the first with layer normalisation; every runtime of the last years reads it
INPUT_NAME = "input"
LARGEST_GRAPH_BYTES = 2**31 - 1  # of one protobuf message, in which weights lie too


class _Plain(torch.nn.Module):
    """The network with outputs that a graph can have: tensors, and no None."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return given(self.network(x))


def exported_onnx(
    network: torch.nn.Module, sample: NDArray[np.float32], *, outputs: tuple[str, ...] = ()
) -> bytes:
    """The network as an ONNX file of operator set 17: any number of pictures a batch, sides as the sample's.

    network: in evaluation mode, on the processor. sample: (n, channels, *spatial). outputs: names of the network's
    outputs that are not None; `output_0` and so on where not given. Raises ModelError naming the layer that has no ONNX
    form, MissingModel without the package onnx.
    """
    runtime_package("onnx")
    plain = _Plain(network).eval()
    inputs = torch.from_numpy(np.ascontiguousarray(sample, dtype=np.float32))
    with torch.inference_mode():
        n_outputs = len(plain(inputs))
    names = outputs or tuple(f"output_{index}" for index in range(n_outputs))
    if len(names) != n_outputs:
        raise ModelError(f"the network gives {n_outputs} outputs and {len(names)} names were given")
    stream = io.BytesIO()
    try:
        # The tracer warns of every size that becomes fixed: that they are is what this function promises.
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                plain,
                (inputs,),
                stream,  # type: ignore[arg-type]  # streams are taken where the exporter is the tracing one
                dynamo=False,
                opset_version=OPSET,
                input_names=[INPUT_NAME],
                output_names=list(names),
                dynamic_axes={name: {0: "n"} for name in (INPUT_NAME, *names)},
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(f"the network has no ONNX form ({first}). Run it with torch.") from error
    return stream.getvalue()
