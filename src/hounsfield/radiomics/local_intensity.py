"""Local and global intensity peak: the mean of a sphere of 1 cm3 around a voxel of the region.

Source: IBSI reference manual (arXiv:1612.07003), section 3.2. A voxel counts whole if its centre lies in
the sphere, whatever the region; rule suvpeak-1cm3 weights voxels at the edge instead and gives other
numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import GeometryError, RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

RADIUS_MM = (3.0 / (4.0 * np.pi)) ** (1.0 / 3.0) * 10.0


@dataclass(frozen=True, slots=True)
class LocalIntensity:
    """local_peak: around the region's maximum (the highest, of several). global_peak: highest of all."""

    local_peak: float
    global_peak: float


def local_intensity(
    array: NDArray[np.floating], mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float]
) -> LocalIntensity:
    """Both peaks of the region `mask` (z, y, x) in `array` of the same shape, in the array's unit.

    Voxels of the sphere beyond the edge of the image are left out of the mean. Raises RefusedInput if the
    region is empty, GeometryError if the voxel size is unknown.
    """
    if not mask.any():
        raise RefusedInput("the region holds no voxel, so it has no intensity peak.")
    if not all(0.0 < mm < np.inf for mm in spacing_mm):
        raise GeometryError(f"the voxel size is {spacing_mm}; a sphere of 1 cm3 needs millimetres above 0.")
    offsets = _sphere_offsets(spacing_mm)
    centres = np.argwhere(mask)
    total, count = np.zeros(len(centres)), np.zeros(len(centres))
    shape = np.array(array.shape)
    for offset in offsets:
        index = centres + offset
        inside = ((index >= 0) & (index < shape)).all(axis=1)
        total[inside] += array[tuple(index[inside].T)]
        count[inside] += 1
    means = total / count
    values = array[mask]
    return LocalIntensity(float(means[values == values.max()].max()), float(means.max()))


def _sphere_offsets(spacing_mm: tuple[float, float, float]) -> NDArray[np.intp]:
    """Index offsets (n, 3) of voxels whose centre lies within 6.2 mm of a voxel's centre."""
    reach = [int(RADIUS_MM // mm) for mm in spacing_mm]
    steps = np.mgrid[tuple(slice(-r, r + 1) for r in reach)].reshape(3, -1).T
    near: NDArray[np.intp] = steps[np.linalg.norm(steps * np.array(spacing_mm), axis=1) <= RADIUS_MM]
    return near
