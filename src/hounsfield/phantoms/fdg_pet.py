"""A synthetic FDG-PET of the trunk with spheres of known uptake, physiology that misleads, blur and noise.

Everything is uniform background but for lungs, liver, heart, kidneys, bladder and the spheres of the
NEMA NU 2 body phantom (diameters 10 to 37 mm) on a ring around the middle. Uptake of organs is typical,
not measured: a blood-pool-like body, liver about 2.2, a bladder far above every lesion.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from hounsfield.core import Grid, Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.core.uid import derive_uid
from hounsfield.phantoms.phantom import Phantom

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hounsfield.core import Progress

    Field = NDArray[np.float32]

FWHM_PER_SIGMA = 2.354820045  # 2 sqrt(2 ln 2)
RING_RADIUS_MM = 76.0
RING_Z_MM = -50.0
BODY_X_MM, BODY_Y_MM = 165.0, 118.0
# A lesion's neighbourhood, in which its maximum and metabolic volumes are taken: this much around it.
NEIGHBOURHOOD_MM = 8.0
SUPERSAMPLING = 6
MTV_THRESHOLDS_SUV = {"2.5": 2.5, "4.0": 4.0}
OWN_MAXIMUM = 0.41
# Uptake, centre (x, y, z) and half axes in mm. Typical values of FDG at 60 minutes, chosen here.
ORGANS: tuple[tuple[str, float, tuple[float, float, float], tuple[float, float, float]], ...] = (
    ("right lung", 0.45, (-72.0, -5.0, 130.0), (52.0, 80.0, 75.0)),
    ("left lung", 0.45, (72.0, -5.0, 130.0), (52.0, 80.0, 75.0)),
    ("liver", 2.2, (-68.0, -12.0, 42.0), (72.0, 80.0, 42.0)),
    ("heart", 3.2, (28.0, -38.0, 92.0), (44.0, 36.0, 34.0)),
    ("heart cavity", 1.5, (28.0, -38.0, 92.0), (30.0, 22.0, 20.0)),
    ("right kidney", 3.6, (-62.0, 62.0, -4.0), (22.0, 18.0, 34.0)),
    ("left kidney", 3.6, (62.0, 62.0, 4.0), (22.0, 18.0, 34.0)),
    ("spleen", 1.9, (104.0, 36.0, 44.0), (24.0, 38.0, 34.0)),
)
BLADDER_CENTRE_MM, BLADDER_RADII_MM = (0.0, -28.0, -142.0), (36.0, 30.0, 27.0)


@dataclass(frozen=True, slots=True)
class FdgPetParameters:
    """What an FDG-PET phantom is made from; equal parameters give equal voxels.

    sphere_diameters_mm: one to eight, 4 to 40 mm (default: NEMA NU 2). sphere_suv: their plateau, 2 to 40.
    background_suv, bladder_suv. psf_mm: full width at half maximum of the scanner's blur, 0 to 12; 0
    leaves exact plateaus. noise: standard deviation where the SUV is 1, growing with its root, 0 to 0.5.
    weight_kg, dose_bq, uptake_s: patient and injection, within what the SUV recipe accepts.
    Raises UsageError outside these ranges.
    """

    seed: int = 1
    n_slices: int = 90
    matrix_px: int = 128
    spacing_mm: float = 4.0
    sphere_diameters_mm: tuple[float, ...] = (10.0, 13.0, 17.0, 22.0, 28.0, 37.0)
    sphere_suv: float = 8.0
    background_suv: float = 0.9
    bladder_suv: float = 24.0
    psf_mm: float = 6.0
    noise: float = 0.06
    weight_kg: float = 72.0
    dose_bq: float = 3.0e8
    uptake_s: float = 3600.0

    def __post_init__(self) -> None:
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("n_slices", self.n_slices, 8, 1000),
            ("matrix_px", self.matrix_px, 32, 512),
            ("spacing_mm", self.spacing_mm, 1.0, 8.0),
            ("number of sphere_diameters_mm", len(self.sphere_diameters_mm), 1, 8),
            *(("sphere_diameters_mm", one, 4.0, 40.0) for one in self.sphere_diameters_mm),
            ("sphere_suv", self.sphere_suv, 2.0, 40.0),
            ("background_suv", self.background_suv, 0.0, 2.0),
            ("bladder_suv", self.bladder_suv, 0.0, 100.0),
            ("psf_mm", self.psf_mm, 0.0, 12.0),
            ("noise", self.noise, 0.0, 0.5),
            ("weight_kg", self.weight_kg, 30.0, 200.0),
            ("dose_bq", self.dose_bq, 5.0e7, 1.0e9),
            ("uptake_s", self.uptake_s, 1200.0, 7200.0),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value}, outside {low:g} to {high:g} that the PET phantom can show"
                )
        self._check_field_of_view()

    def _check_field_of_view(self) -> None:
        needed_mm = 2 * (RING_RADIUS_MM + max(self.sphere_diameters_mm) / 2 + NEIGHBOURHOOD_MM)
        if self.matrix_px * self.spacing_mm < needed_mm:
            raise UsageError(
                f"matrix_px * spacing_mm is {self.matrix_px * self.spacing_mm:g} mm, but the ring of spheres needs "
                f"{needed_mm:g} mm. Give more pixels or a larger spacing."
            )
        needed_mm = 2 * (abs(RING_Z_MM) + max(self.sphere_diameters_mm) / 2 + NEIGHBOURHOOD_MM)
        if self.n_slices * self.spacing_mm < needed_mm:
            raise UsageError(
                f"n_slices * spacing_mm is {self.n_slices * self.spacing_mm:g} mm, but the spheres need "
                f"{needed_mm:g} mm. Give more slices or a larger spacing."
            )


def make_fdg_pet(parameters: FdgPetParameters | None = None, *, progress: Progress | None = None) -> Phantom:
    """Make the phantom: array float32 SUVbw (z, y, x), axial, z increasing to the head.

    truth: for every sphere centre (LPS mm), diameter, analytic volume (mm3), plateau, and in its
    neighbourhood (8 mm around) of the noiseless blurred volume SUVmax and metabolic volumes at 41 % of
    that maximum, 2.5 and 4.0. masks: the neighbourhoods, `sphere-10mm` and so on. Deterministic by seed.
    """
    chosen = parameters or FdgPetParameters()
    said = progress or Silent()
    step(said, "PET phantom: uptake", 0.0)
    grid = _grid(chosen)
    spheres = _spheres(chosen)
    clean = _blurred(_uptake(grid, chosen, spheres), grid, chosen.psf_mm)
    step(said, "PET phantom: noise", 0.6)
    array = _noisy(clean, grid, chosen)
    masks = {
        one["name"]: _within(grid, one["centre_mm"], one["diameter_mm"] / 2 + NEIGHBOURHOOD_MM)
        for one in spheres
    }
    truth = {
        "spheres": [one | _expected(clean, masks[one["name"]], grid) for one in spheres],
        "background_suv": chosen.background_suv,
        "organs": [
            *({"name": name, "suv": suv, "centre_mm": list(centre)} for name, suv, centre, _ in ORGANS),
            {"name": "bladder", "suv": chosen.bladder_suv, "centre_mm": list(BLADDER_CENTRE_MM)},
        ],
        "sphere_definition": (
            "plateau before blur and analytic volume; suv_max and mtv are of the noiseless blurred volume inside "
            f"the mask of the sphere's name: all voxels within its radius plus {NEIGHBOURHOOD_MM:g} mm"
        ),
    }
    return Phantom("fdg-pet", array, grid, "SUVbw", asdict(chosen), truth, masks)


def _grid(p: FdgPetParameters) -> Grid:
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = p.spacing_mm
    affine[3, 3] = 1.0
    affine[:3, 3] = [-(n - 1) * p.spacing_mm / 2 for n in (p.matrix_px, p.matrix_px, p.n_slices)]
    return Grid((p.n_slices, p.matrix_px, p.matrix_px), affine, derive_uid("phantom", "fdg-pet", repr(p)))


def _spheres(p: FdgPetParameters) -> list[dict[str, Any]]:
    """Places on the ring, turned by the seed; names tell the diameter, and a letter where two are equal."""
    turn = float(np.random.Generator(np.random.PCG64(p.seed)).uniform(0, 2 * np.pi))
    n = len(p.sphere_diameters_mm)
    spheres: list[dict[str, Any]] = []
    for i, diameter_mm in enumerate(p.sphere_diameters_mm):
        angle = turn + 2 * np.pi * i / n
        twins = sum(one["diameter_mm"] == diameter_mm for one in spheres)
        spheres.append(
            {
                "name": f"sphere-{diameter_mm:g}mm{'' if not twins else '-' + 'abcdefgh'[twins]}",
                "centre_mm": [
                    round(float(RING_RADIUS_MM * np.cos(angle)), 3),
                    round(float(RING_RADIUS_MM * np.sin(angle)), 3),
                    RING_Z_MM,
                ],
                "diameter_mm": float(diameter_mm),
                "volume_mm3": float(np.pi / 6 * diameter_mm**3),
                "suv": float(p.sphere_suv),
            }
        )
    return spheres


def _axes_mm(grid: Grid) -> tuple[Field, Field, Field]:
    """Coordinates x, y, z of voxel centres, shaped to broadcast over (z, y, x)."""
    origin, spacing = grid.origin_mm, grid.spacing_mm
    z, y, x = (
        (np.arange(n) * step_mm + first).astype(np.float32)
        for n, step_mm, first in zip(grid.shape, spacing, origin[::-1], strict=True)
    )
    return x[None, None, :], y[None, :, None], z[:, None, None]


def _ellipsoid_cover(grid: Grid, centre_mm: tuple[float, ...], radii_mm: tuple[float, ...]) -> Field:
    """Part of each voxel inside an ellipsoid, by the distance of its centre to the surface."""
    x, y, z = _axes_mm(grid)
    (cx, cy, cz), (a, b, c) = centre_mm, radii_mm
    radius = np.sqrt(((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 + ((z - cz) / c) ** 2)
    width = grid.spacing_mm[0] / min(radii_mm)
    return np.asarray(np.clip((1.0 - radius) / width + 0.5, 0.0, 1.0), dtype=np.float32)


def _body_cover(grid: Grid) -> Field:
    x, y, z = _axes_mm(grid)
    waist = 1.0 - 0.07 * np.exp(-(((z + 20.0) / 70.0) ** 2))
    radius = ((np.abs(x) / (BODY_X_MM * waist)) ** 2.5 + (np.abs(y) / (BODY_Y_MM * waist)) ** 2.5) ** 0.4
    width = grid.spacing_mm[0] / BODY_Y_MM
    return np.asarray(np.clip((1.0 - radius) / width + 0.5, 0.0, 1.0), dtype=np.float32)


def _sphere_cover(grid: Grid, centre_mm: list[float], radius_mm: float) -> tuple[tuple[slice, ...], Field]:
    """Window (z, y, x) around a sphere, and the part of each voxel there that lies inside, by sub-voxels."""
    centre = np.array(centre_mm)
    corners = np.sort(grid.mm_to_index(np.array([centre - radius_mm, centre + radius_mm])), axis=0)
    first = np.floor(corners[0]).astype(int) - 1
    last = np.ceil(corners[1]).astype(int) + 2
    window = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    inner = (np.arange(SUPERSAMPLING) + 0.5) / SUPERSAMPLING - 0.5
    fine = [
        ((np.arange(a, b)[:, None] + inner).ravel() * spacing + origin - c) ** 2
        for a, b, spacing, origin, c in zip(
            first, last, grid.spacing_mm, grid.origin_mm[::-1], centre[::-1], strict=True
        )
    ]
    inside = fine[0][:, None, None] + fine[1][None, :, None] + fine[2][None, None, :] <= radius_mm**2
    shape = [n for a, b in zip(first, last, strict=True) for n in (int(b - a), SUPERSAMPLING)]
    return window, inside.reshape(shape).mean(axis=(1, 3, 5), dtype=np.float32)


def _uptake(grid: Grid, p: FdgPetParameters, spheres: list[dict[str, Any]]) -> Field:
    body = _body_cover(grid)
    suv = body * np.float32(p.background_suv)
    for _, organ_suv, centre_mm, radii_mm in (
        *ORGANS,
        ("bladder", p.bladder_suv, BLADDER_CENTRE_MM, BLADDER_RADII_MM),
    ):
        suv += _ellipsoid_cover(grid, centre_mm, radii_mm) * body * (np.float32(organ_suv) - suv)
    for one in spheres:
        window, cover = _sphere_cover(grid, one["centre_mm"], one["diameter_mm"] / 2)
        suv[window] += cover * (np.float32(one["suv"]) - suv[window])
    return suv


def _blurred(suv: Field, grid: Grid, psf_mm: float) -> Field:
    """Scanner's blur; values beyond the ends are as at the ends."""
    if psf_mm == 0:
        return suv
    sigma = [psf_mm / FWHM_PER_SIGMA / spacing for spacing in grid.spacing_mm]
    return np.asarray(ndimage.gaussian_filter(suv, sigma, mode="nearest"), dtype=np.float32)


def _noisy(clean: Field, grid: Grid, p: FdgPetParameters) -> Field:
    """Noise with a grain of the blur's width and a deviation that grows with the root of the uptake."""
    if p.noise == 0:
        return clean.copy()
    rng = np.random.Generator(np.random.PCG64([p.seed, 1]))
    white = rng.standard_normal(clean.shape, dtype=np.float32)
    grain = _blurred(white, grid, max(p.psf_mm, p.spacing_mm))
    noisy = clean + grain / grain.std() * np.float32(p.noise) * np.sqrt(clean)
    return np.asarray(np.maximum(noisy, 0.0), dtype=np.float32)


def _within(grid: Grid, centre_mm: list[float], radius_mm: float) -> NDArray[np.bool_]:
    x, y, z = _axes_mm(grid)
    cx, cy, cz = centre_mm
    return np.asarray((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 <= radius_mm**2)


def _expected(clean: Field, mask: NDArray[np.bool_], grid: Grid) -> dict[str, float]:
    """SUVmax and metabolic volumes (ml) of the noiseless volume in a neighbourhood."""
    values = clean[mask].astype(np.float64)
    maximum = float(values.max())
    voxel_ml = grid.voxel_volume_mm3 / 1000.0
    limits: dict[str, Callable[[float], float]] = {"41": lambda peak: OWN_MAXIMUM * peak}
    volumes = {name: float((values >= limit(maximum)).sum() * voxel_ml) for name, limit in limits.items()}
    volumes |= {name: float((values >= suv).sum() * voxel_ml) for name, suv in MTV_THRESHOLDS_SUV.items()}
    return {"suv_max": maximum} | {f"mtv_{name}_ml": volume for name, volume in volumes.items()}
