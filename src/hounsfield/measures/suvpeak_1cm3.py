"""SUVpeak: the hottest 1 cm3 sphere centred in a lesion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.code import PEAK_VALUE_WITHIN_ROI
from hounsfield.core.errors import RefusedInput
from hounsfield.core.region import bounding_box_index
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Grid, Image, Measurement, Region

CARD = RuleCard(
    name="suvpeak-1cm3",
    version="1.0.0",
    source="PERCIST 1.0, Wahl 2009, J Nucl Med 50:122S: 1 cm3 sphere where its mean is highest",
    quantity=PEAK_VALUE_WITHIN_ROI,
    unit="g/ml{SUVbw}",
    image_unit="SUVbw",
)
SPHERE_MM3 = 1000.0
RADIUS_MM = (3.0 * SPHERE_MM3 / (4.0 * math.pi)) ** (1.0 / 3.0)  # 6.2035 mm
# Boundary voxels count by the fraction that overlaps; at least 5 samples an axis, one each 0.5 mm.
FEWEST_SAMPLES, SAMPLE_MM = 5, 0.5


@measure(CARD)
def suvpeak_1cm3(image: Image, region: Region) -> Measurement:
    """Highest mean SUV of a 1 cm3 sphere centred on a voxel of `region`.

    The sphere may reach beyond the region, but not beyond the image; voxels on its boundary weigh as
    much as they overlap. Only voxel centres are tried as centres. Raises RefusedInput if no sphere
    fits into the image, otherwise as `suv_max` does.
    """
    CARD.values(image, region)
    weights = sphere_weights(image.grid)
    reach = tuple(n // 2 for n in weights.shape)
    low, high = bounding_box_index(region.mask) or ([0, 0, 0], [0, 0, 0])  # type: ignore[arg-type]  # values() checked it
    # Centres whose sphere lies inside the image, then all the voxels that their spheres touch.
    first = [max(start, r) for start, r in zip(low, reach, strict=True)]
    last = [min(stop, n - 1 - r) for stop, n, r in zip(high, image.grid.shape, reach, strict=True)]
    centres = tuple(slice(start, stop + 1) for start, stop in zip(first, last, strict=True))
    inside = region.mask[centres] if region.mask is not None else np.zeros(0, dtype=np.bool_)
    if any(start > stop for start, stop in zip(first, last, strict=True)) or not inside.any():
        raise RefusedInput(
            f"no 1 cm3 sphere around a voxel of region {region.name!r} lies wholly in the image, so there is "
            "no SUVpeak. Use the uncropped series."
        )
    touched = tuple(slice(start - r, stop + r + 1) for start, stop, r in zip(first, last, reach, strict=True))
    means = sphere_means(image.array[touched].astype(np.float64), weights)
    return CARD.measurement(
        float(means[inside].max()), region, name="suv-peak", note="highest mean, 1 cm3 sphere"
    )


def sphere_means(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted mean around every voxel at which `weights` fits into `values`: smaller by its reach."""
    from scipy.signal import fftconvolve  # half a second to import, needed only here

    # The sphere is symmetric, so convolution and correlation are one; the offset guards precision.
    offset = float(values.mean())
    summed = fftconvolve(values - offset, weights, mode="valid")
    means: NDArray[np.float64] = summed / weights.sum() + offset
    return means


def sphere_weights(grid: Grid) -> NDArray[np.float64]:
    """Overlap of the 1 cm3 sphere with each voxel around its centre: fractions, odd shape (z, y, x).

    Raises GeometryError if the grid states no millimetres.
    """
    spacing_mm = np.array(grid.spacing_mm)
    linear_mm = grid.directions * spacing_mm
    # A sheared axis needs a longer reach than the spacing says: the sphere's extent along the dual axes.
    extent = RADIUS_MM * np.linalg.norm(np.linalg.inv(linear_mm), axis=1)
    reach = np.ceil(extent - 0.5).astype(int)
    samples = [max(FEWEST_SAMPLES, math.ceil(step / SAMPLE_MM)) for step in spacing_mm]
    fine = [(np.arange((2 * r + 1) * n) + 0.5) / n - 0.5 - r for r, n in zip(reach, samples, strict=True)]
    z, y, x = (
        axis.reshape(shape) for axis, shape in zip(fine, ((-1, 1, 1), (1, -1, 1), (1, 1, -1)), strict=True)
    )
    squared_mm2 = sum((row[0] * z + row[1] * y + row[2] * x) ** 2 for row in linear_mm)
    inside = (squared_mm2 <= RADIUS_MM**2).reshape(
        2 * reach[0] + 1, samples[0], 2 * reach[1] + 1, samples[1], 2 * reach[2] + 1, samples[2]
    )
    fractions: NDArray[np.float64] = inside.mean(axis=(1, 3, 5))
    # A layer that the sphere touches by less than a sample would cost centres near the image's edge.
    touched = [fractions.any(axis=tuple({0, 1, 2} - {axis})) for axis in range(3)]
    return fractions[np.ix_(*touched)]
