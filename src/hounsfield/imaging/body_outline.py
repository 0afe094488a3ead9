"""The outline of the trunk on CT slices: without table and arms, filled, and whether the image cuts it off.

All arrays are (head, back, left); what is done is done slice by slice, in the plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hounsfield.imaging.components import IN_SLICES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.imaging.morphology import Spacing

# Between the foam of a table (-900 to -700 HU) and fat (-100 HU).
BODY_HU = -300.0
# Shells of tables, sheets and cables are thinner than twice this.
THIN_MM = 5.0
SMALLEST_TRUNK_MM2 = 5000.0  # a circle of 8 cm
# An arm: a part of its own of at least the wrist's section, with bone in it.
SMALLEST_LIMB_MM2, BONE_HU, SMALLEST_BONE_MM2 = 1000.0, 200.0, 50.0
# A body that lies against the edge of the field along less than this is not cut by it.
CUT_MM = 20.0
_FAR_MM = 1e6  # a distance between slices that lets no distance run across them


@dataclass(frozen=True, slots=True)
class BodyOutline:
    """The trunk: mask (z, y, x); has_limbs and touches_edge (z,) for each slice, rim (y, x) of the field of view."""

    mask: NDArray[np.bool_]
    has_limbs: NDArray[np.bool_]
    touches_edge: NDArray[np.bool_]
    rim: NDArray[np.bool_]


def distance_in_plane_mm(mask: NDArray[np.bool_], spacing_mm: Spacing) -> NDArray[np.float64]:
    """Distance of every marked voxel from the nearest unmarked one of its slice; beyond the edge there is none."""
    sampling = (_FAR_MM, spacing_mm[1], spacing_mm[2])
    distance: NDArray[np.float64] = ndimage.distance_transform_edt(mask, sampling=sampling)
    return distance


def section_sizes_mm2(
    mask: NDArray[np.bool_], spacing_mm: Spacing
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Parts of every slice: labels (z, y, x), each of one slice, and the area of each; area 0 is the background's."""
    labels, n = ndimage.label(mask, structure=IN_SLICES)
    voxels = np.bincount(labels.ravel(), minlength=n + 1).astype(np.float64)
    areas_mm2: NDArray[np.float64] = voxels * (spacing_mm[1] * spacing_mm[2])
    areas_mm2[0] = 0.0
    return labels, areas_mm2


def outline_body(hu: NDArray[np.float32], spacing_mm: Spacing) -> BodyOutline:
    """Outline the largest part of every slice that is no table and no arm; hu (z, y, x)."""
    solid = hu > BODY_HU
    thick = solid & (distance_in_plane_mm(solid, spacing_mm) > THIN_MM)
    labels, areas_mm2 = section_sizes_mm2(thick, spacing_mm)
    is_trunk = np.zeros(areas_mm2.size, dtype=np.bool_)
    for section in labels:
        present = np.unique(section)
        largest = present[np.argmax(areas_mm2[present])]
        is_trunk[largest] = areas_mm2[largest] >= SMALLEST_TRUNK_MM2
    trunk = np.asarray(is_trunk[labels])
    grown = solid & (distance_in_plane_mm(~trunk, spacing_mm) <= THIN_MM + max(spacing_mm[1:]))
    grown &= np.asarray(trunk.any(axis=(1, 2)))[:, None, None]
    mask = np.stack([ndimage.binary_fill_holes(section) for section in grown])
    rim = field_rim(hu, mask, spacing_mm)
    touching_mm = (mask & rim).sum(axis=(1, 2)) * min(spacing_mm[1:])
    limbs = _limbs(hu, labels, areas_mm2, ~is_trunk, spacing_mm)
    return BodyOutline(mask, limbs, touching_mm > CUT_MM, rim)


def _limbs(
    hu: NDArray[np.float32],
    labels: NDArray[np.int32],
    areas_mm2: NDArray[np.float64],
    is_other: NDArray[np.bool_],
    spacing_mm: Spacing,
) -> NDArray[np.bool_]:
    bone_mm2 = np.bincount(labels[hu > BONE_HU], minlength=areas_mm2.size) * spacing_mm[1] * spacing_mm[2]
    is_limb = is_other & (areas_mm2 >= SMALLEST_LIMB_MM2) & (bone_mm2 >= SMALLEST_BONE_MM2)
    return np.asarray(is_limb[labels].any(axis=(1, 2)))


def field_rim(hu: NDArray[np.float32], body: NDArray[np.bool_], spacing_mm: Spacing) -> NDArray[np.bool_]:
    """The rim (y, x) of what was reconstructed: the slice's edges, and the circle if nothing lies outside it."""
    n_rows, n_columns = hu.shape[1:]
    y_mm = (np.arange(n_rows) - (n_rows - 1) / 2) * spacing_mm[1]
    x_mm = (np.arange(n_columns) - (n_columns - 1) / 2) * spacing_mm[2]
    from_centre_mm = np.hypot(y_mm[:, None], x_mm[None, :])
    radius_mm = min(n_rows * spacing_mm[1], n_columns * spacing_mm[2]) / 2
    rim = np.zeros((n_rows, n_columns), dtype=np.bool_)
    rim[[0, -1]] = rim[:, [0, -1]] = True
    if not body[:, from_centre_mm > radius_mm].any():
        rim |= np.abs(from_centre_mm - radius_mm) <= 1.5 * max(spacing_mm[1:])
    return rim
