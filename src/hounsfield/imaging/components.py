"""Connected components of masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

IN_SLICES = ndimage.generate_binary_structure(3, 1)
IN_SLICES[[0, 2]] = False


def label_components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Components joined by faces: labels (z, y, x) from 1, largest first, and the voxels of each.

    Component i has label i + 1 and sizes[i] voxels; equal sizes keep the order of their first voxels.
    """
    labels, n = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    order = np.argsort(-sizes, kind="stable")
    renumber = np.zeros(n + 1, dtype=np.int32)
    renumber[order + 1] = np.arange(1, n + 1)
    return renumber[labels], sizes[order]


def touching_side_edges(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of each slice of the first axis that is joined, within it, to one of its four edges."""
    labels, n = ndimage.label(mask, structure=IN_SLICES)
    edges = (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1])
    touching = np.zeros(n + 1, dtype=np.bool_)
    for edge in edges:
        touching[np.unique(edge)] = True
    touching[0] = False
    chosen: NDArray[np.bool_] = touching[labels]
    return chosen


def nearest_label(
    labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float], *, within: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """For every voxel of the mask `within` the label above 0 that lies nearest; 0 elsewhere, or if there is none."""
    nearest = np.where(within, labels, np.uint8(0))
    if (nearest > 0).sum() == within.sum() or not labels.any():
        return nearest
    box = ndimage.find_objects((within | (labels > 0)).view(np.uint8))[0]
    z, y, x = ndimage.distance_transform_edt(
        labels[box] == 0, sampling=spacing_mm, return_distances=False, return_indices=True
    )
    nearest[box] = np.where(within[box], labels[box][z, y, x], np.uint8(0))
    return nearest
