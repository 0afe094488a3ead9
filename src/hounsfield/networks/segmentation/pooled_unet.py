"""U-Net with pooling on the way down and nothing at the bottom: the brain mask of deepbrain.

Sources: Ronneberger 2015, MICCAI, 234 (the form); https://github.com/iitzco/deepbrain (this one: two convolutions a level down,
one up, the last pooling's output is raised as it is).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from hounsfield.core.errors import UsageError
from hounsfield.networks.segmentation._registry import segmentation_network

if TYPE_CHECKING:
    from collections.abc import Sequence


@segmentation_network("pooled-unet")
class PooledUNet(nn.Module):
    """Logits of every voxel of a volume whose sides 2 ** levels divides. features: channels of each level, finest first."""

    def __init__(
        self, n_classes: int, in_channels: int = 1, *, features: Sequence[int] = (16, 32, 64)
    ) -> None:
        super().__init__()
        if len(features) < 1 or min(features) < 1:
            raise UsageError(f"a pooled U-Net has channels on one level or more, not {tuple(features)}")
        widths = (in_channels, *features)
        self.down = nn.ModuleList(
            nn.ModuleList([nn.Conv3d(a, b, 3, padding=1), nn.Conv3d(b, b, 3, padding=1)])
            for a, b in itertools.pairwise(widths)
        )
        coarser = (features[-1], *reversed(features))
        self.raise_ = nn.ModuleList(
            nn.ConvTranspose3d(a, b, 3, stride=2, bias=False) for a, b in itertools.pairwise(coarser)
        )
        self.up = nn.ModuleList(nn.Conv3d(2 * n, n, 3, padding=1) for n in reversed(features))
        self.head = nn.Conv3d(features[0], n_classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, in_channels, z, y, x) to logits (n, n_classes, z, y, x); raises UsageError for sides that do not divide."""
        if any(side % 2 ** len(self.down) for side in x.shape[2:]):
            raise UsageError(
                f"sides {tuple(x.shape[2:])} are no multiples of {2 ** len(self.down)}, which this network's pooling needs"
            )
        kept = []
        for pair in self.down:
            for convolution in pair.children():
                x = functional.relu(convolution(x))
            kept.append(x)
            x = functional.max_pool3d(x, 2)
        for raised, convolution in zip(self.raise_, self.up, strict=True):
            level = kept.pop()
            z, y, x_side = level.shape[2:]
            # A kernel of 3 leaves one voxel more than twice the side: "same" padding drops the last.
            larger = raised(x)[:, :, :z, :y, :x_side]
            x = functional.relu(convolution(torch.cat([larger, level], dim=1)))
        return self.head(x)  # type: ignore[no-any-return]  # nn.Module is untyped
