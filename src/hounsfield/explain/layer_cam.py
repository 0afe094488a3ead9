"""LayerCAM: like HiResCAM, but only where raising a channel raises the score.

Source: Jiang 2021, IEEE Trans Image Process 30:5875, equations 6 and 7: the map is
ReLU(sum over k of ReLU(dy/dA_k) * A_k, pixel by pixel). It stays usable on layers of high resolution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.explain._class_activation import class_activation_map
from hounsfield.explain._registry import explanation

if TYPE_CHECKING:
    import torch


@explanation("layer-cam")
def layer_cam(network: torch.nn.Module, inputs: torch.Tensor, class_index: int) -> torch.Tensor:
    """The map (*spatial) of the class for inputs (1, channels, *spatial), nowhere below zero.

    Raises ModelError for a network without `cam_layer`.
    """
    return class_activation_map(network, inputs, class_index, _weigh)


def _weigh(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    return (gradient.clamp(min=0) * activation).sum(dim=1, keepdim=True)
