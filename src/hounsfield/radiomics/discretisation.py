"""Grey levels from intensities: a fixed number of bins, or bins of a fixed size.

Source: Zwanenburg et al. 2020, Radiology 295:328, and the IBSI reference manual (arXiv:1612.07003),
section 2.7.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import RefusedInput, UnitError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Units whose zero and step mean the same in every patient, so that bins of a fixed size compare.
CALIBRATED_UNITS = frozenset({"HU", "SUVbw"})
# Quotients this close to a whole number are computed again in decimals: 0.3 / 0.1 is 2.999... in binary.
NEAR_A_LIMIT = 1e-6


def fixed_bin_number(values: NDArray[np.float64], n_bins: int) -> NDArray[np.intp]:
    """Grey levels 1 to `n_bins`: floor(n (x - min) / (max - min)) + 1, and the maximum in bin n.

    values: (n,) intensities of one region, of any unit. Raises RefusedInput if the region holds one
    value only (it has no levels to tell apart) or `n_bins` is below 2.
    """
    x = _checked(values)
    if n_bins < 2:
        raise RefusedInput(f"{n_bins} bins were asked for; a fixed bin number needs at least 2.")
    lowest, highest = float(x.min()), float(x.max())
    if lowest == highest:
        raise RefusedInput(
            f"the region is constant: every value is {lowest:g}, so a fixed bin number has no width to divide. "
            "Leave this region out."
        )
    below = _whole_steps(x, lowest, width=(Decimal(repr(highest)) - Decimal(repr(lowest))) / n_bins)
    return np.minimum(below + 1, n_bins)


def fixed_bin_size(values: NDArray[np.float64], *, width: float, lowest: float) -> NDArray[np.intp]:
    """Grey levels floor((x - lowest) / width) + 1, in the unit of the image.

    values: (n,) intensities of one region. lowest: lower limit of the re-segmentation range (-500 HU, 0
    for SUV); with the region's own minimum instead, bins are not comparable between patients and whoever
    calls this states so. Raises RefusedInput if a value lies below `lowest` or the width is not above 0.
    `require_calibrated_unit` says for which images this method may be used.
    """
    x = _checked(values)
    if not width > 0.0:
        raise RefusedInput(f"the bin width is {width:g}; it must be above 0.")
    if float(x.min()) < lowest:
        raise RefusedInput(
            f"the region holds {float(x.min()):g}, below the lower limit {lowest:g} of the bins. "
            "Re-segment the region to the range first, or lower the limit."
        )
    return _whole_steps(x, lowest, width=Decimal(repr(float(width)))) + 1


def require_calibrated_unit(unit: str) -> None:
    """Raise UnitError unless bins of a fixed size mean the same in every image of this unit."""
    if unit not in CALIBRATED_UNITS:
        raise UnitError(
            f"bins of a fixed size need a calibrated unit ({', '.join(sorted(CALIBRATED_UNITS))}), this image is in "
            f"{unit!r}: one bin would mean something else in every scan. Use a fixed bin number."
        )


def _checked(values: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.asarray(values, dtype=np.float64).ravel()
    if x.size == 0:
        raise RefusedInput("the region holds no voxel, so there is nothing to discretise.")
    if not np.isfinite(x).all():
        raise RefusedInput(
            f"the region holds {int((~np.isfinite(x)).sum())} voxels that are not finite numbers. "
            "Exclude them from the region."
        )
    return x


def _whole_steps(x: NDArray[np.float64], lowest: float, *, width: Decimal) -> NDArray[np.intp]:
    """floor((x - lowest) / width), exact in decimals at the limits of bins."""
    quotient = (x - lowest) / float(width)
    steps: NDArray[np.intp] = np.floor(quotient).astype(np.intp)
    near = np.abs(quotient - np.rint(quotient)) < NEAR_A_LIMIT
    start = Decimal(repr(lowest))
    candidates, place = np.unique(x[near], return_inverse=True)
    exact = [
        int(((Decimal(repr(float(value))) - start) / width).to_integral_value(ROUND_FLOOR))
        for value in candidates
    ]
    steps[near] = np.asarray(exact, dtype=np.intp)[place]
    return steps
