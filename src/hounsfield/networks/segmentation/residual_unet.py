"""U-Net whose way down is made of residual blocks: nnU-Net's presets M, L and XL.

Sources: Isensee 2024, MICCAI, 488 (the presets); He 2019, CVPR, 558 (the mean before the projection in the shortcut).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from hounsfield.networks.segmentation._registry import segmentation_network
from hounsfield.networks.segmentation._stages import (
    ConvBlock,
    ConvBlocks,
    Layers,
    Shape,
)
from hounsfield.networks.segmentation.unet import UNet

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch


class _ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut; the shortcut takes the mean for a stride and projects for another width."""

    def __init__(
        self, layers: Layers, channels: tuple[int, int], sides: Sequence[int], stride: Sequence[int]
    ) -> None:
        super().__init__()
        once = (1,) * layers.dims
        self.conv1 = ConvBlock(layers, channels, sides, stride)
        self.conv2 = ConvBlock(layers, (channels[1], channels[1]), sides, once, rectify=False)
        shortcut: list[nn.Module] = []
        if any(step != 1 for step in stride):
            shortcut.append(layers.mean_pool(stride))
        if channels[0] != channels[1]:
            shortcut.append(ConvBlock(layers, channels, once, once, rectify=False, plain=True))
        self.skip = nn.Sequential(*shortcut)
        self.nonlin2 = nn.LeakyReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.nonlin2(self.conv2(self.conv1(x)) + self.skip(x))  # type: ignore[no-any-return]  # nn.Module is untyped


class _Stage(nn.Module):
    def __init__(self, blocks: list[_ResidualBlock]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.blocks(x)  # type: ignore[no-any-return]  # nn.Module is untyped


class _ResidualEncoder(nn.Module):
    def __init__(self, layers: Layers, shape: Shape, in_channels: int) -> None:
        super().__init__()
        once = (1,) * layers.dims
        self.stem = ConvBlocks(layers, (in_channels, shape.features[0]), shape.sides[0], once, 1)
        widths = (shape.features[0], *shape.features)
        self.stages = nn.Sequential(
            *(
                _Stage(
                    [
                        _ResidualBlock(layers, (a, b), sides, stride),
                        *(_ResidualBlock(layers, (b, b), sides, once) for _ in range(n - 1)),
                    ]
                )
                for a, b, sides, stride, n in zip(
                    widths[:-1], widths[1:], shape.sides, shape.strides, shape.n_down, strict=True
                )
            )
        )

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x, levels = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        return levels


@segmentation_network("residual-unet")
class ResidualUNet(UNet):
    """Logits of every voxel. The arguments are those of `unet.UNet`; n_down counts residual blocks."""

    _encoder_kind = _ResidualEncoder
