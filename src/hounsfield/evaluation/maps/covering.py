"""Deletion and insertion: what the score does as the pixels that a map ranks highest are taken away, or shown alone.

Source: Petsiuk 2018, BMVC (RISE), section 4.3: pixels are replaced by, or brought back into, a blurred picture, highest
first; the area under the score is small for deletion and large for insertion if the map ranks pixels as the network does.
A random order of blocks stands beside, because the areas themselves depend on the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray

N_STEPS = 12
BLOCKS = 12  # along the longest side, of the random order


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas under the curves of a score in [0, 1], over the share of pixels changed."""

    deletion: float
    insertion: float


def areas_of_curves(
    score: Callable[[torch.Tensor], torch.Tensor],
    inputs: torch.Tensor,
    order: NDArray[Any],
    *,
    n_steps: int = N_STEPS,
) -> Areas:
    """The two areas. score: of inputs (n, channels, y, x) to (n,) in [0, 1]. inputs: (1, channels, y, x).

    order: (y, x), highest first; equal values go in the order of the rows.
    """
    import torch

    from hounsfield.explain.integrated_gradients import blurred

    soft = blurred(inputs)
    rank = np.empty(order.size, dtype=np.int64)
    rank[np.argsort(-order.ravel(), kind="stable")] = np.arange(order.size)
    ranks = torch.from_numpy(rank.reshape(order.shape)).to(inputs.device)
    gone = [ranks < round(order.size * step / n_steps) for step in range(n_steps + 1)]
    deleted = torch.cat([torch.where(own, soft, inputs) for own in gone])
    shown = torch.cat([torch.where(own, inputs, soft) for own in gone])
    with torch.no_grad():
        curves = [score(own).double().cpu().numpy() for own in (deleted, shown)]
    return Areas(*(float((own[:-1] + own[1:]).mean() / 2) for own in curves))


def random_order(shape_yx: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """A random order of square blocks, (y, x): pixels alone would leave the picture readable for long."""
    side = -(-max(shape_yx) // BLOCKS)
    drawn = rng.random((-(-shape_yx[0] // side), -(-shape_yx[1] // side)))
    blocks = np.kron(drawn, np.ones((side, side)))[: shape_yx[0], : shape_yx[1]]
    return np.asarray(blocks, dtype=np.float64)
