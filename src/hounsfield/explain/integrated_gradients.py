"""Integrated gradients: how much each pixel adds to the score on the way from a blurred picture to this one.

Source: Sundararajan 2017, ICML: (x - x0) times the mean derivative on the straight way from the baseline x0 to x; the
parts add up to score(x) - score(x0) (completeness). The way is cut into steps of equal length, each taken at its middle.
A blurred baseline (Sturmfels 2020, Distill, 10.23915/distill.00022) and not an even one, because the networks here
standardise each picture: on the way from an even picture they see the same picture throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from hounsfield.explain._class_activation import INTERPOLATION
from hounsfield.explain._gradients import score_and_gradient
from hounsfield.explain._registry import explanation

N_STEPS = 64
BATCH = 8
COARSE = 8  # means along each axis that the blurred baseline keeps


@dataclass(frozen=True, slots=True, eq=False)
class Integrated:
    """Parts (1, channels, *spatial) of the change of the score, that change, and how far the parts miss it.

    gap: |sum of parts - change| / |change|; 0 is complete.
    """

    parts: torch.Tensor
    change: float
    gap: float


@explanation("integrated-gradients")
def integrated_gradients(network: torch.nn.Module, inputs: torch.Tensor, class_index: int) -> torch.Tensor:
    """The parts of each pixel (*spatial), summed over channels, for inputs (1, channels, *spatial)."""
    return integrate(network, inputs, class_index).parts[0].sum(dim=0)


def integrate(
    network: torch.nn.Module,
    inputs: torch.Tensor,
    class_index: int,
    *,
    baseline: torch.Tensor | None = None,
    n_steps: int = N_STEPS,
) -> Integrated:
    """The parts and their completeness. baseline: of the shape of inputs; None for the input blurred.

    More steps make the gap smaller.
    """
    start = blurred(inputs) if baseline is None else baseline
    total = torch.zeros_like(inputs)
    at = (torch.arange(n_steps, device=inputs.device, dtype=inputs.dtype) + 0.5) / n_steps
    for share in at.split(BATCH):
        points = start + share.view(-1, *[1] * (inputs.ndim - 1)) * (inputs - start)
        total += score_and_gradient(network, points, class_index)[1].sum(dim=0, keepdim=True)
    parts = (inputs - start) * total / n_steps
    with torch.no_grad():
        ends = [network(one)[0][0, class_index].double() for one in (inputs, start)]
    change = float(ends[0] - ends[1])
    missed = abs(float(parts.double().sum()) - change)
    return Integrated(parts, change, missed / max(abs(change), 1e-12))


def blurred(inputs: torch.Tensor) -> torch.Tensor:
    """Inputs (n, channels, *spatial) of which only the coarse distribution of grey is left."""
    shape = [int(side) for side in inputs.shape[2:]]
    pool: dict[int, Any] = {
        1: functional.adaptive_avg_pool1d,
        2: functional.adaptive_avg_pool2d,
        3: functional.adaptive_avg_pool3d,
    }
    coarse = pool[len(shape)](inputs, [min(COARSE, side) for side in shape])
    return functional.interpolate(coarse, size=shape, mode=INTERPOLATION[len(shape)], align_corners=False)
