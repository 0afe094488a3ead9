"""Looking at an array in one standard orientation, without copying it.

Standard here is (head, back, left): index 0 grows from the feet to the head, 1 from the front to the
back, 2 from the patient's right to the left, to the nearest axis. What is worked out on the standard
view of a flipped or sagittal series is therefore the same, to the last voxel, as on the axial one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Grid

_ROWS = (2, 1, 0)  # head, back and left are the rows z, y, x of LPS directions


@dataclass(frozen=True, slots=True)
class StandardView:
    """How an array's axes become (head, back, left): first reordered, then some reversed."""

    order: tuple[int, int, int]
    reversed_axes: tuple[bool, bool, bool]

    @classmethod
    def of_grid(cls, grid: Grid) -> StandardView:
        """The view of arrays on `grid`. Raises GeometryError if it states no orientation."""
        directions = grid.directions
        order = max(
            permutations(range(3)),
            key=lambda axes: sum(abs(directions[row, axis]) for row, axis in zip(_ROWS, axes, strict=True)),
        )
        flips = [bool(directions[row, axis] < 0) for row, axis in zip(_ROWS, order, strict=True)]
        return cls((order[0], order[1], order[2]), (flips[0], flips[1], flips[2]))

    def _steps(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1) if flip else slice(None) for flip in self.reversed_axes)

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array (z, y, x) seen as (head, back, left); shares its memory."""
        return array.transpose(self.order)[self._steps()]

    def undo(self, array: NDArray[Any]) -> NDArray[Any]:
        """The inverse of `apply`; shares memory."""
        inverse = np.argsort(self.order)
        return array[self._steps()].transpose(tuple(int(axis) for axis in inverse))

    def spacing_mm(self, grid: Grid) -> tuple[float, float, float]:
        """Distances between voxel centres along (head, back, left)."""
        spacing = grid.spacing_mm
        return (spacing[self.order[0]], spacing[self.order[1]], spacing[self.order[2]])
