"""Planar contours as voxels: a voxel is inside if its centre lies inside an odd number of contours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import GeometryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hounsfield.core import Grid

# A contour whose points span more of the slice axis than this does not lie in a slice.
FLAT_VOXELS = 0.5
# Contours closer along the slice axis than this belong to one plane.
_SAME_PLANE_VOXELS = 0.01


def fill_contours(contours_mm: Sequence[NDArray[np.float64]], grid: Grid, name: str) -> NDArray[np.bool_]:
    """The mask (z, y, x) of closed planar contours on `grid`; parts outside the grid are cut.

    contours_mm: each (n, 3) LPS points. Each slice takes the contours of the nearest plane of contours, if
    that lies within half a slice, or half the distance of contour planes where these are further apart.
    Contours of one plane combine by even-odd, so a hole is a contour inside another. Raises GeometryError
    naming `name` for contours that are not parallel to the slices.
    """
    mask = np.zeros(grid.shape, dtype=bool)
    flat = [grid.mm_to_index(points) for points in contours_mm if len(points) >= 3]
    if not flat:
        return mask
    for points in flat:
        if np.ptp(points[:, 0]) > FLAT_VOXELS:
            raise GeometryError(
                f"a contour of {name!r} spans {np.ptp(points[:, 0]):.1f} slices of the image instead of lying in "
                "one. Draw the regions on the image that the contours were made on."
            )
    heights = np.array([points[:, 0].mean() for points in flat])
    order = np.argsort(heights, kind="stable")
    planes = np.split(order, np.flatnonzero(np.diff(heights[order]) > _SAME_PLANE_VOXELS) + 1)
    plane_at = np.array([heights[plane].mean() for plane in planes])
    reach = max(0.5, float(np.median(np.diff(plane_at))) / 2.0 if len(planes) > 1 else 0.5) + 1e-3
    for k in range(grid.shape[0]):
        nearest = int(np.abs(plane_at - k).argmin())
        if abs(plane_at[nearest] - k) <= reach:
            mask[k] = _even_odd([flat[i][:, 1:] for i in planes[nearest]], grid.shape[1], grid.shape[2])
    return mask


def _even_odd(contours_yx: Sequence[NDArray[np.float64]], rows: int, columns: int) -> NDArray[np.bool_]:
    """Pixels whose centre has an odd number of crossings of all outlines to its left."""
    crossings = np.zeros((rows, columns + 1), dtype=np.int32)
    for points in contours_yx:
        row, column = _crossings(points, rows)
        first_inside = np.clip(np.ceil(column), 0, columns).astype(np.int64)
        np.add.at(crossings, (row, first_inside), 1)
    inside: NDArray[np.bool_] = (np.cumsum(crossings[:, :columns], axis=1) & 1).astype(bool)
    return inside


def _crossings(points_yx: NDArray[np.float64], rows: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Row and column of every place where the outline crosses the middle of a row of pixels."""
    y0, x0 = points_yx.T
    y1, x1 = np.roll(points_yx, -1, axis=0).T
    low, high = np.minimum(y0, y1), np.maximum(y0, y1)
    # Half open, so that a point exactly on a row counts for one of its two edges.
    first = np.clip(np.ceil(low), 0, rows).astype(np.int64)
    last = np.clip(np.ceil(high), 0, rows).astype(np.int64)
    n_rows = last - first
    edge = np.repeat(np.arange(len(y0)), n_rows)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows) + first[edge]
    column = x0[edge] + (row - y0[edge]) * (x1 - x0)[edge] / (y1 - y0)[edge]
    return row, column
