"""Affines of grids: from the planes of a series, and between the axis orders and handedness of formats.

Inside this project an affine maps the index (z, y, x) to LPS millimetres; RAS and (x, y, z) exist only
at the NIfTI edge, and are turned here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import GeometryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# DS strings hold at most 16 characters and some writers round cosines to 4 decimals.
UNIT_TOLERANCE = 1e-3


def plane_normal(cosines: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit normal (x, y, z) of a plane: row direction x column direction (PS3.3 C.7.6.2.1.1).

    cosines: the six numbers of Image Orientation (Patient), row direction first. Raises GeometryError
    if the two directions are no unit vectors at right angles, within 1e-3.
    """
    six = np.asarray(cosines, dtype=np.float64)
    if six.shape != (6,) or not np.isfinite(six).all():
        raise GeometryError(f"Image Orientation (Patient) (0020,0037) holds {six.size} numbers, not six")
    row, column = six[:3], six[3:]
    lengths = (float(np.linalg.norm(row)), float(np.linalg.norm(column)))
    if max(abs(length - 1.0) for length in lengths) > UNIT_TOLERANCE or abs(row @ column) > UNIT_TOLERANCE:
        raise GeometryError(
            f"Image Orientation (Patient) (0020,0037) is {six.round(4).tolist()}: its two directions are no "
            "unit vectors at right angles. Correct the header, or export the series again."
        )
    normal = np.cross(row, column)
    unit: NDArray[np.float64] = normal / np.linalg.norm(normal)
    return unit


def affine_from_planes(
    first_mm: Sequence[float] | NDArray[np.float64],
    step_mm: Sequence[float] | NDArray[np.float64],
    cosines: Sequence[float] | NDArray[np.float64],
    pixel_spacing_mm: tuple[float, float],
) -> NDArray[np.float64]:
    """Affine (4x4) from index (z, y, x) to LPS millimetres of a stack of parallel planes.

    first_mm: position (x, y, z) of the centre of the first pixel of the first plane. step_mm: vector
    (x, y, z) from plane to plane, not necessarily along the normal (a tilted gantry shears the grid).
    cosines: Image Orientation (Patient). pixel_spacing_mm: (between rows, between columns), the order of
    Pixel Spacing (0028,0030). Raises GeometryError if these describe no grid.
    """
    plane_normal(cosines)
    row_mm, column_mm = pixel_spacing_mm
    if not (row_mm > 0 and column_mm > 0):
        raise GeometryError(
            f"Pixel Spacing (0028,0030) is {row_mm:g}, {column_mm:g} mm; both must be above 0"
        )
    six = np.asarray(cosines, dtype=np.float64)
    affine = np.eye(4)
    affine[:3, 0] = step_mm
    affine[:3, 1] = six[3:] * row_mm
    affine[:3, 2] = six[:3] * column_mm
    affine[:3, 3] = first_mm
    return affine


def lps_zyx_from_ras_xyz(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """A NIfTI affine, index (x, y, z) to RAS millimetres, as one from index (z, y, x) to LPS."""
    turned = np.array(affine, dtype=np.float64)
    turned[:2] *= -1.0
    turned[:, :3] = turned[:, 2::-1]
    return turned


def ras_xyz_from_lps_zyx(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """An affine from index (z, y, x) to LPS millimetres as NIfTI's: index (x, y, z) to RAS."""
    return lps_zyx_from_ras_xyz(affine)
