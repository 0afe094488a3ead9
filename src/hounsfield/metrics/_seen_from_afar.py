"""Which places of an outline can be nearest to anything beyond a plane: a few of them, if the plane is far.

Seen from beyond a plane across an axis, only the front place of each row along that axis can be nearest. Within a
slice that holds the axis, the squared distance from the plane at height q is q^2 - 2 q y + (y^2 + depth^2): among
lines in q, those of the lower convex hull of the points (y, y^2 + depth^2) are lowest somewhere. What is lowest
nowhere on the plane is so nowhere beyond it, because the region where a place is nearest is convex and holds the
place itself, on this side. So the hulls of all slices one way, and then the other, leave every distance as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def seen_from_afar(
    places: NDArray[np.int64], axis: int, plane: int, spacing_mm: tuple[float, ...]
) -> NDArray[np.int64]:
    """The places (m, axes) of which one is nearest to whatever lies on the plane or behind it, as seen from them.

    places: (n, axes) index on a lattice, all on one side of the plane. plane: its index along `axis`.
    """
    across = [other for other in range(places.shape[1]) if other != axis]
    first = places[:, across].min(axis=0)
    rows = places[:, across] - first
    depth = np.abs(places[:, axis] - plane)
    shape = rows.max(axis=0) + 1
    far = np.iinfo(np.int64).max
    front = np.full(shape, far, dtype=np.int64)
    np.minimum.at(front, tuple(rows.T), depth)
    squared_mm2 = np.where(front < far, (front * spacing_mm[axis]) ** 2, np.inf)
    for number, other in enumerate(across):
        lines = np.moveaxis(squared_mm2, number, -1)
        kept = _on_lower_hull(lines.reshape(-1, lines.shape[-1]), spacing_mm[other]).reshape(lines.shape)
        squared_mm2 = np.where(np.moveaxis(kept, -1, number), squared_mm2, np.inf)
    kept_rows = np.argwhere(np.isfinite(squared_mm2))
    sign = 1 if places[0, axis] > plane else -1
    found = np.empty((len(kept_rows), places.shape[1]), dtype=np.int64)
    found[:, across] = kept_rows + first
    found[:, axis] = plane + sign * front[tuple(kept_rows.T)]
    return found


def _on_lower_hull(squared_mm2: NDArray[np.float64], step_mm: float) -> NDArray[np.bool_]:
    """For lines (n_lines, n) of squared depths, inf where there is none: which are lowest from somewhere.

    Andrew's monotone chain, for all lines at once: a stack for each, and in every round the lines that must pop do.
    """
    n_lines, n = squared_mm2.shape
    at_mm = np.arange(n) * step_mm
    height = squared_mm2 + at_mm**2
    stack = np.zeros((n_lines, n), dtype=np.int64)
    size = np.zeros(n_lines, dtype=np.int64)
    for new in range(n):
        pushing = np.flatnonzero(np.isfinite(height[:, new]))
        popping = pushing[size[pushing] >= 2]
        while popping.size:
            top, below = stack[popping, size[popping] - 1], stack[popping, size[popping] - 2]
            rise = (height[popping, top] - height[popping, below]) * (at_mm[new] - at_mm[below])
            over = rise >= (height[popping, new] - height[popping, below]) * (at_mm[top] - at_mm[below])
            popping = popping[over]
            size[popping] -= 1
            popping = popping[size[popping] >= 2]
        stack[pushing, size[pushing]] = new
        size[pushing] += 1
    kept = np.zeros((n_lines, n), dtype=np.bool_)
    held = np.arange(n) < size[:, None]
    kept[np.nonzero(held)[0], stack[held]] = True
    return kept
