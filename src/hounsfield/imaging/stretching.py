"""An array stretched to another number of voxels, corner to corner: the resampling that nnU-Net's networks were fed with.

Source: Isensee 2021, Nat Methods 18:203 (supplement 2, resampling): cubic splines for images, linear for what a network
gives back; where one axis is much coarser, that one by its nearest slice and the others slice by slice. Values beyond the
outermost centres are those at the edge, and a spline never leaves the range of the array.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.grid import Grid
from hounsfield.imaging.resampling import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

# From this ratio of the largest to the smallest spacing on, the coarsest axis is treated apart.
ANISOTROPY = 3.0
# So many copies of the edge make a spline there what it would be with the edge going on for ever, to 1e-6.
_EDGE = 12


def stretched_shape(
    shape: tuple[int, ...], spacing_mm: tuple[float, ...], new_mm: tuple[float, ...]
) -> tuple[int, int, int]:
    """Number of voxels (z, y, x) that an array of `spacing_mm` has at about `new_mm`, rounded half to even."""
    z, y, x = (
        max(round(old_mm / mm * n), 1) for n, old_mm, mm in zip(shape, spacing_mm, new_mm, strict=True)
    )
    return z, y, x


def coarse_axis(spacing_mm: tuple[float, ...], new_mm: tuple[float, ...]) -> int | None:
    """The axis that is treated apart: the one coarsest axis of the old, else of the new spacing; None if there is none."""
    for spacing in (spacing_mm, new_mm):
        if max(spacing) / min(spacing) > ANISOTROPY:
            coarsest = [
                axis for axis, mm in enumerate(spacing) if math.isclose(mm, max(spacing), rel_tol=1e-6)
            ]
            return coarsest[0] if len(coarsest) == 1 else None
    return None


def stretch(
    array: NDArray[Any], shape: tuple[int, int, int], *, order: Literal[0, 1, 3], apart: int | None = None
) -> NDArray[np.float32]:
    """`array` (z, y, x) stretched to `shape`; apart: an axis that takes its nearest slices instead of interpolating."""
    values = np.asarray(array, dtype=np.float32)
    if values.shape == shape:
        return values
    inner = tuple(values.shape[axis] if axis == apart else n for axis, n in enumerate(shape))
    if inner != values.shape:
        # Where slices are taken one by one, each stays within its own range.
        others = None if apart is None else tuple(axis for axis in range(3) if axis != apart)
        lowest = values.min(axis=others, keepdims=True)
        highest = values.max(axis=others, keepdims=True)
        values = _stretched(values, (inner[0], inner[1], inner[2]), order)
        if order > 1:
            np.clip(values, lowest, highest, out=values)
    return values if inner == shape else _stretched(values, shape, 0)


def stepped_shape(
    shape: tuple[int, ...], spacing_mm: tuple[float, ...], new_mm: tuple[float, ...]
) -> tuple[int, int, int]:
    """Number of voxels (z, y, x) from the first voxel's centre to about the last one's in steps of `new_mm`."""
    z, y, x = (
        max(round((n - 1) * old_mm / mm + 1), 1)
        for n, old_mm, mm in zip(shape, spacing_mm, new_mm, strict=True)
    )
    return z, y, x


def stepped(
    array: NDArray[Any], shape: tuple[int, int, int], steps: tuple[float, ...], *, order: Literal[0, 1, 3]
) -> NDArray[np.float32]:
    """`array` (z, y, x) at `shape` places: from its first voxel on in `steps` (of its voxels), its edge going on for ever.

    That is how MONAI's Spacing resamples, there and back.
    """
    beyond = [
        max(0, math.ceil((new - 1) * step - (old - 1)))
        for new, step, old in zip(shape, steps, array.shape, strict=True)
    ]
    edges = [(_EDGE if order > 1 else 0, n + (_EDGE if order > 1 else 0)) for n in beyond]
    padded = np.pad(np.asarray(array, dtype=np.float32), edges, mode="edge")
    source = np.eye(4)
    source[:3, 3] = [-before for before, _ in edges]
    z, y, x = padded.shape
    target = Grid(shape, np.diag([*steps, 1.0]))
    return np.asarray(
        resample(padded, Grid((z, y, x), source), target, order=order, fill_value=0.0), dtype=np.float32
    )


def _stretched(
    values: NDArray[np.float32], shape: tuple[int, int, int], order: Literal[0, 1, 3]
) -> NDArray[np.float32]:
    ratios = [old / new for old, new in zip(values.shape, shape, strict=True)]
    edges = [_EDGE if ratio != 1.0 else 0 for ratio in ratios]
    padded = np.pad(values, [(edge, edge) for edge in edges], mode="edge")
    source, target = np.eye(4), np.diag([*ratios, 1.0])
    source[:3, 3] = [-edge for edge in edges]
    target[:3, 3] = [ratio / 2 - 0.5 for ratio in ratios]
    z, y, x = padded.shape
    return np.asarray(
        resample(padded, Grid((z, y, x), source), Grid(shape, target), order=order, fill_value=0.0),
        dtype=np.float32,
    )
