"""Relevance by alpha-beta (2, 1) in convolutions and epsilon in linear layers: what speaks for and against.

Source: rules and composites in explain/lrp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.explain._registry import explanation
from hounsfield.explain.lrp import COMPOSITES, propagate

if TYPE_CHECKING:
    import torch


@explanation("lrp-epsilon-alpha-2-beta-1")
def lrp_epsilon_alpha_2_beta_1(
    network: torch.nn.Module, inputs: torch.Tensor, class_index: int
) -> torch.Tensor:
    """Relevance (*spatial), summed over channels, for inputs (1, channels, *spatial); below zero: against the class.

    Raises ModelError for a network with a module that no rule is known for.
    """
    return propagate(network, inputs, class_index, COMPOSITES["epsilon-alpha-2-beta-1"])[0].sum(dim=0)
