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
    z, y, x = (np.arange(0, n, factor) for n, factor in zip(array.shape, factors, strict=True))
    exact = np.int64 if np.issubdtype(array.dtype, np.integer) else np.float64
    means = np.empty((z.size, y.size, x.size), dtype=np.float32)
    # One layer of blocks at a time: its slices are summed while they lie in the processor's cache.
    for layer, start in enumerate(z):
        total = array[start : start + factors[0]].sum(axis=0, dtype=exact)
        means[layer] = np.add.reduceat(np.add.reduceat(total, y, axis=0), x, axis=1)
    for axis, starts in enumerate((z, y, x)):
        counts = np.diff(np.append(starts, array.shape[axis])).astype(np.float32)
        means /= counts.reshape([-1 if other == axis else 1 for other in range(3)])
    return means


def repeat_blocks(coarse: NDArray[Any], factors: Factors, shape: tuple[int, ...]) -> NDArray[Any]:
    """Each block's value for all of its voxels: the counterpart of `block_mean`, on `shape`."""
    fine = coarse
    for axis in range(3):
        fine = np.repeat(fine, factors[axis], axis=axis)
        fine = fine[tuple(slice(0, shape[axis]) if other == axis else slice(None) for other in range(3))]
    return fine
