"""A synthetic CT of the heart for calcium scoring, gated, without contrast agent: plaques of known score.

Score, volume and mass of every plaque, artery and of the whole are exact by construction, because plaques
are drawn voxel by voxel (coronary_plaques.py). Calcium of the aortic valve and of the wall of the aorta is
there too, and bone: none of it belongs to a coronary artery.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from scipy import ndimage

from hounsfield.core import Grid, Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.core.uid import derive_uid
from hounsfield.phantoms.cardiac_anatomy import (
    ASCENDING,
    DESCENDING,
    HEART_CENTRE_MM,
    LUMEN_RADIUS_MM,
    ROOT_MM,
    VESSELS,
    Heart,
    tissue_slice,
)
from hounsfield.phantoms.coronary_plaques import (
    AROUND_HU,
    INSERT_HU,
    INSERT_MG_PER_CM3,
    WATER_HU,
    PlaquePainter,
)
from hounsfield.phantoms.phantom import Phantom

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from hounsfield.core import Progress
    from hounsfield.phantoms.coronary_plaques import Plaque

Contrast = Literal["none", "unstated", "iodine", "iodine-unstated"]
Gating = Literal["prospective", "retrospective", "none", "unstated"]
# Tissue at 120 kV, textbook values; the seed varies each by as much.
TISSUE_HU: dict[str, tuple[float, float]] = {
    "lung": (-862, 8),
    "fat": (-100, 8),
    "muscle": (52, 4),
    "blood": (40, 4),
    "liver": (58, 5),
    "spleen": (50, 4),
    "cancellous": (200, 50),
    "cortical": (900, 120),
}
ENHANCED_BLOOD_HU = 350  # a coronary CT angiography reaches 300 to 450 HU
FIELD_CENTRE_MM = (15.0, -5.0, -32.0)
REGION_RADIUS_MM = 6.0  # of the regions given along the arteries
SHAPES = ("corner", "grain")


@dataclass(frozen=True, slots=True)
class CardiacCtParameters:
    """What a cardiac CT phantom is made from; equal parameters give equal voxels.

    n_plaques: round plaques in the four arteries, 0 to 20; with any, a plaque of two parts that meet in a
    corner and one of a single voxel are added. other_calcium: aortic valve and wall are calcified too.
    noise_hu: standard deviation, 0 to 40 (scans for calcium: 19 HU, Horiguchi 2009). increment_mm: between
    slices, which are as thick as `thickness_mm`, 0 for as thick as that. kvp: as stated in the header;
    below 120 kV plaques are denser, by the limits of Graeni 2018. contrast, gating: what the header says;
    `iodine-unstated` shows bright blood and states nothing. shift_mm: moves the scan to the head, so that
    it misses a part of the heart. Raises UsageError outside these ranges.
    """

    seed: int = 1
    n_slices: int = 48
    matrix_px: int = 256
    field_of_view_mm: float = 256.0
    increment_mm: float = 3.0
    thickness_mm: float = 0.0
    n_plaques: int = 6
    other_calcium: bool = True
    noise_hu: float = 0.0
    kvp: int = 120
    kernel: str = "STANDARD"
    contrast: Contrast = "none"
    gating: Gating = "prospective"
    shift_mm: float = 0.0

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("n_slices", self.n_slices, 8, 400),
            ("matrix_px", self.matrix_px, 64, 1024),
            ("field_of_view_mm", self.field_of_view_mm, 180.0, 400.0),
            ("increment_mm", self.increment_mm, 0.4, 5.0),
            ("thickness_mm", self.thickness_mm, 0.0, 5.0),
            ("n_plaques", self.n_plaques, 0, 20),
            ("noise_hu", self.noise_hu, 0.0, 40.0),
            ("kvp", self.kvp, 60, 150),
            ("shift_mm", self.shift_mm, -120.0, 120.0),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value}, outside {low:g} to {high:g} that the cardiac phantom can show"
                )
        for name, chosen, allowed in (("contrast", self.contrast, Contrast), ("gating", self.gating, Gating)):
            if chosen not in get_args(allowed):
                raise UsageError(f"{name} is {chosen!r}; choose one of {', '.join(get_args(allowed))}")


def make_cardiac_ct(
    parameters: CardiacCtParameters | None = None, *, progress: Progress | None = None
) -> Phantom:
    """Make the phantom: array int16 HU (z, y, x), axial, z increasing to the head.

    truth: `agatston`, `volume_mm3` and `mass_mg` of `total`, of each artery that has calcium and of what
    is no coronary calcium, each plaque, and the calibration of the mass; of the noiseless array. masks:
    `lm`, `lad`, `lcx`, `rca` (the neighbourhood of each artery, as a reader would draw it), `heart`.
    """
    p, progress = parameters or CardiacCtParameters(), progress or Silent()
    rng = np.random.Generator(np.random.PCG64(p.seed))
    shift = rng.uniform(-4.0, 4.0, size=3)
    heart = Heart(1.0 + rng.uniform(-0.06, 0.04), (float(shift[0]), float(shift[1]), float(shift[2])))
    grid, courses = _grid(p), heart.courses()
    step(progress, "cardiac phantom: plaques", 0.0)
    painter = PlaquePainter(grid, courses, p.kvp, rng)
    _put_plaques(painter, p)
    array = _tissue(p, grid, heart, rng, progress)
    _draw_arteries(array, grid, courses, rng)
    _draw_plaques(array, painter.plaques)
    masks = _vessel_masks(grid, courses, painter.plaques) | {"heart": _heart_mask(grid, heart)}
    truth = _truth(painter.plaques, grid, p)
    array += noise_field(array.shape, p.noise_hu, rng)
    stored = np.clip(np.rint(array), -1024, 3071).astype(np.int16)
    return Phantom("cardiac-ct", stored, grid, "HU", asdict(p), truth, masks)


def _grid(p: CardiacCtParameters) -> Grid:
    pixel_mm = p.field_of_view_mm / p.matrix_px
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = p.increment_mm, pixel_mm, pixel_mm, 1.0
    extent = np.array([p.matrix_px * pixel_mm, p.matrix_px * pixel_mm, p.n_slices * p.increment_mm])
    corner = np.array(FIELD_CENTRE_MM) - extent / 2 + np.array([pixel_mm, pixel_mm, p.increment_mm]) / 2
    affine[:3, 3] = np.round(corner + np.array([0.0, 0.0, p.shift_mm]), 6)
    uid = derive_uid("phantom", "cardiac-ct", repr(p))
    return Grid((p.n_slices, p.matrix_px, p.matrix_px), affine, uid)


def axes_mm(grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Coordinates of voxel centres: z (nz,), y (ny, 1), x (1, nx)."""
    z, y, x = (
        (grid.origin_mm[2 - axis] + np.arange(grid.shape[axis]) * grid.spacing_mm[axis]).astype(np.float32)
        for axis in range(3)
    )
    return z, y[:, None], x[None, :]


def _put_plaques(painter: PlaquePainter, p: CardiacCtParameters) -> None:
    """Round plaques first in each artery, so that few are not all in one; then the corner, the grain, the rest."""
    vessels = list(painter.rng.permutation(VESSELS))
    for number in range(p.n_plaques):
        # The left main is short: it gets one at most.
        names = vessels if number < len(VESSELS) else [name for name in vessels if name != "lm"]
        painter.coronary(str(names[number % len(names)]), "round")
    for shape in SHAPES if p.n_plaques else ():
        painter.coronary(str(painter.rng.choice(["lad", "lcx", "rca"])), shape)
    if p.other_calcium:
        painter.elsewhere("aortic-valve", np.array(ROOT_MM) + painter.rng.uniform(-6.0, 6.0, (50, 3)))
        for place, (start, end, radius_mm), low_mm, high_mm in (
            ("ascending-aorta", ASCENDING, 14.0, 36.0),
            ("descending-aorta", DESCENDING, -80.0, 30.0),
        ):
            z_mm, angle = painter.rng.uniform(low_mm, high_mm, 50), painter.rng.uniform(0.0, 2 * np.pi, 50)
            part = ((z_mm - start[2]) / (end[2] - start[2]))[:, None]
            axis = np.array(start) + part * (np.array(end) - np.array(start))
            wall = np.stack([np.cos(angle), np.sin(angle), np.zeros(50)], axis=1)
            painter.elsewhere(place, axis + (radius_mm - 1.0) * wall)


def _tissue(
    p: CardiacCtParameters, grid: Grid, heart: Heart, rng: Generator, progress: Progress
) -> NDArray[np.float32]:
    tissue_hu = {name: middle + rng.uniform(-spread, spread) for name, (middle, spread) in TISSUE_HU.items()}
    tissue_hu["air"] = -1000.0
    if p.contrast.startswith("iodine"):
        tissue_hu["blood"] += ENHANCED_BLOOD_HU - TISSUE_HU["blood"][0]
    z, y, x = axes_mm(grid)
    array = np.empty(grid.shape, dtype=np.float32)
    for k, z_mm in enumerate(z):
        if k % 8 == 0:
            step(progress, "cardiac phantom: slices", k / len(z))
        array[k] = tissue_slice(heart, x, y, float(z_mm), tissue_hu)
    return array


def _draw_arteries(
    array: NDArray[np.float32], grid: Grid, courses: dict[str, NDArray[np.float64]], rng: Generator
) -> None:
    """The lumen of each artery, unenhanced, within the fat."""
    blood_hu = np.float32(40.0 + rng.uniform(-4.0, 4.0))
    for name, course in courses.items():
        inside = near_course(grid, course, LUMEN_RADIUS_MM[name])
        array[inside] = blood_hu


def _draw_plaques(array: NDArray[np.float32], plaques: list[Plaque]) -> None:
    """Values of the plaques, and what lies beside them raised by partial volume but below the threshold."""
    drawn = np.zeros(array.shape, dtype=np.bool_)
    for plaque in plaques:
        drawn[tuple(plaque.voxels.T)] = True
    beside = ndimage.binary_dilation(drawn, structure=np.ones((1, 3, 3), dtype=np.bool_)) & ~drawn
    array[beside] = np.float32(AROUND_HU)
    for plaque in plaques:
        array[tuple(plaque.voxels.T)] = plaque.hu


def near_course(grid: Grid, points_mm: NDArray[np.float64], radius_mm: float) -> NDArray[np.bool_]:
    """Voxels whose centres lie within `radius_mm` of one of the points."""
    near = np.zeros(grid.shape, dtype=np.bool_)
    reach = [int(np.ceil(radius_mm / mm)) for mm in grid.spacing_mm]
    offsets = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(
        -1, 3
    )
    index = grid.mm_to_index(points_mm)
    nearest = np.rint(index).astype(int)
    places = nearest[:, None] + offsets
    away = np.linalg.norm((places - index[:, None]) * np.array(grid.spacing_mm), axis=-1) <= radius_mm
    fits = away & (places >= 0).all(axis=-1) & (places < np.array(grid.shape)).all(axis=-1)
    near[tuple(places[fits].T)] = True
    return near


def _vessel_masks(
    grid: Grid, courses: dict[str, NDArray[np.float64]], plaques: list[Plaque]
) -> dict[str, NDArray[np.bool_]]:
    """The neighbourhood of each artery and all of its plaques; no voxel belongs to two."""
    masks: dict[str, NDArray[np.bool_]] = {}
    taken = np.zeros(grid.shape, dtype=np.bool_)
    for plaque in plaques:
        taken[tuple(plaque.voxels.T)] = True
    for name in VESSELS:
        mask = near_course(grid, courses[name], REGION_RADIUS_MM) & ~taken
        for plaque in plaques:
            if plaque.vessel == name:
                mask[tuple(plaque.voxels.T)] = True
        masks[name] = mask
        taken |= mask
    return masks


def _heart_mask(grid: Grid, heart: Heart) -> NDArray[np.bool_]:
    z, y, x = axes_mm(grid)
    return np.asarray(heart.muscle_mm(x[None], y[None], z[:, None, None]) > 0)


def _truth(plaques: list[Plaque], grid: Grid, p: CardiacCtParameters) -> dict[str, Any]:
    told = [plaque.truth(grid, p.kvp) for plaque in plaques]
    coronary = [one for one in told if one["vessel"] in VESSELS]
    groups = {"total": coronary, "not-coronary": [one for one in told if one not in coronary]}
    groups |= {name: [one for one in coronary if one["vessel"] == name] for name in VESSELS}
    sums = {
        name: {key: float(sum(one[key] for one in members)) for key in ("agatston", "volume_mm3", "mass_mg")}
        for name, members in groups.items()
        if members or name in {"total", "not-coronary"}
    }
    return {
        **sums,
        "n_vessels": len({one["vessel"] for one in coronary if one["agatston"] > 0}),
        "plaques": told,
        "heart_centre_mm": list(HEART_CENTRE_MM),
        "mass_calibration": {
            "insert_mg_per_cm3": INSERT_MG_PER_CM3,
            "insert_hu": INSERT_HU,
            "water_hu": WATER_HU,
        },
        "truth_is": "exact by construction, of the noiseless array; plaques are drawn voxel by voxel",
    }


def noise_field(shape: tuple[int, ...], noise_hu: float, rng: Generator) -> NDArray[np.float32] | float:
    """Gaussian noise with the grain of a standard kernel, as in the chest phantom."""
    if noise_hu == 0.0:
        return 0.0
    white = rng.standard_normal(shape, dtype=np.float32)
    grain = ndimage.gaussian_filter(white, (0.0, 0.6, 0.6))
    return np.asarray(grain * np.float32(noise_hu / grain.std()), dtype=np.float32)
