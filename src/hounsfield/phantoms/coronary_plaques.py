"""Calcified plaques of known score: which voxels each one holds on which slice, and how dense they are.

A plaque is drawn voxel by voxel, so its Agatston score is known by construction: on every slice the number
of its voxels x the area of one x the factor of the highest value there, x increment / 3 mm. Its values lie
well inside the bands of the factors; voxels around it stay below the threshold; two plaques never touch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from hounsfield.core import Grid

# Lower limits in HU of the factors 1 to 4: Agatston 1990 at 120 kV, Graeni 2018 below. Written out here once
# more, because a truth that came from the rule under test would be none.
LIMITS_HU = {
    70: (207, 318, 477, 636),
    80: (177, 271, 408, 544),
    100: (145, 222, 334, 446),
    120: (130, 200, 300, 400),
}
HIGHEST_HU = 1100
MARGIN_HU = 6  # values keep this far from the limits, so that rounding moves no voxel
AROUND_HU = 60.0  # of a voxel beside a plaque: partial volume, below every threshold
INSERT_MG_PER_CM3, INSERT_HU, WATER_HU = (
    200.0,
    250.0,
    0.0,
)  # calibration of the mass, as on a McCollough insert
APART_PX = 3
TRIES = 4000


@dataclass(frozen=True, slots=True, eq=False)
class Plaque:
    """One plaque: voxels (n, 3) as indices (z, y, x), their HU (n,), and where it belongs.

    vessel: lm, lad, lcx, rca; `aortic-valve`, `ascending-aorta`, `descending-aorta` for what is no coronary
    calcium. shape: `round`, `corner` (two parts that meet in a corner alone) or `grain` (one voxel).
    """

    vessel: str
    shape: str
    voxels: NDArray[np.int64]
    hu: NDArray[np.int16]

    def scored_slices(self, pixel_mm2: float) -> list[tuple[int, int, int]]:
        """(slice, number of voxels, highest HU) of each slice where at least 1 mm2 of it lies."""
        found = []
        for k in np.unique(self.voxels[:, 0]):
            on_slice = self.voxels[:, 0] == k
            n = int(on_slice.sum())
            if round(n * pixel_mm2, 9) >= 1.0:
                found.append((int(k), n, int(self.hu[on_slice].max())))
        return found

    def truth(self, grid: Grid, kvp: int) -> dict[str, Any]:
        """Score, volume and mass, with the centre in LPS mm."""
        z_mm, y_mm, x_mm = grid.spacing_mm
        scored = self.scored_slices(y_mm * x_mm)
        kept = np.isin(self.voxels[:, 0], [k for k, _, _ in scored])
        n_voxels, voxel_mm3 = int(kept.sum()), z_mm * y_mm * x_mm
        score = sum(n * y_mm * x_mm * _factor(top, kvp) for _, n, top in scored) * z_mm / 3.0
        c = INSERT_MG_PER_CM3 / (INSERT_HU - WATER_HU) / 1000.0
        return {
            "vessel": self.vessel,
            "shape": self.shape,
            "centre_mm": [round(float(v), 3) for v in grid.index_to_mm(self.voxels).mean(axis=0)],
            "n_slices": len(scored),
            "n_voxels": n_voxels,
            "max_hu": int(self.hu.max()),
            "agatston": score,
            "volume_mm3": n_voxels * voxel_mm3,
            "mass_mg": c * float(self.hu[kept].sum()) * voxel_mm3,
        }


def _factor(hu: int, kvp: int) -> int:
    return sum(hu >= limit for limit in limits_of(kvp))


def limits_of(kvp: int) -> tuple[int, ...]:
    """Limits of the factors at `kvp`; those of 120 kV where none are published."""
    return LIMITS_HU.get(kvp, LIMITS_HU[120])


@dataclass(slots=True)
class PlaquePainter:
    """Puts plaques beside the courses of the arteries, none of which touches another.

    grid: axial, z to the head. courses: points (n, 3) in LPS mm by name of the artery.
    """

    grid: Grid
    courses: Mapping[str, NDArray[np.float64]]
    kvp: int
    rng: Generator
    plaques: list[Plaque] = field(default_factory=list)
    taken: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.taken = np.zeros(self.grid.shape, dtype=np.bool_)

    def coronary(self, vessel: str, shape: str) -> None:
        """One plaque somewhere along `vessel`, away from where the left main divides; none of it outside the scan.

        Raises UsageError where there is room for no more.
        """
        course = self.courses[vessel]
        fork = self.courses["lm"][-1]
        away = course[np.linalg.norm(course - fork, axis=1) > (6.0 if vessel == "lm" else 14.0)]
        index = self.grid.mm_to_index(away)
        away = away[((index >= 1) & (index <= np.array(self.grid.shape) - 2)).all(axis=1)]
        for _ in range(TRIES if len(away) else 0):
            if self._paint(vessel, shape, away[self.rng.integers(len(away))]):
                return
        if not len(away):
            return
        raise UsageError(
            f"no place along the {vessel.upper()} for another plaque: ask for fewer, smaller voxels, or more slices"
        )

    def elsewhere(self, place: str, points_mm: NDArray[np.float64]) -> None:
        """Calcium that is no coronary calcium, at one of `points_mm`; left out where none lies in the scan."""
        for _ in range(200):
            if self._paint(place, "round", points_mm[self.rng.integers(len(points_mm))]):
                return

    def _paint(self, vessel: str, shape: str, centre_mm: NDArray[np.float64]) -> bool:
        centre = self.grid.mm_to_index(centre_mm)
        voxels = {"round": self._round, "corner": _corner, "grain": _grain}[shape](centre)
        margin = np.array([1, APART_PX + 1, APART_PX + 1])
        if (voxels < margin).any() or (voxels >= np.array(self.grid.shape) - margin).any():
            return False
        if self.taken[tuple(voxels.T)].any() or not _is_one_on_each_slice(voxels):
            return False
        self.plaques.append(Plaque(vessel, shape, voxels, self._densities(voxels, centre, shape)))
        for z, y, x in voxels:
            around = slice(y - APART_PX, y + APART_PX + 1), slice(x - APART_PX, x + APART_PX + 1)
            self.taken[z - 1 : z + 2, *around] = True
        return True

    def _round(self, centre: NDArray[np.float64]) -> NDArray[np.int64]:
        """An ellipse of 1 to 3 mm half width on one to three slices, at least 1 mm2 on each."""
        _, y_mm, x_mm = self.grid.spacing_mm
        half_mm = self.rng.uniform(1.0, 3.0, size=2)
        found = []
        for k in range(int(self.rng.integers(1, 4))):
            shrunk = half_mm * (1.0, 0.85, 0.7)[k]
            rows, columns = np.indices((15, 15)) - 7
            inside = (rows * y_mm / shrunk[0]) ** 2 + (columns * x_mm / shrunk[1]) ** 2 <= 1.0
            inside |= (np.abs(rows) + np.abs(columns) <= 1) & (inside.sum() * y_mm * x_mm < 1.0)
            found.append(np.stack([np.full(int(inside.sum()), k), rows[inside], columns[inside]], axis=1))
        return np.asarray(np.concatenate(found) + np.rint(centre).astype(int))

    def _densities(
        self, voxels: NDArray[np.int64], centre: NDArray[np.float64], shape: str
    ) -> NDArray[np.int16]:
        """HU of the voxels: on each slice a highest value inside one band, falling to the border."""
        limits = [*limits_of(self.kvp), HIGHEST_HU]
        hu = np.empty(len(voxels), dtype=np.int16)
        for k in np.unique(voxels[:, 0]):
            on_slice = np.flatnonzero(voxels[:, 0] == k)
            band = 3 if shape == "corner" else int(self.rng.integers(4))
            top = self.rng.integers(limits[band] + MARGIN_HU, limits[band + 1] - MARGIN_HU)
            far = np.abs(voxels[on_slice, 1:] - np.rint(centre[1:])).sum(axis=1)
            falling = np.exp(-0.35 * far) if shape != "corner" else (far == far.min()).astype(float)
            low = limits[0] + MARGIN_HU
            hu[on_slice] = np.rint(low + (top - low) * falling)
            # The highest value stands in one voxel, whichever lies nearest to the centre.
            hu[on_slice[int(np.argmin(far))]] = top
        return hu


def _corner(centre: NDArray[np.float64]) -> NDArray[np.int64]:
    """Two squares of four voxels on one slice that touch in a corner: one component of 8 neighbours, two of 4."""
    squares = [(a + side, b + side) for side in (0, 2) for a in (0, 1) for b in (0, 1)]
    return np.asarray(np.array([(0, *place) for place in squares]) + np.rint(centre).astype(int))


def _grain(centre: NDArray[np.float64]) -> NDArray[np.int64]:
    """One voxel: of 1 mm2 it counts, smaller it does not."""
    return np.asarray([np.rint(centre).astype(int)])


def _is_one_on_each_slice(voxels: NDArray[np.int64]) -> bool:
    for k in np.unique(voxels[:, 0]):
        places = voxels[voxels[:, 0] == k, 1:]
        drawn = np.zeros(np.ptp(places, axis=0) + 1, dtype=np.bool_)
        drawn[tuple((places - places.min(axis=0)).T)] = True
        if ndimage.label(drawn, structure=np.ones((3, 3)))[1] != 1:
            return False
    return True
