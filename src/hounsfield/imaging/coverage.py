"""How much of a region a grid covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hounsfield.core import Grid, Region


def share_outside(region: Region, grid: Grid) -> float:
    """Share of the marked voxels of `region`, on its own grid, whose centres lie outside all voxels of `grid`.

    0 if nothing is marked. Raises GeometryError if one of the two grids states no millimetres.
    """
    if region.mask is None or not region.mask.any():
        return 0.0
    index = grid.mm_to_index(region.grid.index_to_mm(np.argwhere(region.mask)))
    outside = (index < -0.5) | (index > np.array(grid.shape) - 0.5)
    return float(outside.any(axis=1).mean())


def reaches_edge(region: Region) -> bool:
    """Whether a voxel of the first or last index along any axis of the region's grid is marked."""
    if region.mask is None:
        return False
    faces = [region.mask.take(end, axis=axis) for axis in range(3) for end in (0, -1)]
    return any(bool(face.any()) for face in faces)
