"""Grad-CAM++: channels weighed so that several occurrences of what is looked for all show.

Source: Chattopadhay 2018, WACV, equations 10, 19: with y = exp(score), whose second and third derivatives are powers of
the first, alpha = g^2 / (2 g^2 + sum(A) g^3) at each pixel, the weight of a channel sum(alpha ReLU(g)), the map
ReLU(sum over k of weight_k A_k). exp(score) scales all weights alike, so it is left out.
"""

from __future__ import annotations

import torch

from hounsfield.explain._class_activation import class_activation_map, over_space
from hounsfield.explain._registry import explanation


@explanation("grad-cam-plus-plus")
def grad_cam_plus_plus(network: torch.nn.Module, inputs: torch.Tensor, class_index: int) -> torch.Tensor:
    """The map (*spatial) of the class for inputs (1, channels, *spatial), nowhere below zero.

    Raises ModelError for a network without `cam_layer`.
    """
    return class_activation_map(network, inputs, class_index, _weigh)


def _weigh(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    axes = over_space(gradient)
    square = gradient.square()
    below = 2 * square + activation.sum(dim=axes, keepdim=True) * gradient * square
    # Where the gradient is zero nothing is weighed, whatever alpha is.
    alpha = torch.where(below != 0, square / torch.where(below != 0, below, torch.ones_like(below)), 0.0)
    weights = (alpha * gradient.clamp(min=0)).sum(dim=axes, keepdim=True)
    return (weights * activation).sum(dim=1, keepdim=True)
