"""Which voxels of a region count for intensities: a range, then outliers beyond three deviations.

Source: IBSI reference manual (arXiv:1612.07003), section 2.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTLIER_DEVIATIONS = 3.0


def within_range(
    array: NDArray[np.floating],
    mask: NDArray[np.bool_],
    *,
    lowest: float = -np.inf,
    highest: float = np.inf,
) -> NDArray[np.bool_]:
    """`mask` without the voxels of `array` (same shape) below `lowest` or above `highest`; both limits count in."""
    inside: NDArray[np.bool_] = mask & (array >= lowest) & (array <= highest)
    return inside


def without_outliers(array: NDArray[np.floating], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`mask` without voxels farther from the mean than 3 SD, both of the voxels in `mask` (SD divides by n).

    Where a range is set too, apply `within_range` first: the manual takes mean and SD of what it leaves.
    """
    values = array[mask].astype(np.float64)
    if values.size == 0:
        return mask.copy()
    reach = OUTLIER_DEVIATIONS * float(values.std())
    return within_range(
        array, mask, lowest=float(values.mean()) - reach, highest=float(values.mean()) + reach
    )
