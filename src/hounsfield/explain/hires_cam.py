"""HiResCAM: like Grad-CAM, but each pixel of each channel has its own weight.

Source: Draelos and Carin 2020, arXiv 2011.08891: the map is ReLU(sum over k of dy/dA_k * A_k, pixel by
pixel). Grad-CAM's mean over pixels forgets where a channel counted; where the class is read from a part
of the picture, as under an outline, that moves the map elsewhere. On a network that pools globally and
ends in a linear layer both are equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.explain._class_activation import class_activation_map
from hounsfield.explain._registry import explanation

if TYPE_CHECKING:
    import torch


@explanation("hires-cam")
def hires_cam(network: torch.nn.Module, inputs: torch.Tensor, class_index: int) -> torch.Tensor:
    """The map (*spatial) of the class for inputs (1, channels, *spatial), nowhere below zero.

    Raises ModelError for a network without `cam_layer`.
    """
    return class_activation_map(network, inputs, class_index, _weigh)


def _weigh(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    return (gradient * activation).sum(dim=1, keepdim=True)
