"""The registry of networks, and how one is built so that the same seed gives the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

networks: Registry[Callable[..., Any]] = Registry("network", "hounsfield.networks", besides={"segmentation"})


def network(name: str) -> Callable[[type], type]:
    """Register the decorated `torch.nn.Module` class as the network `name` (the name of its file)."""

    def register(cls: type) -> type:
        networks.add(name, cls)
        return cls

    return register


def build_network(name: str, options: Mapping[str, Any], *, seed: int) -> Any:
    """The network `name` with freshly drawn weights; the same seed gives the same weights.

    The state of torch's global generator is left as it was. Raises UsageError for an unknown name.
    """
    import torch

    cls = networks.get(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return cls(**options)
