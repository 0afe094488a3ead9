"""A network run by torch itself: in 32 bits, or with its convolutions in bfloat16."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from hounsfield.core.errors import ModelError, UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray


class TorchPredictor:
    """Implements `Predictor`. network: in evaluation mode; it gives a tensor, or a tuple whose Nones are left out.

    precision "bf16" runs under autocast: sums and norms stay in 32 bits. On CUDA the batch lies channels-last,
    which tensor cores want; on processors that gains nothing.
    """

    name = "torch"

    def __init__(self, network: torch.nn.Module, *, precision: str = "fp32", device: str = "cpu") -> None:
        if precision not in {"fp32", "bf16"}:
            raise UsageError(f"torch runs in fp32 or bf16, not in {precision!r}")
        self.precision = precision
        self.device = torch.device(device).type
        self._device = torch.device(device)
        self._network = network.to(self._device).eval()

    def __call__(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Outputs for a batch (n, channels, *spatial)."""
        inputs = torch.from_numpy(np.ascontiguousarray(batch, dtype=np.float32)).to(self._device)
        if self.device == "cuda" and inputs.ndim in {4, 5}:
            inputs = inputs.contiguous(memory_format=_channels_last(inputs.ndim))
        with torch.inference_mode(), self._precision():
            outputs = given(self._network(inputs))
        return tuple(output.float().cpu().numpy() for output in outputs)

    def _precision(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device, torch.bfloat16) if self.precision == "bf16" else nullcontext()


def given(outputs: Any) -> tuple[torch.Tensor, ...]:
    """A network's outputs as a tuple of tensors, without those that it has not. Raises ModelError for anything else."""
    found = outputs if isinstance(outputs, list | tuple) else (outputs,)
    tensors = tuple(output for output in found if output is not None)
    if not tensors or not all(isinstance(output, torch.Tensor) for output in tensors):
        raise ModelError("the network gave no tensors: only networks with plain outputs can be run here")
    return tensors


def _channels_last(n_axes: int) -> torch.memory_format:
    return torch.channels_last if n_axes == 4 else torch.channels_last_3d
