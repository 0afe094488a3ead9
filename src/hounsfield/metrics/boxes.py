"""Overlap of boxes and of masks: intersection over union, its generalised form, and distances of centres.

A box has edges, not voxels: its low and its high corner along each axis, so that a box over the voxels 3 to 5 reaches
from 3 to 6. Overlap is a ratio, and stretching an axis changes no ratio: boxes in voxels and boxes in millimetres have
the same IoU. Sizes and distances of centres do need millimetres.
Sources: Jaccard 1901, Bull Soc Vaud Sci Nat 37:547; Rezatofighi 2019, CVPR:658 (generalised IoU).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def box_iou(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union (n, m) of every pair of boxes; 0 where both are flat.

    first: (n, 2, axes), second: (m, 2, axes); [:, 0] the low and [:, 1] the high corner, in one unit along an axis.
    Raises RefusedInput for another shape, for numbers that are not finite, or a high corner below the low one.
    """
    ours, theirs = _checked(first), _checked(second)
    _same_axes(ours, theirs)
    inside, joined = _shared_and_joined(ours, theirs)
    return np.divide(inside, joined, out=np.zeros_like(inside), where=joined > 0)


def box_giou(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Generalised IoU (n, m): IoU less the share of the enclosing box that neither fills; -1 to 1.

    Below 0 it says how far apart boxes lie that do not touch. Boxes and errors as for `box_iou`.
    """
    ours, theirs = _checked(first), _checked(second)
    _same_axes(ours, theirs)
    inside, joined = _shared_and_joined(ours, theirs)
    low = np.minimum(ours[:, None, 0], theirs[None, :, 0])
    high = np.maximum(ours[:, None, 1], theirs[None, :, 1])
    around = np.prod(high - low, axis=-1)
    iou = np.divide(inside, joined, out=np.zeros_like(inside), where=joined > 0)
    unfilled = np.divide(around - joined, around, out=np.zeros_like(around), where=around > 0)
    return np.asarray(iou - unfilled, dtype=np.float64)


def share_inside(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Share (n, m) of each box of `first` that lies within each of `second`: the overlap with a crowd.

    Boxes and errors as for `box_iou`.
    """
    ours, theirs = _checked(first), _checked(second)
    _same_axes(ours, theirs)
    inside, _ = _shared_and_joined(ours, theirs)
    own = np.broadcast_to(box_sizes(ours)[:, None], inside.shape)
    return np.divide(inside, own, out=np.zeros_like(inside), where=own > 0)


def box_sizes(boxes: NDArray[Any]) -> NDArray[np.float64]:
    """Area or volume (n,) in the product of the axes' units: mm2 or mm3 for corners in millimetres."""
    corners = _checked(boxes)
    return np.asarray(np.prod(corners[:, 1] - corners[:, 0], axis=-1), dtype=np.float64)


def box_centre_distance_mm(first_mm: NDArray[Any], second_mm: NDArray[Any]) -> NDArray[np.float64]:
    """Distance (n, m) of the centres of every pair of boxes whose corners are in millimetres."""
    ours, theirs = _checked(first_mm), _checked(second_mm)
    _same_axes(ours, theirs)
    apart = ours.mean(axis=1)[:, None] - theirs.mean(axis=1)[None]
    return np.asarray(np.sqrt((apart**2).sum(axis=-1)))


def mask_iou(truth: NDArray[Any], prediction: NDArray[Any]) -> float:
    """Intersection over union of two masks of one shape; nan if both are empty. Dice is 2 IoU / (1 + IoU).

    Raises RefusedInput if the shapes differ.
    """
    first, second = np.asarray(truth, dtype=np.bool_), np.asarray(prediction, dtype=np.bool_)
    if first.shape != second.shape:
        raise RefusedInput(
            f"the masks have shapes {first.shape} and {second.shape}; they must lie on one grid."
        )
    joined = int(np.count_nonzero(first | second))
    return np.count_nonzero(first & second) / joined if joined else math.nan


def boxes_of_masks(masks: Sequence[NDArray[Any]], spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """The boxes (n, 2, axes) around masks, from edge to edge of their voxels, in mm from the array's corner.

    Raises RefusedInput for an empty mask, which has no box, or a spacing that does not fit.
    """
    corners = []
    for number, mask in enumerate(masks):
        places = np.argwhere(mask)
        if not places.size:
            raise RefusedInput(f"mask {number} is empty and has no box; leave it out.")
        if len(spacing_mm) != places.shape[1] or not all(step > 0 for step in spacing_mm):
            raise RefusedInput(
                f"spacing {spacing_mm} mm does not fit {places.shape[1]} axes; one above 0 each is needed."
            )
        corners.append(np.stack([places.min(axis=0), places.max(axis=0) + 1]) * np.asarray(spacing_mm))
    return np.array(corners, dtype=np.float64).reshape(len(corners), 2, len(spacing_mm))


def _checked(boxes: NDArray[Any]) -> NDArray[np.float64]:
    corners = np.asarray(boxes, dtype=np.float64)
    if corners.ndim != 3 or corners.shape[1] != 2:
        raise RefusedInput(
            f"boxes of shape {corners.shape}; (n, 2, axes) is needed: low corner, then high corner."
        )
    if not np.isfinite(corners).all():
        raise RefusedInput("a corner of a box is not a finite number.")
    if (corners[:, 1] < corners[:, 0]).any():
        raise RefusedInput(
            f"box {int(np.argwhere(corners[:, 1] < corners[:, 0])[0, 0])} has a high corner below its low one. "
            "Corners are low then high, not a corner and a size."
        )
    return corners


def _same_axes(first: NDArray[np.float64], second: NDArray[np.float64]) -> None:
    if first.shape[2] != second.shape[2]:
        raise RefusedInput(f"boxes of {first.shape[2]} and of {second.shape[2]} axes have no overlap.")


def _shared_and_joined(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low = np.maximum(first[:, None, 0], second[None, :, 0])
    high = np.minimum(first[:, None, 1], second[None, :, 1])
    inside = np.prod(np.clip(high - low, 0.0, None), axis=-1)
    sizes = [np.prod(boxes[:, 1] - boxes[:, 0], axis=-1) for boxes in (first, second)]
    return inside, sizes[0][:, None] + sizes[1][None] - inside
