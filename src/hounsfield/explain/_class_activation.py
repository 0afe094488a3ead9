"""What the class activation methods share: a layer's output, its gradient, and the way to the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from hounsfield.core.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hounsfield.inference import TorchModel


def class_activation_map(
    model: TorchModel,
    picture: NDArray[Any],
    class_index: int,
    weigh: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> NDArray[np.float32]:
    """The map of `weigh(activation, gradient)` on the picture's pixels, largest value 1, negative parts 0.

    weigh: takes both as (1, channels, h, w) and gives (1, 1, h, w), what speaks for the class where.
    Where the model also reads the mirrored picture, the maps of both are averaged, as its outputs are.
    Raises ModelError for a network without `cam_layer`, UsageError for a class that the model has not.
    """
    if not 0 <= class_index < len(model.classes):
        raise UsageError(
            f"model {model.name} has {len(model.classes)} classes; there is none with index {class_index}"
        )
    inputs, prepared = model.preprocess(picture)
    square = _on_square(model, inputs, class_index, weigh)
    if model.bundle.card.inference.test_time_flips:
        mirrored = _on_square(model, torch.flip(inputs, dims=(3,)), class_index, weigh)
        square = (square + torch.flip(mirrored, dims=(1,))) / 2
    values = np.clip(prepared.restore(square.cpu().numpy()), 0.0, None)
    highest = float(values.max())
    scaled: NDArray[np.float32] = values / np.float32(highest) if highest > 0 else values
    return scaled


def _on_square(
    model: TorchModel,
    inputs: torch.Tensor,
    class_index: int,
    weigh: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """The map on the network's square (size, size), not yet scaled."""
    activation, gradient = _activation_and_gradient(model, inputs, class_index)
    coarse = functional.relu(weigh(activation, gradient))
    size_yx = [int(inputs.shape[2]), int(inputs.shape[3])]
    return functional.interpolate(coarse, size=size_yx, mode="bilinear", align_corners=False)[0, 0]


def _activation_and_gradient(
    model: TorchModel, inputs: torch.Tensor, class_index: int
) -> tuple[torch.Tensor, torch.Tensor]:
    layer = getattr(model.network, "cam_layer", None)
    if not isinstance(layer, torch.nn.Module):
        raise ModelError(
            f"the network {model.bundle.card.network.name!r} names no `cam_layer`, so there is no layer to "
            "weigh: choose another explanation"
        )
    kept: list[torch.Tensor] = []

    def keep(_module: torch.nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        kept.append(output)
        # What follows works on a copy: an operation in place would spoil what is kept.
        return output.clone()

    handle = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            logits, _ = model.network(inputs.detach().clone().requires_grad_())
            (gradient,) = torch.autograd.grad(logits[0, class_index], kept[-1])
    finally:
        handle.remove()
    return kept[-1].detach(), gradient.detach()
