"""Longest diameter of a mask within its slices, and the longest line across it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Grid

# Pixels that touch at a corner belong together: a thin oblique lesion is one.
_TOUCHING = np.ones((3, 3), dtype=bool)
# Ends lie this part of a pixel outside the centre of the outermost ones. Over discs and ellipses of 5 to 28
# pixels at random places, centres (0) measure 0.2 to 0.8 pixels too little and sides (0.5) 0.1 to 0.8 too much;
# this lies within 0.35 on average (tests/imaging/test_diameters.py).
_END_PX = 0.25
_EQUAL_MM = 1e-6


@dataclass(frozen=True, slots=True)
class Diameters:
    """Of one slice. long_ends_index: (z, y, x) of the two ends of the longest diameter."""

    slice_index: int
    longest_mm: float
    short_axis_mm: float
    long_ends_index: tuple[tuple[float, float, float], tuple[float, float, float]]


def diameters(mask: NDArray[np.bool_], grid: Grid) -> Diameters | None:
    """The longest diameter on any slice of the first axis, and the longest line across it there; None if empty.

    mask: (z, y, x). Ends lie a quarter of a pixel outside the outermost centres, so that round lesions are
    measured without bias. Parts of a slice that do not touch are measured apart. The short axis is the longest chord of the convex hull at right angles to the diameter,
    in the same slice (RECIST 1.1).
    """
    found: Diameters | None = None
    for k in np.flatnonzero(mask.any(axis=(1, 2))):
        labels, n = ndimage.label(mask[k], structure=_TOUCHING)
        for part in range(1, n + 1):
            one = _of_part(labels == part, grid, int(k))
            if found is None or _is_larger(one, found):
                found = one
    return found


def _is_larger(one: Diameters, other: Diameters) -> bool:
    """By the longest diameter; of equal ones by the short axis, so that the order of storage decides nothing."""
    if abs(one.longest_mm - other.longest_mm) > _EQUAL_MM:
        return one.longest_mm > other.longest_mm
    return one.short_axis_mm > other.short_axis_mm + _EQUAL_MM


def _of_part(part: NDArray[np.bool_], grid: Grid, k: int) -> Diameters:
    ends_yx = _ends(part)
    points_mm = ends_yx @ _plane(grid).T
    hull = ConvexHull(points_mm).vertices
    corners = points_mm[hull]
    apart_mm = np.linalg.norm(corners[:, None] - corners[None], axis=-1)
    longest_mm = float(apart_mm.max())
    pairs = np.argwhere(np.triu(apart_mm >= longest_mm - _EQUAL_MM, 1))
    across_mm = [_longest_across(corners, corners[b] - corners[a]) for a, b in pairs]
    first, second = pairs[int(np.argmax(across_mm))]
    (y1, x1), (y2, x2) = ends_yx[hull[first]].tolist(), ends_yx[hull[second]].tolist()
    ends = ((float(k), y1, x1), (float(k), y2, x2))
    return Diameters(k, longest_mm, max(across_mm), ends)


def _ends(part: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n, 2): possible ends, as fractional (row, column): one towards each side of a pixel that is open."""
    padded = np.pad(part, 1)
    ends = []
    for axis in (0, 1):
        for step in (-1, 1):
            outer = padded & ~np.roll(padded, -step, axis=axis)
            outwards = np.zeros(2)
            outwards[axis] = step * _END_PX
            ends.append(np.argwhere(outer) - 1 + outwards)
    return np.concatenate(ends)


def _plane(grid: Grid) -> NDArray[np.float64]:
    """2x2: steps of row and column as millimetres in the plane of a slice, also where these are no right angle."""
    row, column = (grid.index_to_mm(np.eye(3)[axis]) - grid.index_to_mm(np.zeros(3)) for axis in (1, 2))
    along = column / np.linalg.norm(column)
    upwards = row - (row @ along) * along
    upwards /= np.linalg.norm(upwards)
    return np.array([[row @ along, column @ along], [row @ upwards, column @ upwards]])


def _longest_across(corners: NDArray[np.float64], along: NDArray[np.float64]) -> float:
    """The longest chord of a convex polygon at right angles to `along`: it ends in a corner."""
    unit = along / np.linalg.norm(along)
    place, height = corners @ unit, corners @ np.array([-unit[1], unit[0]])
    longest = 0.0
    for at in place:
        heights = _heights(place, height, float(at))
        longest = max(longest, max(heights) - min(heights))
    return float(longest)


def _heights(place: NDArray[np.float64], height: NDArray[np.float64], at: float) -> list[float]:
    """Where the polygon's sides cross the line at `at`."""
    found = []
    for k in range(len(place)):
        a, b = place[k - 1], place[k]
        if min(a, b) <= at <= max(a, b):
            part = 0.5 if a == b else (at - a) / (b - a)
            found += (
                [height[k - 1], height[k]] if a == b else [height[k - 1] + part * (height[k] - height[k - 1])]
            )
    return [float(one) for one in found]
