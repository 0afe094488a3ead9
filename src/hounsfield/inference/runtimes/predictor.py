"""What all runtimes look like to their callers, and the packages that they need."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from hounsfield.core.errors import MissingModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RUNTIMES = ("torch", "onnxruntime", "openvino")
PRECISIONS = ("fp32", "bf16")


class Predictor(Protocol):
    """A network that is ready to run. Arrays in, arrays out; no gradients, no state from call to call.

    name: of the runtime, one of RUNTIMES. precision: "fp32", "bf16" or "int8", that of its convolutions; in and out it
    is float32. device: "cpu" or "cuda".
    """

    @property
    def name(self) -> str:
        """The runtime."""

    @property
    def precision(self) -> str:
        """The numbers that it calculates with."""

    @property
    def device(self) -> str:
        """Where it runs."""

    def __call__(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """The network's outputs, each with the batch's length first, for a batch (n, channels, *spatial)."""


def runtime_package(name: str) -> Any:
    """A package of the extra `runtime`, imported. Raises MissingModel naming the extra where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise MissingModel(
            f"this runtime needs the package {name!r}, which is not installed: pip install 'hounsfield[runtime]'"
        ) from error


def label(predictor: Predictor) -> str:
    """How a predictor is named in tables and provenance: `openvino bf16`, with the device where it is no processor."""
    where = "" if predictor.device == "cpu" else f" {predictor.device}"
    return f"{predictor.name} {predictor.precision}{where}"
