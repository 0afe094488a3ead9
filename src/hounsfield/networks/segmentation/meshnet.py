"""MeshNet: dilated convolutions in a row at full resolution; few weights, and a view as wide as its dilations add up to.

Sources: Fedorov 2017, IJCNN, 3785 (arXiv 1612.00940); Masoud 2023, J Open Source Softw 8:5098 (the published brain models).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from hounsfield.core.errors import UsageError
from hounsfield.networks.segmentation._registry import segmentation_network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "elu": nn.ELU, "gelu": nn.GELU}


@segmentation_network("meshnet")
class MeshNet(nn.Module):
    """Logits of every voxel of a volume, in the frame of the whole volume: no strides, so any size goes in.

    channels: width of every layer. dilations: of the 3 x 3 x 3 convolutions in turn. norm: "none", "batch", or
    "instance", each channel of each volume by itself, without weights, where the convolutions have no bias either.
    """

    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        *,
        channels: int = 21,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 8, 4, 2, 1),
        activation: str = "relu",
        norm: str = "batch",
    ) -> None:
        super().__init__()
        if activation not in _ACTIVATIONS or norm not in {"none", "instance", "batch"} or not dilations:
            raise UsageError(
                f"MeshNet takes one dilation or more, an activation of {', '.join(_ACTIVATIONS)} and the norm none, "
                f"instance or batch, not {tuple(dilations)}, {activation!r} and {norm!r}"
            )
        layers: list[nn.Module] = []
        for number, dilation in enumerate(dilations):
            before = channels if number else in_channels
            layers.append(
                nn.Conv3d(before, channels, 3, padding=dilation, dilation=dilation, bias=norm != "instance")
            )
            if norm == "instance":
                layers.append(nn.GroupNorm(channels, channels, affine=False))
            elif norm == "batch":
                layers.append(nn.BatchNorm3d(channels))
            layers.append(_ACTIVATIONS[activation]())
        self.layers = nn.Sequential(*layers)
        self.head = nn.Conv3d(channels, n_classes, 1)

    def body(self, x: torch.Tensor) -> torch.Tensor:
        """(n, in_channels, z, y, x) to what `head`, which sees each voxel by itself, makes logits of."""
        for layer in self.layers:  # one at a time, so that no layer's input outlives it
            x = layer(x)
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, in_channels, z, y, x) to logits (n, n_classes, z, y, x)."""
        return self.head(self.body(x))  # type: ignore[no-any-return]  # nn.Module is untyped
