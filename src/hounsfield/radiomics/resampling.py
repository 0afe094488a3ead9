"""Voxels of another size by linear interpolation on a grid that shares the old one's centre.

Source: IBSI reference manual (arXiv:1612.07003), section 2.4.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A voxel belongs to the resampled mask if at least half of it does.
IN_MASK = 0.5
# Interpolation of zeros and ones is off by some 1e-16; a voxel that is exactly half inside must stay.
ROUNDING = 1e-9


def resampled_axis(n: int, *, spacing_mm: float, new_spacing_mm: float) -> tuple[int, float]:
    """New size and offset in mm of the first new centre from the first old one, along one axis.

    The size is ceil(n s / s'), exact in decimals; both grids share their centre. Raises GeometryError if
    a spacing is not above 0 or there is no voxel.
    """
    if n < 1 or not (0.0 < spacing_mm < np.inf and 0.0 < new_spacing_mm < np.inf):
        raise GeometryError(
            f"an axis of {n} voxels of {spacing_mm:g} mm cannot be resampled to {new_spacing_mm:g} mm: sizes and "
            "spacings must be above 0. State the voxel size of the image."
        )
    old, new = Decimal(repr(float(spacing_mm))), Decimal(repr(float(new_spacing_mm)))
    new_n = int((n * old / new).to_integral_value(ROUND_CEILING))
    return new_n, float(((n - 1) * old - (new_n - 1) * new) / 2)


def resample_linear(
    array: NDArray[np.floating],
    spacing_mm: tuple[float, ...],
    new_spacing_mm: tuple[float, ...],
) -> NDArray[np.float64]:
    """`array` on voxels of `new_spacing_mm`, one spacing for each of its axes; linear along each.

    An axis whose spacing does not change is left alone (analysis by slice). A new centre beyond the last
    old one takes the value of the last. CT numbers are rounded to integers by `to_whole_hu` afterwards.
    Raises GeometryError as `resampled_axis`, or if a spacing is missing.
    """
    if not array.ndim == len(spacing_mm) == len(new_spacing_mm):
        raise GeometryError(
            f"an array of {array.ndim} axes was given {len(spacing_mm)} old and {len(new_spacing_mm)} new spacings; "
            "each axis needs one of both."
        )
    resampled = array.astype(np.float64)
    for axis, (old_mm, new_mm) in enumerate(zip(spacing_mm, new_spacing_mm, strict=True)):
        if old_mm != new_mm:
            resampled = _along(resampled, axis, old_mm, new_mm)
    return resampled


def resample_mask(
    mask: NDArray[np.bool_], spacing_mm: tuple[float, ...], new_spacing_mm: tuple[float, ...]
) -> NDArray[np.bool_]:
    """The mask on voxels of `new_spacing_mm`: linear interpolation, in where it is 0.5 or more."""
    inside: NDArray[np.bool_] = (
        resample_linear(mask.astype(np.float64), spacing_mm, new_spacing_mm) >= IN_MASK - ROUNDING
    )
    return inside


def to_whole_hu(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """CT numbers after interpolation as whole HU, half up: the unit of the detector's steps."""
    whole: NDArray[np.float64] = np.floor(array + 0.5)
    return whole


def _along(array: NDArray[np.float64], axis: int, old_mm: float, new_mm: float) -> NDArray[np.float64]:
    n = array.shape[axis]
    new_n, offset_mm = resampled_axis(n, spacing_mm=old_mm, new_spacing_mm=new_mm)
    position = np.clip((offset_mm + np.arange(new_n) * new_mm) / old_mm, 0.0, n - 1.0)
    before = np.minimum(np.floor(position).astype(np.intp), max(n - 2, 0))
    after = np.minimum(before + 1, n - 1)
    shape = tuple(new_n if k == axis else 1 for k in range(array.ndim))
    weight = (position - before).reshape(shape)
    between: NDArray[np.float64] = (
        array.take(before, axis) * (1.0 - weight) + array.take(after, axis) * weight
    )
    return between
