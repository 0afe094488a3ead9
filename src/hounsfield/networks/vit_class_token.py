"""Vision transformer whose class is read from a token of its own, as its weights are commonly published.

Source: Dosovitskiy 2021, ICLR, section 3.1 and figure 1. Blocks and attention are those of vit.py, which reads the mean
over patches instead.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from hounsfield.networks._layers import full_precision, standardise
from hounsfield.networks._registry import network
from hounsfield.networks.vit import GRID, TransformerBlock


class PatchesAsMap(nn.Module):
    """The tokens of the patches as a map (n, width, rows, columns): where maps of classes are read."""

    def forward(self, tokens: torch.Tensor, grid_yx: tuple[int, int]) -> torch.Tensor:
        """The map of tokens (n, rows * columns, width)."""
        placed: torch.Tensor = tokens.transpose(1, 2).unflatten(2, grid_yx)
        return placed


@network("vit-class-token")
class ClassTokenTransformer(nn.Module):
    """Classes of a picture, by a transformer over its patches and one token for the class.

    n_classes: outputs. patch: side of a patch in pixels. width: of a token, a multiple of heads. depth: blocks. grid:
    patches on a side of the square that the positions were learned on. norm_epsilon: of the layer norms. published: the
    network as others publish its weights: grey values are not standardised. Input (n, in_channels, h, w) of any size
    (filled up to whole patches); `forward` gives class logits (n, n_classes) and None, since it outlines nothing;
    `features` gives (n, f); `cam_layer` is the module whose output Grad-CAM weighs: the patches that enter the last block,
    since behind it they no longer reach the class.
    """

    gives_mask = False

    def __init__(
        self,
        n_classes: int,
        *,
        patch: int = 16,
        width: int = 192,
        depth: int = 12,
        heads: int = 3,
        grid: int = GRID,
        norm_epsilon: float = 1e-6,
        in_channels: int = 1,
        published: bool = False,
    ) -> None:
        super().__init__()
        self.patch = patch
        self.published = published
        self.embed = nn.Conv2d(in_channels, width, patch, stride=patch)
        self.class_token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.class_position = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, width, grid, grid) * 0.02)
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(depth))
        self.seen = PatchesAsMap()
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, n_classes)
        for module in self.modules():
            if isinstance(module, nn.LayerNorm):
                module.eps = norm_epsilon

    @property
    def cam_layer(self) -> nn.Module:
        """The patches that enter the last block: output (n, width, h / patch, w / patch)."""
        return self.seen

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """The last tokens after their norm, the class's first: (n, 1 + patches, width)."""
        grey = x if self.published else standardise(x)
        height, width = int(x.shape[-2]), int(x.shape[-1])
        cells = self.embed(functional.pad(grey, (0, -width % self.patch, 0, -height % self.patch)))
        grid_yx = (int(cells.shape[-2]), int(cells.shape[-1]))
        positions: torch.Tensor = self.positions
        if grid_yx != tuple(positions.shape[2:]):
            positions = functional.interpolate(positions, size=grid_yx, mode="bicubic", align_corners=False)
        first = (self.class_token + self.class_position).expand(len(x), -1, -1)
        tokens = torch.cat([first, (cells + positions).flatten(2).transpose(1, 2)], dim=1)
        for block in self.blocks[:-1]:
            tokens = block(tokens)
        patches = self.seen(tokens[:, 1:], grid_yx).flatten(2).transpose(1, 2)
        return self.norm(self.blocks[-1](torch.cat([tokens[:, :1], patches], dim=1)))  # type: ignore[no-any-return]  # nn.Module is untyped

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Class logits (n, n_classes) of pictures (n, in_channels, h, w), and None for the outline."""
        return self.classifier(full_precision(self.encode(x))[:, 0]), None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """The class's token, and the spread of every channel over all tokens: (n, 2 width)."""
        tokens = full_precision(self.encode(x))
        return torch.cat([tokens[:, 0], tokens.std(dim=1, unbiased=False)], dim=1)
