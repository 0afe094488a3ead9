"""Where a region lies on a plane: its size on every slice, and its rim on the picture's pixels."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Raster
from PIL import ImageDraw

from hounsfield.reports.canvas import outline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Region
    from hounsfield.reports.planes import Plane

_LINE_PX = 3
_CROSS_PX = 12
_ELLIPSE_STEPS = 72


def voxels_on_slices(region: Region) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """How many voxels of a region lie on each slice along z, y and x; 1 where points reach."""
    if region.mask is None:
        return _reach(region)
    # Two passes over the mask in small integers: a whole-body mask has 80 million voxels.
    on_rows = np.add.reduce(region.mask.view(np.uint8), axis=2, dtype=np.uint16)
    on_columns = np.zeros(region.mask.shape[1:], dtype=np.int64)
    for marked in region.mask[on_rows.any(axis=1)]:
        on_columns += marked
    return (
        on_rows.sum(axis=1, dtype=np.int64),
        on_rows.sum(axis=0, dtype=np.int64),
        on_columns.sum(axis=0, dtype=np.int64),
    )


def _reach(region: Region) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    counts = []
    points = np.zeros((0, 3)) if region.points_index is None else region.points_index
    for axis, size in enumerate(region.grid.shape):
        count = np.zeros(size, dtype=np.int64)
        if len(points):
            low, high = np.floor(points[:, axis].min() + 0.5), np.ceil(points[:, axis].max() - 0.5)
            count[max(0, int(low)) : min(size, int(max(low, high)) + 1)] = 1
        counts.append(count)
    return (counts[0], counts[1], counts[2])


def rim(region: Region, plane: Plane, index: int | None) -> NDArray[np.bool_]:
    """Pixels of the picture that outline `region` on slice `index`; None: its shadow on a projection.

    The rim lies inside the region. Boxes, points, polylines and ellipses are drawn as lines.
    """
    if region.mask is None:
        return _lines(region, plane, index)
    flat = plane.project(_shadow(region.mask, plane.axis)) if index is None else plane.cut(region.mask, index)
    if not flat.any():
        return np.zeros(plane.shape_px, dtype=bool)
    inside = plane.resample(flat) >= 0.5
    # A structure thinner than the picture's pixels would vanish: its nearest pixels stand for it.
    return outline(inside if inside.any() else _nearest(flat, plane))


def _shadow(mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    return np.asarray(mask.any(axis=axis))


def _nearest(flat: NDArray[np.bool_], plane: Plane) -> NDArray[np.bool_]:
    shown = np.zeros(plane.shape_px, dtype=bool)
    positions = np.linalg.solve(plane.matrix, (np.argwhere(flat) - plane.offset).T).round().astype(np.int64)
    rows, columns = (np.clip(positions[k], 0, plane.shape_px[k] - 1) for k in (0, 1))
    shown[rows, columns] = True
    return shown


def _lines(region: Region, plane: Plane, index: int | None) -> NDArray[np.bool_]:
    drawn = Raster.new("1", (plane.shape_px[1], plane.shape_px[0]))
    points = region.points_index
    if points is not None and len(points) and (index is None or voxels_on_slices(region)[plane.axis][index]):
        draw = ImageDraw.Draw(drawn)
        for start, end in _strokes(region.kind, plane.index_to_px(points)):
            draw.line([(start[1], start[0]), (end[1], end[0])], fill=1, width=_LINE_PX)
    return np.asarray(drawn, dtype=bool)


def _strokes(kind: str, points: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Straight lines (start, end) as (row, column) that draw points of `kind`."""
    if kind == "point":
        arms = _CROSS_PX * np.array([[1.0, 0.0], [0.0, 1.0]])
        return [(points[0] - arm, points[0] + arm) for arm in arms]
    if kind == "box":
        (top, left), (bottom, right) = points.min(axis=0), points.max(axis=0)
        points = np.array([[top, left], [top, right], [bottom, right], [bottom, left], [top, left]])
    if kind == "ellipse" and len(points) == 4:
        # PS3.3 C.18.6.1.2: the ends of the major axis, then those of the minor axis.
        angles = np.linspace(0.0, 2.0 * np.pi, _ELLIPSE_STEPS)[:, None]
        major, minor = (points[1] - points[0]) / 2.0, (points[3] - points[2]) / 2.0
        points = points.mean(axis=0) + np.cos(angles) * major + np.sin(angles) * minor
    return list(pairwise(points))
