"""Grad-CAM: the channels of a layer, weighed by how much each raises the score of a class.

Source: Selvaraju 2017, ICCV, equations 1 and 2: alpha_k = mean over pixels of d y / d A_k, and the map
is ReLU(sum over k of alpha_k A_k). On a network that pools globally and ends in a linear layer it equals
the class activation map of Zhou 2016.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.explain._class_activation import class_activation_map
from hounsfield.explain._registry import explanation

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from hounsfield.inference import TorchModel


@explanation("grad-cam")
def grad_cam(model: TorchModel, picture: NDArray[Any], class_index: int) -> NDArray[np.float32]:
    """The map of class `class_index` for `picture` (y, x): float32 (y, x), largest value 1.

    All zero where nothing speaks for the class. Raises ModelError for a network without `cam_layer`,
    UsageError for a class that the model has not.
    """
    return class_activation_map(model, picture, class_index, _weigh)


def _weigh(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return (weights * activation).sum(dim=1, keepdim=True)
