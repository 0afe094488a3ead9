"""Left and right lung without the large airways on CT of the chest, by density and shape alone.

The heavy steps run on blocks of about 2.5 mm; only the border is then drawn at full resolution.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from hounsfield.imaging.airways import Airways, find_airways
from hounsfield.imaging.block_average import block_mean, factors_for, repeat_blocks
from hounsfield.imaging.components import IN_SLICES, label_components, nearest_label, touching_side_edges
from hounsfield.imaging.morphology import close, fill_holes, grow, shrink
from hounsfield.imaging.orientation import StandardView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Grid
    from hounsfield.imaging.block_average import Factors
    from hounsfield.imaging.morphology import Spacing

BLOCK_MM = 2.5
# Half-way between aerated lung (-850 HU) and soft tissue (50 HU), so borders are where they should be.
LUNG_HU = -400.0
# The core of a lung is lighter than water and denser than gas; bowel holds gas or stool.
LUNG_CORE_HU = (-970.0, -500.0)
GAS_HU, MOST_GAS = -985.0, 0.5
SMALLEST_LUNG_ML, SMALLEST_PIECE_ML = 100.0, 5.0
# Vessels and small nodules at the border of the lung belong to it.
CLOSING_MM = 7.5
LARGEST_HOLE_MM2 = 200.0
RIGHT, LEFT, CORE = 1, 2, 4
BAND_MM = 4.0
# Two lungs are told apart when the smaller part has at least this share of the larger.
SMALLEST_SHARE = 0.15
# Less than this in the last slice is the tip of a lung; what lies beyond it is a few tenths of a millilitre.
TIP_MM2 = 100.0
# Profiles at the side edges that look like lung cut by the field of view, not like air around it.
EDGE_LUNG_HU, EDGE_LUNG_MM2, EDGE_LUNG_SLICES = (-930.0, -500.0), 2000.0, 3
SHRINK_STEPS_MM = (0.0, 2.6, 5.1, 7.6, 10.1, 12.6, 15.1)


@dataclass(frozen=True, slots=True)
class LungSegmentation:
    """What was found, on the grid of the image.

    labels: uint8 (z, y, x), RIGHT and LEFT. trachea_hu: mean of the trachea's core, None if none was
    found. cut_at_head, cut_at_feet: lung reaches that end of the scan with more than its tip.
    cut_at_side: lung probably reaches beyond the field of view. separated_by_plane: the lungs could not
    be told apart by shape, and were cut in the midline.
    """

    labels: NDArray[np.uint8]
    trachea_hu: float | None = None
    cut_at_head: bool = False
    cut_at_feet: bool = False
    cut_at_side: bool = False
    separated_by_plane: bool = False

    def mask(self, label: int) -> NDArray[np.bool_]:
        """One lung, RIGHT or LEFT."""
        found: NDArray[np.bool_] = self.labels == label
        return found


def segment_lungs(hu: NDArray[Any], grid: Grid) -> LungSegmentation | None:
    """Lungs on a CT `hu` (z, y, x) in HU of any orientation, or None where there are none.

    Values below -1024 count as air. Raises GeometryError if the grid states no millimetres.
    """
    view = StandardView.of_grid(grid)
    standard = view.apply(hu)
    spacing_mm = view.spacing_mm(grid)
    factors = factors_for(spacing_mm, target_mm=BLOCK_MM)
    coarse = np.maximum(block_mean(standard, factors), np.float32(-1024.0))
    coarse_mm = (spacing_mm[0] * factors[0], spacing_mm[1] * factors[1], spacing_mm[2] * factors[2])
    found = _segment_coarse(coarse, coarse_mm)
    if found is None:
        return None
    labels = _refine(standard, found, factors, coarse_mm)
    summary = _ends(labels, found.summary, pixel_mm2=spacing_mm[1] * spacing_mm[2])
    return replace(summary, labels=np.ascontiguousarray(view.undo(labels)))


@dataclass(frozen=True, slots=True)
class _Coarse:
    """Labels and walled airways (head, back, left) on blocks, and what else was found."""

    labels: NDArray[np.uint8]
    airways: NDArray[np.bool_]
    summary: LungSegmentation


def _segment_coarse(hu: NDArray[np.float32], spacing_mm: Spacing) -> _Coarse | None:
    aerated = hu < LUNG_HU
    outside = touching_side_edges(aerated)
    inside = aerated & ~outside
    airways = find_airways(hu, inside, spacing_mm) or Airways(np.zeros_like(inside), None)
    walled = grow(airways.lumen, radius_mm=1.01 * max(spacing_mm), spacing_mm=spacing_mm)
    lungs = _lung_pieces(hu, inside & ~walled, spacing_mm)
    if not lungs.any():
        return None
    labels, by_plane = _tell_apart(lungs, _midline(hu, airways.lumen), spacing_mm)
    for side in (RIGHT, LEFT):
        closed = close(labels == side, radius_mm=CLOSING_MM, spacing_mm=spacing_mm)
        closed = fill_holes(closed, largest_mm2=LARGEST_HOLE_MM2, spacing_mm=spacing_mm)
        labels[closed & (labels == 0) & ~walled & ~outside] = side
    summary = LungSegmentation(
        labels,
        trachea_hu=airways.trachea_hu,
        cut_at_side=_lung_beyond_edge(hu, outside, spacing_mm),
        separated_by_plane=by_plane,
    )
    return _Coarse(labels, walled, summary)


def _midline(hu: NDArray[np.float32], airways: NDArray[np.bool_]) -> float:
    """Index of the midline along the last axis: the trachea's, else that of the body's mass."""
    upper = np.flatnonzero(airways.any(axis=(1, 2)))
    if upper.size:
        return float(np.argwhere(airways[upper[upper.size // 2] :])[:, 2].mean())
    profile = (hu > LUNG_HU).sum(axis=(0, 1))
    return float(np.average(np.arange(profile.size), weights=np.maximum(profile, 1)))


def _lung_pieces(hu: NDArray[np.float32], gas: NDArray[np.bool_], spacing_mm: Spacing) -> NDArray[np.bool_]:
    """Components with the density of lung: large ones, and smaller ones that lie above these."""
    voxel_ml = float(np.prod(spacing_mm)) / 1000.0
    labels, sizes = label_components(gas)
    large: list[NDArray[np.bool_]] = []
    small: list[NDArray[np.bool_]] = []
    for label in range(1, int((sizes * voxel_ml >= SMALLEST_PIECE_ML).sum()) + 1):
        piece = labels == label
        if _has_density_of_lung(hu, piece, spacing_mm):
            (large if sizes[label - 1] * voxel_ml >= SMALLEST_LUNG_ML else small).append(piece)
    lungs = np.zeros_like(gas)
    for piece in large:
        lungs |= piece
    below = np.cumsum(lungs, axis=0) > 0
    # Gas of bowel and stomach has lung above it, a severed part of the upper lobe has lung below it.
    for piece in small:
        if below[piece].mean() >= 0.5:
            lungs = lungs | piece
    return lungs


def _has_density_of_lung(hu: NDArray[np.float32], piece: NDArray[np.bool_], spacing_mm: Spacing) -> bool:
    core = shrink(piece, radius_mm=1.01 * max(spacing_mm), spacing_mm=spacing_mm)
    if not core.any():
        return False
    values = hu[core]
    low, high = LUNG_CORE_HU
    return bool(low <= np.median(values) <= high and (values < GAS_HU).mean() <= MOST_GAS)


def _tell_apart(
    lungs: NDArray[np.bool_], midline: float, spacing_mm: Spacing
) -> tuple[NDArray[np.uint8], bool]:
    """Right and left: two parts after as little shrinking as needed, else a cut in the midline."""
    for radius_mm in SHRINK_STEPS_MM:
        shrunk = shrink(lungs, radius_mm=radius_mm, spacing_mm=spacing_mm) if radius_mm else lungs
        markers = _two_sides(shrunk, midline)
        if markers is not None:
            markers = _mark_severed(lungs, markers, midline)
            return nearest_label(markers, spacing_mm, within=lungs), False
    left = lungs & (np.arange(lungs.shape[2]) > midline)
    share = float(left.sum() / lungs.sum())
    if max(share, 1.0 - share) >= 1.0 - SMALLEST_SHARE:
        return lungs.astype(np.uint8) * np.uint8(LEFT if share > 0.5 else RIGHT), False
    return np.where(left, LEFT, np.where(lungs, RIGHT, 0)).astype(np.uint8), True


def _two_sides(parts: NDArray[np.bool_], midline: float) -> NDArray[np.uint8] | None:
    """The largest part on each side of the midline, if both are large."""
    labels, sizes = label_components(parts)
    markers = np.zeros(parts.shape, dtype=np.uint8)
    for label in range(1, int((sizes >= SMALLEST_SHARE * sizes[:1].sum()).sum()) + 1):
        part = labels == label
        side = _side_of(part, midline)
        if not (markers == side).any():
            markers[part] = side
    return markers if set(np.unique(markers)) == {0, RIGHT, LEFT} else None


def _mark_severed(lungs: NDArray[np.bool_], markers: NDArray[np.uint8], midline: float) -> NDArray[np.uint8]:
    """Pieces joined to no marker get the side on which they lie, not that of the nearest lung."""
    labels, sizes = label_components(lungs)
    joined = set(np.unique(labels[markers > 0]))
    marked = markers.copy()
    for label in range(1, sizes.size + 1):
        if label not in joined:
            piece = labels == label
            marked[piece] = _side_of(piece, midline)
    return marked


def _side_of(part: NDArray[np.bool_], midline: float) -> int:
    profile = part.sum(axis=(0, 1))
    return LEFT if float(np.average(np.arange(profile.size), weights=profile)) > midline else RIGHT


def _lung_beyond_edge(hu: NDArray[np.float32], outside: NDArray[np.bool_], spacing_mm: Spacing) -> bool:
    """Whether large areas with the density of lung are cut by the side edges of several slices."""
    labels, n = ndimage.label(outside, structure=IN_SLICES)
    sizes = np.bincount(labels.ravel(), minlength=n + 1)
    means = np.bincount(labels.ravel(), weights=hu.ravel(), minlength=n + 1) / np.maximum(sizes, 1)
    low, high = EDGE_LUNG_HU
    suspect = (sizes * spacing_mm[1] * spacing_mm[2] >= EDGE_LUNG_MM2) & (means >= low) & (means <= high)
    suspect[0] = False
    return int(suspect[labels].any(axis=(1, 2)).sum()) >= EDGE_LUNG_SLICES


def _refine(hu: NDArray[Any], coarse: _Coarse, factors: Factors, spacing_mm: Spacing) -> NDArray[np.uint8]:
    """The border at full resolution: voxels below LUNG_HU near the coarse lung, and all of its core."""
    near = grow(coarse.labels > 0, radius_mm=BAND_MM, spacing_mm=spacing_mm) & ~coarse.airways
    code = nearest_label(coarse.labels, spacing_mm, within=near)
    for side in (RIGHT, LEFT):
        core = shrink(coarse.labels == side, radius_mm=1.01 * max(spacing_mm), spacing_mm=spacing_mm)
        code[core] |= CORE
    fine = repeat_blocks(code, factors, hu.shape)
    keep = (fine & CORE).astype(np.bool_)
    keep |= hu < LUNG_HU
    return (fine & np.uint8(RIGHT | LEFT)) * keep.view(np.uint8)


def _ends(labels: NDArray[np.uint8], found: LungSegmentation, *, pixel_mm2: float) -> LungSegmentation:
    """Where the scan cuts the lungs; labels (head, back, left)."""
    head_mm2, feet_mm2 = (np.count_nonzero(labels[end]) * pixel_mm2 for end in (-1, 0))
    return replace(found, cut_at_feet=bool(feet_mm2 > TIP_MM2), cut_at_head=bool(head_mm2 > TIP_MM2))
