"""The network that a card names, with the bundle's weights: every weight has its place, and every place its weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from hounsfield.core.errors import ModelError, UsageError

if TYPE_CHECKING:
    from hounsfield.zoo import Bundle, ModelCard


def built_network(bundle: Bundle, device: torch.device) -> torch.nn.Module:
    """The bundle's network in evaluation mode on `device`, without gradients.

    Raises ModelError naming the network, or the weight that is missing, left over or of another shape.
    """
    network = _build(bundle.card)
    _load_strictly(network, bundle)
    return network.to(device).eval().requires_grad_(requires_grad=False)


def _build(card: ModelCard) -> torch.nn.Module:
    from hounsfield.networks import build_network
    from hounsfield.networks.segmentation import build_segmentation_network

    build = build_segmentation_network if card.outputs == "voxels" else build_network
    try:
        network: torch.nn.Module = build(card.network.name, card.network.arguments, seed=card.seed)
    except (UsageError, TypeError, ValueError) as error:
        raise ModelError(
            f"the network {card.network.name!r} of bundle {card.name} cannot be built ({error}). Install the "
            f"version of this project that the card names: {card.code_version}."
        ) from error
    return network


def _load_strictly(network: torch.nn.Module, bundle: Bundle) -> None:
    weights = bundle.weights()
    own = network.state_dict()
    remedy = "The weights do not belong to the network that the card names: get the bundle again."
    for problem, keys in (
        ("lack", sorted(set(own) - set(weights))),
        ("hold what the network has not:", sorted(set(weights) - set(own))),
    ):
        if keys:
            raise ModelError(
                f"the weights of bundle {bundle.name} {problem} {keys[0]!r}"
                f"{f' and {len(keys) - 1} more' if len(keys) > 1 else ''}. {remedy}"
            )
    for key, array in weights.items():
        if tuple(array.shape) != tuple(own[key].shape):
            raise ModelError(
                f"weight {key!r} of bundle {bundle.name} has shape {tuple(array.shape)}, the network needs "
                f"{tuple(own[key].shape)}. {remedy}"
            )
    network.load_state_dict({key: torch.from_numpy(array) for key, array in weights.items()}, strict=True)
