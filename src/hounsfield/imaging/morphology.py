"""Growing, shrinking, closing and filling of masks, in millimetres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hounsfield.imaging.components import IN_SLICES, touching_side_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

Spacing = tuple[float, float, float]


def grow(mask: NDArray[np.bool_], *, radius_mm: float, spacing_mm: Spacing) -> NDArray[np.bool_]:
    """All voxels within `radius_mm` of the mask, along straight lines between centres."""
    grown = mask.copy()
    if mask.any():
        box = _box_around(mask, radius_mm, spacing_mm)
        grown[box] = ndimage.distance_transform_edt(~mask[box], sampling=spacing_mm) <= radius_mm
    return grown


def shrink(mask: NDArray[np.bool_], *, radius_mm: float, spacing_mm: Spacing) -> NDArray[np.bool_]:
    """The voxels farther than `radius_mm` from everything outside the mask; the array's edge is no outside."""
    shrunk = mask.copy()
    if mask.any() and not mask.all():
        # One voxel of margin shows every outside voxel that touches the mask, and none nearer exists.
        box = _box_around(mask, 0.0, spacing_mm)
        if not mask[box].all():
            shrunk[box] = ndimage.distance_transform_edt(mask[box], sampling=spacing_mm) > radius_mm
    return shrunk


def close(mask: NDArray[np.bool_], *, radius_mm: float, spacing_mm: Spacing) -> NDArray[np.bool_]:
    """Grow, then shrink by the same: gaps and notches narrower than twice the radius are filled."""
    if not mask.any():
        return mask.copy()
    closed = mask.copy()
    box = _box_around(mask, 0.0, spacing_mm)
    margin = [int(np.ceil(radius_mm / step)) + 1 for step in spacing_mm]
    # Padded, so that growth beyond the array is not lost before it shrinks back.
    padded = np.pad(mask[box], [(n, n) for n in margin])
    grown = ndimage.distance_transform_edt(~padded, sampling=spacing_mm) <= radius_mm
    shrunk = ndimage.distance_transform_edt(grown, sampling=spacing_mm) > radius_mm
    closed[box] |= shrunk[tuple(slice(n, -n) for n in margin)]
    return closed


def _box_around(mask: NDArray[np.bool_], radius_mm: float, spacing_mm: Spacing) -> tuple[slice, ...]:
    """Slices of the box that holds the mask and all within `radius_mm` of it, and one voxel more."""
    box = []
    for axis, step_mm in enumerate(spacing_mm):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        hit = np.flatnonzero(mask.any(axis=others))
        margin = int(np.ceil(radius_mm / step_mm)) + 1
        box.append(slice(max(0, int(hit[0]) - margin), int(hit[-1]) + 1 + margin))
    return tuple(box)


def fill_holes(mask: NDArray[np.bool_], *, largest_mm2: float, spacing_mm: Spacing) -> NDArray[np.bool_]:
    """The mask, all that it encloses in space, and holes of up to `largest_mm2` on slices of the first axis.

    A vessel leaves a small hole in a slice. A large one is no part of an organ: the dome of the diaphragm is
    surrounded by lung in every slice that cuts it.
    """
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(mask)
    holes = ~filled & ~touching_side_edges(~filled)
    labels, n = ndimage.label(holes, structure=IN_SLICES)
    is_small = np.bincount(labels.ravel(), minlength=n + 1) * spacing_mm[1] * spacing_mm[2] <= largest_mm2
    is_small[0] = False
    filled |= is_small[labels]
    return filled
