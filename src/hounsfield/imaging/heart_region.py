"""Where the heart lies on CT of the chest, by the lungs around it: enough to look for calcium, no outline of it.

The heart fills the space between the lungs in front of the spine. On each slice this space is what the hull of
both lungs holds and is no lung; lungs are mirrored in the midline first, for the left one often leaves the
apex uncovered. Works with a field of view that cuts the lungs, as scans of the heart have it. It holds the
roots of the great vessels too, and in the lowest slices what lies below the diaphragm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from hounsfield.imaging.block_average import block_mean, factors_for, repeat_blocks
from hounsfield.imaging.components import label_components, touching_side_edges
from hounsfield.imaging.morphology import grow, shrink
from hounsfield.imaging.orientation import StandardView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Grid
    from hounsfield.imaging.morphology import Spacing

    Mask = NDArray[np.bool_]

BLOCK_MM = 4.0  # enough to look for calcium in; nothing is measured on the blocks
LUNG_HU, OPEN_AIR_HU = -400.0, -970.0
SMALLEST_LUNG_ML = 50.0
# A lung is wrapped in soft tissue; a mattress or a blanket of the same density lies in air.
SHELL_MM, SHELL_HU, LEAST_WRAPPED = (3.0, 9.0), -300.0, 0.5
TISSUE_HU = -250.0  # fat and everything denser
BONE_HU, LEAST_BONE_MM, SPINE_HALF_MM = 150.0, 12.0, 20.0
SMOOTH_MM = 50.0  # the spine's front is smooth over a length of two vertebrae
# Between the spine and the heart lie the descending aorta, 20 to 30 mm wide, and the oesophagus.
BEFORE_SPINE_MM = 25.0
# A block at the border of lung is half air, and blurred calcium of 3 mm lies across it: the search goes this much
# farther, into lung, where nothing is as dense.
BORDER_MM = 7.0
NECK_MM = 4.0  # vessels of the lung are thinner than twice this, and are no part of the space
CORE_MM, CORE_HU = 8.0, -30.0
SD_PER_MAD = 1.4826  # of a normal distribution
# The dome of the liver is soft tissue farther to the right of the midline than the heart reaches.
ASIDE_MM, DOME_MM2 = 65.0, 1000.0
# The heart hangs some 20 mm lower than the right dome stands (seen on CT of the chest in inspiration).
BELOW_DOME_MM, LOWEST_MM = 20.0, 40.0  # to be covered; where the search ends
# From the right dome to the pulmonary trunk a heart measures 70 to 100 mm; what lies higher is not searched.
HEIGHT_MM = 110.0
# Above the heart the space narrows: to less than this part of its largest section.
LARGEST_TOP = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class HeartRegion:
    """The space around the heart on the grid of the image, and what the scan shows of it.

    mask: bool (z, y, x). blood_hu: the brightest quarter of its core begins here, which is blood: 30 to 60 HU
    without contrast agent. noise_hu: standard deviation of the voxels of the core, of which calcium and fat are no
    part (from their median deviation). cut_at_head: the first slice from the head shows the heart at its full width.
    cut_at_feet: the scan does not reach BELOW_DOME_MM below the dome of the diaphragm.
    """

    mask: Mask
    blood_hu: float
    noise_hu: float
    cut_at_head: bool
    cut_at_feet: bool


def find_heart_region(hu: NDArray[Any], grid: Grid) -> HeartRegion | None:
    """The space around the heart on a CT `hu` (z, y, x) in HU of any orientation; None where no lungs enclose one.

    Raises GeometryError if the grid states no millimetres.
    """
    view = StandardView.of_grid(grid)
    standard = view.apply(hu)
    fine_mm = view.spacing_mm(grid)
    factors = factors_for(fine_mm, target_mm=BLOCK_MM)
    coarse = np.maximum(block_mean(standard, factors), np.float32(-1024.0))
    spacing_mm = (fine_mm[0] * factors[0], fine_mm[1] * factors[1], fine_mm[2] * factors[2])
    lungs = _wrapped_lungs(coarse, spacing_mm)
    if not lungs.any():
        return None
    midline, fronts = _spine(coarse, lungs, spacing_mm)
    space = _enclosed(lungs, midline) & ~lungs & (coarse > TISSUE_HU)
    dome_top = _dome_top(space, midline, spacing_mm)
    last = fronts - BEFORE_SPINE_MM / spacing_mm[1]
    before_spine = np.arange(space.shape[1])[None, :, None] <= last[:, None, None]
    space[:, :, : max(0, int(midline - ASIDE_MM / spacing_mm[2]))] = False
    space = _without_necks(space & before_spine, spacing_mm)
    top = dome_top + round(HEIGHT_MM / spacing_mm[0]) if dome_top else space.shape[0]
    space[top:] = False
    space[: max(0, dome_top - round(LOWEST_MM / spacing_mm[0]))] = False
    core = shrink(space, radius_mm=CORE_MM, spacing_mm=spacing_mm) & (coarse > CORE_HU)
    core[:dome_top] = False
    if not core.any():
        return None
    areas = space[dome_top:].sum(axis=(1, 2))
    searched = grow(space, radius_mm=BORDER_MM, spacing_mm=spacing_mm) & before_spine
    fine = repeat_blocks(searched, factors, standard.shape)
    values = standard[repeat_blocks(core, factors, standard.shape)].astype(np.float32)
    return HeartRegion(
        np.ascontiguousarray(view.undo(fine)),
        blood_hu=float(np.percentile(coarse[core], 75.0)),
        noise_hu=float(SD_PER_MAD * np.median(np.abs(values - np.median(values)))),
        cut_at_head=bool(top >= space.shape[0] and areas[-1] > LARGEST_TOP * areas.max()),
        cut_at_feet=bool(dome_top * spacing_mm[0] < BELOW_DOME_MM),
    )


def _wrapped_lungs(hu: NDArray[np.float32], spacing_mm: Spacing) -> Mask:
    """Large pieces with the density of lung that lie in soft tissue; they may reach the edges of the image."""
    outside = touching_side_edges(hu < OPEN_AIR_HU)
    rim = grow(outside, radius_mm=SHELL_MM[1], spacing_mm=spacing_mm)
    aerated = (hu < LUNG_HU) & ~rim
    radius_mm = 1.01 * max(spacing_mm)
    opened = grow(
        shrink(aerated, radius_mm=radius_mm, spacing_mm=spacing_mm),
        radius_mm=radius_mm,
        spacing_mm=spacing_mm,
    )
    labels, sizes = label_components(opened & aerated)
    lungs = np.zeros_like(aerated)
    for label in range(1, int((sizes * np.prod(spacing_mm) >= 1000.0 * SMALLEST_LUNG_ML).sum()) + 1):
        piece = labels == label
        near, far = (grow(piece, radius_mm=mm, spacing_mm=spacing_mm) for mm in SHELL_MM)
        if (hu[far & ~near] > SHELL_HU).mean() >= LEAST_WRAPPED:
            lungs |= piece
    return lungs


def _spine(hu: NDArray[np.float32], lungs: Mask, spacing_mm: Spacing) -> tuple[float, NDArray[np.float64]]:
    """Column of the midline, and on each slice the row of the front of the vertebrae; axes (head, back, left).

    Where no bone is seen the middle and the hindmost row of the lungs stand for them.
    """
    rows, columns = (np.flatnonzero(lungs.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    middle_row, middle = (float(axis[0] + axis[-1]) / 2 for axis in (rows, columns))
    half = SPINE_HALF_MM / spacing_mm[2]
    bone = hu > BONE_HU
    bone[:, : int(middle_row)] = False
    profile = bone[:, :, max(0, int(middle - 2 * half)) : int(middle + 2 * half) + 1].sum(axis=(0, 1))
    if profile.any():
        middle = max(0, int(middle - 2 * half)) + float(
            np.average(np.arange(profile.size), weights=profile**2)
        )
    wide = (
        bone[:, :, max(0, int(middle - half)) : int(middle + half) + 1].sum(axis=2) * spacing_mm[2]
        >= LEAST_BONE_MM
    )
    fronts = np.where(wide.any(axis=1), wide.argmax(axis=1), np.nan)
    fronts = np.where(np.isnan(fronts), np.nanmedian(fronts) if wide.any() else rows[-1], fronts)
    n = max(1, round(SMOOTH_MM / spacing_mm[0]))
    return middle, ndimage.median_filter(fronts, size=n, mode="nearest")


def _enclosed(lungs: Mask, midline: float) -> Mask:
    """On each slice the convex hull of the lungs and their mirror image; nothing where there are none."""
    enclosed = np.zeros_like(lungs)
    rows, columns = np.indices(lungs.shape[1:]).reshape(2, -1)
    places = np.stack([rows, columns], axis=1)
    for k in np.flatnonzero(lungs.any(axis=(1, 2))):
        # The ends of each row are enough: what lies between them is no corner of a hull.
        own = np.flatnonzero(lungs[k].any(axis=1))
        first, last = lungs[k][own].argmax(axis=1), lungs.shape[2] - 1 - lungs[k][own, ::-1].argmax(axis=1)
        points = np.stack([np.tile(own, 2), np.concatenate([first, last])], axis=1).astype(np.float64)
        mirrored = points * (1.0, -1.0) + (0.0, 2.0 * midline)
        try:
            sides = ConvexHull(np.concatenate([points, mirrored])).equations
        except QhullError:  # fewer than three places that are not on one line
            continue
        inside = (places @ sides[:, :2].T + sides[:, 2] <= 1e-9).all(axis=1)
        enclosed[k] = inside.reshape(lungs.shape[1:])
    return enclosed


def _dome_top(space: Mask, midline: float, spacing_mm: Spacing) -> int:
    """Index of the lowest slice above the right dome of the diaphragm; 0 where the scan shows no dome."""
    right = space[:, :, : max(0, int(midline - ASIDE_MM / spacing_mm[2]))]
    is_dome = right.sum(axis=(1, 2)) * spacing_mm[1] * spacing_mm[2] >= DOME_MM2
    # The lowest run of slices: below it end the lungs, above it a tumour or the chest wall is no dome.
    found = np.flatnonzero(is_dome)
    return int(found[0] + np.argmin(np.append(is_dome[found[0] :], False))) if found.size else 0


def _without_necks(space: Mask, spacing_mm: Spacing) -> Mask:
    """The largest part of the space, without vessels of the lung and bridges to the chest wall."""
    labels, sizes = label_components(shrink(space, radius_mm=NECK_MM, spacing_mm=spacing_mm))
    if not sizes.size:
        return np.zeros_like(space)
    return space & grow(labels == 1, radius_mm=1.5 * NECK_MM, spacing_mm=spacing_mm)
