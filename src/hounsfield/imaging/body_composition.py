"""Muscle, fat under the skin and fat around the organs on CT of the abdomen, by density and shape alone.

Zones (what kind of tissue a place could be) are found on blocks of about 2.5 mm; which voxels of a zone
are muscle or fat is then decided by their own HU. Read `segment_tissues` first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from hounsfield.imaging.abdominal_wall import GAS_HU, LEAN_HU, STEP_MM, find_wall
from hounsfield.imaging.back_muscles import Spine, deep_muscle
from hounsfield.imaging.block_average import block_mean, factors_for, repeat_blocks
from hounsfield.imaging.body_outline import (
    BODY_HU,
    distance_in_plane_mm,
    outline_body,
    section_sizes_mm2,
)
from hounsfield.imaging.lumbar_levels import (
    body_profile,
    crest_top,
    estimate_l3,
    spine_path,
)
from hounsfield.imaging.orientation import StandardView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Grid
    from hounsfield.imaging.abdominal_wall import AbdominalWall
    from hounsfield.imaging.block_average import Factors
    from hounsfield.imaging.body_outline import BodyOutline
    from hounsfield.imaging.lumbar_levels import LumbarLevel
    from hounsfield.imaging.morphology import Spacing

BLOCK_MM = 2.5
SUBCUTANEOUS, MUSCLE, VISCERAL, MUSCLE_OR_VISCERAL, MUSCLE_OR_SUBCUTANEOUS, SPINE = 1, 2, 3, 4, 5, 6
HuRange = tuple[float, float]
# Bone: cortex, and trabecular bone that is denser than muscle after smoothing; closed over its marrow.
BONE_HU, SMOOTH_BONE_HU, MARROW_HU, SMALLEST_BONE_MM2, BONE_CLOSING_MM = 170.0, 150.0, 90.0, 30.0, 5.0
# Costal cartilage (about 100 HU) lies in the wall and is no muscle, which reaches 75 HU after contrast.
CARTILAGE_HU = 90.0
# The outer side of the skin, which is 1 to 3 mm thick, is a blend with air that has the density of fat.
SKIN_MM = 1.5
# The blend of gas and bowel wall has the density of fat; stool holds gas in gaps narrower than twice this.
GAS_MARGIN_MM, STOOL_MM = 2.0, 5.0
BLEND_HU = -90.0  # a block of more than a tenth of muscle among fat
# A trunk, not a head or a limb: width, and the share of bone in its section.
NARROWEST_MM, MOST_BONE = 180.0, 0.15
SPINE_REACH_MM = 20.0  # bone shows at least this near to every slice: a disc is thinner
SHORTEST_MM = 20.0  # less of an abdomen is not measured
# The chest: lung (aerated, but not gas alone) fills this share of the section.
LUNG_HU, LUNG_SHARE = (-970.0, -500.0), 0.10


@dataclass(frozen=True, slots=True)
class TissueRanges:
    """HU that count as muscle, fat under the skin and fat around the organs; both ends in."""

    muscle: HuRange
    subcutaneous: HuRange
    visceral: HuRange


@dataclass(frozen=True, slots=True)
class Abdomen:
    """The tissues of the abdomen on the grid of an axial image.

    muscle, subcutaneous, visceral, spine (vertebral bodies and discs, roughly): masks (z, y, x), empty outside
    `slices`: indices along z, from the feet upwards. l3: index of mid-L3 (fractional), None if it could not be estimated, and pitch: slices from one
    vertebra to the next. For each entry of `slices`: has_limbs beside the trunk, is_cut by the field of view,
    muscle_is_cut, and the share of the wall whose inner surface was seen. crest_is_seen: whether the scan
    reaches the iliac crests.
    """

    muscle: NDArray[np.bool_]
    subcutaneous: NDArray[np.bool_]
    visceral: NDArray[np.bool_]
    spine: NDArray[np.bool_]
    slices: tuple[int, ...]
    l3: float | None
    pitch: float
    crest_is_seen: bool
    has_limbs: NDArray[np.bool_]
    is_cut: NDArray[np.bool_]
    muscle_is_cut: NDArray[np.bool_]
    seen_share: NDArray[np.float64]


def segment_tissues(hu: NDArray[Any], grid: Grid, ranges: TissueRanges) -> Abdomen | None:
    """Tissues on an axial CT `hu` (z, y, x) in HU, stored in any direction; None where it shows no abdomen.

    Values below -1024 count as air. Raises GeometryError if the grid states no millimetres.
    """
    view = StandardView.of_grid(grid)
    standard, fine_mm = view.apply(hu), view.spacing_mm(grid)
    factors = factors_for(fine_mm, target_mm=BLOCK_MM)
    coarse = np.maximum(block_mean(standard, factors), np.float32(-1024.0))
    found = _find_abdomen(coarse, (fine_mm[0] * factors[0], fine_mm[1] * factors[1], fine_mm[2] * factors[2]))
    if found is None:
        return None
    n_slices, is_reversed = standard.shape[0], view.reversed_axes[0]
    fine = np.arange(found.slices.start * factors[0], min(found.slices.stop * factors[0], n_slices))
    block = fine // factors[0] - found.slices.start
    zones = _FineZones(found.zones, found.body, factors, fine_mm)
    masks = np.zeros((4, *standard.shape), dtype=np.bool_)
    for k, of_block in zip(fine, block, strict=True):
        masks[:, k] = zones.tissues(standard[k], int(of_block), ranges)
    muscle, subcutaneous, visceral, spine = (np.ascontiguousarray(view.undo(mask)) for mask in masks)
    l3 = None if found.level is None else (found.level.centre + 0.5) * factors[0] - 0.5
    return Abdomen(
        muscle=muscle,
        subcutaneous=subcutaneous,
        visceral=visceral,
        spine=spine,
        slices=tuple(int(n_slices - 1 - k if is_reversed else k) for k in fine),
        l3=n_slices - 1 - l3 if l3 is not None and is_reversed else l3,
        pitch=0.0 if found.level is None else found.level.pitch * factors[0],
        crest_is_seen=found.crest >= 0,
        has_limbs=found.has_limbs[block],
        is_cut=found.is_cut[block],
        muscle_is_cut=found.muscle_is_cut[block],
        seen_share=found.seen_share[block],
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """The abdomen on blocks: its slices among all, and for each of them its zones, body and what to tell."""

    slices: range
    zones: NDArray[np.uint8]
    body: NDArray[np.bool_]
    level: LumbarLevel | None
    crest: int
    has_limbs: NDArray[np.bool_]
    is_cut: NDArray[np.bool_]
    muscle_is_cut: NDArray[np.bool_]
    seen_share: NDArray[np.float64]


def _find_abdomen(hu: NDArray[np.float32], spacing_mm: Spacing) -> _Found | None:
    outline = outline_body(hu, spacing_mm)
    path = spine_path(hu, outline, spacing_mm)
    outline.mask[np.isnan(path).any(axis=1)] = False  # without a spine it is no trunk
    bone = bone_mask(hu, outline.mask, spacing_mm)
    crest = crest_top(hu, outline, path, spacing_mm)
    chosen = abdominal_slices(hu, outline, bone, spacing_mm, crest)
    if len(chosen) * spacing_mm[0] < SHORTEST_MM:
        return None
    part = slice(chosen.start, chosen.stop)
    zones, wall = tissue_zones(hu[part], outline.mask[part], bone[part], path[part], spacing_mm)
    level = estimate_l3(body_profile(hu, path, spacing_mm), crest, spacing_mm[0])
    is_cut = outline.touches_edge[part]
    muscle_is_cut = is_cut & ((zones == MUSCLE) & outline.rim).any(axis=(1, 2))
    return _Found(
        chosen,
        zones,
        outline.mask[part],
        level,
        crest,
        outline.has_limbs[part],
        is_cut,
        muscle_is_cut,
        wall.is_seen.mean(axis=1),
    )


def bone_mask(hu: NDArray[np.float32], body: NDArray[np.bool_], spacing_mm: Spacing) -> NDArray[np.bool_]:
    """Bone with its marrow and canal; hu and body (z, y, x)."""
    smooth = ndimage.gaussian_filter(hu, (0.0, 2.0 / spacing_mm[1], 2.0 / spacing_mm[2]))
    dense = ((hu > BONE_HU) | ((smooth > SMOOTH_BONE_HU) & (hu > MARROW_HU))) & body
    labels, areas_mm2 = section_sizes_mm2(dense, spacing_mm)
    dense &= (areas_mm2 > SMALLEST_BONE_MM2)[labels]
    grown = distance_in_plane_mm(~dense, spacing_mm) <= BONE_CLOSING_MM
    closed = dense | (distance_in_plane_mm(grown, spacing_mm) > BONE_CLOSING_MM)
    return np.stack([ndimage.binary_fill_holes(section) for section in closed])


def abdominal_slices(
    hu: NDArray[np.float32], outline: BodyOutline, bone: NDArray[np.bool_], spacing_mm: Spacing, crest: int
) -> range:
    """Slices between the iliac crests (or the scan's end) and the chest; empty if there is no abdomen."""
    pixel_mm2 = spacing_mm[1] * spacing_mm[2]
    body_mm2 = outline.mask.sum(axis=(1, 2)) * pixel_mm2
    width_mm = outline.mask.any(axis=1).sum(axis=1) * spacing_mm[2]
    bone_mm2 = (bone & outline.mask).sum(axis=(1, 2)) * pixel_mm2
    lung = (hu > LUNG_HU[0]) & (hu < LUNG_HU[1]) & outline.mask
    lung &= distance_in_plane_mm(lung, spacing_mm) > 2.0 * max(spacing_mm[1:])
    lung_mm2 = lung.sum(axis=(1, 2)) * pixel_mm2
    has_spine = ndimage.maximum_filter1d(bone_mm2, 2 * int(SPINE_REACH_MM / spacing_mm[0]) + 1) > 0.0
    is_trunk = (width_mm >= NARROWEST_MM) & has_spine & (bone_mm2 < MOST_BONE * body_mm2)
    is_trunk &= lung_mm2 < LUNG_SHARE * body_mm2
    is_trunk[: crest + 1] = False
    in_chest = np.flatnonzero(lung_mm2 >= LUNG_SHARE * body_mm2.clip(1.0))
    # What lies above the lungs is neck and shoulders, not abdomen.
    if in_chest.size:
        is_trunk[in_chest[0] :] = False
    runs, n_runs = ndimage.label(is_trunk)
    if n_runs == 0:
        return range(0)
    sizes = np.bincount(runs)[1:]
    slices = np.flatnonzero(runs == 1 + int(sizes.argmax()))
    return range(int(slices[0]), int(slices[-1]) + 1)


def tissue_zones(
    hu: NDArray[np.float32],
    body: NDArray[np.bool_],
    bone: NDArray[np.bool_],
    path: NDArray[np.float64],
    spacing_mm: Spacing,
) -> tuple[NDArray[np.uint8], AbdominalWall]:
    """Which tissue each block may be, and the wall that tells: SUBCUTANEOUS, MUSCLE, VISCERAL, two of them, SPINE, or 0."""
    wall = find_wall(hu, body, bone, spacing_mm)
    smooth = ndimage.gaussian_filter(hu, (0.0, 3.0 / spacing_mm[1], 3.0 / spacing_mm[2]))
    gas = (hu < GAS_HU) & body
    lumen = distance_in_plane_mm(~gas, spacing_mm) <= STOOL_MM
    lumen = gas | (distance_in_plane_mm(lumen, spacing_mm) > STOOL_MM)
    zones = np.zeros(hu.shape, dtype=np.uint8)
    for k in range(hu.shape[0]):
        radius_mm, ray = wall.radii_mm(k, hu.shape[1:], spacing_mm)
        outer_mm = wall.at(wall.outer[k], ray)
        inside = (radius_mm <= outer_mm + STEP_MM) & body[k]
        in_wall = inside & (radius_mm > outer_mm + STEP_MM - wall.at(wall.thickness[k], ray))
        spine = Spine.around(path[k], hu.shape[1:], spacing_mm)
        hard = bone[k] | spine.bone() | ((smooth[k] > CARTILAGE_HU) & in_wall)
        lean = (hu[k] > LEAN_HU) & (hu[k] < BONE_HU) & inside & ~hard
        deep = deep_muscle(lean & ~in_wall, spine, spacing_mm)
        under_skin = body[k] & (radius_mm > wall.at(wall.under_skin[k], ray) + STEP_MM)
        muscle = (in_wall & ~under_skin) | deep
        visceral = inside & ~in_wall & ~spine.between_muscles() & ~lumen[k]
        # Blocks that hold the border of muscle and fat: their pixels are told apart one by one.
        blend = (hu[k] <= LEAN_HU) & (hu[k] > BLEND_HU)
        by_muscle = ndimage.binary_dilation(muscle)
        zones[k][under_skin] = SUBCUTANEOUS
        zones[k][visceral] = VISCERAL
        zones[k][visceral & blend & by_muscle] = MUSCLE_OR_VISCERAL
        zones[k][muscle] = MUSCLE
        border = (under_skin & by_muscle) | (muscle & ndimage.binary_dilation(under_skin))
        zones[k][border & blend] = MUSCLE_OR_SUBCUTANEOUS
        zones[k][hard] = 0
        zones[k][spine.body() & inside] = SPINE
    return zones, wall


@dataclass(frozen=True, slots=True)
class _FineZones:
    """Zones on blocks, and what becomes of them at full resolution."""

    labels: NDArray[np.uint8]
    body: NDArray[np.bool_]
    factors: Factors
    fine_mm: Spacing

    def tissues(self, hu: NDArray[Any], block: int, ranges: TissueRanges) -> NDArray[np.bool_]:
        """Muscle, both fats and the spine, (4, y, x), on one slice that lies in `block`."""
        zone = self._fine(self.labels[block], hu.shape)
        body = self._fine(ndimage.binary_dilation(self.body[block]), hu.shape)
        core = self._fine(ndimage.binary_erosion(self.body[block]), hu.shape)
        outside = ~(body & ((hu > BODY_HU) | core))
        skin = _grown(outside, SKIN_MM, self.fine_mm)
        blend = _grown((hu < GAS_HU) & ~outside, GAS_MARGIN_MM, self.fine_mm)
        or_visceral, or_subcutaneous = zone == MUSCLE_OR_VISCERAL, zone == MUSCLE_OR_SUBCUTANEOUS
        muscle = _within(hu, ranges.muscle) & ((zone == MUSCLE) | or_visceral | or_subcutaneous)
        under_skin = _within(hu, ranges.subcutaneous) & ((zone == SUBCUTANEOUS) | or_subcutaneous) & ~skin
        visceral = _within(hu, ranges.visceral) & ((zone == VISCERAL) | or_visceral) & ~blend
        return np.stack([muscle & ~skin, under_skin, visceral, zone == SPINE])

    def _fine(self, blocks: NDArray[Any], shape_yx: tuple[int, ...]) -> NDArray[Any]:
        fine: NDArray[Any] = repeat_blocks(blocks[None], (1, *self.factors[1:]), (1, *shape_yx))[0]
        return fine


def _within(hu: NDArray[Any], limits: HuRange) -> NDArray[np.bool_]:
    return np.asarray((hu >= limits[0]) & (hu <= limits[1]))


def _grown(mask: NDArray[np.bool_], margin_mm: float, spacing_mm: Spacing) -> NDArray[np.bool_]:
    steps = max(1, round(margin_mm / spacing_mm[1]))
    grown: NDArray[np.bool_] = ndimage.binary_dilation(mask, iterations=steps)
    return grown
