"""Area of the piece of surface in each 2 x 2 x 2 neighbourhood of voxels: marching cubes, worked out and not listed.

A neighbourhood is a cube whose corners are voxel centres, 0 outside the mask and 1 inside it. The surface passes
through the middle of each edge whose ends differ, and through each face along the lines that part its corners; these
lines close to loops, and triangles fill the loops. In a plane it is the same with squares, lines and lengths.

Two things are choices, and both are made so that the areas are those of surface-distance (DeepMind, Apache-2.0),
which was checked for all 256 codes and several spacings:
  * A face whose corners differ crosswise can be parted in two ways. The corners of the kind that the cube has fewer
    of are cut off one by one (of either kind, where it has four of each: then both ways have the same area).
  * A loop of five or six edges is not flat. Of all ways to cut it into triangles the one of largest area in the
    unit cube is taken: it keeps the loop's flat part flat. Where several are largest, they are so at any spacing.

Sources: Lorensen and Cline 1987, Comput Graph 21:163 (marching cubes); Nikolov 2021, J Med Internet Res 23:e26151.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Corner = tuple[int, ...]
# Twice the coordinates, so that the middle of an edge is an integer: corners 0 or 2, middles have one 1.
Middle = tuple[int, ...]
Triangle = tuple[int, int, int]


def element_areas(spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """Size of the surface for each code: (256,) in mm2 for three axes, (16,) lengths in mm for two.

    The code of a neighbourhood has bit 4 i + 2 j + k (or 2 i + j) for its corner (i, j, k). spacing_mm: in the order
    of the array's axes.
    """
    if len(spacing_mm) == 2:
        return np.array([_length(code, spacing_mm) for code in range(16)])
    # A triangle's area vector has, along each axis, its area seen along that axis: scaled by the other two steps.
    scale = math.prod(spacing_mm) / np.asarray(spacing_mm)
    codes, vectors = _area_vectors()
    areas = np.bincount(codes, weights=np.linalg.norm(vectors * scale, axis=1), minlength=256)
    return np.asarray(areas, dtype=np.float64)


def _corners(n_axes: int) -> list[Corner]:
    """In the order of their bits."""
    return list(itertools.product((0, 1), repeat=n_axes))


def _inside(code: int, n_axes: int) -> set[Corner]:
    return {corner for bit, corner in enumerate(_corners(n_axes)) if code >> bit & 1}


def _middle(one: Corner, other: Corner) -> Middle:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _parting_lines(
    round_: list[Corner], inside: set[Corner], *, cut_off: bool
) -> list[tuple[Middle, Middle]]:
    """Lines through one face, as pairs of middles of its edges. round_: its corners, in turn.

    cut_off: the corners of which kind (True: inside) are cut off where the corners differ crosswise.
    """
    before = [_middle(round_[k - 1], round_[k]) for k in range(4)]
    after = [before[(k + 1) % 4] for k in range(4)]
    kinds = [corner in inside for corner in round_]
    crossed = [before[k] for k in range(4) if kinds[k - 1] != kinds[k]]
    if len(crossed) == 4:
        return [(before[k], after[k]) for k in range(4) if kinds[k] == cut_off]
    return [(crossed[0], crossed[1])] if crossed else []


def _length(code: int, spacing_mm: tuple[float, ...]) -> float:
    square: list[Corner] = [(0, 0), (0, 1), (1, 1), (1, 0)]
    return sum(
        math.hypot(*(step * (b - a) / 2 for step, a, b in zip(spacing_mm, *line, strict=True)))
        for line in _parting_lines(square, _inside(code, 2), cut_off=True)
    )


@functools.cache
def _area_vectors() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The triangles of all 256 codes: their codes (n,), and their area vectors (n, 3) in the unit cube."""
    half = [_vectors_of(code) for code in range(128)]
    # Code 255 - c has the corners of c turned inside out, and the same lines.
    vectors = [*half, *reversed(half)]
    return np.repeat(np.arange(256), [len(part) for part in vectors]), np.concatenate(vectors)


def _vectors_of(code: int) -> NDArray[np.float64]:
    inside = _inside(code, 3)
    vectors = [_largest(loop) for loop in _loops(inside, cut_off=len(inside) <= 4)]
    return np.concatenate(vectors) if vectors else np.zeros((0, 3))


def _faces() -> Iterator[list[Corner]]:
    for axis, side in itertools.product(range(3), (0, 1)):
        yield [(*pair[:axis], side, *pair[axis:]) for pair in ((0, 0), (0, 1), (1, 1), (1, 0))]


def _loops(inside: set[Corner], *, cut_off: bool) -> list[list[Middle]]:
    """The lines of all faces, joined end to end."""
    lines = [line for face in _faces() for line in _parting_lines(face, inside, cut_off=cut_off)]
    next_to: dict[Middle, list[Middle]] = {}
    for one, other in lines:
        next_to.setdefault(one, []).append(other)
        next_to.setdefault(other, []).append(one)
    loops = []
    while next_to:
        loop = [next(iter(next_to))]
        while ahead := [there for there in next_to.pop(loop[-1]) if there in next_to]:
            loop.append(ahead[0])
        loops.append(loop)
    return loops


def _largest(loop: list[Middle]) -> NDArray[np.float64]:
    """Area vectors (n, 3) of the cut into triangles whose area is largest in the unit cube."""
    points = np.array(loop) / 2
    cuts = [
        np.array([np.cross(points[b] - points[a], points[c] - points[a]) / 2 for a, b, c in cut])
        for cut in _cuts(0, len(loop) - 1)
    ]
    return max(cuts, key=lambda vectors: float(np.linalg.norm(vectors, axis=1).sum()))


def _cuts(first: int, last: int) -> list[list[Triangle]]:
    """All ways to cut the polygon of the points first to last into triangles."""
    if last - first < 2:
        return [[]]
    return [
        [*left, *right, (first, middle, last)]
        for middle in range(first + 1, last)
        for left in _cuts(first, middle)
        for right in _cuts(middle, last)
    ]
