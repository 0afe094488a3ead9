"""The registry of networks that give logits for every voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

segmentation_networks: Registry[Callable[..., Any]] = Registry(
    "segmentation-network", "hounsfield.networks.segmentation", hyphenated=True
)


def segmentation_network(name: str) -> Callable[[type], type]:
    """Register the decorated `torch.nn.Module` class as the network `name` (the name of its file)."""

    def register(cls: type) -> type:
        segmentation_networks.add(name, cls)
        return cls

    return register


def build_segmentation_network(name: str, options: Mapping[str, Any], *, seed: int) -> Any:
    """The network `name` with freshly drawn weights; the same seed gives the same weights.

    The state of torch's global generator is left as it was. Raises UsageError for an unknown name.
    """
    import torch

    cls = segmentation_networks.get(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return cls(**options)
