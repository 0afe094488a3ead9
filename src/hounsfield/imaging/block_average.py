"""Coarser copies of a volume, and the way back: steps that need no detail run on these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Factors = tuple[int, int, int]


def factors_for(spacing_mm: tuple[float, float, float], *, target_mm: float) -> Factors:
    """Voxels per block along each axis, so that a block measures about `target_mm`."""
    z, y, x = (max(1, round(target_mm / step_mm)) for step_mm in spacing_mm)
    return (z, y, x)


def block_mean(array: NDArray[Any], factors: Factors) -> NDArray[np.float32]:
    """Mean of blocks of `factors` voxels; blocks at the far ends may be smaller. (z, y, x) to (z', y', x')."""
    total: NDArray[Any] = array
    # The last axis first: it shrinks the data while they lie in order.
    for axis in (2, 1, 0):
        starts = np.arange(0, array.shape[axis], factors[axis])
        counts = np.diff(np.append(starts, array.shape[axis])).astype(np.float32)
        total = np.add.reduceat(total, starts, axis=axis, dtype=np.float32)
        total /= counts.reshape([-1 if other == axis else 1 for other in range(3)])
    return total


def repeat_blocks(coarse: NDArray[Any], factors: Factors, shape: tuple[int, ...]) -> NDArray[Any]:
    """Each block's value for all of its voxels: the counterpart of `block_mean`, on `shape`."""
    fine = coarse
    for axis in range(3):
        fine = np.repeat(fine, factors[axis], axis=axis)
        fine = fine[tuple(slice(0, shape[axis]) if other == axis else slice(None) for other in range(3))]
    return fine
