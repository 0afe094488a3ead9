"""Pieces of an image above a threshold: those that lie within a region, those of enough area, what goes on beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

LEAST_WITHIN = 0.9
EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=np.bool_)


def pieces_within(hu: NDArray[Any], region: Mask, *, threshold_hu: float) -> Mask:
    """Voxels of at least `threshold_hu` in pieces that lie within `region`: what reaches far out of it is bone.

    hu, region: (z, y, x). Pieces join over edges and corners in all three directions.
    """
    dense = hu >= threshold_hu
    labels, n = ndimage.label(dense, structure=np.ones((3, 3, 3)))
    # Of the dense voxels alone: they are few, and a volume has millions.
    own, is_inside = labels[dense], region[dense]
    sizes, within = np.bincount(own, minlength=n + 1), np.bincount(own[is_inside], minlength=n + 1)
    kept = np.zeros_like(region)
    kept[dense] = (within >= LEAST_WITHIN * sizes)[own] & is_inside
    return kept


def of_enough_area(mask: Mask, *, pixel_mm2: float, least_mm2: float) -> Mask:
    """The mask (z, y, x) without components of a slice (8 neighbours) smaller than `least_mm2`; that area stays."""
    kept = np.zeros_like(mask)
    for k in np.flatnonzero(mask.any(axis=(1, 2))):
        labels, n = ndimage.label(mask[k], structure=EIGHT_NEIGHBOURS)
        sizes = np.bincount(labels.ravel(), minlength=n + 1)
        # Nine decimals take away the noise of binary products, so that 1 mm2 is 1 mm2.
        is_large = np.round(sizes * pixel_mm2, 9) >= least_mm2
        is_large[0] = False
        kept[k] = is_large[labels]
    return kept


def n_voxels_beyond(dense: Mask, region: Mask) -> int:
    """Voxels of `dense` outside `region` that are joined, on their slice (8 neighbours), to some inside it."""
    n_beyond = 0
    for k in np.flatnonzero((dense & region).any(axis=(1, 2))):
        labels, _ = ndimage.label(dense[k], structure=EIGHT_NEIGHBOURS)
        touched = np.unique(labels[region[k] & dense[k]])
        n_beyond += int((np.isin(labels, touched) & ~region[k]).sum())
    return n_beyond
