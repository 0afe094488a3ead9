"""Side markers of a film: the letters L and R as drawn by lead, in a 5 x 7 raster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LETTERS = {
    "L": ("#....", "#....", "#....", "#....", "#....", "#....", "#####"),
    "R": ("####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"),
}
HEIGHT_SHARE, FROM_TOP_SHARE, FROM_SIDE_SHARE = 0.045, 0.05, 0.04


def draw_marker(grey: NDArray[np.int64], letter: str, level: int) -> None:
    """Draw `letter` in place at the upper corner of its side: R at the left of the picture, L at the right."""
    n = grey.shape[0]
    dot = max(1, round(HEIGHT_SHARE * n / 7))
    raster = np.array([[one == "#" for one in row] for row in _LETTERS[letter]])
    drawn = np.kron(raster, np.ones((dot, dot), dtype=bool))
    top, aside = round(FROM_TOP_SHARE * n), round(FROM_SIDE_SHARE * n)
    left = aside if letter == "R" else n - aside - drawn.shape[1]
    grey[top : top + drawn.shape[0], left : left + drawn.shape[1]][drawn] = level
