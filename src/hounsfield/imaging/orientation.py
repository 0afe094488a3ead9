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

from hounsfield.core.grid import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Row of an LPS direction, and its sign, for each letter of an orientation.
_LETTERS = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}
STANDARD = ("S", "P", "L")


@dataclass(frozen=True, slots=True)
class StandardView:
    """How an array's axes become (head, back, left): first reordered, then some reversed."""

    order: tuple[int, int, int]
    reversed_axes: tuple[bool, bool, bool]

    @classmethod
    def of_grid(cls, grid: Grid, towards: tuple[str, str, str] = STANDARD) -> StandardView:
        """The view of arrays on `grid`. Raises GeometryError if it states no orientation.

        towards: the directions in which the axes of the view are to grow, where a network was trained on others.
        """
        directions = grid.directions
        rows, signs = zip(*(_LETTERS[letter] for letter in towards), strict=True)
        order = max(
            permutations(range(3)),
            key=lambda axes: sum(abs(directions[row, axis]) for row, axis in zip(rows, axes, strict=True)),
        )
        flips = [
            bool(directions[row, axis] * sign < 0) for row, axis, sign in zip(rows, order, signs, strict=True)
        ]
        return cls((order[0], order[1], order[2]), (flips[0], flips[1], flips[2]))

    @classmethod
    def as_stored(cls) -> StandardView:
        """The view that changes nothing."""
        return cls((0, 1, 2), (False, False, False))

    def grid(self, grid: Grid) -> Grid:
        """The grid of the array that `apply` gives."""
        z, y, x = (grid.shape[axis] for axis in self.order)
        if grid.affine is None:
            return Grid((z, y, x), None, grid.frame_of_reference_uid)
        steps = np.zeros((4, 4))
        for new, (axis, flip) in enumerate(zip(self.order, self.reversed_axes, strict=True)):
            steps[axis, new] = -1.0 if flip else 1.0
            steps[axis, 3] = grid.shape[axis] - 1.0 if flip else 0.0
        steps[3, 3] = 1.0
        return Grid((z, y, x), grid.affine @ steps, grid.frame_of_reference_uid)

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
