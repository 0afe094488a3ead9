"""Where in a CT the patient lies, coarsely and fast: what networks need not look at is the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hounsfield.imaging.block_average import block_mean, factors_for, repeat_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.imaging.morphology import Spacing

BLOCK_MM = 6.0
# A block of 6 mm that is half skin and half air lies here; the foam of a table (-900 to -700 HU) stays below.
BLOCK_HU = -500.0
# Limbs beside the trunk are kept; sheets, cables and what else lies around are smaller than this part of the trunk.
SMALLEST_SHARE = 0.02


def patient_region(hu: NDArray[np.number], spacing_mm: Spacing) -> NDArray[np.bool_]:
    """Voxels (z, y, x) in the patient or within 6 mm of the skin; lungs and bowel gas are inside, table and air are not.

    hu: CT (z, y, x) in HU; spacing_mm along its axes. The rule: blocks of 6 mm whose mean lies above -500 HU, of these the
    largest connected part and every other of at least a fiftieth of its size, what they enclose in a slice, and one block
    around. All False where there is no such block. What lies outside may be called background without having been looked at.
    """
    factors = factors_for(spacing_mm, target_mm=BLOCK_MM)
    solid = block_mean(hu, factors) > BLOCK_HU
    parts, n_parts = ndimage.label(solid)
    if n_parts == 0:
        return np.zeros(hu.shape, dtype=np.bool_)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kept = (sizes >= sizes.max() * SMALLEST_SHARE)[parts] & solid
    filled = np.stack([ndimage.binary_fill_holes(section) for section in kept])
    grown = ndimage.binary_dilation(filled, ndimage.generate_binary_structure(3, 3))
    region: NDArray[np.bool_] = repeat_blocks(grown, factors, hu.shape)
    return region
