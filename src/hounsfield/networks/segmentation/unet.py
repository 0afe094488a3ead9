"""U-Net of any depth, kernel and stride a stage: the network that nnU-Net configures.

Sources: Ronneberger 2015, MICCAI, 234 (the form); Isensee 2021, Nat Methods 18:203 (instance normalisation, leaky
rectifiers, strided convolutions, logits at every level in training).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from hounsfield.networks.segmentation._registry import segmentation_network
from hounsfield.networks.segmentation._stages import ConvBlocks, Decoder, Layers, Shape, checked_sides

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


class _Encoder(nn.Module):
    def __init__(self, layers: Layers, shape: Shape, in_channels: int) -> None:
        super().__init__()
        widths = (in_channels, *shape.features)
        self.stages = nn.Sequential(
            *(
                nn.Sequential(ConvBlocks(layers, (a, b), sides, stride, n))
                for a, b, sides, stride, n in zip(
                    widths[:-1], widths[1:], shape.sides, shape.strides, shape.n_down, strict=True
                )
            )
        )

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        return levels


@segmentation_network("unet")
class UNet(nn.Module):
    """Logits of every voxel.

    stages: `features`, channels of each stage, finest first; `sides` of the kernels of each stage, one an axis, which also
    says whether pictures (two) or volumes (three) are taken; `strides` of each stage, the first usually 1; `n_down` and
    `n_up`, convolutions of each stage down and up. layers: `norm` ("instance", "batch" or "none"), `conv_bias`, `dropout`.
    """

    _encoder_kind: type[nn.Module] = _Encoder

    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        *,
        stages: Mapping[str, Any],
        layers: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.shape = Shape.of(stages)
        pieces = Layers.of(self.shape.dims, layers)
        self.encoder = self._encoder_kind(pieces, self.shape, in_channels)
        self.decoder = Decoder(pieces, self.shape, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, in_channels, *spatial) to logits (n, n_classes, *spatial); raises UsageError for sides that do not fit."""
        return self.every_level(x, finest_only=True)[0]

    def every_level(self, x: torch.Tensor, *, finest_only: bool = False) -> list[torch.Tensor]:
        """Logits of every stage on the way up, finest first, as training with deep supervision wants them."""
        checked_sides(x, self.shape)
        return self.decoder(self.encoder(x), every_level=not finest_only)  # type: ignore[no-any-return]  # nn.Module is untyped
