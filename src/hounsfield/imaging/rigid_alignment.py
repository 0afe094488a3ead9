"""Rigid alignment of two images of the same patient and kind: three shifts and three turns, by least squares.

Gauss-Newton steps over a pyramid of smoothed samples, with the brightness of one image fitted to the other
by a line at every step (as in Evangelidis 2008, IEEE PAMI 30:1858); begun from several places, of which the
likest is kept. It finds how a patient lies, not how organs have moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from hounsfield.core import Grid
from hounsfield.imaging.block_average import block_mean, factors_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = NDArray[np.float64]

# Samples lie this far apart; images are smoothed by half of it.
LEVELS_MM = (16.0, 8.0, 4.0)
_FINEST_MM = 3.0
_MOST_STEPS = 30
_SMALLEST_STEP_MM = 0.01
_REACH_MM = 100.0  # a turn of 0.01 moves what lies this far from the centre by 1 mm
_LEAST_OVERLAP = 0.3  # of the samples; with less, likeness means nothing
_FARTHEST_PERCENTILE = 0.5  # of values at either end that are cut: metal, vessels, noise


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """fixed_to_moving: 4x4, LPS millimetres of the fixed image to those of the moving one.

    correlation: of the values of both images where they overlap, at the finest level.
    """

    fixed_to_moving: NDArray[np.float64]
    correlation: float

    def to_moving(self, points_mm: Points) -> Points:
        """Where points (..., 3) of the fixed image lie in the moving one."""
        return np.asarray(points_mm @ self.fixed_to_moving[:3, :3].T + self.fixed_to_moving[:3, 3])

    def to_fixed(self, points_mm: Points) -> Points:
        """Where points (..., 3) of the moving image lie in the fixed one."""
        return np.asarray((points_mm - self.fixed_to_moving[:3, 3]) @ self.fixed_to_moving[:3, :3])


def align(
    fixed: NDArray[np.generic], fixed_grid: Grid, moving: NDArray[np.generic], moving_grid: Grid
) -> Alignment:
    """Align two volumes (z, y, x). Raises GeometryError if a grid states no millimetres."""
    still, other = (_Smoothed(a, g) for a, g in ((fixed, fixed_grid), (moving, moving_grid)))
    pivot = still.middle_mm
    starts = [np.zeros(6) for _ in range(3)]
    starts[1][3:] = other.middle_mm - pivot
    starts[2][3:] = other.weighted_middle_mm() - still.weighted_middle_mm()
    fits = [_Fit(still, other, pivot, LEVELS_MM[0]).refined(start) for start in starts]
    at, likeness = max(fits, key=lambda fit: fit[1])
    for level_mm in LEVELS_MM[1:]:
        at, likeness = _Fit(still, other, pivot, level_mm).refined(at)
    return Alignment(_matrix(at, pivot), likeness)


def inconsistency_mm(one: Alignment, other: Alignment, points_mm: Points) -> NDArray[np.float64]:
    """How far points (n, 3) of the fixed image come back from themselves by `one` and, the other way round, `other`."""
    return np.asarray(np.linalg.norm(other.to_moving(one.to_moving(points_mm)) - points_mm, axis=-1))


def _matrix(at: NDArray[np.float64], pivot: Points) -> NDArray[np.float64]:
    """Turn about `pivot` by the rotation vector at[:3], then shift by at[3:]."""
    made = np.eye(4)
    made[:3, :3] = Rotation.from_rotvec(at[:3]).as_matrix()
    made[:3, 3] = pivot - made[:3, :3] @ pivot + at[3:]
    return made


class _Smoothed:
    """An image in coarse voxels, its values between 0 and 1, and its smoothed forms by level."""

    def __init__(self, array: NDArray[np.generic], grid: Grid) -> None:
        factors = factors_for(grid.spacing_mm, target_mm=_FINEST_MM)
        whole = tuple(
            slice(0, max(n // factor, 1) * factor) for n, factor in zip(array.shape, factors, strict=True)
        )
        means = block_mean(array[whole], factors)
        low, high = np.percentile(means, (_FARTHEST_PERCENTILE, 100 - _FARTHEST_PERCENTILE))
        self.values = np.clip((means - low) / max(high - low, 1e-12), 0.0, 1.0).astype(np.float32)
        corner_mm = grid.index_to_mm((np.array(factors) - 1) / 2)
        affine = np.eye(4)
        affine[:3, :3] = (grid.index_to_mm(np.diag(factors)) - grid.origin_mm).T
        affine[:3, 3] = corner_mm
        z, y, x = means.shape
        self.grid, self.affine = Grid((z, y, x), affine), affine

    @property
    def middle_mm(self) -> Points:
        return self.grid.index_to_mm((np.array(self.grid.shape) - 1) / 2)

    def weighted_middle_mm(self) -> Points:
        """Centre of brightness."""
        return self.grid.index_to_mm(np.array(ndimage.center_of_mass(self.values)))

    def at_level(self, level_mm: float) -> NDArray[np.float32]:
        sigma = [level_mm / 2 / mm for mm in self.grid.spacing_mm]
        return np.asarray(ndimage.gaussian_filter(self.values, sigma, mode="nearest"))


class _Fit:
    """Samples of the fixed image at one level, and the moving image with its slopes."""

    def __init__(self, still: _Smoothed, other: _Smoothed, pivot: Points, level_mm: float) -> None:
        self._pivot, self._grid = pivot, other.grid
        steps = [max(1, round(level_mm / mm)) for mm in still.grid.spacing_mm]
        window = tuple(slice(step // 2, None, step) for step in steps)
        places = np.stack(list(np.mgrid[tuple(slice(0, n) for n in still.grid.shape)]), axis=-1)
        self._points = still.grid.index_to_mm(places[window].reshape(-1, 3))
        self._values = still.at_level(level_mm)[window].ravel().astype(np.float64)
        smoothed = other.at_level(level_mm)
        slopes = [
            np.gradient(smoothed, axis=axis) if n > 1 else np.zeros_like(smoothed)
            for axis, n in enumerate(smoothed.shape)
        ]
        self._images = (smoothed, *slopes)
        # Slopes along the axes to slopes along x, y, z.
        self._to_mm = np.linalg.inv(other.affine[:3, :3])

    def refined(self, start: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """The best place near `start` and its correlation, -1 where the images hardly overlap."""
        at, best = start, self._sampled(start)
        damping = 1e-3
        for _ in range(_MOST_STEPS):
            if best is None:
                return start, -1.0
            step = best.step(damping)
            tried = self._sampled(at + step)
            if tried is not None and tried.correlation > best.correlation:
                at, best, damping = at + step, tried, damping / 3
                if np.abs(step * ([_REACH_MM] * 3 + [1.0] * 3)).max() < _SMALLEST_STEP_MM:
                    break
            else:
                damping *= 10
                if damping > 1e3:
                    break
        return at, best.correlation if best is not None else -1.0

    def _sampled(self, at: NDArray[np.float64]) -> _Sampled | None:
        matrix = _matrix(at, self._pivot)
        turned = (self._points - self._pivot) @ matrix[:3, :3].T
        index = self._grid.mm_to_index(turned + self._pivot + at[3:])
        inside = ((index >= 0) & (index <= np.array(self._grid.shape) - 1)).all(axis=1)
        if inside.sum() < max(_LEAST_OVERLAP * self._values.size, 20):
            return None
        places = index[inside].T
        values, *slopes = (
            ndimage.map_coordinates(image, places, order=1, prefilter=False).astype(np.float64)
            for image in self._images
        )
        slope_mm = np.stack(slopes, axis=-1) @ self._to_mm
        derivatives = np.hstack([np.cross(turned[inside], slope_mm), slope_mm])
        return _Sampled(self._values[inside], values, derivatives)


@dataclass(frozen=True, slots=True, eq=False)
class _Sampled:
    """Values of both images at one place, and how those of the moving one change with it."""

    fixed: NDArray[np.float64]
    moving: NDArray[np.float64]
    derivatives: NDArray[np.float64]

    @property
    def correlation(self) -> float:
        a, b = self.fixed - self.fixed.mean(), self.moving - self.moving.mean()
        norm = float(np.sqrt((a @ a) * (b @ b)))
        return float(a @ b) / norm if norm > 0 else -1.0

    def step(self, damping: float) -> NDArray[np.float64]:
        """A damped Gauss-Newton step; slope and offset of brightness are fitted with it."""
        centred = self.moving - self.moving.mean()
        residual = self.fixed - self.fixed.mean()
        slope = float(centred @ residual) / max(float(centred @ centred), 1e-12)
        terms = np.hstack([slope * (self.derivatives - self.derivatives.mean(axis=0)), centred[:, None]])
        normal = terms.T @ terms
        normal[np.diag_indices(7)] *= 1.0 + damping
        normal[np.diag_indices(7)] += 1e-12
        solved = np.linalg.solve(normal, terms.T @ (residual - slope * centred))
        return np.asarray(solved[:6])
