"""A synthetic abdominal CT: layers of fat and muscle, organs, spine and bowel of known area, volume and HU.

Every voxel is the mean of 3 x 3 points in its plane, so edges blend as on a scanner; areas are counted on
these points of the noiseless anatomy and volumes of organs follow from their axes. HU are typical at
120 kVp (textbook ranges), unenhanced or about 70 s after iodine (portal-venous), varied by the seed.
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
from hounsfield.phantoms.abdomen_anatomy import (
    BODY_HEIGHT_MM,
    CREST_Z_MM,
    ORGANS,
    PITCH_MM,
    Build,
    Ellipsoid,
    Tissue,
)
from hounsfield.phantoms.phantom import Phantom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Progress

Contrast = Literal["unstated", "none", "iodine"]
Sex = Literal["F", "M"]
# Tissue: HU without contrast, HU portal-venous, half-width of the seed's variation.
TISSUE_HU: dict[Tissue, tuple[float, float, float]] = {
    Tissue.AIR: (-1000, -1000, 0),
    Tissue.SKIN: (30, 30, 0),
    Tissue.SUBCUTANEOUS: (-105, -105, 6),
    Tissue.MUSCLE: (54, 62, 5),
    Tissue.VISCERAL: (-100, -98, 6),
    Tissue.CORTEX: (850, 850, 100),
    Tissue.MARROW: (180, 190, 40),
    Tissue.DISC: (80, 82, 8),
    Tissue.CANAL: (25, 28, 5),
    Tissue.LIVER: (58, 108, 6),
    Tissue.SPLEEN: (50, 118, 4),
    Tissue.RIGHT_KIDNEY: (33, 180, 4),
    Tissue.LEFT_KIDNEY: (33, 180, 4),
    Tissue.PANCREAS: (42, 95, 4),
    Tissue.VESSEL: (42, 150, 4),
    Tissue.BOWEL: (35, 80, 4),
    Tissue.GAS: (-1000, -1000, 0),
    Tissue.STOOL: (20, 20, 8),
    Tissue.LESION: (34, 62, 4),
    Tissue.LIMB: (54, 60, 0),
    Tissue.METAL: (3071, 3071, 0),
    Tissue.TABLE: (-700, -700, 0),
    Tissue.BETWEEN: (-100, -98, 0),
}
MASKS: dict[str, tuple[Tissue, ...]] = {
    "skeletal-muscle": (Tissue.MUSCLE,),
    "subcutaneous-fat": (Tissue.SUBCUTANEOUS,),
    "visceral-fat": (Tissue.VISCERAL,),
    "liver": (Tissue.LIVER, Tissue.LESION),
    "spleen": (Tissue.SPLEEN,),
    "right-kidney": (Tissue.RIGHT_KIDNEY,),
    "left-kidney": (Tissue.LEFT_KIDNEY,),
    "pancreas": (Tissue.PANCREAS,),
    "liver-lesions": (Tissue.LESION,),
}
AREAS = ("skeletal-muscle", "subcutaneous-fat", "visceral-fat")
LOWEST_MM = -125.0  # the first slices show the iliac wings; the last the upper pole of the spleen
SUBPOINTS = 3
BLUR_MM = 0.7  # standard deviation of the scanner's spread in the plane


@dataclass(frozen=True, slots=True)
class AbdomenCtParameters:
    """What an abdominal CT phantom is made from; equal parameters give equal voxels.

    fat_mm: thickness of the fat under the skin at the side, 5 to 50. lesion_diameters_mm: spheres in the
    liver, 4 to 30 mm. noise_hu: standard deviation, 0 to 60. extent_mm: length along z from the iliac wings
    upwards. field_of_view_mm: below 360 it cuts the body off. contrast: what the header says: nothing, none,
    or iodine (portal-venous, and tissues are then brighter). arms, metal: arms beside the trunk (they need a
    wide field), a rod beside the spine. sex, height_m, weight_kg: what the header says of the patient; None
    for unstated. Raises UsageError outside these ranges.
    """

    seed: int = 1
    n_slices: int = 64
    matrix_px: int = 192
    fat_mm: float = 20.0
    lesion_diameters_mm: tuple[float, ...] = (12.0, 18.0)
    noise_hu: float = 10.0
    extent_mm: float = 256.0
    field_of_view_mm: float = 400.0
    contrast: Contrast = "none"
    arms: bool = False
    metal: bool = False
    sex: Sex = "F"
    height_m: float | None = 1.7
    weight_kg: float | None = 70.0

    def __post_init__(self) -> None:
        limits: list[tuple[str, float, float, float]] = [
            ("seed", self.seed, 0, 2**63 - 1),
            ("n_slices", self.n_slices, 8, 2000),
            ("matrix_px", self.matrix_px, 64, 1024),
            ("fat_mm", self.fat_mm, 5.0, 50.0),
            *(("lesion_diameters_mm", one, 4.0, 30.0) for one in self.lesion_diameters_mm),
            ("noise_hu", self.noise_hu, 0.0, 60.0),
            ("extent_mm", self.extent_mm, 60.0, 256.0),
            ("field_of_view_mm", self.field_of_view_mm, 250.0, 650.0),
        ]
        if self.height_m is not None:
            limits.append(("height_m", self.height_m, 1.2, 2.2))
        if self.weight_kg is not None:
            limits.append(("weight_kg", self.weight_kg, 30.0, 200.0))
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value}, outside {low:g} to {high:g} that the abdomen phantom can show"
                )
        choices = (("contrast", self.contrast, ("unstated", "none", "iodine")), ("sex", self.sex, ("F", "M")))
        for name, chosen, allowed in choices:
            if chosen not in allowed:
                raise UsageError(f"{name} is {chosen!r}; choose one of {', '.join(allowed)}")


def make_abdomen_ct(
    parameters: AbdomenCtParameters | None = None, *, progress: Progress | None = None
) -> Phantom:
    """Make the phantom: array int16 HU (z, y, x), axial, z increasing to the head.

    truth: `levels` (mid of L1 to L5 in mm and slices), `areas_cm2` of muscle and both fats for every slice,
    the same at L3, their `tissue_hu`, organs with volume (of the whole organ, by its axes) and HU, lesions. masks: those of
    MASKS and `l3-vertebra`, by the centre of each voxel. Deterministic by seed.
    """
    chosen = parameters or AbdomenCtParameters()
    rng = np.random.Generator(np.random.PCG64(chosen.seed))
    hu_of = np.zeros(max(Tissue) + 1, dtype=np.float32)
    for tissue, (plain, enhanced, spread) in TISSUE_HU.items():
        typical = enhanced if chosen.contrast == "iodine" else plain
        hu_of[tissue] = typical + rng.uniform(-1.0, 1.0) * spread
    build = _build(chosen, rng)
    grid = _grid(chosen)
    array = np.empty(grid.shape, dtype=np.int16)
    tissues = np.empty(grid.shape, dtype=np.uint8)
    areas_cm2: dict[str, list[float]] = {name: [] for name in AREAS}
    for k in range(grid.shape[0]):
        if k % 8 == 0:
            step(progress or Silent(), "abdomen phantom: slices", k / grid.shape[0])
        points = _points(build, grid, k)
        point_mm2 = grid.spacing_mm[1] * grid.spacing_mm[2] / SUBPOINTS**2
        for name in AREAS:
            areas_cm2[name].append(round(float(np.isin(points, MASKS[name]).sum() * point_mm2 / 100), 4))
        tissues[k] = points[SUBPOINTS // 2 :: SUBPOINTS, SUBPOINTS // 2 :: SUBPOINTS]
        array[k] = _section(hu_of[points], grid, chosen.noise_hu, rng)
    masks = {name: np.isin(tissues, group) for name, group in MASKS.items()}
    masks["l3-vertebra"] = _vertebra(tissues, grid)
    truth = _truth(build, grid, areas_cm2, hu_of)
    return Phantom("abdomen-ct", array, grid, "HU", asdict(chosen), truth, masks)


def _build(chosen: AbdomenCtParameters, rng: np.random.Generator) -> Build:
    scale = 1.0 + rng.uniform(-0.05, 0.05)
    fat_mm = chosen.fat_mm
    plain = Build(
        scale=scale,
        fat_front_mm=fat_mm * rng.uniform(0.8, 1.1),
        fat_side_mm=fat_mm,
        fat_back_mm=fat_mm * rng.uniform(1.1, 1.4) + 6.0,
        wall_front_mm=rng.uniform(8.0, 11.0),
        wall_side_mm=rng.uniform(11.0, 16.0),
        has_arms=chosen.arms,
        has_metal=chosen.metal,
    )
    liver = plain.organ(Tissue.LIVER)
    lesions: list[Ellipsoid] = []
    for diameter_mm in chosen.lesion_diameters_mm:
        lesions.append(_placed(diameter_mm / 2, liver, lesions, rng))
    return Build(**{**{n: getattr(plain, n) for n in plain.__dataclass_fields__}, "lesions": tuple(lesions)})


def _placed(
    radius_mm: float, liver: Ellipsoid, others: list[Ellipsoid], rng: np.random.Generator
) -> Ellipsoid:
    """A sphere wholly inside the liver and apart from the others."""
    room = [axis - radius_mm - 3.0 for axis in liver.axes_mm]
    for _ in range(2000):
        offset = rng.uniform(-1.0, 1.0, 3)
        x, y, z = (c + o * r for c, o, r in zip(liver.centre_mm, offset, room, strict=True))
        apart = all(
            np.linalg.norm(np.subtract((x, y, z), other.centre_mm)) > radius_mm + other.axes_mm[0] + 4.0
            for other in others
        )
        if float(np.sum(offset**2)) < 1.0 and apart:
            return Ellipsoid((x, y, z), (radius_mm, radius_mm, radius_mm))
    raise UsageError(f"no place in the liver for a lesion of {2 * radius_mm:g} mm; ask for fewer or smaller")


def _grid(chosen: AbdomenCtParameters) -> Grid:
    step_mm, pixel_mm = chosen.extent_mm / chosen.n_slices, chosen.field_of_view_mm / chosen.matrix_px
    affine = np.diag([0.0, 0.0, 0.0, 1.0])
    affine[2, 0], affine[1, 1], affine[0, 2] = step_mm, pixel_mm, pixel_mm
    corner_mm = (pixel_mm - chosen.field_of_view_mm) / 2
    affine[:3, 3] = corner_mm, corner_mm, LOWEST_MM + step_mm / 2
    uid = derive_uid("phantom", "abdomen-ct", repr(chosen))
    return Grid((chosen.n_slices, chosen.matrix_px, chosen.matrix_px), affine, uid)


def _points(build: Build, grid: Grid, k: int) -> NDArray[np.uint8]:
    """Tissue at SUBPOINTS x SUBPOINTS points of every pixel of slice k."""
    x_mm, y_mm, z_mm = grid.index_to_mm(np.array([float(k), 0.0, 0.0]))
    offsets = (np.arange(SUBPOINTS * grid.shape[2]) + 0.5) / SUBPOINTS - 0.5
    x = x_mm + offsets[None, :] * grid.spacing_mm[2]
    y = y_mm + offsets[:, None] * grid.spacing_mm[1]
    return build.tissues(x, y, float(z_mm))


def _section(
    hu: NDArray[np.float32], grid: Grid, noise_hu: float, rng: np.random.Generator
) -> NDArray[np.int16]:
    """One slice: points averaged, blurred, with noise."""
    n = grid.shape[1]
    means = hu.reshape(n, SUBPOINTS, n, SUBPOINTS).mean(axis=(1, 3), dtype=np.float32)
    blurred = ndimage.gaussian_filter(means, BLUR_MM / grid.spacing_mm[1])
    noisy = blurred + noise_hu * rng.standard_normal(blurred.shape, dtype=np.float32)
    return np.asarray(np.clip(np.rint(noisy), -1024, 3071), dtype=np.int16)


def _vertebra(tissues: NDArray[np.uint8], grid: Grid) -> NDArray[np.bool_]:
    """Bone of L3: body and arch within half of its height, near the midline."""
    z_mm = grid.origin_mm[2] + np.arange(grid.shape[0]) * grid.spacing_mm[0]
    x_mm = grid.origin_mm[0] + np.arange(grid.shape[2]) * grid.spacing_mm[2]
    bone = np.isin(tissues, (Tissue.CORTEX, Tissue.MARROW))
    bone[np.abs(z_mm) >= BODY_HEIGHT_MM / 2] = False
    bone[:, :, np.abs(x_mm) > 50.0] = False
    return np.asarray(bone)


def _truth(
    build: Build, grid: Grid, areas_cm2: dict[str, list[float]], hu_of: NDArray[np.float32]
) -> dict[str, Any]:
    def slice_of(z_mm: float) -> float:
        return round(float((z_mm - grid.origin_mm[2]) / grid.spacing_mm[0]), 3)

    nearest = int(np.clip(round(slice_of(0.0)), 0, grid.shape[0] - 1))
    return {
        "levels": {
            f"L{number}": {"z_mm": PITCH_MM * (3 - number), "slice": slice_of(PITCH_MM * (3 - number))}
            for number in range(1, 6)
        },
        "l3_slice": nearest,
        "crest_z_mm": CREST_Z_MM,
        "areas_cm2": areas_cm2,
        "tissue_hu": {name: float(hu_of[MASKS[name][0]]) for name in AREAS},
        "l3_areas_cm2": {name: values[nearest] for name, values in areas_cm2.items()},
        "organs": {
            tissue.name.lower().replace("_", "-"): {
                "centre_mm": [round(v, 3) for v in build.organ(tissue).centre_mm],
                "axes_mm": [round(v, 3) for v in build.organ(tissue).axes_mm],
                "volume_ml": build.organ(tissue).volume_ml,
                "hu": float(hu_of[tissue]),
            }
            for tissue in ORGANS
        },
        "lesions": [
            {
                "centre_mm": [round(v, 3) for v in one.centre_mm],
                "diameter_mm": 2 * one.axes_mm[0],
                "volume_ml": one.volume_ml,
                "hu": float(hu_of[Tissue.LESION]),
            }
            for one in build.lesions
        ],
        "definition": "areas counted on 3 x 3 points a pixel of the noiseless anatomy, volumes from axes",
    }
