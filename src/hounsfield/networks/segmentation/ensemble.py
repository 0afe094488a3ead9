"""Several networks of one kind that were fitted apart (the folds of a cross-validation): the mean of their logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from hounsfield.networks.segmentation._registry import segmentation_network, segmentation_networks

if TYPE_CHECKING:
    from collections.abc import Mapping


@segmentation_network("ensemble")
class SegmentationEnsemble(nn.Module):
    """Mean logits of `n_members` networks `member`, each built with `options`; run one after the other.

    The mean of logits, not of probabilities, is what nnU-Net takes over its folds. Weights of a member lie under
    `members.<number>.`. Source: Isensee 2021, Nat Methods 18:203.
    """

    def __init__(
        self,
        n_classes: int,
        in_channels: int = 1,
        *,
        n_members: int = 2,
        member: str = "unet",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if n_members < 2:
            raise ValueError(f"an ensemble has two members or more, not {n_members}")
        if member == "ensemble":
            raise ValueError("the members of an ensemble cannot be ensembles themselves")
        build = segmentation_networks.get(member)
        self.members = nn.ModuleList(
            build(n_classes=n_classes, in_channels=in_channels, **(options or {})) for _ in range(n_members)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, in_channels, *spatial) to logits (n, n_classes, *spatial)."""
        total = self.members[0](x)
        for member in self.members[1:]:
            total = total + member(x)
        return total / len(self.members)  # type: ignore[no-any-return]  # nn.Module is untyped
