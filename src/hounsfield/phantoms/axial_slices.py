"""Square axial slices of a head: where they lie, and the planes that each averages over its thickness."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLANE_MM = 1.25  # planes that a slice averages are at most that far apart


def slice_planes(n_slices: int, thickness_mm: float, middle_z_mm: float) -> list[NDArray[np.float64]]:
    """The z of the planes that each slice averages, evenly over its thickness."""
    n_planes = math.ceil(thickness_mm / PLANE_MM)
    offsets_mm = ((np.arange(n_planes) + 0.5) / n_planes - 0.5) * thickness_mm
    return [middle_z_mm + (k - (n_slices - 1) / 2) * thickness_mm + offsets_mm for k in range(n_slices)]


def centres_mm(matrix_px: int, pixel_mm: float) -> NDArray[np.float64]:
    """Centres of the pixels of a row (or column), counted from its middle."""
    return np.asarray((np.arange(matrix_px) - (matrix_px - 1) / 2) * pixel_mm, dtype=np.float64)


def axial_grid(
    shape_zx: tuple[int, int],
    spacing_mm: tuple[float, float],
    middle_z_mm: float,
    uid: str,
    tilt_rad: float = 0.0,
) -> Grid:
    """A square axial grid around the middle of the head; shape and spacing between slices, and in their plane."""
    (n_slices, matrix_px), (step_mm, pixel_mm) = shape_zx, spacing_mm
    corner_mm = -(matrix_px - 1) / 2 * pixel_mm
    affine = np.zeros((4, 4))
    affine[2, 0], affine[0, 2], affine[3, 3] = step_mm, pixel_mm, 1.0
    affine[1:3, 1] = pixel_mm * math.cos(tilt_rad), pixel_mm * math.sin(tilt_rad)
    affine[0, 3], affine[1, 3] = corner_mm, corner_mm * math.cos(tilt_rad)
    affine[2, 3] = middle_z_mm - (n_slices - 1) / 2 * step_mm + corner_mm * math.sin(tilt_rad)
    return Grid((n_slices, matrix_px, matrix_px), affine, uid)
