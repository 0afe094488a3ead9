"""Grad-CAM: the channels of a layer, weighed by how much each raises the score of a class.

Source: Selvaraju 2017, ICCV, equations 1 and 2: alpha_k = mean over pixels of d y / d A_k, and the map
is ReLU(sum over k of alpha_k A_k). On a network that pools globally and ends in a linear layer it equals
the class activation map of Zhou 2016.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.explain._class_activation import class_activation_map, over_space
from hounsfield.explain._registry import explanation

if TYPE_CHECKING:
    import torch


@explanation("grad-cam")
def grad_cam(network: torch.nn.Module, inputs: torch.Tensor, class_index: int) -> torch.Tensor:
    """The map (*spatial) of the class for inputs (1, channels, *spatial), nowhere below zero.

    Raises ModelError for a network without `cam_layer`.
    """
    return class_activation_map(network, inputs, class_index, _weigh)


def _weigh(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    weights = gradient.mean(dim=over_space(gradient), keepdim=True)
    return (weights * activation).sum(dim=1, keepdim=True)
