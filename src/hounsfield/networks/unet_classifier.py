"""One small network that outlines a lesion and says of which class it is.

A residual U-Net (Ronneberger 2015, MICCAI; residual blocks of He 2016, CVPR) outlines the lesion. The
class is read from the deepest features of the whole picture and from features of four depths averaged
over the lesion as outlined, so that the classifier looks at the lesion and at where it lies.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from hounsfield.networks._layers import standardise
from hounsfield.networks._registry import network


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch normalisation beside a shortcut; (n, in, h, w) to (n, out, h', w')."""

    def __init__(self, n_in: int, n_out: int, *, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(n_out)
        self.second = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(n_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or n_in != n_out:
            pool = nn.AvgPool2d(stride, ceil_mode=True) if stride != 1 else nn.Identity()
            self.shortcut = nn.Sequential(pool, nn.Conv2d(n_in, n_out, 1, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (n, n_out, ceil(h / stride), ceil(w / stride))."""
        y = functional.relu(self.first_norm(self.first(x)), inplace=True)
        y = self.second_norm(self.second(y))
        return functional.relu(y + self.shortcut(x), inplace=True)


class UpBlock(nn.Module):
    """Upsample to the size of the skipped features, join both, and convolve."""

    def __init__(self, n_deep: int, n_skip: int, n_out: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(n_deep, n_out, 1, bias=False)
        self.block = ResidualBlock(n_out + n_skip, n_out)

    def forward(self, deep: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Features of the size of `skip`."""
        up = functional.interpolate(self.reduce(deep), size=skip.shape[-2:], mode="nearest")
        return self.block(torch.cat([up, skip], dim=1))  # type: ignore[no-any-return]  # nn.Module is untyped


@network("unet-classifier")
class UNetClassifier(nn.Module):
    """Class and outline of one lesion in a picture.

    n_classes: outputs. widths: channels from the finest to the coarsest level. dropout: before the
    class output. Input (n, 1, h, w) of any size and grey scale; `forward` gives class logits (n, n_classes) and mask
    logits (n, 1, h, w); `features` gives (n, f), what an input guard judges; `cam_layer` is the module
    whose output Grad-CAM weighs.
    """

    gives_mask = True

    def __init__(
        self,
        n_classes: int,
        *,
        widths: tuple[int, ...] = (24, 48, 96, 144, 192),
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        widths = tuple(widths)
        # Half the size at once: the finest level costs most of the time and outlines hardly gain from it.
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
            ResidualBlock(widths[0], widths[0]),
        )
        self.down = nn.ModuleList(ResidualBlock(n_in, n_out, stride=2) for n_in, n_out in pairwise(widths))
        self.deepest = ResidualBlock(widths[-1], widths[-1])
        self.up = nn.ModuleList(
            UpBlock(n_deep, n_skip, n_skip)
            for n_deep, n_skip in zip(reversed(widths[1:]), reversed(widths[:-1]), strict=True)
        )
        self.mask_head = nn.Conv2d(widths[0], 1, 1)
        n_lesion = sum(widths[1:])
        self.class_head = nn.Sequential(
            nn.LayerNorm(2 * widths[-1] + n_lesion),
            nn.Dropout(dropout),
            nn.Linear(2 * widths[-1] + n_lesion, n_classes),
        )

    @property
    def cam_layer(self) -> nn.Module:
        """The block at a quarter of the size: output (n, widths[2], h / 4, w / 4) for five levels.

        Chosen on the tuning part of the brain tumour data: the class is read from lesion-weighted features
        of every level, and maps of the deepest block (h / 16) pointed at the tumour far less often.
        """
        return self.down[min(1, len(self.down) - 1)]

    def encode(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Features of every level, finest first; the first and each next halves the size, rounding up."""
        levels = [self.stem(standardise(x))]
        for block in self.down:
            levels.append(block(levels[-1]))
        levels[-1] = self.deepest(levels[-1])
        return levels

    def outline(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Mask logits (n, 1, h', w') of the finest level's size, from the levels of `encode`."""
        deep = levels[-1]
        for block, skip in zip(self.up, reversed(levels[:-1]), strict=True):
            deep = block(deep, skip)
        return self.mask_head(deep)  # type: ignore[no-any-return]  # nn.Module is untyped

    def pool(self, levels: list[torch.Tensor], mask_logits: torch.Tensor) -> torch.Tensor:
        """What the class is read from: (n, 2 * deepest + sum of coarser widths)."""
        # Detached: the class must not bend the outline towards what helps to tell classes apart.
        lesion = torch.sigmoid(mask_logits.detach().float())
        parts = [levels[-1].float().mean(dim=(2, 3)), levels[-1].float().amax(dim=(2, 3))]
        for level in levels[1:]:
            weight = functional.adaptive_avg_pool2d(lesion, (int(level.shape[-2]), int(level.shape[-1])))
            total = weight.sum(dim=(2, 3)) + 1e-3
            parts.append((level.float() * weight).sum(dim=(2, 3)) / total)
        return torch.cat(parts, dim=1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Class logits (n, n_classes) and mask logits (n, 1, h, w) of pictures (n, 1, h, w)."""
        levels = self.encode(x)
        coarse = self.outline(levels)
        mask_logits = functional.interpolate(
            coarse.float(), size=x.shape[-2:], mode="bilinear", align_corners=False
        )
        return self.class_head(self.pool(levels, coarse)), mask_logits

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Logarithms of mean and standard deviation of every channel of every level: (n, 2 * sum of widths).

        Channels hold no negative values, and their spread grows with their size: hence the logarithm.
        """
        parts = []
        for level in self.encode(x):
            flat = level.float().flatten(2)
            parts += [flat.mean(dim=2), flat.std(dim=2, unbiased=False)]
        return torch.log(torch.cat(parts, dim=1) + 1e-2)
