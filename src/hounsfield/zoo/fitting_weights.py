"""Whether weights of others belong to a network of ours: every weight has its place, and every place its weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from hounsfield.zoo.model_card import Network


def check_weights_fit(network: Network, weights: Mapping[str, NDArray[Any]], name: str) -> None:
    """Raise ModelError unless the segmentation network takes exactly these weights. name: of their file, for the message."""
    wanted = _shapes(network, name)
    for said, keys in (
        ("lacks", sorted(set(wanted) - set(weights))),
        ("holds what the network has no place for:", sorted(set(weights) - set(wanted))),
    ):
        if keys:
            more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            raise ModelError(
                f"{name} {said} {keys[0]!r}{more}, so that it does not belong to the network {network.name!r} that is "
                "described beside it. If the network was changed when it was trained, it cannot be imported."
            )
    for key, array in weights.items():
        if tuple(array.shape) != wanted[key]:
            raise ModelError(
                f"{name}: {key!r} has the shape {tuple(array.shape)}, and the network that is described beside it needs "
                f"{wanted[key]}. The description belongs to another network, or names another number of classes."
            )


def _shapes(network: Network, name: str) -> dict[str, tuple[int, ...]]:
    """Shapes of the network's weights by key; nothing is drawn or held for it."""
    import torch

    from hounsfield.networks.segmentation import build_segmentation_network

    def build() -> Any:
        return build_segmentation_network(network.name, network.arguments, seed=0).state_dict()

    try:
        try:
            with torch.device("meta"):
                built = build()
        except RuntimeError:  # some networks look at numbers while they are built
            built = build()
    except (UsageError, TypeError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(f"{name} describes a network that cannot be built: {error}") from error
    return {key: tuple(value.shape) for key, value in built.items()}
