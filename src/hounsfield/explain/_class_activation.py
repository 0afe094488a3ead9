"""What the class activation methods share: a layer's output, its gradient, and the way to the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from hounsfield.core.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

INTERPOLATION = {1: "linear", 2: "bilinear", 3: "trilinear"}


def class_activation_map(
    network: torch.nn.Module,
    inputs: torch.Tensor,
    class_index: int,
    weigh: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """The map of `weigh(activation, gradient)` on the pixels of `inputs` (1, c, *spatial), negative parts 0.

    weigh: takes both as (1, channels, *coarse) and gives (1, 1, *coarse), what speaks for the class where.
    Raises ModelError for a network without `cam_layer`.
    """
    activation, gradient = _activation_and_gradient(network, inputs, class_index)
    coarse = functional.relu(weigh(activation, gradient))
    mode = INTERPOLATION[inputs.ndim - 2]
    return functional.interpolate(coarse, size=list(inputs.shape[2:]), mode=mode, align_corners=False)[0, 0]


def over_space(values: torch.Tensor) -> tuple[int, ...]:
    """The spatial axes of (n, channels, *spatial)."""
    return tuple(range(2, values.ndim))


def _activation_and_gradient(
    network: torch.nn.Module, inputs: torch.Tensor, class_index: int
) -> tuple[torch.Tensor, torch.Tensor]:
    layer = getattr(network, "cam_layer", None)
    if not isinstance(layer, torch.nn.Module):
        raise ModelError(
            f"the network {type(network).__name__} names no `cam_layer`, so there is no layer to weigh: choose "
            "another explanation"
        )
    kept: list[torch.Tensor] = []

    def keep(_module: torch.nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        kept.append(output)
        # What follows works on a copy: an operation in place would spoil what is kept.
        return output.clone()

    handle = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            logits = network(inputs.detach().clone().requires_grad_())[0]
            (gradient,) = torch.autograd.grad(logits[0, class_index], kept[-1])
    finally:
        handle.remove()
    return kept[-1].detach(), gradient.detach()
