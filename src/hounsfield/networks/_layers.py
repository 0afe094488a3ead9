"""Layers of two and of three dimensions by one name, and what every network does with grey values first."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from hounsfield.core.errors import UsageError

_BY_DIMS: dict[int, dict[str, Any]] = {
    2: {"conv": nn.Conv2d, "norm": nn.BatchNorm2d, "max_pool": nn.MaxPool2d, "mean_pool": nn.AvgPool2d},
    3: {"conv": nn.Conv3d, "norm": nn.BatchNorm3d, "max_pool": nn.MaxPool3d, "mean_pool": nn.AvgPool3d},
}


def layer(kind: str, dims: int) -> Any:
    """The class of that kind ("conv", "norm", "max_pool", "mean_pool") for pictures (2) or volumes (3)."""
    if dims not in _BY_DIMS:
        raise UsageError(f"networks take pictures (dims: 2) or volumes (dims: 3), not dims: {dims}")
    return _BY_DIMS[dims][kind]


def standardise(x: torch.Tensor) -> torch.Tensor:
    """Each picture with mean 0 and standard deviation 1, so that the scale of grey values is immaterial.

    x: (n, channels, *spatial); one mean and one deviation for all channels of a picture.
    """
    axes = tuple(range(1, x.ndim))
    centred = x - x.mean(dim=axes, keepdim=True)
    deviation = centred.square().mean(dim=axes, keepdim=True).sqrt()
    return centred / (deviation + 1e-5)


def full_precision(x: torch.Tensor) -> torch.Tensor:
    """Numbers of 16 bits as 32 bits, in which means over many pixels are taken; others as they are."""
    return x.float() if x.dtype in {torch.float16, torch.bfloat16} else x


def draw_like_he(network: nn.Module) -> None:
    """Weights of convolutions from a normal distribution whose spread keeps the size of activations.

    Source: He 2015, ICCV, equation 10, for rectifiers.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


def summary_features(levels: torch.Tensor) -> torch.Tensor:
    """What an input guard judges: logarithms of mean and standard deviation of every channel, (n, 2 c).

    levels: (n, c, *spatial), without negative values; their spread grows with their size, hence the logarithm.
    """
    flat = full_precision(levels).flatten(2)
    both = torch.cat([flat.mean(dim=2), flat.std(dim=2, unbiased=False)], dim=1)
    return torch.log(both + 1e-2)
