"""Saliency: how steeply the score of a class changes with each pixel.

Source: Simonyan 2014, ICLR workshop, section 3: the largest absolute derivative over the channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.explain._gradients import score_and_gradient
from hounsfield.explain._registry import explanation

if TYPE_CHECKING:
    import torch


@explanation("saliency")
def saliency(network: torch.nn.Module, inputs: torch.Tensor, class_index: int) -> torch.Tensor:
    """|d score / d pixel| (*spatial) for inputs (1, channels, *spatial); it does not tell for from against."""
    _, gradient = score_and_gradient(network, inputs, class_index)
    return gradient[0].abs().amax(dim=0)
