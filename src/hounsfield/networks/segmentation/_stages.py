"""What the U-Nets are made of: convolution, normalisation and rectifier as one piece, and the way back up.

The names of the parts are those of the networks that nnU-Net trains (`encoder.stages.0.0.convs.0.conv`, ...), so that its
weights fit without being renamed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

import torch
from torch import nn

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Described = TypeVar("Described")
_BY_DIMS: dict[int, dict[str, Any]] = {
    2: {"conv": nn.Conv2d, "up": nn.ConvTranspose2d, "instance": nn.InstanceNorm2d, "batch": nn.BatchNorm2d},
    3: {"conv": nn.Conv3d, "up": nn.ConvTranspose3d, "instance": nn.InstanceNorm3d, "batch": nn.BatchNorm3d},
}
_MEAN_POOL: dict[int, Any] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}
_SLOPE = 0.01  # of the rectifier below zero


@dataclass(frozen=True)
class Layers:
    """How a network's pieces are made. dims: 2 or 3. norm: "instance", "batch" or "none". dropout: share, 0 for none."""

    dims: int
    norm: str = "instance"
    conv_bias: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.dims not in _BY_DIMS or self.norm not in {"instance", "batch", "none"}:
            raise UsageError(
                f"networks have 2 or 3 dimensions and the norm instance, batch or none, not {self.dims} and {self.norm!r}"
            )

    @classmethod
    def of(cls, dims: int, described: Mapping[str, Any] | None) -> Self:
        """From plain data, as a recipe or a card holds it; raises UsageError for an unknown name."""
        return _made(cls, {"dims": dims, **(described or {})})

    def make(self, kind: str, *arguments: Any, **named: Any) -> nn.Module:
        """A layer of that kind ("conv", "up", "instance", "batch") for these dimensions."""
        made: nn.Module = _BY_DIMS[self.dims][kind](*arguments, **named)
        return made

    def mean_pool(self, stride: Sequence[int]) -> nn.Module:
        """The mean over boxes of `stride`."""
        made: nn.Module = _MEAN_POOL[self.dims](tuple(stride), tuple(stride))
        return made


class ConvBlock(nn.Module):
    """Convolution with zeros around the edge, then dropout, normalisation and leaky rectifier, as far as there are any.

    sides: of the kernel, odd, one an axis; stride likewise.
    """

    def __init__(
        self,
        layers: Layers,
        channels: tuple[int, int],
        sides: Sequence[int],
        stride: Sequence[int],
        *,
        rectify: bool = True,
        plain: bool = False,
    ) -> None:
        super().__init__()
        self.conv = layers.make(
            *("conv", *channels, tuple(sides), tuple(stride)),
            padding=tuple((side - 1) // 2 for side in sides),
            bias=layers.conv_bias and not plain,
        )
        self.dropout = nn.Dropout(layers.dropout) if layers.dropout and rectify else nn.Identity()
        self.norm: nn.Module = nn.Identity()
        if layers.norm != "none":
            self.norm = layers.make(layers.norm, channels[1], eps=1e-5, affine=True)
        self.nonlin = nn.LeakyReLU(_SLOPE, inplace=True) if rectify else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, c_in, *spatial) to (n, c_out, *spatial / stride)."""
        return self.nonlin(self.norm(self.dropout(self.conv(x))))  # type: ignore[no-any-return]  # nn.Module is untyped


class ConvBlocks(nn.Module):
    """Blocks in a row; the first has the stride."""

    def __init__(
        self,
        layers: Layers,
        channels: tuple[int, int],
        sides: Sequence[int],
        stride: Sequence[int],
        n_blocks: int,
    ) -> None:
        super().__init__()
        once = (1,) * layers.dims
        self.convs = nn.Sequential(
            ConvBlock(layers, channels, sides, stride),
            *(ConvBlock(layers, (channels[1], channels[1]), sides, once) for _ in range(n_blocks - 1)),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, c_in, *spatial) to (n, c_out, *spatial / stride)."""
        return self.convs(x)  # type: ignore[no-any-return]  # nn.Module is untyped


@dataclass(frozen=True)
class Shape:
    """Width, kernel sides and stride of each stage of a U-Net, and convolutions a stage on the way down and up."""

    features: tuple[int, ...]
    sides: tuple[tuple[int, ...], ...]
    strides: tuple[tuple[int, ...], ...]
    n_down: tuple[int, ...]
    n_up: tuple[int, ...]

    def __post_init__(self) -> None:
        n = len(self.features)
        lengths = (len(self.sides), len(self.strides), len(self.n_down), len(self.n_up) + 1)
        if n < 2 or any(length != n for length in lengths):
            raise UsageError(
                f"a U-Net of {n} stages needs as many kernel sizes, strides and numbers of convolutions, and one fewer "
                f"on the way up; there are {lengths[0]}, {lengths[1]}, {lengths[2]} and {lengths[3] - 1}"
            )
        if any(side % 2 == 0 for stage in self.sides for side in stage):
            raise UsageError("kernels with even sides have no middle; give odd ones")

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Self:
        """From plain data, as a recipe or a card holds it; raises UsageError for an unknown or missing name."""
        deep = {name: _tuples(value) for name, value in described.items()}
        return _made(cls, deep)

    @property
    def dims(self) -> int:
        """2 for pictures, 3 for volumes."""
        return len(self.sides[0])

    @property
    def divisor(self) -> tuple[int, ...]:
        """What every side of a picture must be a multiple of."""
        found = [1] * self.dims
        for stride in self.strides:
            found = [a * b for a, b in zip(found, stride, strict=True)]
        return tuple(found)


def _made(cls: type[Described], fields: Mapping[str, Any]) -> Described:
    try:
        return cls(**fields)
    except TypeError as error:
        raise UsageError(f"a network cannot be built from {', '.join(fields)} ({error})") from error


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value


class Decoder(nn.Module):
    """From the deepest stage up: transposed convolution, the encoder's stage beside it, convolutions, logits."""

    def __init__(self, layers: Layers, shape: Shape, n_classes: int) -> None:
        super().__init__()
        self.transpconvs, self.stages, self.seg_layers = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        once = (1,) * layers.dims
        for n_blocks, below in zip(shape.n_up, range(len(shape.features) - 1, 0, -1), strict=True):
            deep, wide, stride = shape.features[below], shape.features[below - 1], shape.strides[below]
            self.transpconvs.append(layers.make("up", deep, wide, stride, stride, bias=layers.conv_bias))
            self.stages.append(ConvBlocks(layers, (2 * wide, wide), shape.sides[below - 1], once, n_blocks))
            # Every stage has its own, since training looks at all of them; reading uses the last.
            self.seg_layers.append(layers.make("conv", wide, n_classes, 1))

    def forward(self, levels: list[torch.Tensor], *, every_level: bool) -> list[torch.Tensor]:
        """Logits, the finest first; of the finest level alone unless `every_level`. levels: finest first."""
        x, logits = levels[-1], []
        for number, (up, stage, head) in enumerate(
            zip(self.transpconvs, self.stages, self.seg_layers, strict=True)
        ):
            x = stage(torch.cat([up(x), levels[-2 - number]], dim=1))
            if every_level or number == len(self.stages) - 1:
                logits.append(head(x))
        return logits[::-1]


def checked_sides(x: torch.Tensor, shape: Shape) -> None:
    """Raise UsageError unless every side of x (n, c, *spatial) is a multiple of what the strides divide."""
    sides = tuple(x.shape[2:])
    if len(sides) != shape.dims or any(side % by for side, by in zip(sides, shape.divisor, strict=True)):
        raise UsageError(
            f"this network takes sides that are multiples of {shape.divisor}, not a picture of {sides}; pad it"
        )
