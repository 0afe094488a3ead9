"""An ONNX graph or an OpenVINO model run by OpenVINO on the processor."""

from __future__ import annotations

import io
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.inference.runtimes.predictor import runtime_package

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HINTS = {
    "fp32": "f32",
    "bf16": "bf16",
    "int8": "f32",
}  # int8 lies in the model; what is not quantised stays fp32
_MOST_SHAPES = 4  # compiled at once, each with buffers of its own


class OpenVinoPredictor:
    """Implements `Predictor`. graph: the bytes of an ONNX file, or an `openvino.Model`. n_threads: 0 lets it choose.

    precision: "fp32" or "bf16", or "int8" for a model that was quantised. The graph is compiled anew for each new shape
    of batch, since fixed shapes run faster; four shapes are kept. Raises UsageError for bf16 on a processor without it.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, graph: Any, *, precision: str = "fp32", n_threads: int = 0) -> None:
        openvino = runtime_package("openvino")
        self._core = openvino.Core()
        self.precision = precision
        if precision not in _HINTS:
            raise UsageError(f"OpenVINO runs in {', '.join(_HINTS)}, not in {precision!r}")
        if precision == "bf16" and "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise UsageError("this processor does not calculate in bfloat16")
        self._graph = graph
        self._settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": n_threads,
        }
        self._requests: dict[tuple[int, ...], Any] = {}
        self._lock = Lock()
        self._read()

    def __call__(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Outputs for a batch (n, channels, *spatial)."""
        values = np.ascontiguousarray(batch, dtype=np.float32)
        with self._lock:
            request = self._requests.get(values.shape) or self._compiled(values.shape)
            request.infer({0: values}, share_inputs=True)
            return tuple(
                np.array(request.get_output_tensor(index).data, dtype=np.float32)
                for index in range(len(request.model_outputs))
            )

    def _read(self) -> Any:
        if not isinstance(self._graph, bytes):
            return self._graph.clone()
        try:
            return self._core.read_model(io.BytesIO(self._graph))
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot read the graph ({str(error).splitlines()[0]})") from error

    def _compiled(self, shape: tuple[int, ...]) -> Any:
        model = self._read()
        try:
            model.reshape({model.inputs[0]: list(shape)})
            request = self._core.compile_model(model, "CPU", self._settings).create_infer_request()
        except RuntimeError as error:
            raise ModelError(
                f"OpenVINO cannot run the graph on {shape} ({str(error).splitlines()[0]})"
            ) from error
        while len(self._requests) >= _MOST_SHAPES:
            del self._requests[next(iter(self._requests))]
        self._requests[shape] = request
        return request
