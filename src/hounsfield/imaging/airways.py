"""Trachea and large bronchi on CT of the chest, found on a coarse grid seen as (head, back, left)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hounsfield.imaging.components import IN_SLICES, label_components
from hounsfield.imaging.morphology import shrink

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.imaging.morphology import Spacing

# A lumen averaged over 2 to 3 mm holds some wall, so its limit lies above that of air.
LUMEN_HU = -880.0
# Cross-section of the adult trachea: Breatnach 1984, AJR 142:903 gives 10 to 27 mm of diameter.
TRACHEA_MM2 = (40.0, 700.0)
SHORTEST_TRACHEA_MM = 20.0
FARTHEST_FROM_MIDLINE_MM = 45.0
# Growth stops before it leaks into the lung: trachea and large bronchi hold well below this volume.
LARGEST_AIRWAYS_ML = 120.0
LEAK_RATIO, LEAK_ML = 1.5, 15.0
GROWTH_LIMITS_HU = tuple(float(hu) for hu in range(-970, -699, 15))


@dataclass(frozen=True, slots=True)
class Airways:
    """Lumen of trachea and large bronchi (head, back, left), and the mean of the trachea's core.

    trachea_hu: None where no voxel lies clear of the wall.
    """

    lumen: NDArray[np.bool_]
    trachea_hu: float | None


def find_airways(hu: NDArray[np.float32], inside: NDArray[np.bool_], spacing_mm: Spacing) -> Airways | None:
    """Trachea and the bronchi that can be reached from it without a leak; None without a trachea.

    hu: coarse CT (head, back, left). inside: gas within the body, a mask of the same shape.
    """
    trachea = _find_trachea(hu, inside, spacing_mm)
    if trachea is None:
        return None
    core = shrink(trachea, radius_mm=1.01 * max(spacing_mm[1:]), spacing_mm=(1e3, *spacing_mm[1:]))
    trachea_hu = float(hu[core].mean()) if core.any() else None
    return Airways(_grow_without_leak(hu, inside, trachea, spacing_mm), trachea_hu)


def _find_trachea(
    hu: NDArray[np.float32], inside: NDArray[np.bool_], spacing_mm: Spacing
) -> NDArray[np.bool_] | None:
    """The longest stack of small compact gas profiles near the midline, in the upper part."""
    profiles = _compact_profiles(inside & (hu < LUMEN_HU), spacing_mm)
    labels, sizes = label_components(profiles)
    tissue_x = np.flatnonzero(hu.max(axis=0).max(axis=0) > -400.0)
    if sizes.size == 0 or tissue_x.size == 0:
        return None
    midline = tissue_x.mean()
    best, best_length_mm = 0, SHORTEST_TRACHEA_MM
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        length_mm = (box[0].stop - box[0].start) * spacing_mm[0]
        off_mm = abs((box[2].start + box[2].stop - 1) / 2.0 - midline) * spacing_mm[2]
        if off_mm <= FARTHEST_FROM_MIDLINE_MM and length_mm >= best_length_mm:
            best, best_length_mm = label, length_mm
    return labels == best if best else None


def _compact_profiles(gas: NDArray[np.bool_], spacing_mm: Spacing) -> NDArray[np.bool_]:
    """Those profiles of gas in the slices that are as large and as round as a trachea's."""
    labels, n = ndimage.label(gas, structure=IN_SLICES)
    areas_mm2 = np.bincount(labels.ravel(), minlength=n + 1) * spacing_mm[1] * spacing_mm[2]
    keep = (areas_mm2 >= TRACHEA_MM2[0]) & (areas_mm2 <= TRACHEA_MM2[1])
    keep[0] = False
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if keep[label]:
            sides_mm = [(box[axis].stop - box[axis].start) * spacing_mm[axis] for axis in (1, 2)]
            filled = areas_mm2[label] / (sides_mm[0] * sides_mm[1])
            keep[label] = max(sides_mm) <= 2.5 * min(sides_mm) and filled >= 0.5
    compact: NDArray[np.bool_] = keep[labels]
    return compact


def _grow_without_leak(
    hu: NDArray[np.float32], inside: NDArray[np.bool_], seed: NDArray[np.bool_], spacing_mm: Spacing
) -> NDArray[np.bool_]:
    """Raise the limit of the lumen until the volume leaps, which means a leak; keep the last before."""
    voxel_ml = float(np.prod(spacing_mm)) / 1000.0
    grown, volume_ml = seed, seed.sum() * voxel_ml
    for limit_hu in GROWTH_LIMITS_HU:
        labels, _ = ndimage.label((inside & (hu < limit_hu)) | seed)
        wanted = np.zeros(int(labels.max()) + 1, dtype=np.bool_)
        wanted[np.unique(labels[seed])] = True
        candidate = wanted[labels]
        candidate_ml = candidate.sum() * voxel_ml
        leaks = candidate_ml > LEAK_RATIO * volume_ml and candidate_ml - volume_ml > LEAK_ML
        if candidate_ml > LARGEST_AIRWAYS_ML or leaks:
            break
        grown, volume_ml = candidate, candidate_ml
    return grown
