"""What the gradient methods share: how a class's score changes with each pixel."""

from __future__ import annotations

import torch


def score_and_gradient(
    network: torch.nn.Module, inputs: torch.Tensor, class_index: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores (n,) of the class for inputs (n, channels, *spatial), and d score / d input of the same shape."""
    with torch.enable_grad():
        leaf = inputs.detach().clone().requires_grad_()
        scores = network(leaf)[0][:, class_index]
        (gradient,) = torch.autograd.grad(scores.sum(), leaf)
    return scores.detach(), gradient.detach()


def seeded(inputs: torch.Tensor, *, seed: int = 0) -> torch.Generator:
    """A generator on the device of `inputs`, so that the same picture gives the same map."""
    return torch.Generator(device=inputs.device).manual_seed(seed)
