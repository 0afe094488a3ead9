"""How far two outlines lie apart: Hausdorff distance, its 95th percentile, mean distance, and normalised surface Dice.

Definition in use: the surface is the border voxels of a mask (those with a neighbour across a face outside it),
each counting once, with distances between voxel centres in millimetres. Programs that weigh pieces of surface by
area (surface-distance of DeepMind) give other numbers for the same masks, by 15 to 45 percent on one test pair:
say which definition a figure has. Sources: Taha and Hanbury 2015, BMC Med Imaging 15:29; Nikolov 2021, J Med
Internet Res 23:e26151 (surface Dice at a tolerance).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDistances:
    """Distances (n,) in mm from each border voxel of one mask to the nearest of the other, both ways.

    Where one mask is empty the distances of the other are infinite; where both are, there are none and every figure
    is nan: whoever averages counts those cases apart.
    """

    from_truth_mm: NDArray[np.float64]
    from_prediction_mm: NDArray[np.float64]

    @property
    def hausdorff_mm(self) -> float:
        """The largest distance of either way."""
        return self.hausdorff_percentile_mm(100.0)

    def hausdorff_percentile_mm(self, percentile: float = 95.0) -> float:
        """The larger of both ways' percentiles, by lines between ranks, as MONAI has it; inf if one mask is empty.

        Raises RefusedInput for a percentile outside 0 to 100.
        """
        if not 0.0 <= percentile <= 100.0:
            raise RefusedInput(f"the percentile is {percentile:g}; 0 to 100 is needed.")
        ways = [way for way in (self.from_truth_mm, self.from_prediction_mm) if way.size]
        if not ways:
            return math.nan
        if any(np.isinf(way).any() for way in ways):
            return math.inf
        return max(float(np.percentile(way, percentile)) for way in ways)

    @property
    def mean_mm(self) -> float:
        """Average symmetric surface distance: the mean over the border voxels of both masks together."""
        both = np.concatenate([self.from_truth_mm, self.from_prediction_mm])
        return float(both.mean()) if both.size else math.nan

    def surface_dice(self, tolerance_mm: float) -> float:
        """Normalised surface Dice: share of both borders that lies within the tolerance of the other; 0 if one is empty.

        Raises RefusedInput for a tolerance below 0.
        """
        if not tolerance_mm >= 0.0:
            raise RefusedInput(f"the tolerance is {tolerance_mm:g} mm; 0 or more is needed.")
        both = np.concatenate([self.from_truth_mm, self.from_prediction_mm])
        return float((both <= tolerance_mm).mean()) if both.size else math.nan


def surface_distances(
    truth: NDArray[Any], prediction: NDArray[Any], spacing_mm: tuple[float, ...]
) -> SurfaceDistances:
    """Distances between the borders of two masks.

    truth, prediction: bool (z, y, x) or (y, x). spacing_mm: one for each axis, in the order of the array. What touches
    the edge of the array is border there. Raises RefusedInput if the shapes differ or a spacing is not above 0.
    """
    first, second = np.asarray(truth, dtype=np.bool_), np.asarray(prediction, dtype=np.bool_)
    if first.shape != second.shape:
        raise RefusedInput(
            f"the masks have shapes {first.shape} and {second.shape}; they must lie on one grid."
        )
    if len(spacing_mm) != first.ndim or not all(step > 0 and math.isfinite(step) for step in spacing_mm):
        raise RefusedInput(
            f"spacing {spacing_mm} mm does not fit {first.ndim} axes; one above 0 each is needed."
        )
    points = [_border_mm(mask, spacing_mm) for mask in (first, second)]
    return SurfaceDistances(_nearest_mm(points[0], points[1]), _nearest_mm(points[1], points[0]))


def _border_mm(mask: NDArray[np.bool_], spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """Centres (n, axes) of the border voxels, looked for within the mask's own box."""
    from scipy import ndimage

    if not mask.any():
        return np.zeros((0, mask.ndim))
    box = ndimage.find_objects(mask.view(np.uint8))[0]
    own = mask[box]
    border = own & ~ndimage.binary_erosion(own)
    corner = np.array([part.start for part in box])
    return np.asarray((np.argwhere(border) + corner) * np.asarray(spacing_mm), dtype=np.float64)


def _nearest_mm(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each point to the nearest of the others; a tree, because a map of distances fills the whole box."""
    from scipy.spatial import KDTree

    if not len(others):
        return np.full(len(points), math.inf)
    if not len(points):
        return np.zeros(0)
    found, _ = KDTree(others, balanced_tree=False, compact_nodes=False).query(points)
    return np.asarray(found, dtype=np.float64)
