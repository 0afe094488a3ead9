"""A synthetic coronary CT angiography: arteries of known radius, each with one narrowing and its plaque.

Around the course of an artery the lumen has a radius that is known at every place; where it narrows, a shell
of plaque lies between the lumen and a wall that bulges outwards. Plaques are of low attenuation, fibrous and
calcified. Diameters, stenoses and volumes are those of the formulas, not counted in voxels.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from hounsfield.core import Grid, Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.core.uid import derive_uid
from hounsfield.phantoms.cardiac_anatomy import Heart, tissue_slice
from hounsfield.phantoms.cardiac_ct import TISSUE_HU, axes_mm, near_course, noise_field
from hounsfield.phantoms.phantom import Phantom

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from hounsfield.core import Progress

    Points = NDArray[np.float64]
    Places = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

FIELD_CENTRE_MM = (18.0, -24.0, -36.0)
# One composition for each artery that is long enough; HU as in the list of synthetic studies (P-COR).
PLAQUE_HU = {"lad": 400, "lcx": 60, "rca": -20}
COMPOSITION = {400: "calcified", 60: "fibro-fatty", -20: "low-attenuation"}
WALL_MM, WALL_HU = 0.5, 50.0  # of a healthy artery; its HU is that of muscle
COURSE_STEP_MM = 0.1


@dataclass(frozen=True, slots=True)
class CoronaryCtaParameters:
    """What a coronary CT angiography phantom is made from; equal parameters give equal voxels.

    lumen_diameter_mm: of a healthy artery, 1 to 5. stenosis_percent: of the diameter at the narrowest
    place, 0 to 100 (an occlusion). narrow_mm: length of the narrowing. bulge_mm: how far the wall goes
    outwards there. lumen_hu: of enhanced blood. noise_hu: standard deviation. The seed moves heart and
    narrowings. Raises UsageError outside these ranges.
    """

    seed: int = 1
    n_slices: int = 168
    matrix_px: int = 256
    field_of_view_mm: float = 160.0
    increment_mm: float = 0.6
    lumen_diameter_mm: float = 3.5
    stenosis_percent: float = 50.0
    narrow_mm: float = 12.0
    bulge_mm: float = 0.6
    lumen_hu: float = 320.0
    noise_hu: float = 0.0
    kvp: int = 120
    contrast: str = "iodine"

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("n_slices", self.n_slices, 8, 600),
            ("matrix_px", self.matrix_px, 64, 1024),
            ("field_of_view_mm", self.field_of_view_mm, 60.0, 300.0),
            ("increment_mm", self.increment_mm, 0.3, 3.0),
            ("lumen_diameter_mm", self.lumen_diameter_mm, 1.0, 5.0),
            ("stenosis_percent", self.stenosis_percent, 0.0, 100.0),
            ("narrow_mm", self.narrow_mm, 4.0, 30.0),
            ("bulge_mm", self.bulge_mm, 0.0, 2.0),
            ("lumen_hu", self.lumen_hu, 150.0, 700.0),
            ("noise_hu", self.noise_hu, 0.0, 60.0),
            ("kvp", self.kvp, 60, 150),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value}, outside {low:g} to {high:g} that the CTA phantom can show"
                )
        if self.contrast != "iodine":
            raise UsageError(f"contrast is {self.contrast!r}: an angiography without iodine is none")


@dataclass(frozen=True, slots=True, eq=False)
class Artery:
    """A course (n, 3) in LPS mm with the length along it, and the radii at each of its points."""

    course_mm: Points
    along_mm: Points
    lumen_mm: Points
    wall_mm: Points

    @classmethod
    def narrowed(cls, course_mm: Points, p: CoronaryCtaParameters, middle_mm: float) -> Artery:
        """Of constant radius but for one narrowing, a cosine of length `narrow_mm` about `middle_mm`."""
        steps = np.linalg.norm(np.diff(course_mm, axis=0), axis=1)
        along = np.concatenate([[0.0], np.cumsum(steps)])
        away = (along - middle_mm) / p.narrow_mm
        bell = np.where(np.abs(away) < 0.5, 0.5 * (1.0 + np.cos(2 * np.pi * away)), 0.0)
        radius_mm = p.lumen_diameter_mm / 2
        lumen = radius_mm * (1.0 - p.stenosis_percent / 100.0 * bell)
        return cls(course_mm, along, lumen, radius_mm + p.bulge_mm * bell)

    def truth(self, hu: int) -> dict[str, Any]:
        """Diameters, stenosis and volumes by the formulas; the volume of a curved tube is that of a straight one."""
        healthy, narrowest = float(self.lumen_mm.max()), float(self.lumen_mm.min())
        plaque_mm2 = np.pi * (self.wall_mm**2 - self.lumen_mm**2)
        place = int(np.argmin(self.lumen_mm))
        return {
            "length_mm": float(self.along_mm[-1]),
            "reference_diameter_mm": 2 * healthy,
            "minimal_diameter_mm": 2 * narrowest,
            "diameter_stenosis_percent": 100.0 * (1.0 - narrowest / healthy),
            "area_stenosis_percent": 100.0 * (1.0 - (narrowest / healthy) ** 2),
            "remodelling_index": float(self.wall_mm[place] / healthy),
            "centre_mm": [round(float(v), 3) for v in self.course_mm[place]],
            "lumen_volume_mm3": float(np.trapezoid(np.pi * self.lumen_mm**2, self.along_mm)),
            "plaque_volume_mm3": float(np.trapezoid(plaque_mm2, self.along_mm)),
            "plaque_hu": hu,
            "plaque": COMPOSITION[hu],
        }


def make_coronary_cta(
    parameters: CoronaryCtaParameters | None = None, *, progress: Progress | None = None
) -> Phantom:
    """Make the phantom: array int16 HU (z, y, x), axial, z increasing to the head.

    truth: for each artery with a narrowing (`lad`, `lcx`, `rca`) its diameters, stenosis of diameter and
    area, remodelling index and volumes. masks: `NAME-lumen` and `NAME-plaque`, voxels whose centres lie in it.
    """
    p, progress = parameters or CoronaryCtaParameters(), progress or Silent()
    rng = np.random.Generator(np.random.PCG64(p.seed))
    shift = rng.uniform(-3.0, 3.0, size=3)
    heart = Heart(1.0 + rng.uniform(-0.05, 0.03), (float(shift[0]), float(shift[1]), float(shift[2])))
    grid = _grid(p)
    tissue_hu = {name: middle + rng.uniform(-spread, spread) for name, (middle, spread) in TISSUE_HU.items()}
    tissue_hu |= {"air": -1000.0, "blood": p.lumen_hu}
    z, y, x = axes_mm(grid)
    array = np.empty(grid.shape, dtype=np.float32)
    for k, z_mm in enumerate(z):
        if k % 16 == 0:
            step(progress, "coronary CTA phantom: slices", k / len(z))
        array[k] = tissue_slice(heart, x, y, float(z_mm), tissue_hu)
    arteries = _arteries(heart, p, rng)
    masks = _draw(array, grid, arteries, p.lumen_hu)
    truth: dict[str, Any] = {name: arteries[name].truth(hu) for name, hu in PLAQUE_HU.items()}
    truth["truth_is"] = "exact by construction: radii and integrals along the course, not counted in voxels"
    array += noise_field(array.shape, p.noise_hu, rng)
    stored = np.clip(np.rint(array), -1024, 3071).astype(np.int16)
    return Phantom("coronary-cta", stored, grid, "HU", asdict(p), truth, masks)


def _grid(p: CoronaryCtaParameters) -> Grid:
    pixel_mm = p.field_of_view_mm / p.matrix_px
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = p.increment_mm, pixel_mm, pixel_mm, 1.0
    extent = np.array([p.field_of_view_mm, p.field_of_view_mm, p.n_slices * p.increment_mm])
    half = np.array([pixel_mm, pixel_mm, p.increment_mm]) / 2
    affine[:3, 3] = np.round(np.array(FIELD_CENTRE_MM) - extent / 2 + half, 6)
    return Grid(
        (p.n_slices, p.matrix_px, p.matrix_px), affine, derive_uid("phantom", "coronary-cta", repr(p))
    )


def _arteries(heart: Heart, p: CoronaryCtaParameters, rng: Generator) -> dict[str, Artery]:
    """All arteries; the left main is too short for a narrowing."""
    plain = CoronaryCtaParameters(lumen_diameter_mm=p.lumen_diameter_mm, stenosis_percent=0.0, bulge_mm=0.0)
    arteries = {}
    for name, course in heart.courses(step_mm=COURSE_STEP_MM).items():
        smooth = ndimage.gaussian_filter1d(course, 2.0 / COURSE_STEP_MM, axis=0, mode="nearest")
        length_mm = float(np.linalg.norm(np.diff(smooth, axis=0), axis=1).sum())
        chosen = p if name in PLAQUE_HU else plain
        arteries[name] = Artery.narrowed(smooth, chosen, length_mm * rng.uniform(0.3, 0.6))
    return arteries


def _draw(
    array: NDArray[np.float32], grid: Grid, arteries: dict[str, Artery], lumen_hu: float
) -> dict[str, NDArray[np.bool_]]:
    """Draw walls and plaques, then every lumen, so that arteries open into each other; returns the masks."""
    masks: dict[str, NDArray[np.bool_]] = {}
    voxel_mm = grid.voxel_volume_mm3 ** (1.0 / 3.0)
    around = {name: _around(grid, artery) for name, artery in arteries.items()}
    for name, artery in arteries.items():
        at, away_mm, nearest = around[name]
        wall_mm, lumen_mm = artery.wall_mm[nearest], artery.lumen_mm[nearest]
        _cover(array, at, (wall_mm + WALL_MM - away_mm) / voxel_mm, WALL_HU)
        if name in PLAQUE_HU:
            is_bulged = wall_mm > lumen_mm
            _cover(array, at, np.where(is_bulged, (wall_mm - away_mm) / voxel_mm, -1.0), PLAQUE_HU[name])
            masks[f"{name}-lumen"] = _marked(grid, at, away_mm < lumen_mm)
            masks[f"{name}-plaque"] = _marked(grid, at, (away_mm < wall_mm) & (away_mm >= lumen_mm))
    for name, artery in arteries.items():
        at, away_mm, nearest = around[name]
        lumen_mm = artery.lumen_mm[nearest]
        _cover(array, at, np.where(lumen_mm > 0.0, (lumen_mm - away_mm) / voxel_mm, -1.0), lumen_hu)
    return masks


def _around(grid: Grid, artery: Artery) -> tuple[Places, Points, NDArray[np.int64]]:
    """Voxels near an artery, how far each is from the course, and the place on the course nearest to it."""
    reach_mm = float(artery.wall_mm.max()) + WALL_MM + 2.0 * max(grid.spacing_mm)
    places = np.argwhere(near_course(grid, artery.course_mm[::5], reach_mm))
    away_mm, nearest = cKDTree(artery.course_mm).query(grid.index_to_mm(places))
    return (places[:, 0], places[:, 1], places[:, 2]), away_mm, nearest


def _cover(array: NDArray[np.float32], at: Places, inside_voxels: Points, hu: float) -> None:
    """Fill the voxels as far as they lie inside; one at the border is filled in part."""
    share = np.clip(inside_voxels + 0.5, 0.0, 1.0).astype(np.float32)
    array[at] += share * (np.float32(hu) - array[at])


def _marked(grid: Grid, at: Places, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    mask = np.zeros(grid.shape, dtype=np.bool_)
    mask[at] = chosen
    return mask
