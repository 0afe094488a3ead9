"""Distances between two masks as sets of voxels: the measures of Taha and Hanbury 2015 that need places.

Other than the distances of surface.py these are between all voxels of the masks, so that what lies inside the other
mask is 0 mm away. Where one mask is empty they are infinite, where both are they are nan (policy:
segmentation_overlap.py). Source: Taha and Hanbury 2015, BMC Med Imaging 15:29.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.metrics._nearest_place import nearest_mm
from hounsfield.metrics._nonempty_boxes import boxes_of
from hounsfield.metrics._surface_places import checked_spacing, outline

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class VoxelDistances:
    """Distances in mm from each voxel of one mask to the nearest of the other: largest and mean, either way.

    Of an empty mask they are nan; to an empty mask inf.
    """

    largest_from_truth_mm: float
    largest_from_prediction_mm: float
    mean_from_truth_mm: float
    mean_from_prediction_mm: float

    @property
    def hausdorff_mm(self) -> float:
        """Max over both ways of the largest distance; inf if one mask is empty, nan if both are."""
        return _larger(self.largest_from_truth_mm, self.largest_from_prediction_mm)

    @property
    def average_hausdorff_mm(self) -> float:
        """Max over both ways of the mean distance, each over its own mask; inf if one mask is empty, nan if both are.

        Dividing by the prediction's own size favours large predictions (Aydin 2021, Eur Radiol Exp 5:4).
        """
        return _larger(self.mean_from_truth_mm, self.mean_from_prediction_mm)


def voxel_distances(
    truth: NDArray[Any], prediction: NDArray[Any], spacing_mm: tuple[float, ...]
) -> VoxelDistances:
    """Distances between all voxels of two masks.

    truth, prediction: bool (z, y, x) or (y, x). spacing_mm: one for each axis, in the order of the array. Raises
    RefusedInput if the shapes differ or a spacing is not above 0.
    """
    masks = [np.asarray(mask, dtype=np.bool_) for mask in (truth, prediction)]
    spacing_mm = checked_spacing(masks[0], masks[1], spacing_mm)
    largest, means = [], []
    for own, other in (masks, masks[::-1]):
        # What is nearest to a voxel outside a mask lies on its border.
        whole = other.view(np.uint8)
        border = outline(whole, 1, boxes_of(whole, [1])[1], spacing_mm, "border voxels")
        distance_mm = nearest_mm(np.argwhere(own & ~other), border.index, spacing_mm)
        n = int(np.count_nonzero(own))
        largest.append(float(distance_mm.max(initial=0.0)) if n else math.nan)
        means.append(float(distance_mm.sum() / n) if n else math.nan)
    return VoxelDistances(largest[0], largest[1], means[0], means[1])


def mahalanobis_distance(
    truth: NDArray[Any], prediction: NDArray[Any], spacing_mm: tuple[float, ...]
) -> float:
    """Distance of the masks' centres in units of their common spread, without unit; inf if one is empty, nan if both are.

    sqrt((m1 - m2)' S^-1 (m1 - m2)) with S the masks' covariances of voxel positions, weighed by their voxels. It sees
    where and how wide the masks are, and no shape; along axes in which they are flat and do not differ it is 0, in
    which they are flat and differ infinite. Arguments and errors as for `voxel_distances`.
    """
    masks = [np.asarray(mask, dtype=np.bool_) for mask in (truth, prediction)]
    spacing_mm = checked_spacing(masks[0], masks[1], spacing_mm)
    places = [np.argwhere(mask) * np.asarray(spacing_mm) for mask in masks]
    sizes = [len(place) for place in places]
    if not all(sizes):
        return math.inf if any(sizes) else math.nan
    apart = places[0].mean(axis=0) - places[1].mean(axis=0)
    spread = sum(size * np.cov(place.T, bias=True) for size, place in zip(sizes, places, strict=True))
    values, directions = np.linalg.eigh(np.atleast_2d(spread) / sum(sizes))
    along = directions.T @ apart
    # A direction counts as flat below what rounding leaves of it.
    flat = values <= 1e-12 * max(float(values.max()), min(spacing_mm) ** 2)
    if (np.abs(along[flat]) > 1e-9 * min(spacing_mm)).any():
        return math.inf
    return float(np.sqrt((along[~flat] ** 2 / values[~flat]).sum()))


def _larger(one: float, other: float) -> float:
    """The larger; of nan and a number the number."""
    return other if math.isnan(one) else one if math.isnan(other) else max(one, other)
