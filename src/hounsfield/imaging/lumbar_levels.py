"""Where the spine runs on CT of the abdomen, and which vertebra is probably the third lumbar one.

The level is read off two landmarks that a person would use too: the tops of the iliac crests, which lie
beside L4 or the disc below it, and the discs, which are darker than the vertebral bodies. Transitional
vertebrae and crests that stand higher or lower shift the answer by one level, so it is an estimate.
All arrays are (head, back, left).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.imaging.body_outline import BodyOutline
    from hounsfield.imaging.morphology import Spacing

# Trabecular bone of adults (100 to 250 HU) stands out between these; brighter counts no more.
DENSE_HU = (80.0, 180.0)
# Half of a lumbar body: about 34 mm deep and 44 mm wide in adults (textbook anatomy).
HALF_DEPTH_MM, HALF_WIDTH_MM = 16.0, 22.0
MIDLINE_SEARCH_MM = (45.0, 30.0, 30.0)
# How far in front of the densest place (arch and body together) the centre of the body can lie.
BODY_BEFORE_PEAK_MM = (-24.0, 4.0)
FRONT_SHARE = 0.4  # the front of the body is where density has risen to this share
# Iliac wing: cortex, farther from the midline than transverse processes reach, with a section larger than that
# of a rib, which runs steeply through the slice.
CORTEX_HU, DENSE_CORTEX_HU, BESIDE_MM, SMALLEST_WING_MM2 = 250.0, 400.0, 50.0, 250.0
# Body and disc together are 30 to 42 mm high from L2 to L4 in adults (textbook anatomy).
PITCHES_MM = tuple(float(pitch) for pitch in range(30, 43))
DISC_MM, LEAST_CONTRAST_HU = 8.0, 15.0


@dataclass(frozen=True, slots=True)
class LumbarLevel:
    """An estimated level along the head axis, as fractional indices.

    centre: of the body of L3. pitch: from one body to the next. crest: last slice with iliac wings.
    """

    centre: float
    pitch: float
    crest: int


def spine_path(hu: NDArray[np.float32], outline: BodyOutline, spacing_mm: Spacing) -> NDArray[np.float64]:
    """Centre (row, column) of the vertebral body on every slice, (z, 2); nan where there is no trunk or bone."""
    inner = ndimage.binary_erosion(outline.mask, structure=_CROSS, iterations=2)
    dense = (np.clip(hu, *DENSE_HU) - DENSE_HU[0]) * inner
    present = outline.mask.any(axis=(1, 2))
    path = np.full((hu.shape[0], 2), np.nan)
    middles = {int(k): ndimage.center_of_mass(outline.mask[k]) for k in np.flatnonzero(present)}
    for k, (row, column) in middles.items():
        path[k, 1] = _midline(dense[k], row - 5.0 / spacing_mm[1], column, spacing_mm)
    path[:, 1] = _median_along(path[:, 1], 45.0, spacing_mm[0])
    for k, (row, _) in middles.items():
        path[k, 0] = _body_row(dense[k], row - 5.0 / spacing_mm[1], path[k, 1], spacing_mm)
    path[:, 0] = _median_along(path[:, 0], 27.0, spacing_mm[0])
    path[~present] = np.nan
    return path


_CROSS = ndimage.generate_binary_structure(3, 1)
_CROSS[[0, 2]] = False


def _midline(dense: NDArray[np.float32], first_row: float, column: float, spacing_mm: Spacing) -> float:
    columns = np.arange(dense.shape[1])
    profile = dense[max(0, int(np.ceil(first_row))) :].sum(axis=0)
    for half_mm in MIDLINE_SEARCH_MM:
        weights = profile * (np.abs(columns - column) * spacing_mm[2] < half_mm)
        if weights.sum() > 0.0:
            column = float(np.average(columns, weights=weights))
    return column


def _body_row(dense: NDArray[np.float32], first_row: float, column: float, spacing_mm: Spacing) -> float:
    """Row of the body's centre from the front of the bone in the midline; nan without bone."""
    near = np.abs(np.arange(dense.shape[1]) - column) * spacing_mm[2] < 12.0
    profile = dense[:, near].mean(axis=1) if near.any() else np.zeros(dense.shape[0])
    profile[: max(0, int(first_row))] = 0.0
    broad = ndimage.gaussian_filter1d(profile, 9.0 / spacing_mm[1])
    if broad.max() <= 5.0:
        return float("nan")
    sharp = ndimage.gaussian_filter1d(profile, 2.0 / spacing_mm[1])
    front = float(np.flatnonzero(sharp > FRONT_SHARE * sharp.max())[0])
    peak = float(broad.argmax())
    low, high = (peak + offset_mm / spacing_mm[1] for offset_mm in BODY_BEFORE_PEAK_MM)
    return float(np.clip(front + HALF_DEPTH_MM / spacing_mm[1], low, high))


def _median_along(values: NDArray[np.float64], window_mm: float, step_mm: float) -> NDArray[np.float64]:
    """Running median that leaves out what is not known; nan where nothing is."""
    half = int(window_mm / step_mm / 2)
    padded = np.pad(values, half, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    known = ~np.isnan(windows).all(axis=1)
    smooth = np.full(values.size, np.nan)
    smooth[known] = np.nanmedian(windows[known], axis=1)
    return smooth


def crest_top(
    hu: NDArray[np.float32], outline: BodyOutline, path: NDArray[np.float64], spacing_mm: Spacing
) -> int:
    """The highest slice that still shows both iliac wings; -1 if the scan does not show both.

    On each side the wing is the largest connected piece of cortical bone beside the spine; ribs are smaller,
    and a kidney bright with contrast never reaches the density of cortex.
    """
    cortex = (hu > CORTEX_HU) & outline.mask
    columns = np.arange(hu.shape[2])
    tops = []
    for sign in (-1, 1):
        with np.errstate(invalid="ignore"):
            beside = (columns[None, :] - path[:, 1:]) * sign * spacing_mm[2] > BESIDE_MM
        labels, n_pieces = ndimage.label(cortex & beside[:, None, :], structure=np.ones((3, 3, 3)))
        if n_pieces == 0:
            return -1
        wing = labels == 1 + int(np.bincount(labels.ravel())[1:].argmax())
        largest_mm2 = wing.sum(axis=(1, 2)).max() * spacing_mm[1] * spacing_mm[2]
        if largest_mm2 < SMALLEST_WING_MM2:
            return -1
        if np.percentile(hu[wing], 95.0) < DENSE_CORTEX_HU:
            return -1
        tops.append(int(np.flatnonzero(wing.any(axis=(1, 2)))[-1]))
    return min(tops)


def body_profile(
    hu: NDArray[np.float32], path: NDArray[np.float64], spacing_mm: Spacing
) -> NDArray[np.float64]:
    """Mean density of the vertebral body's section on every slice, HU between 0 and 300; nan without spine."""
    rows, columns = np.arange(hu.shape[1])[:, None], np.arange(hu.shape[2])[None, :]
    profile = np.full(hu.shape[0], np.nan)
    for k in np.flatnonzero(~np.isnan(path).any(axis=1)):
        row, column = path[k]
        inside = ((rows - row) * spacing_mm[1] / HALF_DEPTH_MM) ** 2
        inside = inside + ((columns - column) * spacing_mm[2] / HALF_WIDTH_MM) ** 2
        profile[k] = np.clip(hu[k][inside < 1.0], 0.0, 300.0).mean()
    return profile


def estimate_l3(profile: NDArray[np.float64], crest: int, step_mm: float) -> LumbarLevel | None:
    """The level of L3 from the crest and the three discs from it upwards; None if they do not show.

    L4 is the body beside the crest's top, or the one above it if the crest ends beside a disc. The discs
    are those places, equally far apart, that are darkest against the bodies between them.
    """
    known = ~np.isnan(profile)
    if crest < 0 or not known.any():
        return None
    heights_mm = np.arange(profile.size) * step_mm
    fine_mm = np.arange(heights_mm[0], heights_mm[-1], 0.5)
    fine = np.interp(fine_mm, heights_mm[known], profile[known])
    best: tuple[float, float, float] | None = None
    for pitch_mm in PITCHES_MM:
        lowest_mm, highest_mm = heights_mm[crest] - pitch_mm + DISC_MM / 2, heights_mm[crest] + DISC_MM / 2
        for disc_mm in np.arange(lowest_mm, highest_mm, 1.0):
            contrast_hu = _disc_contrast_hu(fine_mm, fine, float(disc_mm), pitch_mm)
            if contrast_hu is not None and (best is None or contrast_hu > best[0]):
                best = (contrast_hu, float(disc_mm), pitch_mm)
    if best is None or best[0] < LEAST_CONTRAST_HU:
        return None
    _, disc_mm, pitch_mm = best
    return LumbarLevel((disc_mm + 1.5 * pitch_mm) / step_mm, pitch_mm / step_mm, crest)


def _disc_contrast_hu(
    fine_mm: NDArray[np.float64], fine: NDArray[np.float64], disc_mm: float, pitch_mm: float
) -> float | None:
    """How much darker three discs are than the two bodies between them; None beyond the scan's ends."""
    if disc_mm - DISC_MM / 2 < fine_mm[0] or disc_mm + 2 * pitch_mm + DISC_MM / 2 > fine_mm[-1]:
        return None
    from_disc_mm = (fine_mm - disc_mm + pitch_mm / 2) % pitch_mm - pitch_mm / 2
    spanned = (fine_mm > disc_mm - DISC_MM / 2) & (fine_mm < disc_mm + 2 * pitch_mm + DISC_MM / 2)
    in_disc = spanned & (np.abs(from_disc_mm) < DISC_MM / 2)
    return float(fine[spanned & ~in_disc].mean() - fine[in_disc].mean())
