"""The registry of explanations: functions that make a map for one class of one picture or volume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.core.registry import Registry

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

# (network in evaluation mode, inputs (1, channels, *spatial), class index) to what speaks for the class at each
# pixel or voxel, (*spatial); below zero: what speaks against it, where the method tells that.
OnNetwork = Callable[["torch.nn.Module", "torch.Tensor", int], "torch.Tensor"]

explanations: Registry[Explanation] = Registry(
    "explanation", "hounsfield.explain", besides={"lrp", "reading_maps"}, hyphenated=True
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A method by its name. on_network: the map of an input as it is, for pictures and for volumes.

    needs: what of a network the method asks for beside being a network ("attention"), "" for nothing.
    """

    name: str
    on_network: OnNetwork
    needs: str = ""

    def __call__(self, model: Any, picture: NDArray[Any], class_index: int) -> NDArray[np.float32]:
        """The map of class `class_index` for `picture` (y, x): float32 (y, x) in [0, 1], largest value 1.

        model: an `inference.TorchModel`, not imported here, so that listing names needs no torch.

        What speaks against the class counts as 0; all zero where nothing speaks for it. Where the model also reads the
        mirrored picture, the maps of both are averaged, as its outputs are. Raises UsageError for a class that the
        model has not, ModelError for a network without what the method needs.
        """
        if not 0 <= class_index < len(model.classes):
            raise UsageError(
                f"model {model.name} has {len(model.classes)} classes; there is none with index {class_index}"
            )
        inputs, prepared = model.preprocess(picture)
        square = self.on_network(model.network, inputs, class_index).clamp(min=0)
        if model.bundle.card.inference.test_time_flips:
            mirrored = self.on_network(model.network, inputs.flip(-1), class_index).clamp(min=0)
            square = (square + mirrored.flip(-1)) / 2
        values = np.clip(prepared.restore(square.cpu().numpy()), 0.0, None)
        highest = float(values.max())
        scaled: NDArray[np.float32] = values / np.float32(highest) if highest > 0 else values
        return scaled


def explanation(name: str, *, needs: str = "") -> Callable[[OnNetwork], OnNetwork]:
    """Register the decorated function as the explanation `name` (the name of its file)."""

    def register(function: OnNetwork) -> OnNetwork:
        explanations.add(name, Explanation(name, function, needs))
        return function

    return register
