"""DenseNet: every layer of a block sees the features of all layers before it.

Source: Huang 2017, CVPR, 4700-4708 (blocks with bottlenecks, half the channels at each transition). DenseNet-121
with one sigmoid a finding is the network of CheXNet (Rajpurkar 2017, arXiv 1711.05225). Pooling "lse" is that of
ChestX-ray8 (Wang 2017, CVPR, 2097-2106): between mean and maximum.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from hounsfield.core.errors import UsageError
from hounsfield.networks._layers import draw_like_he, full_precision, layer, standardise, summary_features
from hounsfield.networks._registry import network

# Huang 2017, table 1: layers of the four blocks.
DEPTHS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
BOTTLENECK = 4  # channels of a layer's 1x1 convolution, in growth rates
LSE_SHARPNESS = 10.0  # r of ChestX-ray8


class DenseLayer(nn.Module):
    """Norm, ReLU, 1x1 convolution, norm, ReLU, 3x3 convolution; gives its input with `growth` channels more."""

    def __init__(self, n_in: int, growth: int, dims: int) -> None:
        super().__init__()
        conv, norm = layer("conv", dims), layer("norm", dims)
        self.norm1 = norm(n_in)
        self.conv1 = conv(n_in, BOTTLENECK * growth, 1, bias=False)
        self.norm2 = norm(BOTTLENECK * growth)
        self.conv2 = conv(BOTTLENECK * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (n, n_in + growth, *spatial) of features (n, n_in, *spatial)."""
        narrow = self.conv1(functional.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(functional.relu(self.norm2(narrow)))], dim=1)


def _transition(n_in: int, n_out: int, dims: int, *, rounds_up: bool) -> nn.Sequential:
    conv, norm, pool = layer("conv", dims), layer("norm", dims), layer("mean_pool", dims)
    # Rounded up, a side of one pixel stays one pixel.
    return nn.Sequential(
        norm(n_in), nn.ReLU(), conv(n_in, n_out, 1, bias=False), pool(2, stride=2, ceil_mode=rounds_up)
    )


@network("densenet")
class DenseNet(nn.Module):
    """Classes of a picture or volume, by a densely connected network.

    n_classes: outputs. depth: 121, 169 or 201, or the number of layers of each block, as (3, 6, 6). growth: channels
    that a layer adds; the first convolution has twice as many. dims: 2 for pictures, 3 for volumes. pooling: "mean",
    or "lse" (near the maximum). published: the network as others publish its weights: grey values are not standardised, and
    halves of odd sides are rounded down. Input (n, in_channels, *spatial) of any size and grey scale; `forward` gives class
    logits (n, n_classes) and None, since it outlines nothing; `features` gives (n, f), what an input guard judges;
    `cam_layer` is the module whose output Grad-CAM weighs. Raises UsageError for an unknown depth or pooling.
    """

    gives_mask = False

    def __init__(
        self,
        n_classes: int,
        *,
        depth: int | tuple[int, ...] = 121,
        growth: int = 32,
        in_channels: int = 1,
        dims: int = 2,
        pooling: str = "mean",
        published: bool = False,
    ) -> None:
        super().__init__()
        blocks = DEPTHS.get(depth, ()) if isinstance(depth, int) else tuple(depth)
        if not blocks or pooling not in {"mean", "lse"}:
            raise UsageError(
                f"densenet has depth {', '.join(map(str, DEPTHS))} or a list of layers, and pooling mean or lse; "
                f"not depth {depth!r} with pooling {pooling!r}"
            )
        self.pooling = pooling
        self.published = published
        width = 2 * growth
        self.stem = nn.Sequential(
            layer("conv", dims)(in_channels, width, 7, stride=2, padding=3, bias=False),
            layer("norm", dims)(width),
            nn.ReLU(),
            layer("max_pool", dims)(3, stride=2, padding=1),
        )
        parts: list[nn.Module] = []
        for n_layers in blocks:
            if parts:
                parts.append(_transition(width, width // 2, dims, rounds_up=not published))
                width //= 2
            parts.append(
                nn.Sequential(*(DenseLayer(width + k * growth, growth, dims) for k in range(n_layers)))
            )
            width += n_layers * growth
        self.blocks = nn.Sequential(*parts)
        self.last = nn.Sequential(layer("norm", dims)(width), nn.ReLU())
        self.classifier = nn.Linear(width, n_classes)
        draw_like_he(self)
        nn.init.zeros_(self.classifier.bias)

    @property
    def cam_layer(self) -> nn.Module:
        """The last features after their ReLU: output (n, c, *spatial / 32) for four blocks."""
        return self.last

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """The last features (n, c, *spatial / 32), none negative."""
        return self.last(self.blocks(self.stem(x if self.published else standardise(x))))  # type: ignore[no-any-return]  # nn.Module is untyped

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Class logits (n, n_classes) of pictures (n, in_channels, *spatial), and None for the outline."""
        flat = full_precision(self.encode(x)).flatten(2)
        pooled = flat.mean(dim=2) if self.pooling == "mean" else log_mean_exp(flat, LSE_SHARPNESS)
        return self.classifier(pooled), None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Logarithms of mean and standard deviation of the channels that leave the stem and each block: (n, f).

        A block's channels are taken after norm and ReLU, where the next layer takes them: none is negative there.
        """
        levels = [self.stem(standardise(x))]
        deep = levels[0]
        for number, part in enumerate(self.blocks):
            if number % 2:  # blocks and transitions take turns
                transition: Any = part
                levels.append(transition[1](transition[0](deep)))
            deep = part(deep)
        levels.append(self.last(deep))
        return torch.cat([summary_features(level) for level in levels], dim=1)


def log_mean_exp(values: torch.Tensor, sharpness: float) -> torch.Tensor:
    """log(mean(exp(r x))) / r over the last axis: the mean as r goes to 0, the maximum as r grows.

    values: (..., n). Stable for any size of values, since the maximum is taken out first. Source: Wang 2017, equation 1.
    """
    scaled = values * sharpness
    return (torch.logsumexp(scaled, dim=-1) - math.log(values.shape[-1])) / sharpness
