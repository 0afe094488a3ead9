"""Does it point at the right place? Hits of one point, with tolerance in millimetres, and distances of centres.

Source: Zhang 2018, Int J Comput Vis 126:1084 (the pointing game, there with 15 pixels of tolerance).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics.wilson import wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.metrics._bootstrap import Interval


def pointing_distance_mm(strength: NDArray[Any], truth: NDArray[Any], spacing_mm: tuple[float, ...]) -> float:
    """Distance in mm from the strongest place of a map to the true region: 0 inside it, inf if the region is empty.

    strength: real (z, y, x) or (y, x), larger where the map points. truth: bool of the same shape. spacing_mm: one for
    each axis. Between voxel centres. Where several places are strongest the farthest counts, so that a map that
    points everywhere earns nothing. Raises RefusedInput for shapes that differ or numbers that are not finite.
    """
    from scipy.spatial import KDTree

    values, region = np.asarray(strength, dtype=np.float64), np.asarray(truth, dtype=np.bool_)
    _require_one_grid(values, region, spacing_mm)
    if not np.isfinite(values).all():
        raise RefusedInput("the map holds a value that is not a finite number.")
    if not region.any():
        return math.inf
    strongest = np.argwhere(values == values.max()) * np.asarray(spacing_mm)
    places = np.argwhere(region) * np.asarray(spacing_mm)
    distance_mm, _ = KDTree(places).query(strongest)
    return float(np.max(distance_mm))


def pointing_game(distance_mm: NDArray[Any], *, tolerance_mm: float = 0.0) -> Interval:
    """Share of the cases that were pointed at no farther than the tolerance, with its Wilson interval.

    distance_mm: (n,), one case a patient, from `pointing_distance_mm` or from a point that a reader gave. A case
    without a place (inf) is missed. Raises RefusedInput for no case, nan, or a tolerance below 0.
    """
    apart = np.asarray(distance_mm, dtype=np.float64)
    if np.isnan(apart).any() or (apart < 0).any():
        raise RefusedInput("a distance is below 0 or not a number; state inf where nothing was pointed at.")
    if not tolerance_mm >= 0.0:
        raise RefusedInput(f"the tolerance is {tolerance_mm:g} mm; 0 or more is needed.")
    return wilson_interval(int((apart <= tolerance_mm).sum()), apart.size)


def centre_distance_mm(truth: NDArray[Any], prediction: NDArray[Any], spacing_mm: tuple[float, ...]) -> float:
    """Distance in mm of the centroids of two masks; inf if one is empty, nan if both are.

    truth, prediction: bool (z, y, x) or (y, x), one voxel one weight. Raises RefusedInput for shapes that differ.
    """
    masks = [np.asarray(mask, dtype=np.bool_) for mask in (truth, prediction)]
    _require_one_grid(masks[0], masks[1], spacing_mm)
    if not all(mask.any() for mask in masks):
        return math.inf if any(mask.any() for mask in masks) else math.nan
    first, second = (np.argwhere(mask).mean(axis=0) * np.asarray(spacing_mm) for mask in masks)
    return float(np.linalg.norm(first - second))


def _require_one_grid(first: NDArray[Any], second: NDArray[Any], spacing_mm: tuple[float, ...]) -> None:
    if first.shape != second.shape:
        raise RefusedInput(f"shapes {first.shape} and {second.shape} differ; both must lie on one grid.")
    if len(spacing_mm) != first.ndim or not all(step > 0 and math.isfinite(step) for step in spacing_mm):
        raise RefusedInput(
            f"spacing {spacing_mm} mm does not fit {first.ndim} axes; one above 0 each is needed."
        )
