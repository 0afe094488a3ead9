"""Slices shifted against each other by a tilted gantry, moved in their planes onto one straight grid.

A tilted gantry takes parallel slices along a line that is not their normal. Each slice keeps its plane; only its
rows and columns are moved, by linear interpolation, so that every value stays where it was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# A shift of the whole stack below this is rounding of positions, and is left.
LEAST_SHIFT_PX = 0.01
_HAIR_PX = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Straightening:
    """How far each slice is moved. shifts_px: (n, 2) rows and columns, 0 or more. shape_yx: of the straight slices.

    first_mm: LPS position of the first pixel of the first straight slice. n_times_larger: pixels of a straight slice
    to those of a slice.
    """

    shifts_px: NDArray[np.float64]
    shape_yx: tuple[int, int]
    first_mm: NDArray[np.float64]
    n_times_larger: float

    def moved(self, number: int, values: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Slice `number` (y, x) on the straight grid, and where the grid lies outside of it (its least value)."""
        placed: NDArray[np.float32] = np.full(self.shape_yx, values.min(), dtype=np.float32)
        outside: NDArray[np.bool_] = np.ones(self.shape_yx, dtype=bool)
        parts = values.astype(np.float32)
        starts = []
        for axis in (0, 1):
            start, fraction = divmod(float(self.shifts_px[number, axis]), 1.0)
            starts.append(int(start))
            if fraction:
                parts = _between(parts, axis, np.float32(fraction))
                starts[axis] += 1
        where = tuple(slice(start, start + n) for start, n in zip(starts, parts.shape, strict=True))
        placed[where] = parts
        outside[where] = False
        return placed, outside


def _between(values: NDArray[np.float32], axis: int, fraction: np.float32) -> NDArray[np.float32]:
    """Values at the places that lie `fraction` before each one, from the second on; one fewer than before."""
    before = values.take(range(values.shape[axis] - 1), axis)
    after = values.take(range(1, values.shape[axis]), axis)
    mixed: NDArray[np.float32] = after * (np.float32(1.0) - fraction) + before * fraction
    return mixed


def straightening(
    positions_mm: NDArray[np.float64],
    cosines: Sequence[float],
    pixel_spacing_mm: tuple[float, float],
    shape_yx: tuple[int, int],
) -> Straightening:
    """How to move slices at `positions_mm` (n, 3) so that they stand straight above the first.

    cosines: of Image Orientation (Patient), row direction first. pixel_spacing_mm: between rows, between columns.
    The straight slices are as large as it takes to hold all of every slice.
    """
    six = np.asarray(cosines, dtype=np.float64)
    row, column = six[:3], six[3:]
    away = positions_mm - positions_mm[0]
    shifts = np.stack([away @ column / pixel_spacing_mm[0], away @ row / pixel_spacing_mm[1]], axis=1)
    shifts[:, np.ptp(shifts, axis=0) < LEAST_SHIFT_PX] = 0.0
    # A hair of rounding must not cost a row.
    shifts = np.where(np.abs(shifts - np.rint(shifts)) < _HAIR_PX, np.rint(shifts), shifts)
    lowest = np.floor(shifts.min(axis=0))
    shifts = shifts - lowest
    larger = np.ceil(shifts.max(axis=0)).astype(int)
    first = positions_mm[0] + lowest[0] * pixel_spacing_mm[0] * column + lowest[1] * pixel_spacing_mm[1] * row
    straight_yx = (shape_yx[0] + int(larger[0]), shape_yx[1] + int(larger[1]))
    return Straightening(
        shifts, straight_yx, first, np.prod(straight_yx, dtype=float) / np.prod(shape_yx, dtype=float)
    )
