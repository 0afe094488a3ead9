"""Attention rollout: which patches the last tokens of a transformer gathered from, through all blocks.

Source: Abnar and Zuidema 2020, ACL: the attention of each block, averaged over its heads, is mixed half and half with the
identity (what the shortcut carries on), and the blocks are multiplied. It does not depend on the class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from hounsfield.core.errors import ModelError
from hounsfield.explain._registry import explanation

if TYPE_CHECKING:
    from collections.abc import Sequence


@explanation("attention-rollout", needs="attention")
def attention_rollout(network: torch.nn.Module, inputs: torch.Tensor, _class_index: int) -> torch.Tensor:
    """The share (*spatial) of each patch in what the class is read from, for inputs (1, channels, *spatial).

    The same for every class. Raises ModelError for a network that has no `attention`.
    """
    attention = getattr(network, "attention", None)
    if not callable(attention):
        raise ModelError(
            f"the network {type(network).__name__} gives no `attention` (it is no transformer): choose another "
            "explanation"
        )
    with torch.no_grad():
        blocks, grid = attention(inputs)
    # The class is read from the mean over tokens: so is the rollout.
    shares = rollout([block[0] for block in blocks]).mean(dim=0).reshape(1, 1, *grid)
    return functional.interpolate(shares, size=list(inputs.shape[2:]), mode="nearest")[0, 0]


def rollout(blocks: Sequence[torch.Tensor]) -> torch.Tensor:
    """What the last tokens hold of the first, (t, t), rows summing to 1, from attention (heads, t, t), first block first."""
    carried = torch.eye(blocks[0].shape[-1], dtype=blocks[0].dtype, device=blocks[0].device)
    for block in blocks:
        mean = block.mean(dim=0)
        carried = (mean + torch.eye(len(mean), dtype=mean.dtype, device=mean.device)) / 2 @ carried
    return carried
