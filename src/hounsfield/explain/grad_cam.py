"""Grad-CAM: the channels of a late layer, weighed by how much each raises the score of a class.

Source: Selvaraju 2017, ICCV, equations 1 and 2: alpha_k = mean over pixels of d y / d A_k, and the map
is ReLU(sum over k of alpha_k A_k). On a network that pools globally and ends in a linear layer it equals
the class activation map of Zhou 2016.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.explain._registry import explanation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.inference import TorchModel


@explanation("grad-cam")
def grad_cam(model: TorchModel, picture: NDArray[Any], class_index: int) -> NDArray[np.float32]:
    """The map of class `class_index` for `picture` (y, x): float32 (y, x), largest value 1.

    All zero where nothing speaks for the class. Where the model also reads the mirrored picture, the
    maps of both are averaged, as its outputs are. Raises ModelError for a network without `cam_layer`,
    UsageError for a class that the model has not.
    """
    if not 0 <= class_index < len(model.classes):
        raise UsageError(
            f"model {model.name} has {len(model.classes)} classes; there is none with index {class_index}"
        )
    inputs, prepared = model.preprocess(picture)
    square = _class_map(model, inputs, class_index)
    if model.bundle.card.inference.test_time_flips:
        mirrored = _class_map(model, torch.flip(inputs, dims=(3,)), class_index)
        square = (square + torch.flip(mirrored, dims=(1,))) / 2
    values = np.clip(prepared.restore(square.cpu().numpy()), 0.0, None)
    highest = float(values.max())
    scaled: NDArray[np.float32] = values / np.float32(highest) if highest > 0 else values
    return scaled


def _class_map(model: TorchModel, inputs: torch.Tensor, class_index: int) -> torch.Tensor:
    """The map on the network's square (size, size), not yet scaled."""
    layer = getattr(model.network, "cam_layer", None)
    if not isinstance(layer, torch.nn.Module):
        raise ModelError(
            f"the network {model.bundle.card.network.name!r} names no `cam_layer`, so Grad-CAM has no layer "
            "to weigh: choose another explanation"
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
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    coarse = functional.relu((weights * kept[-1].detach()).sum(dim=1, keepdim=True))
    size_yx = [int(inputs.shape[2]), int(inputs.shape[3])]
    return functional.interpolate(coarse, size=size_yx, mode="bilinear", align_corners=False)[0, 0].detach()
