"""Planes through a grid as a radiologist looks at them: patient's right on the left, head or front up.

A plane runs along two axes of the array, so that it shows what was acquired; spacing, flips, shear and
any assignment of array axes to patient axes are undone by one affine map from picture pixels to indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Grid, PlaneSpacing

# Patient axis (x, y, z in LPS) that is cut -> name, axis shown to the right, axis shown downwards and its
# sign. Right is always the patient's left (axial, coronal) or back (sagittal).
_HANGING = {
    2: ("axial", 0, 1, 1.0),
    1: ("coronal", 0, 2, -1.0),
    0: ("sagittal", 1, 2, -1.0),
}
_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
_OBLIQUE_COSINE = float(np.cos(np.radians(20.0)))
_LETTER_FROM = 0.3  # a direction of less than 17 degrees towards an axis does not earn its letter
_THINNEST = 0.1  # a picture flatter than this is a strip that shows nothing
SIZE_PX = 720


@dataclass(frozen=True, slots=True)
class Letters:
    """Where the four sides of a picture point in the patient: R, L, A, P, H, F, or two of them."""

    left: str
    right: str
    top: str
    bottom: str


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One way to look at a grid.

    name: "axial", "oblique coronal", "image". axis: array axis that is cut. down, right: array axes
    that run down and to the right. matrix (2, 2), offset (2,): picture pixel (row, column) to
    fractional index along (down, right). shape_px: rows and columns of the picture. mm_per_px: None
    without millimetres. letters: None where the orientation is not known.
    """

    name: str
    axis: int
    down: int
    right: int
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    shape_px: tuple[int, int]
    mm_per_px: float | None
    letters: Letters | None

    def cut(self, array: NDArray[Any], index: int) -> NDArray[Any]:
        """The slice (down, right) of an array (z, y, x) at `index` of the plane's axis; no copy."""
        slice_2d = array[(slice(None),) * self.axis + (index,)]
        return slice_2d if self.down < self.right else slice_2d.swapaxes(0, 1)

    def project(self, reduced: NDArray[Any]) -> NDArray[Any]:
        """An array already reduced along the plane's axis, turned to (down, right)."""
        return reduced if self.down < self.right else reduced.swapaxes(0, 1)

    def resample(self, slice_2d: NDArray[Any], *, outside: float = 0.0) -> NDArray[np.float32]:
        """`slice_2d` (down, right) on the picture's pixels, linear; `outside` beyond its edges."""
        values = slice_2d.astype(np.float32)
        # Rows or columns that fall between the picture's pixels must count too: average before thinning.
        steps = np.abs(self.matrix).max(axis=1)
        if steps.max() >= 1.5:
            values = ndimage.uniform_filter(values, size=[max(1, round(step)) for step in steps])
        picture = ndimage.affine_transform(
            values, self.matrix, self.offset, self.shape_px, np.float32, order=1, mode="nearest"
        )
        if not self._is_straight:
            picture[~self._inside(slice_2d.shape)] = outside
        return np.asarray(picture, dtype=np.float32)

    @property
    def _is_straight(self) -> bool:
        return bool(abs(self.matrix[0, 1]) + abs(self.matrix[1, 0]) < 1e-9)

    def _inside(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        rows, columns = np.indices(self.shape_px)
        inside = np.ones(self.shape_px, dtype=bool)
        for axis in (0, 1):
            index = self.matrix[axis, 0] * rows + self.matrix[axis, 1] * columns + self.offset[axis]
            inside &= (index >= -0.5) & (index <= shape[axis] - 0.5)
        return inside

    def index_to_px(self, points_index: NDArray[np.float64]) -> NDArray[np.float64]:
        """Picture positions (n, 2) as (row, column) of array indices (n, 3) in order (z, y, x)."""
        in_plane = points_index[:, [self.down, self.right]] - self.offset
        return np.asarray(np.linalg.solve(self.matrix, in_plane.T).T, dtype=np.float64)


def planes_of(grid: Grid, *, size_px: int = SIZE_PX) -> tuple[Plane, ...]:
    """The axial, coronal and sagittal plane of a grid with millimetres, the acquired one first.

    Planes that would be a thin strip (a single slice, a few thick ones) are left out. `size_px` is the
    longer side of the pictures.
    """
    affine = grid.affine
    if affine is None:
        return ()
    array_axis = _array_axes(grid)
    # The acquired plane first; then axial, coronal, sagittal.
    order = sorted(_HANGING, key=lambda patient: (array_axis[patient] != 0, -patient))
    planes = [_plane(grid, affine[:3, :3], array_axis, patient, size_px) for patient in order]
    return tuple(plane for plane in planes if min(plane.shape_px) >= _THINNEST * max(plane.shape_px))


def _array_axes(grid: Grid) -> tuple[int, int, int]:
    """The array axis that runs along each patient axis (x, y, z): the assignment with least tilt."""
    towards = np.abs(grid.directions)
    orders: list[tuple[int, int, int]] = [(a, b, c) for a, b, c in permutations((0, 1, 2))]
    return max(orders, key=lambda axes: sum(towards[k, axes[k]] for k in range(3)))


def _plane(
    grid: Grid, steps_mm: NDArray[np.float64], array_axis: tuple[int, int, int], patient: int, size_px: int
) -> Plane:
    name, right_patient, down_patient, down_sign = _HANGING[patient]
    right, down = array_axis[right_patient], array_axis[down_patient]
    shape = (grid.shape[down], grid.shape[right])
    towards_right = _unit(np.copysign(1.0, steps_mm[right_patient, right]) * steps_mm[:, right])
    towards_down = down_sign * np.copysign(1.0, steps_mm[down_patient, down]) * steps_mm[:, down]
    # A sheared grid (gantry tilt) has axes that are not square to each other; the picture's are.
    towards_down = _unit(towards_down - (towards_down @ towards_right) * towards_right)
    mm_of_index = np.array(
        [
            [towards_down @ steps_mm[:, down], towards_down @ steps_mm[:, right]],
            [towards_right @ steps_mm[:, down], towards_right @ steps_mm[:, right]],
        ]
    )
    normal = np.abs(np.cross(towards_right, towards_down))[patient]
    return _fit(
        name if normal >= _OBLIQUE_COSINE else f"oblique {name}",
        (array_axis[patient], down, right),
        mm_of_index,
        shape,
        size_px=size_px,
        letters=_letters(towards_right, towards_down),
    )


def _fit(
    name: str,
    axes: tuple[int, int, int],
    mm_of_index: NDArray[np.float64],
    shape: tuple[int, int],
    *,
    size_px: int,
    letters: Letters | None,
) -> Plane:
    """The plane whose picture holds all of the slice, `size_px` along its longer side."""
    ends = np.array([(a, b) for a in (-0.5, shape[0] - 0.5) for b in (-0.5, shape[1] - 0.5)])
    corners_mm = ends @ mm_of_index.T
    low_mm, extent_mm = corners_mm.min(axis=0), np.ptp(corners_mm, axis=0)
    mm_per_px = float(extent_mm.max()) / size_px
    rows, columns = (max(1, round(extent / mm_per_px)) for extent in extent_mm)
    index_of_mm = np.asarray(np.linalg.inv(mm_of_index), dtype=np.float64)
    return Plane(
        name,
        *axes,
        matrix=index_of_mm * mm_per_px,
        offset=index_of_mm @ (low_mm + 0.5 * mm_per_px),
        shape_px=(rows, columns),
        mm_per_px=mm_per_px,
        letters=letters,
    )


def flat_plane(
    grid: Grid,
    *,
    spacing: PlaneSpacing | None = None,
    letters: Letters | None = None,
    size_px: int = SIZE_PX,
) -> Plane:
    """The plane of an image without a position in the patient: rows down, columns to the right, as stored.

    `spacing` gives true proportions and a scale where the file states one; without it pixels are square
    and there is no scale. `letters` come from Patient Orientation.
    """
    per_index = np.diag([spacing.row_mm, spacing.column_mm] if spacing else [1.0, 1.0])
    plane = _fit(
        "image", (0, 1, 2), per_index, (grid.shape[1], grid.shape[2]), size_px=size_px, letters=letters
    )
    return plane if spacing is not None else replace(plane, mm_per_px=None)


def letters_from_tag(orientation: object) -> Letters | None:
    """Letters from Patient Orientation (0020,0020): where rows run to, and where columns run to.

    None where the tag does not hold two values of the letters A, P, L, R, H, F.
    """
    if isinstance(orientation, str):
        parts = orientation.split("\\")
    else:
        parts = [str(part) for part in orientation] if isinstance(orientation, Sequence) else []
    if len(parts) != 2 or not all(part and set(part) <= set("APLRHF") for part in parts):
        return None
    right, bottom = parts[0], parts[1]
    opposite = str.maketrans("APLRHF", "PARLFH")
    return Letters(right.translate(opposite), right, bottom.translate(opposite), bottom)


def _letters(towards_right: NDArray[np.float64], towards_down: NDArray[np.float64]) -> Letters:
    return Letters(
        left=_direction(-towards_right),
        right=_direction(towards_right),
        top=_direction(-towards_down),
        bottom=_direction(towards_down),
    )


def _direction(vector: NDArray[np.float64]) -> str:
    largest_first = np.argsort(-np.abs(vector), kind="stable")
    return "".join(
        _LETTERS[k][0 if vector[k] > 0 else 1] for k in largest_first if abs(vector[k]) > _LETTER_FROM
    )


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)
