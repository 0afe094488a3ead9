"""Lesion by lesion: which connected pieces of the truth were found, and which of the prediction are false.

Pieces are joined across faces, edges and corners (26 neighbours, 8 in a plane) unless told otherwise. Two rules:

    any overlap   (default) a true lesion is found if one voxel of it is predicted, a predicted one is false if it holds
                  no voxel of the truth. One large predicted piece can find many lesions, which flatters whoever
                  predicts too much.
    IoU           with `least_iou`: pieces are paired one to one, so that the sum of their intersections over unions is
                  largest, none below `least_iou`; what has no partner is missed, or false.

Every figure has to say its rule. Empty masks (policy: segmentation_overlap.py): without true lesions sensitivity is
nan, without predicted ones precision is nan; F1 is 0 if either is empty, and nan if both are.
Source of counting objects by IoU, and of the choice of a rule: Maier-Hein 2024, Nat Methods 21:195.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

_JOINED = {"faces": 1, "edges": 2, "corners": 3}


@dataclass(frozen=True, slots=True, eq=False)
class LesionOverlap:
    """True lesions and predicted ones of one picture, each in the order of their first voxels.

    truth_voxels: (n,), is_found: bool (n,). prediction_voxels: (m,), is_false: bool (m,).
    """

    truth_voxels: NDArray[np.int64]
    is_found: NDArray[np.bool_]
    prediction_voxels: NDArray[np.int64]
    is_false: NDArray[np.bool_]

    @property
    def n_missed(self) -> int:
        """True lesions that were not found."""
        return int(np.count_nonzero(~self.is_found))

    @property
    def n_false(self) -> int:
        """Predicted lesions that are none."""
        return int(np.count_nonzero(self.is_false))

    @property
    def sensitivity(self) -> float:
        """Share of the true lesions that was found; nan without any."""
        return float(self.is_found.mean()) if self.is_found.size else math.nan

    @property
    def precision(self) -> float:
        """Share of the predicted lesions that is not false; nan without any."""
        return float((~self.is_false).mean()) if self.is_false.size else math.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of sensitivity and precision; 0 if nothing is found, nan where there is nothing at all."""
        if not self.is_found.size and not self.is_false.size:
            return math.nan
        if not self.is_found.any():
            return 0.0
        return 2 * self.sensitivity * self.precision / (self.sensitivity + self.precision)


def match_by_overlap(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    *,
    least_iou: float | None = None,
    joined_by: Literal["faces", "edges", "corners"] = "corners",
) -> LesionOverlap:
    """The lesions of two masks, by the rules of the module's text.

    truth, prediction: bool (z, y, x) or (y, x). least_iou: None for any overlap; above 0 and at most 1 for pairs.
    joined_by: what two voxels of one lesion share at least; "corners" and "edges" are the same in a plane.
    Raises RefusedInput if the shapes differ, or least_iou or joined_by is none of these.
    """
    from scipy import ndimage

    masks = [np.asarray(mask, dtype=np.bool_) for mask in (truth, prediction)]
    if masks[0].shape != masks[1].shape:
        raise RefusedInput(
            f"the masks have shapes {masks[0].shape} and {masks[1].shape}; they must lie on one grid."
        )
    if least_iou is not None and not 0.0 < least_iou <= 1.0:
        raise RefusedInput(
            f"least_iou is {least_iou:g}; above 0 and at most 1 is needed, or None for any overlap."
        )
    if joined_by not in _JOINED:
        raise RefusedInput(f"joined_by is {joined_by!r}; {', '.join(_JOINED)} is needed.")
    structure = ndimage.generate_binary_structure(masks[0].ndim, min(_JOINED[joined_by], masks[0].ndim))
    labels = [ndimage.label(mask, structure)[0] for mask in masks]
    sizes = [np.bincount(label.ravel())[1:] for label in labels]
    pairs = _overlapping(labels[0], labels[1])
    if least_iou is not None:
        pairs = _one_to_one(pairs, sizes[0], sizes[1], least_iou)
    is_found, is_true = (np.zeros(size.size, dtype=np.bool_) for size in sizes)
    is_found[pairs.truth] = True
    is_true[pairs.prediction] = True
    return LesionOverlap(sizes[0], is_found, sizes[1], ~is_true)


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Numbers (k,) of a true and a predicted lesion, from 0, and the voxels that they share."""

    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    n_shared: NDArray[np.int64]

    def where(self, chosen: NDArray[np.bool_]) -> _Pairs:
        return _Pairs(self.truth[chosen], self.prediction[chosen], self.n_shared[chosen])


def _overlapping(truth: NDArray[np.int32], prediction: NDArray[np.int32]) -> _Pairs:
    """All pairs that share a voxel, from their labels."""
    both = (truth > 0) & (prediction > 0)
    n_columns = int(prediction.max(initial=0)) + 1
    pair, n_shared = np.unique(
        truth[both].astype(np.int64) * n_columns + prediction[both], return_counts=True
    )
    return _Pairs(pair // n_columns - 1, pair % n_columns - 1, n_shared)


def _one_to_one(
    pairs: _Pairs, truth_voxels: NDArray[Any], prediction_voxels: NDArray[Any], least_iou: float
) -> _Pairs:
    """The pairs of at least that IoU of which the sum is largest, no lesion in two of them."""
    from scipy.optimize import linear_sum_assignment

    union = truth_voxels[pairs.truth] + prediction_voxels[pairs.prediction] - pairs.n_shared
    iou = pairs.n_shared / union
    enough = iou >= least_iou
    pairs, iou = pairs.where(enough), iou[enough]
    # Only lesions with a choice go into the table of all with all.
    alone = (np.bincount(pairs.truth)[pairs.truth] == 1) & (
        np.bincount(pairs.prediction)[pairs.prediction] == 1
    )
    open_pairs = np.flatnonzero(~alone)
    rows, row = np.unique(pairs.truth[open_pairs], return_inverse=True)
    columns, column = np.unique(pairs.prediction[open_pairs], return_inverse=True)
    table = np.zeros((rows.size, columns.size))
    table[row, column] = iou[open_pairs]
    chosen = np.zeros(table.shape, dtype=np.bool_)
    chosen[linear_sum_assignment(table, maximize=True)] = True
    alone[open_pairs] = chosen[row, column]
    return pairs.where(alone)
