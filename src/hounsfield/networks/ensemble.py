"""Several networks of one kind that were fitted apart: their mean answers, and how far they disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from hounsfield.networks._registry import network, networks

if TYPE_CHECKING:
    from collections.abc import Mapping

_SMALL = 1e-6


@network("ensemble")
class Ensemble(nn.Module):
    """Mean probabilities of `n_members` networks `member`, each built with `options`.

    Input and outputs as the member's: class logits are the logarithms of the mean probabilities of classes that
    exclude each other, so that their softmax gives that mean; mask logits give the mean foreground probability.
    `features` are the members' side by side. `members` holds the networks, whose answers tell the disagreement;
    `cam_layer` is the first member's, so that a map explains the answer by what the first one saw. Weights of a
    member lie under `members.<number>.`. Source: Lakshminarayanan 2017, NeurIPS 30.
    """

    gives_mask = True

    def __init__(
        self,
        n_classes: int,
        *,
        n_members: int = 2,
        member: str = "unet-classifier",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if n_members < 2:
            raise ValueError(f"an ensemble has two members or more, not {n_members}")
        if member == "ensemble":
            raise ValueError("the members of an ensemble cannot be ensembles themselves")
        build = networks.get(member)
        self.members = nn.ModuleList(build(n_classes=n_classes, **(options or {})) for _ in range(n_members))

    @property
    def cam_layer(self) -> nn.Module:
        """That of the first member."""
        return self.members[0].cam_layer  # type: ignore[return-value]  # nn.Module is untyped

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Class logits (n, n_classes) and mask logits (n, 1, h, w) of pictures (n, 1, h, w)."""
        logits, masks = zip(*(member(x) for member in self.members), strict=True)
        shares = torch.stack([functional.softmax(one.float(), dim=1) for one in logits]).mean(dim=0)
        inside = torch.stack([torch.sigmoid(one.float()) for one in masks]).mean(dim=0)
        return torch.log(shares.clamp_min(_SMALL)), torch.logit(inside, eps=_SMALL)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """(n, members * f): the members' features side by side."""
        return torch.cat([member.features(x) for member in self.members], dim=1)  # type: ignore[operator]
