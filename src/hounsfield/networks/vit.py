"""Vision transformer: the picture as a row of patches that attend to each other.

Source: Dosovitskiy 2021, ICLR (pre-norm blocks, learned positions). The class is read from the mean over patches,
which needs no class token (Zhai 2022, CVPR, section 3.3), so that the last tokens form a map.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from hounsfield.networks._layers import full_precision, standardise
from hounsfield.networks._registry import network

GRID = 14  # the learned positions lie on a square of so many patches, and are stretched to others


class SelfAttention(nn.Module):
    """Each token gathers from all, by several heads."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.softmax = nn.Softmax(dim=-1)
        self.out = nn.Linear(width, width)

    def weights_and_values(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Attention (n, heads, t, t), each row summing to 1, and the values (n, heads, t, width / heads)."""
        n, t, width = tokens.shape
        both = self.queries_keys_values(tokens).view(n, t, 3, self.n_heads, width // self.n_heads)
        queries, keys, values = both.permute(2, 0, 3, 1, 4).unbind(0)
        scores = queries @ keys.transpose(-2, -1) / (width // self.n_heads) ** 0.5
        return self.softmax(scores), values

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens (n, t, width) of tokens (n, t, width)."""
        weights, values = self.weights_and_values(tokens)
        return self.out((weights @ values).transpose(1, 2).reshape(tokens.shape))  # type: ignore[no-any-return]  # nn.Module is untyped


class TransformerBlock(nn.Module):
    """Attention, then two linear layers for each token; both added to what came in, after a layer norm."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(width)
        self.attention = SelfAttention(width, n_heads)
        self.before_layers = nn.LayerNorm(width)
        self.layers = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens (n, t, width) of tokens (n, t, width)."""
        tokens = tokens + self.attention(self.before_attention(tokens))
        return tokens + self.layers(self.before_layers(tokens))  # type: ignore[no-any-return]  # nn.Module is untyped


class TokensToMap(nn.Module):
    """The last tokens after their norm, as a map (n, width, rows, columns)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor, grid_yx: tuple[int, int]) -> torch.Tensor:
        """The map of tokens (n, rows * columns, width)."""
        return self.norm(tokens).transpose(1, 2).unflatten(2, grid_yx)  # type: ignore[no-any-return]  # nn.Module is untyped


@network("vit")
class VisionTransformer(nn.Module):
    """Classes of a picture, by a transformer over its patches.

    n_classes: outputs. patch: side of a patch in pixels. width: of a token, a multiple of heads. depth: blocks.
    Input (n, in_channels, h, w) of any size (filled up to whole patches) and grey scale; `forward` gives class logits
    (n, n_classes) and None, since it outlines nothing; `attention` gives what attention rollout multiplies;
    `features` gives (n, f); `cam_layer` is the module whose output Grad-CAM weighs.
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
        in_channels: int = 1,
    ) -> None:
        super().__init__()
        self.patch = patch
        self.embed = nn.Conv2d(in_channels, width, patch, stride=patch)
        self.positions = nn.Parameter(torch.randn(1, width, GRID, GRID) * 0.02)
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(depth))
        self.last = TokensToMap(width)
        self.classifier = nn.Linear(width, n_classes)

    @property
    def cam_layer(self) -> nn.Module:
        """The last tokens after their norm: output (n, width, h / patch, w / patch)."""
        return self.last

    def _tokens(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        height, width = int(x.shape[-2]), int(x.shape[-1])
        filled = functional.pad(standardise(x), (0, -width % self.patch, 0, -height % self.patch))
        cells = self.embed(filled)
        grid_yx = (int(cells.shape[-2]), int(cells.shape[-1]))
        positions = functional.interpolate(self.positions, size=grid_yx, mode="bilinear", align_corners=False)
        return (cells + positions).flatten(2).transpose(1, 2), grid_yx

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """The last tokens as a map (n, width, h / patch, w / patch)."""
        tokens, grid_yx = self._tokens(x)
        for block in self.blocks:
            tokens = block(tokens)
        return self.last(tokens, grid_yx)  # type: ignore[no-any-return]  # nn.Module is untyped

    def attention(self, x: torch.Tensor) -> tuple[list[torch.Tensor], tuple[int, int]]:
        """Attention of each block (n, heads, t, t), first block first, and the rows and columns that t tokens form."""
        tokens, grid_yx = self._tokens(x)
        seen = []
        for block in self.blocks:
            seen.append(block.attention.weights_and_values(block.before_attention(tokens))[0])  # type: ignore[union-attr, operator]  # blocks hold TransformerBlock
            tokens = block(tokens)
        return seen, grid_yx

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Class logits (n, n_classes) of pictures (n, in_channels, h, w), and None for the outline."""
        return self.classifier(full_precision(self.encode(x)).flatten(2).mean(dim=2)), None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Mean and standard deviation of every channel of the last tokens: (n, 2 width)."""
        flat = full_precision(self.encode(x)).flatten(2)
        return torch.cat([flat.mean(dim=2), flat.std(dim=2, unbiased=False)], dim=1)
