"""The abdominal wall on CT: the ring of muscle between the fat under the skin and the fat around the organs.

Rays run from the middle of every slice outwards, in polar coordinates. The outer surface of the wall is
where lean tissue or bowel gas ends on a ray, bridged where muscle is thin (the midline). Its inner surface
is where lean tissue ends in fat, gas or behind a rib; where an organ lies against the wall no surface shows,
and the thickness is taken over from its neighbours. All arrays are (head, back, left).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hounsfield.imaging.body_outline import distance_in_plane_mm, section_sizes_mm2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.imaging.morphology import Spacing

# Lean tissue begins where the range of fat (up to -30 HU) ends; bowel and lung gas lie far below fat.
LEAN_HU, GAS_HU = -30.0, -200.0
N_RAYS, STEP_MM, REACH_MM = 240, 1.0, 320.0
# What lies this near to the surface is skin; smaller pieces are vessels and septa of the fat.
SKIN_REACH_MM, SMALLEST_PIECE_MM2 = 4.5, 250.0
# Openings and closings along the ring, in rays of 1.5 degrees: spikes off, gaps of thin muscle bridged.
SPIKE_RAYS, FRONT_GAP_RAYS, BACK_GAP_RAYS = 7, 25, 15
# How far the fat under the skin may reach inside the bridged surface: between the back muscles, and elsewhere.
BACK_CLEFT_MM, OTHER_CLEFT_MM, CLEFT_HALF_ANGLE_DEG = 40.0, 12.0, 25.0
# The wall of the flanks, thickest of muscular men; fat between its layers is thinner than a gap.
THICKEST_MM, THINNEST_MM, GAP_MM, USUAL_MM = 24, 3, 4, 14.0
SEARCH_MM = 60
TYPICAL_PERCENT = 35.0


@dataclass(frozen=True, slots=True)
class AbdominalWall:
    """Radii of the wall on the rays of every slice, (z, ray) in mm from `centres` (z, 2: row, column).

    outer: bridged outer surface. under_skin: where fat under the skin ends. thickness: of the wall;
    is_seen: whether it was seen on that ray, not taken over from others.
    """

    centres: NDArray[np.float64]
    outer: NDArray[np.float64]
    under_skin: NDArray[np.float64]
    thickness: NDArray[np.float64]
    is_seen: NDArray[np.bool_]

    def radii_mm(
        self, k: int, shape_yx: tuple[int, int], spacing_mm: Spacing
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of every pixel of slice k: its distance from the centre, and its place among the rays (fractional)."""
        y_mm = (np.arange(shape_yx[0]) - self.centres[k, 0])[:, None] * spacing_mm[1]
        x_mm = (np.arange(shape_yx[1]) - self.centres[k, 1])[None, :] * spacing_mm[2]
        ray: NDArray[np.float64] = np.arctan2(y_mm, x_mm) / (2 * np.pi) * N_RAYS % N_RAYS
        return np.hypot(y_mm, x_mm), ray

    @staticmethod
    def at(values: NDArray[np.float64], ray: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (ray,) of one slice at fractional rays."""
        closed = np.append(values, values[0])
        return np.asarray(np.interp(ray, np.arange(N_RAYS + 1), closed))


def find_wall(
    hu: NDArray[np.float32], body: NDArray[np.bool_], bone: NDArray[np.bool_], spacing_mm: Spacing
) -> AbdominalWall:
    """The wall on every slice; hu, body (filled outline) and bone (z, y, x), body on every slice."""
    centres = np.array([ndimage.center_of_mass(section) for section in body])
    centres = ndimage.uniform_filter1d(centres, _odd(15.0 / spacing_mm[0]), axis=0, mode="nearest")
    firm = _lean_or_gas(hu, body, spacing_mm)
    edge_mm = np.stack([_outermost_mm(firm[k], centres[k], spacing_mm) for k in range(hu.shape[0])])
    outer = _bridged(edge_mm, spacing_mm[0])
    thickness, is_seen = _thickness_mm(hu, bone, centres, outer, spacing_mm)
    return AbdominalWall(
        centres, outer, _under_skin(edge_mm, outer), _completed(thickness, is_seen, spacing_mm[0]), is_seen
    )


def _odd(n: float) -> int:
    """The odd number of samples nearest to n, at least 1."""
    return 2 * int(n / 2) + 1


def _lean_or_gas(hu: NDArray[np.float32], body: NDArray[np.bool_], spacing_mm: Spacing) -> NDArray[np.bool_]:
    deep = distance_in_plane_mm(body, spacing_mm) > SKIN_REACH_MM
    lean = (hu > LEAN_HU) & body & deep
    labels, areas_mm2 = section_sizes_mm2(lean, spacing_mm)
    kept = (areas_mm2 > SMALLEST_PIECE_MM2)[labels]
    firm: NDArray[np.bool_] = kept | ((hu < GAS_HU) & body & deep)
    return firm


def _sampled(
    section: NDArray[np.float32], centre: NDArray[np.float64], spacing_mm: Spacing
) -> NDArray[np.float32]:
    """A slice along the rays, (ray, step); air beyond its edges."""
    angle = np.arange(N_RAYS) * (2 * np.pi / N_RAYS)
    radius_mm = np.arange(0.0, REACH_MM, STEP_MM)
    rows = centre[0] + np.outer(np.sin(angle), radius_mm) / spacing_mm[1]
    columns = centre[1] + np.outer(np.cos(angle), radius_mm) / spacing_mm[2]
    values: NDArray[np.float32] = ndimage.map_coordinates(section, [rows, columns], order=1, cval=-1000.0)
    return values


def _outermost_mm(
    firm: NDArray[np.bool_], centre: NDArray[np.float64], spacing_mm: Spacing
) -> NDArray[np.float64]:
    is_firm = _sampled(firm.astype(np.float32), centre, spacing_mm) > 0.5
    last = is_firm.shape[1] - 1 - is_firm[:, ::-1].argmax(axis=1)
    return np.where(is_firm.any(axis=1), last * STEP_MM, 0.0)


def _median_of_ring(values: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    margin = size[1] // 2 + 1
    around = np.pad(values, ((0, 0), (margin, margin)), mode="wrap")
    filtered: NDArray[np.float64] = ndimage.median_filter(around, size=size, mode="nearest")
    return np.asarray(filtered[:, margin:-margin])


def _bridged(edge_mm: NDArray[np.float64], step_mm: float) -> NDArray[np.float64]:
    """The outer surface: smooth, without spikes, closed over gaps; wider ones in front, where muscle is thin."""
    smooth = _median_of_ring(edge_mm, (_odd(15.0 / step_mm), 9))
    smooth = ndimage.grey_opening(smooth, size=(1, SPIKE_RAYS), mode="wrap")
    in_front = np.sin(np.arange(N_RAYS) * (2 * np.pi / N_RAYS)) < 0.0
    front = ndimage.grey_closing(smooth, size=(1, FRONT_GAP_RAYS), mode="wrap")
    back = ndimage.grey_closing(smooth, size=(1, BACK_GAP_RAYS), mode="wrap")
    return np.asarray(np.where(in_front, front, back))


def _under_skin(edge_mm: NDArray[np.float64], outer: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the fat under the skin ends: on the muscle itself, where that is not far inside the surface."""
    own = ndimage.grey_opening(_median_of_ring(edge_mm, (3, 3)), size=(1, 5), mode="wrap")
    angle = np.arange(N_RAYS) * (2 * np.pi / N_RAYS)
    at_back = np.sin(angle) > np.cos(np.radians(CLEFT_HALF_ANGLE_DEG))
    deepest_mm = np.where(at_back, BACK_CLEFT_MM, OTHER_CLEFT_MM)
    return np.where(outer - own <= deepest_mm, np.minimum(own, outer), outer)


def _thickness_mm(
    hu: NDArray[np.float32],
    bone: NDArray[np.bool_],
    centres: NDArray[np.float64],
    outer: NDArray[np.float64],
    spacing_mm: Spacing,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Thickness on every ray where the inner surface shows, and where it does."""
    thickness = np.zeros(outer.shape)
    for k in range(hu.shape[0]):
        inwards = np.rint(outer[k] / STEP_MM).astype(int)[:, None] - np.arange(SEARCH_MM)[None, :]
        inwards = np.maximum(inwards, 0)
        lean = np.take_along_axis(_sampled(hu[k], centres[k], spacing_mm) > LEAN_HU, inwards, axis=1)
        on_rays = _sampled(bone[k].astype(np.float32), centres[k], spacing_mm) > 0.5
        rib = np.take_along_axis(on_rays, inwards[:, : THICKEST_MM + 5], axis=1)
        thickness[k] = _inner_surface_mm(lean, rib)
    return thickness, thickness > 0.0


def _inner_surface_mm(lean: NDArray[np.bool_], rib: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Depth (ray,) of the inner surface below the outer one; 0 where none is seen within THICKEST_MM."""
    n_rays, n_steps = lean.shape
    steps = np.arange(n_steps)
    first = np.where(lean[:, :12].any(axis=1), lean[:, :12].argmax(axis=1), 0)
    # A gap begins where the next GAP_MM steps are all not lean.
    windows = np.lib.stride_tricks.sliding_window_view(~lean, GAP_MM, axis=1).all(axis=2)
    gap = np.zeros_like(lean)
    gap[:, : windows.shape[1]] = windows
    gap &= steps[None, :] > first[:, None]
    end = np.where(gap.any(axis=1), gap.argmax(axis=1), n_steps)
    behind_rib = np.where(rib.any(axis=1), rib.shape[1] + 1 - rib[:, ::-1].argmax(axis=1), 0)
    end = np.where((end > THICKEST_MM) & (behind_rib > 0), behind_rib, np.maximum(end, behind_rib))
    is_seen = (end - first >= THINNEST_MM) & (end <= THICKEST_MM)
    return np.where(is_seen, end * STEP_MM, 0.0).reshape(n_rays)


def _completed(
    thickness: NDArray[np.float64], is_seen: NDArray[np.bool_], step_mm: float
) -> NDArray[np.float64]:
    """The lower third of what is seen near each ray; means over a wider neighbourhood where nothing is.

    Not the median: an organ that lies against the wall makes it look thicker, and nothing makes it look thinner.
    """
    half_z, half_ray = int(6.0 / step_mm), 4
    known = np.where(is_seen, thickness, np.nan)
    padded = np.pad(known, ((half_z, half_z), (0, 0)), constant_values=np.nan)
    padded = np.pad(padded, ((0, 0), (half_ray, half_ray)), mode="wrap")
    size = (2 * half_z + 1, 2 * half_ray + 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, size).reshape(*thickness.shape, -1)
    typical = np.zeros(thickness.shape)
    typical[is_seen] = np.nanpercentile(windows[is_seen], TYPICAL_PERCENT, axis=1)
    near, near_weight = _mean_near(typical, is_seen, (6.0 / step_mm, 4.0))
    far, far_weight = _mean_near(typical, is_seen, (18.0 / step_mm, 14.0))
    filled = np.where(near_weight > 0.15, near, np.where(far_weight > 0.01, far, USUAL_MM))
    return np.where(is_seen, typical, filled)


def _mean_near(
    values: NDArray[np.float64], weights: NDArray[np.bool_], sigma: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mode = ("nearest", "wrap")
    weight = ndimage.gaussian_filter(weights.astype(np.float64), sigma, mode=mode)
    total = ndimage.gaussian_filter(np.where(weights, values, 0.0), sigma, mode=mode)
    return total / np.maximum(weight, 1e-6), weight
