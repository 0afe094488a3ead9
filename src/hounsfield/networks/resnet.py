"""ResNet: each block adds to what it was given.

Source: He 2016, CVPR, 770-778; in the blocks of ResNet-50 and deeper the 3x3 convolution carries the stride, as in
the weights that are commonly published ("v1.5").
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from hounsfield.core.errors import UsageError
from hounsfield.networks._layers import draw_like_he, full_precision, layer, standardise, summary_features
from hounsfield.networks._registry import network

# He 2016, table 1: blocks of the four stages, and whether a block narrows its channels by 1x1 convolutions.
DEPTHS = {
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
}
EXPANSION = 4  # channels that leave a narrowing block, in its width


class AddingBlock(nn.Module):
    """Convolutions with batch normalisation beside a shortcut; (n, n_in, *spatial) to (n, n_out, *spatial / stride)."""

    def __init__(self, n_in: int, width: int, *, stride: int, narrows: bool, dims: int) -> None:
        super().__init__()
        conv, norm = layer("conv", dims), layer("norm", dims)
        n_out = width * EXPANSION if narrows else width
        steps = [(n_in, width, 1, 1), (width, width, 3, stride), (width, n_out, 1, 1)]
        if not narrows:
            steps = [(n_in, width, 3, stride), (width, width, 3, 1)]
        self.convs = nn.ModuleList(
            conv(first, last, size, stride=step, padding=size // 2, bias=False)
            for first, last, size, step in steps
        )
        self.norms = nn.ModuleList(norm(last) for _, last, _, _ in steps)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or n_in != n_out:
            self.shortcut = nn.Sequential(conv(n_in, n_out, 1, stride=stride, bias=False), norm(n_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features of the block's output."""
        y = x
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            y = norm(conv(y if index == 0 else functional.relu(y)))
        return functional.relu(y + self.shortcut(x))


@network("resnet")
class ResNet(nn.Module):
    """Classes of a picture or volume, by a residual network.

    n_classes: outputs. depth: 18, 34, 50, 101 or 152, or the number of plain blocks of each stage. width: channels of the
    first stage. dims: 2 for pictures, 3 for volumes. published: the network as others publish its weights, whose grey
    values are not standardised. Input (n, in_channels, *spatial) of any size and grey scale;
    `forward` gives class logits (n, n_classes) and None, since it outlines nothing; `features` gives (n, f);
    `cam_layer` is the module whose output Grad-CAM weighs. Raises UsageError for an unknown depth.
    """

    gives_mask = False

    def __init__(
        self,
        n_classes: int,
        *,
        depth: int | tuple[int, ...] = 18,
        width: int = 64,
        in_channels: int = 1,
        dims: int = 2,
        published: bool = False,
    ) -> None:
        super().__init__()
        stages, narrows = DEPTHS.get(depth, ((), False)) if isinstance(depth, int) else (tuple(depth), False)
        if not stages:
            raise UsageError(
                f"resnet has depth {', '.join(map(str, DEPTHS))} or a list of blocks, not {depth!r}"
            )
        self.published = published
        self.stem = nn.Sequential(
            layer("conv", dims)(in_channels, width, 7, stride=2, padding=3, bias=False),
            layer("norm", dims)(width),
            nn.ReLU(),
            layer("max_pool", dims)(3, stride=2, padding=1),
        )
        n_in, parts = width, []
        self.last_of_stage = {sum(stages[: k + 1]) - 1 for k in range(len(stages))}
        for stage, n_blocks in enumerate(stages):
            for index in range(n_blocks):
                stride = 2 if stage > 0 and index == 0 else 1
                parts.append(AddingBlock(n_in, width << stage, stride=stride, narrows=narrows, dims=dims))
                n_in = (width << stage) * (EXPANSION if narrows else 1)
        self.blocks = nn.Sequential(*parts)
        self.classifier = nn.Linear(n_in, n_classes)
        draw_like_he(self)

    @property
    def cam_layer(self) -> nn.Module:
        """The last block: output (n, c, *spatial / 32) for four stages, none negative."""
        return self.blocks[-1]

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """The last features (n, c, *spatial / 32), none negative."""
        return self.blocks(self.stem(x if self.published else standardise(x)))  # type: ignore[no-any-return]  # nn.Module is untyped

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Class logits (n, n_classes) of pictures (n, in_channels, *spatial), and None for the outline."""
        return self.classifier(full_precision(self.encode(x)).flatten(2).mean(dim=2)), None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Logarithms of mean and standard deviation of the channels that leave the stem and each stage: (n, f)."""
        levels = [self.stem(standardise(x))]
        deep = levels[0]
        for number, block in enumerate(self.blocks):
            deep = block(deep)
            if number in self.last_of_stage:
                levels.append(deep)
        return torch.cat([summary_features(level) for level in levels], dim=1)
