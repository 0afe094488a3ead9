"""Networks of MONAI by their name there, for bundles that were trained with them; MONAI is imported when one is built.

Only the classes named here are built, with plain arguments. Source: `monai.networks.nets` of MONAI 1.6.
"""

from __future__ import annotations

import inspect
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from torch import nn

from hounsfield.core.errors import MissingModel, UsageError
from hounsfield.networks.segmentation._registry import segmentation_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

MONAI_NETWORKS = (
    *("UNet", "SegResNet", "SegResNetDS", "DynUNet", "SwinUNETR", "UNETR", "BasicUNet", "BasicUNetPlusPlus"),
    *("AttentionUnet", "VNet", "HighResNet", "FlexibleUNet"),
)
# Arguments that were renamed, or that newer versions work out by themselves and no longer take.
_RENAMED = {"dimensions": "spatial_dims"}
_DROPPED = {"SwinUNETR": ("img_size",)}
_NEED_EINOPS = frozenset({"SwinUNETR", "UNETR"})


@segmentation_network("monai")
class MonaiNetwork(nn.Module):
    """`net`, a class of `monai.networks.nets`, with `arguments` beside its numbers of channels. Weights lie under `net.`."""

    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        *,
        net: str,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        cls = _monai_class(net)
        if net in _NEED_EINOPS and find_spec("einops") is None:
            raise MissingModel(f"MONAI's {net} needs einops, which is not installed: pip install einops")
        given = {"in_channels": in_channels, "out_channels": n_classes, **(arguments or {})}
        self.net = cls(**accepted_arguments(net, cls, given))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, in_channels, *spatial) to logits (n, n_classes, *spatial); the finest, where the network gives several."""
        found = self.net(x)
        finest: torch.Tensor = found[0] if isinstance(found, (list, tuple)) else found
        return finest


def _monai_class(name: str) -> type[nn.Module]:
    if name not in MONAI_NETWORKS:
        raise UsageError(
            f"{name!r} is none of the networks of MONAI that are built: {', '.join(MONAI_NETWORKS)}"
        )
    try:
        from monai.networks import nets
    except ModuleNotFoundError as error:
        raise MissingModel(
            f"the network {name} is MONAI's, which is not installed: pip install monai"
        ) from error
    found: type[nn.Module] = getattr(nets, name)
    return found


def accepted_arguments(name: str, cls: type[nn.Module], given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by the names that the installed MONAI has; raises UsageError for one that it has not."""
    known = inspect.signature(cls.__init__).parameters
    found = {}
    for key, value in given.items():
        plain = _RENAMED.get(key, key) if key not in known else key
        if plain not in known and key in _DROPPED.get(name, ()):
            continue
        if plain not in known:
            raise UsageError(
                f"MONAI's {name} takes no argument {key!r}; it takes {', '.join(list(known)[1:])}"
            )
        found[plain] = value
    return found
