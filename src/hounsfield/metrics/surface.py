"""How far two outlines lie apart: Hausdorff distance, its percentiles, mean distance, and normalised surface Dice.

Two definitions of the outline are in use, their numbers differed by 15 to 45 percent on one pair of masks, and every
figure has to say which one it has:

    "border voxels"  the voxels of a mask with a neighbour across a face outside it, each counting once, at their
                     centres. MONAI's HausdorffDistanceMetric, SurfaceDistanceMetric and SurfaceDiceMetric.
    "surface area"   the pieces of surface that marching cubes (squares in a plane) lays between voxel centres, each
                     counting its area in mm2 (length in mm), at the middle of its eight (four) voxels.
                     surface-distance of DeepMind; MONAI's SurfaceDiceMetric with use_subvoxels.

Empty masks, in both: where one of two masks is empty, distances are infinite and surface Dice is 0, the worst; where
both are, every figure is nan, and whoever averages counts those cases apart. surface-distance gives an infinite
Hausdorff distance where both are empty, MONAI nan where one is.

Sources: Taha and Hanbury 2015, BMC Med Imaging 15:29; Nikolov 2021, J Med Internet Res 23:e26151 (surface Dice at a
tolerance, surface elements).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._nearest_place import nearest_mm
from hounsfield.metrics._nonempty_boxes import boxes_of
from hounsfield.metrics._surface_places import checked_spacing, outline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.metrics._surface_places import OutlineDefinition, SurfacePlaces

# By so much of a tolerance a distance may be larger and still counts as equal to it.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDistances:
    """Distances (n,) in mm from each place of one mask's outline to the nearest of the other's, both ways.

    truth_weight, prediction_weight: (n,), what each place counts: 1 ("border voxels"), or its mm2, in a plane mm
    ("surface area"). Where one mask is empty the distances of the other are infinite; where both are, there are none
    and every figure is nan: whoever averages counts those cases apart.
    """

    definition: OutlineDefinition
    from_truth_mm: NDArray[np.float64]
    from_prediction_mm: NDArray[np.float64]
    truth_weight: NDArray[np.float64]
    prediction_weight: NDArray[np.float64]

    @classmethod
    def between(
        cls,
        truth: SurfacePlaces,
        prediction: SurfacePlaces,
        spacing_mm: tuple[float, ...],
        definition: OutlineDefinition,
    ) -> SurfaceDistances:
        """Both ways between two outlines on one lattice."""
        return cls(
            definition,
            nearest_mm(truth.index, prediction.index, spacing_mm),
            nearest_mm(prediction.index, truth.index, spacing_mm),
            truth.weight,
            prediction.weight,
        )

    @property
    def hausdorff_mm(self) -> float:
        """The largest distance of either way; inf if one mask is empty, nan if both are."""
        ways = [way for way in (self.from_truth_mm, self.from_prediction_mm) if way.size]
        return max(float(way.max()) for way in ways) if ways else math.nan

    def hausdorff_percentile_mm(self, percentile: float = 95.0) -> float:
        """The larger of both ways' percentiles; inf if one mask is empty, nan if both are.

        "border voxels": by lines between ranks, as MONAI has it. "surface area": the least distance within which that
        share of the area lies, as surface-distance has it. Raises RefusedInput for a percentile outside 0 to 100.
        """
        if not 0.0 <= percentile <= 100.0:
            raise RefusedInput(f"the percentile is {percentile:g}; 0 to 100 is needed.")
        ways = [way for way in (self.from_truth_mm, self.from_prediction_mm) if way.size]
        if not ways:
            return math.nan
        if any(np.isinf(way).any() for way in ways):
            return math.inf
        if self.definition == "border voxels":
            return max(float(np.percentile(way, percentile)) for way in ways)
        return max(
            _percentile_by_weight(self.from_truth_mm, self.truth_weight, percentile),
            _percentile_by_weight(self.from_prediction_mm, self.prediction_weight, percentile),
        )

    @property
    def mean_mm(self) -> float:
        """Average symmetric surface distance: the mean over both outlines together; inf or nan as above."""
        both = np.concatenate([self.from_truth_mm, self.from_prediction_mm])
        return _mean(both, np.concatenate([self.truth_weight, self.prediction_weight]))

    @property
    def mean_from_truth_mm(self) -> float:
        """Mean distance from the truth's outline; inf if the prediction is empty, nan if the truth is."""
        return _mean(self.from_truth_mm, self.truth_weight)

    @property
    def mean_from_prediction_mm(self) -> float:
        """Mean distance from the prediction's outline; inf if the truth is empty, nan if the prediction is."""
        return _mean(self.from_prediction_mm, self.prediction_weight)

    def surface_dice(self, tolerance_mm: float) -> float:
        """Normalised surface Dice: share of both outlines that lies within the tolerance of the other.

        0 if one mask is empty, nan if both are. A distance equal to the tolerance lies within it, also where rounding
        says otherwise (three steps of 0.8 mm, 2.4 mm: so in MONAI, but not in surface-distance). Raises RefusedInput for a
        tolerance below 0.
        """
        if not tolerance_mm >= 0.0:
            raise RefusedInput(f"the tolerance is {tolerance_mm:g} mm; 0 or more is needed.")
        total = self.truth_weight.sum() + self.prediction_weight.sum()
        within_mm = tolerance_mm * (1.0 + _ROUNDING)
        near = self.truth_weight[self.from_truth_mm <= within_mm].sum()
        near += self.prediction_weight[self.from_prediction_mm <= within_mm].sum()
        return float(near / total) if total else math.nan


def surface_distances(
    truth: NDArray[Any],
    prediction: NDArray[Any],
    spacing_mm: tuple[float, ...],
    *,
    definition: OutlineDefinition = "border voxels",
) -> SurfaceDistances:
    """Distances between the outlines of two masks, by either definition (the module's text says which is which).

    truth, prediction: bool (z, y, x) or (y, x). spacing_mm: one for each axis, in the order of the array. Outside the
    array is outside the mask: what touches its edge has an outline there. Distances are exact, between places of one
    lattice. Raises RefusedInput if the shapes differ, a spacing is not above 0, or the definition is unknown.
    """
    masks = [np.asarray(mask, dtype=np.bool_).view(np.uint8) for mask in (truth, prediction)]
    spacing_mm = checked_spacing(masks[0], masks[1], spacing_mm)
    surfaces = [
        outline(mask, 1, box, spacing_mm, definition)
        for mask, box in ((mask, boxes_of(mask, [1])[1]) for mask in masks)
    ]
    return SurfaceDistances.between(surfaces[0], surfaces[1], spacing_mm, definition)


def _mean(distance_mm: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    return float((distance_mm * weight).sum() / weight.sum()) if distance_mm.size else math.nan


def _percentile_by_weight(
    distance_mm: NDArray[np.float64], weight: NDArray[np.float64], percentile: float
) -> float:
    order = np.argsort(distance_mm, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    place = int(np.searchsorted(share, percentile / 100.0))
    return float(distance_mm[order[min(place, order.size - 1)]])
