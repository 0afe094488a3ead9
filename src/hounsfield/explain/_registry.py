"""The registry of explanations: functions that make a map for one class of one picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hounsfield.core.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

# (model, picture (y, x), class index) to float32 (y, x) in [0, 1] on the picture's own pixels. The
# model is an `inference.TorchModel`; it is not imported here, so that listing names needs no torch.
Explanation = Callable[[Any, "NDArray[Any]", int], "NDArray[Any]"]

explanations: Registry[Explanation] = Registry("explanation", "hounsfield.explain")


def explanation(name: str) -> Callable[[Explanation], Explanation]:
    """Register the decorated function as the explanation `name` (the name of its file)."""

    def register(function: Explanation) -> Explanation:
        explanations.add(name, function)
        return function

    return register
