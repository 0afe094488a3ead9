"""SmoothGrad: the mean derivative over copies of the picture with noise, in which single steep pixels fade.

Source: Smilkov 2017, arXiv 1706.03825: 50 copies, noise of 10 to 20 % of the range of values; the absolute value of the
mean derivative is shown.
"""

from __future__ import annotations

import torch

from hounsfield.explain._gradients import score_and_gradient, seeded
from hounsfield.explain._registry import explanation

N_COPIES = 50
NOISE = 0.15  # of the range of the input's values


@explanation("smooth-grad")
def smooth_grad(
    network: torch.nn.Module,
    inputs: torch.Tensor,
    class_index: int,
    *,
    n_copies: int = N_COPIES,
    noise: float = NOISE,
) -> torch.Tensor:
    """|mean of d score / d pixel| (*spatial) over noisy copies of inputs (1, channels, *spatial).

    The noise is drawn from a fixed seed: the same picture gives the same map.
    """
    generator = seeded(inputs)
    deviation = float(inputs.max() - inputs.min()) * noise
    total = torch.zeros_like(inputs)
    for _ in range(n_copies):
        drawn = torch.randn(inputs.shape, generator=generator, device=inputs.device, dtype=inputs.dtype)
        total += score_and_gradient(network, inputs + drawn * deviation, class_index)[1]
    return (total / n_copies)[0].abs().amax(dim=0)
