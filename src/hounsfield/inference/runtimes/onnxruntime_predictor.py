"""An ONNX graph run by ONNX Runtime, on the processor or, where its build has it, on CUDA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.inference.runtimes.predictor import runtime_package

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxRuntimePredictor:
    """Implements `Predictor` in fp32. graph: the bytes of an ONNX file. n_threads: of one call; 0 lets it choose.

    Its int8 is not offered: without folded norms it gains nothing in pictures, and in volumes it is slower than fp32.
    """

    name = "onnxruntime"
    precision = "fp32"

    def __init__(self, graph: bytes, *, device: str = "cpu", n_threads: int = 0) -> None:
        onnxruntime = runtime_package("onnxruntime")
        self.device = device.split(":", maxsplit=1)[0]
        provider = _PROVIDERS.get(self.device, "")
        if provider not in onnxruntime.get_available_providers():
            raise UsageError(f"this build of ONNX Runtime has no device {device!r}: install onnxruntime-gpu")
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = n_threads
        settings.log_severity_level = 3  # errors only
        # Its threads would otherwise turn in circles between two calls, and take the cores from whoever works then.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(graph, settings, providers=[provider])
        except Exception as error:  # its errors have no common class of their own
            raise ModelError(f"ONNX Runtime cannot read the graph ({_first_line(error)})") from error
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Outputs for a batch (n, channels, *spatial)."""
        values = np.ascontiguousarray(batch, dtype=np.float32)
        try:
            outputs = self._session.run(None, {self._input: values})
        except Exception as error:
            raise ModelError(
                f"ONNX Runtime cannot run the graph on {values.shape} ({_first_line(error)})"
            ) from error
        return tuple(np.asarray(output, dtype=np.float32) for output in outputs)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
