"""A synthetic chest CT: body, lungs with a chosen part of emphysema, airways, vessels, nodules, noise.

The density of the lung is made after the blur: a smooth random field is mapped to Hounsfield units
so that exactly the chosen fraction of the lung lies below -950 HU and almost nothing lies near it.
So LAA%-950 of the noiseless volume is known by construction. HU of the tissues are the typical
values at 120 kVp (textbook ranges), varied by the seed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

from hounsfield.core import Grid, Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.core.uid import derive_uid
from hounsfield.phantoms.chest_anatomy import AIRWAY_WALL_MM, FAT_MM, Anatomy, build_anatomy
from hounsfield.phantoms.chest_vessels import draw_sphere, draw_tubes, grow_vessels
from hounsfield.phantoms.lung_density_truth import LAA_HU, LungSums
from hounsfield.phantoms.phantom import Phantom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Progress

AIR_HU, AIRWAY_HU, WALL_HU = -1000, -995, -20
EMPHYSEMA_HU = -990
# A voxel with at least this part of emphysema (-990 HU) among tissue (40 HU) is below -950 HU.
PURE_ENOUGH = 990 / 1030
EDGE_MM = 0.8  # half width of the scanner's edge response
NODULE_HU = 40
SKIN_MM, CORTEX_MM = 2.0, 3.0
TABLE_HU, TABLE_MM, TABLE_Y_MM = -700, 8.0, 122.0
# Small and large patches of emphysema, more of them towards the head; gravity makes the back denser.
PATCH_MM, PATCH_WEIGHT, HEADWARD_PER_MM, BACKWARD_HU_PER_MM = (9.0, 2.8), (0.75, 0.65), 0.004, 0.12
BLOOD_HU = {"unstated": 40, "none": 40, "iodine": 180}
Contrast = Literal["unstated", "none", "iodine"]


@dataclass(frozen=True, slots=True)
class ChestCtParameters:
    """What a chest CT phantom is made from; equal parameters give equal voxels.

    emphysema_fraction: part of the lung (without airways) below -950 HU, 0 to 0.4. nodule_diameters_mm:
    solid spheres inside the lungs, 3 to 30 mm. noise_hu: standard deviation, 0 to 60. extent_mm:
    length along z, covered by n_slices. contrast: what the header says: nothing, none, or iodine (blood is
    then bright too, and lung density indices are not valid). Raises UsageError outside these ranges.
    """

    seed: int = 1
    n_slices: int = 240
    matrix_px: int = 256
    emphysema_fraction: float = 0.12
    nodule_diameters_mm: tuple[float, ...] = (6.0, 9.0, 14.0)
    noise_hu: float = 12.0
    extent_mm: float = 300.0
    field_of_view_mm: float = 380.0
    contrast: Contrast = "unstated"

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("n_slices", self.n_slices, 8, 2000),
            ("matrix_px", self.matrix_px, 32, 1024),
            ("emphysema_fraction", self.emphysema_fraction, 0.0, 0.4),
            ("noise_hu", self.noise_hu, 0.0, 60.0),
            ("extent_mm", self.extent_mm, 100.0, 300.0),
            ("field_of_view_mm", self.field_of_view_mm, 350.0, 600.0),
            *(("nodule_diameters_mm", one, 3.0, 30.0) for one in self.nodule_diameters_mm),
        )
        if self.contrast not in BLOOD_HU:
            raise UsageError(f"contrast is {self.contrast!r}; choose one of {', '.join(BLOOD_HU)}")
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value}, outside {low:g} to {high:g} that the chest phantom can show"
                )


@dataclass(frozen=True, slots=True)
class ChestVisit:
    """A later CT of the same chest. number: of the visit, 0 the first; each has a noise of its own.

    nodule_volumes: volume of each nodule as part of that at the first visit, () for no change.
    """

    number: int = 0
    nodule_volumes: tuple[float, ...] = ()


def make_chest_ct(
    parameters: ChestCtParameters | None = None,
    *,
    tilt_deg: float = 0.0,
    visit: ChestVisit | None = None,
    progress: Progress | None = None,
) -> Phantom:
    """Make the phantom: array int16 HU (z, y, x), axial, z increasing to the head.

    tilt_deg: of the gantry, so that the columns of a slice run (0, cos, sin) while slices follow z. visit: the
    same patient later: anatomy and places of the nodules are those of the first visit.

    truth: lung volumes (ml), mean HU, LAA%-950, LAA%-910 and Perc15 of the noiseless lung without
    airways but with the vessels and nodules in it; nodules with centre (LPS mm) and volume. masks:
    `left-lung`, `right-lung`, `airways`. Deterministic by seed.
    """
    chosen = parameters or ChestCtParameters()
    return _ChestCt(chosen, np.radians(tilt_deg), visit or ChestVisit(), progress or Silent()).make()


class _ChestCt:
    """The work of making one phantom, slice by slice, so that no float volume is held."""

    def __init__(
        self, parameters: ChestCtParameters, tilt_rad: float, visit: ChestVisit, progress: Progress
    ) -> None:
        self.parameters, self.visit, self.progress = parameters, visit, progress
        self.tilt_cos, self.tilt_sin = float(np.cos(tilt_rad)), float(np.sin(tilt_rad))
        self.rng = np.random.Generator(np.random.PCG64(parameters.seed))
        self.tissue = {
            "fat": -100 + self.rng.uniform(-10, 10),
            "muscle": 55 + self.rng.uniform(-6, 6),
            "blood": BLOOD_HU[parameters.contrast] + self.rng.uniform(-4, 4),
            "liver": 58 + self.rng.uniform(-6, 6),
            "spleen": 50 + self.rng.uniform(-4, 4),
            "cancellous": 200 + self.rng.uniform(-60, 60),
            "cortical": 900 + self.rng.uniform(-150, 150),
            "lung": -862 + self.rng.uniform(-8, 8),
        }
        p = parameters
        size = 1.0 + self.rng.uniform(-0.05, 0.03)
        self.anatomy = build_anatomy(
            p.extent_mm + abs(self.tilt_sin) * p.field_of_view_mm, p.field_of_view_mm, size
        )
        self.grid = self._grid()
        self.density = self._patches()
        self.texture = self._random_field(sigma_mm=3.0)
        shape = self.grid.shape
        self.coverage = np.zeros(shape, dtype=np.uint8)
        self.array = np.empty(shape, dtype=np.int16)
        self.masks = {
            name: np.zeros(shape, dtype=np.bool_) for name in ("left-lung", "right-lung", "airways")
        }
        # Position of each row in its own plane; a tilt turns it into y and z.
        rows_mm = self._positions_mm(1)
        self.rows_z_mm = rows_mm * self.tilt_sin
        self.rows = _weights(rows_mm * self.tilt_cos, self.anatomy.y_mm)
        self.columns = _weights(self._positions_mm(2), self.anatomy.x_mm)
        self.outside = self._outside()

    def _grid(self) -> Grid:
        p = self.parameters
        step_mm, pixel_mm = p.extent_mm / p.n_slices, p.field_of_view_mm / p.matrix_px
        affine = np.zeros((4, 4))
        affine[2, 0], affine[0, 2], affine[3, 3] = step_mm, pixel_mm, 1.0
        affine[1:3, 1] = pixel_mm * self.tilt_cos, pixel_mm * self.tilt_sin
        corner_mm = (pixel_mm - p.field_of_view_mm) / 2
        affine[0, 3], affine[1, 3] = corner_mm, corner_mm * self.tilt_cos
        affine[2, 3] = (step_mm - p.extent_mm) / 2 + corner_mm * self.tilt_sin
        later = (f"visit {self.visit.number}",) if self.visit.number else ()
        uid = derive_uid("phantom", "chest-ct", repr(p), *later)
        return Grid((p.n_slices, p.matrix_px, p.matrix_px), affine, uid)

    def _random_field(self, *, sigma_mm: float) -> NDArray[np.float32]:
        """Smooth field of mean 0 and standard deviation 1 on the coarse grid."""
        field = self.rng.standard_normal(self.anatomy.body.shape, dtype=np.float32)
        coarse_mm = float(self.anatomy.z_mm[1] - self.anatomy.z_mm[0])
        field = ndimage.gaussian_filter(field, sigma_mm / coarse_mm, mode="wrap")
        return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)

    def _outside(self) -> NDArray[np.float32]:
        """Air around the patient, and the table beneath: the same in every slice."""
        y = (self._positions_mm(1) * self.tilt_cos)[:, None]
        x = self._positions_mm(2)[None, :]
        table = TABLE_MM / 2 - np.abs(y - TABLE_Y_MM - TABLE_MM / 2 + 0.0009 * x**2)
        on_table = np.asarray(np.minimum(table, 175.0 - np.abs(x)), dtype=np.float32)
        return np.asarray(AIR_HU + _edge(on_table) * (TABLE_HU - AIR_HU), dtype=np.float32)

    def _patches(self) -> NDArray[np.float32]:
        """Field that is low where emphysema shall be."""
        parts = [w * self._random_field(sigma_mm=mm) for w, mm in zip(PATCH_WEIGHT, PATCH_MM, strict=True)]
        headward = self.anatomy.z_mm[:, None, None] * np.float32(HEADWARD_PER_MM)
        return np.asarray(sum(parts) - headward, dtype=np.float32)

    def _positions_mm(self, axis: int) -> NDArray[np.float64]:
        """Centres of the voxels along array axis (0 z, 1 y, 2 x), counted from the middle of the volume."""
        n, spacing_mm = self.grid.shape[axis], self.grid.spacing_mm[axis]
        return np.asarray((np.arange(n) - (n - 1) / 2) * spacing_mm)

    def _slice(self, field: NDArray[np.float32], z_mm: float) -> NDArray[np.float32]:
        """One full-resolution slice of a coarse field; z_mm: where the slice crosses y = 0."""
        rows, row_part = self.rows
        if self.tilt_sin == 0.0:
            low, part = _weights(np.array([z_mm]), self.anatomy.z_mm)
            plane = field[low[0]] + (field[low[0] + 1] - field[low[0]]) * part[0]
            cut = plane[rows] + (plane[rows + 1] - plane[rows]) * row_part[:, None]
        else:
            low, part = _weights(self.rows_z_mm + z_mm, self.anatomy.z_mm)
            below = field[low, rows] + (field[low, rows + 1] - field[low, rows]) * row_part[:, None]
            above = (
                field[low + 1, rows] + (field[low + 1, rows + 1] - field[low + 1, rows]) * row_part[:, None]
            )
            cut = below + (above - below) * part[:, None]
        columns, column_part = self.columns
        fine: NDArray[np.float32] = cut[:, columns]
        fine += (cut[:, columns + 1] - fine) * column_part
        return fine

    def make(self) -> Phantom:
        """Vessels and nodules, then every slice, then the truth."""
        step(self.progress, "chest phantom: vessels", 0.0)
        nodules = self._draw_vessels_and_nodules()
        if self.visit.number:
            self.rng = np.random.Generator(np.random.PCG64([self.parameters.seed, self.visit.number]))
        threshold = self._emphysema_threshold()
        sums = LungSums()
        for k, z_mm in enumerate(self._positions_mm(0)):
            if k % 10 == 0:
                step(self.progress, "chest phantom: slices", k / self.grid.shape[0])
            self._make_slice(k, float(z_mm), threshold, sums)
        truth = sums.truth(self.grid.voxel_volume_mm3) | {
            "emphysema_fraction": self.parameters.emphysema_fraction,
            "nodules": nodules,
            "airway_volume_ml": float(self.masks["airways"].sum() * self.grid.voxel_volume_mm3 / 1000),
            "lung_definition": "parenchyma, vessels and nodules inside the lung, without airways; noiseless",
        }
        return Phantom("chest-ct", self.array, self.grid, "HU", asdict(self.parameters), truth, self.masks)

    def _lung_distance_mm(self, point_mm: NDArray[np.float64]) -> float:
        """Distance to the nearest lung surface at (x, y, z), positive inside."""
        a = self.anatomy
        index = [
            round((value - float(axis[0])) / float(axis[1] - axis[0]))
            for value, axis in zip(point_mm[::-1], (a.z_mm, a.y_mm, a.x_mm), strict=True)
        ]
        if any(not 0 <= i < n for i, n in zip(index, a.body.shape, strict=True)):
            return -1.0
        place = (index[0], index[1], index[2])
        return float(max(a.lung_left[place], a.lung_right[place]))

    def _draw_vessels_and_nodules(self) -> list[dict[str, Any]]:
        draw_tubes(self.coverage, self.grid, grow_vessels(self._lung_distance_mm, self.rng))
        volumes = self.visit.nodule_volumes or (1.0,) * len(self.parameters.nodule_diameters_mm)
        nodules: list[dict[str, Any]] = []
        for centre, first_mm, volume in zip(*self._nodule_places(), volumes, strict=True):
            diameter_mm = float(first_mm * volume ** (1 / 3))
            draw_sphere(self.coverage, self.grid, centre, diameter_mm / 2)
            nodules.append(
                {
                    "centre_mm": [round(float(v), 3) for v in centre],
                    "diameter_mm": diameter_mm,
                    "volume_mm3": float(4 / 3 * np.pi * (diameter_mm / 2) ** 3),
                    "hu": NODULE_HU,
                }
            )
        return nodules

    def _nodule_places(self) -> tuple[list[NDArray[np.float64]], tuple[float, ...]]:
        """Centres inside the lungs, clear of each other, and the diameters that they were sought for."""
        low = np.array([-130.0, -80.0, -self.parameters.extent_mm / 2])
        sizes_mm = self.parameters.nodule_diameters_mm
        placed: list[NDArray[np.float64]] = []
        for size_mm in sizes_mm:
            for _ in range(5000):
                centre = self.rng.uniform(low, -low)
                apart = all(
                    np.linalg.norm(centre - np.round(other, 3)) > size_mm / 2 + other_mm + 10
                    for other, other_mm in zip(placed, sizes_mm, strict=False)
                )
                if apart and self._lung_distance_mm(centre) > size_mm / 2 + 6.0:
                    break
            else:
                raise UsageError(
                    f"no place in the lungs for a nodule of {size_mm:g} mm; ask for fewer or smaller"
                )
            placed.append(centre)
        return placed, sizes_mm

    def _emphysema_threshold(self) -> float | None:
        """The value of the field below which the lung is emphysema, so that the fraction comes out."""
        fraction = self.parameters.emphysema_fraction
        if fraction == 0.0:
            return None
        values, n_lung = [], 0
        for k in range(0, self.grid.shape[0], max(1, self.grid.shape[0] // 60)):
            z_mm = float(self._positions_mm(0)[k])
            lung = np.maximum(
                self._slice(self.anatomy.lung_left, z_mm), self._slice(self.anatomy.lung_right, z_mm)
            )
            inside = (lung > 0) & (self._slice(self.anatomy.airway, z_mm) < -AIRWAY_WALL_MM)
            pure = _edge(lung) * (1.0 - self.coverage[k].astype(np.float32) / 255)
            full = inside & (pure > PURE_ENOUGH)
            values.append(self._slice(self.density, z_mm)[full])
            n_lung += int(inside.sum())
        field = np.concatenate(values)
        return float(np.quantile(field, min(1.0, fraction * n_lung / max(1, field.size))))

    def _make_slice(self, k: int, z_mm: float, threshold: float | None, sums: LungSums) -> None:
        a, tissue = self.anatomy, self.tissue
        left, right = self._slice(a.lung_left, z_mm), self._slice(a.lung_right, z_mm)
        lung_mm, airway_mm = np.maximum(left, right), self._slice(a.airway, z_mm)
        body_mm = self._slice(a.body, z_mm)
        hu = _soft_tissue(a, self._slice, z_mm, tissue, body_mm)
        covered = self.coverage[k].astype(np.float32) / 255
        parenchyma = self._parenchyma(z_mm, threshold)
        inside = parenchyma + covered * (NODULE_HU - parenchyma)
        hu += _edge(lung_mm) * (inside - hu)
        hu += _edge(airway_mm + AIRWAY_WALL_MM) * (WALL_HU - hu)
        hu += _edge(airway_mm) * (AIRWAY_HU - hu)
        hu += _edge(-body_mm) * (self.outside - hu)
        airway = airway_mm > -AIRWAY_WALL_MM
        for name, distance_mm in (("left-lung", left), ("right-lung", right)):
            mask = (distance_mm > 0) & ~airway
            self.masks[name][k] = mask
            sums.add(name, hu[mask])
        self.masks["airways"][k] = (airway_mm > 0) & (body_mm > 0)
        self.array[k] = np.clip(np.rint(hu + self._noise(hu.shape)), -1024, 3071)

    def _parenchyma(self, z_mm: float, threshold: float | None) -> NDArray[np.float32]:
        """HU of lung tissue: normal lung with texture, falling steeply to emphysema at the threshold."""
        normal = np.float32(self.tissue["lung"]) + 12.0 * self._slice(self.texture, z_mm)
        normal += (self._positions_mm(1) * self.tilt_cos * BACKWARD_HU_PER_MM).astype(np.float32)[:, None]
        if threshold is None:
            return np.asarray(np.maximum(normal, LAA_HU + 5), dtype=np.float32)
        # The logistic passes through -950 HU exactly where the field equals the threshold.
        share = (LAA_HU - normal) / (EMPHYSEMA_HU - normal)
        shift = np.log(share / (1 - share))
        x = np.clip((threshold - self._slice(self.density, z_mm)) / 0.04 + shift, -30, 30)
        return np.asarray(normal + (EMPHYSEMA_HU - normal) / (1 + np.exp(-x)), dtype=np.float32)

    def _noise(self, shape: tuple[int, ...]) -> NDArray[np.float32] | float:
        """Gaussian noise with the grain of a standard kernel."""
        if self.parameters.noise_hu == 0:
            return 0.0
        white = self.rng.standard_normal(shape, dtype=np.float32)
        grain = ndimage.gaussian_filter(white, 0.6)
        return np.asarray(grain * np.float32(self.parameters.noise_hu / 0.4744), dtype=np.float32)


def _weights(places_mm: NDArray[np.float64], axis_mm: NDArray[np.float32]) -> tuple[Any, Any]:
    """Lower neighbour on an even axis, and weight of the upper one, for linear interpolation."""
    places = (places_mm - float(axis_mm[0])) / float(axis_mm[1] - axis_mm[0])
    low = np.floor(places).astype(int)
    return low, (places - low).astype(np.float32)


def _edge(distance_mm: NDArray[np.float32]) -> NDArray[np.float32]:
    """Part of a voxel that lies inside, from its distance to the surface: the edge response."""
    return np.asarray(np.clip(distance_mm / (2 * EDGE_MM) + 0.5, 0.0, 1.0), dtype=np.float32)


def _soft_tissue(
    anatomy: Anatomy, cut: Any, z_mm: float, tissue: dict[str, float], body_mm: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Everything that is no lung and no air: skin, fat, muscle, organs, blood, bone with its cortex."""
    hu = np.full(body_mm.shape, tissue["muscle"], dtype=np.float32)
    for part, distance_mm in (
        ("fat", np.minimum(FAT_MM - body_mm, body_mm - SKIN_MM)),
        ("fat", cut(anatomy.cavity, z_mm)),
        ("liver", cut(anatomy.liver, z_mm)),
        ("spleen", cut(anatomy.viscera, z_mm)),
        ("blood", cut(anatomy.blood, z_mm)),
    ):
        hu += _edge(distance_mm) * (np.float32(tissue[part]) - hu)
    bone_mm = cut(anatomy.bone, z_mm)
    cortex = np.clip(1.0 - bone_mm / CORTEX_MM, 0.0, 1.0)
    bone = np.float32(tissue["cancellous"]) + cortex * np.float32(tissue["cortical"] - tissue["cancellous"])
    hu += _edge(bone_mm) * (bone - hu)
    return np.asarray(hu, dtype=np.float32)
