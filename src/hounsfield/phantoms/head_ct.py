"""A synthetic head CT without contrast: a bleed of known volume and a midline pushed by a known distance.

Slices are averages over their thickness of planes that head_anatomy.py lays out; then the kernel blurs them and
noise follows the rays (ct_scanner.py). Truth is counted before blur and noise, or follows from the formula of
the shape; which of both stands in the record.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core import Silent
from hounsfield.core.errors import UsageError
from hounsfield.core.progress import step
from hounsfield.core.uid import derive_uid
from hounsfield.phantoms import head_shapes as shapes
from hounsfield.phantoms.axial_slices import axial_grid, centres_mm, slice_planes
from hounsfield.phantoms.ct_scanner import AIR_HU, KERNELS, noise_field, noise_gain, ray_variance, reconstruct
from hounsfield.phantoms.head_anatomy import INSIDE, MONRO_Z_MM, Head, edge, replace_part
from hounsfield.phantoms.head_bleed import (
    FILLS,
    GROWING,
    KINDS,
    Bleed,
    level_for,
    make_ellipsoid,
    territory,
)
from hounsfield.phantoms.head_shapes import Points
from hounsfield.phantoms.head_truth import bleed_truth, ellipsoid_truth, midline_truth
from hounsfield.phantoms.phantom import Phantom

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hounsfield.core import Progress
    from hounsfield.phantoms.head_bleed import Growing

    Field = NDArray[np.float32]

MIDDLE_Z_MM = 20.0  # of the scan: from the posterior fossa to the vertex
HEADREST_HU, HEADREST_RADIUS_MM, HEADREST_MM = -850.0, 112.0, 3.0
# Regions whose masks are kept: voxels of which at least half is that tissue.
REGIONS = {
    "grey-matter": "grey",
    "white-matter": "white",
    "csf": "csf",
    "ventricles": "ventricle",
    "bleed": "blood",
    "infarct": "infarct",
}
# All that the skull holds, with what came in the place of brain.
CONTENTS = (*INSIDE, "oedema", "blood", "infarct-grey", "infarct-white")
KernelName = Literal["soft", "sharp"]
SIDES = {"left": 1, "right": -1}
# What every head has room for: the cisterns and the ventricles are small.
MOST_ML = {
    "intraparenchymal": 80.0,
    "subdural": 120.0,
    "epidural": 120.0,
    "subarachnoid": 25.0,
    "intraventricular": 15.0,
}


@dataclass(frozen=True, slots=True)
class HeadCtParameters:
    """What a head CT phantom is made from; equal parameters give equal voxels.

    bleed: its place: intraparenchymal (an ellipsoid in the basal ganglia), subdural, epidural, subarachnoid (around the
    base of the brain) or intraventricular. bleed_ml: its volume, 0 for none. side: where it lies (left, right).
    shift_mm: of the septum pellucidum away from that side, 0 to 15. oedema_mm: rim around an intraparenchymal bleed.
    noise_hu: standard deviation in the middle of the head by the soft kernel. kernel: soft or sharp. cupping_hu: by
    how much beam hardening lowers the middle of the brain against its rim. rotation_deg: of the head in the axial
    plane, the nose towards its left. infarct_ml: brain of the middle cerebral artery of the side that is darker by
    infarct_drop_hu than the same tissue elsewhere; with a bleed_ml of 0 only. Raises UsageError outside the ranges.
    """

    seed: int = 1
    n_slices: int = 28
    matrix_px: int = 256
    thickness_mm: float = 5.0
    field_of_view_mm: float = 240.0
    bleed: Bleed = "intraparenchymal"
    bleed_ml: float = 30.0
    side: Literal["left", "right"] = "left"
    shift_mm: float = 6.0
    blood_hu: float = 65.0
    oedema_mm: float = 4.0
    noise_hu: float = 3.5
    kernel: KernelName = "soft"
    cupping_hu: float = 0.0
    rotation_deg: float = 0.0
    infarct_ml: float = 0.0
    infarct_drop_hu: float = 6.0

    def __post_init__(self) -> None:
        choices: tuple[tuple[str, str, Any], ...] = (
            ("bleed", self.bleed, KINDS),
            ("side", self.side, SIDES),
            ("kernel", self.kernel, KERNELS),
        )
        for name, value, allowed in choices:
            if value not in allowed:
                raise UsageError(f"{name} is {value!r}; choose one of {', '.join(allowed)}")
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("n_slices", self.n_slices, 8, 400),
            ("matrix_px", self.matrix_px, 64, 1024),
            ("thickness_mm", self.thickness_mm, 0.5, 10.0),
            (
                "the length of the scan (n_slices x thickness_mm)",
                self.n_slices * self.thickness_mm,
                40.0,
                200.0,
            ),
            ("field_of_view_mm", self.field_of_view_mm, 220.0, 300.0),
            (f"bleed_ml of a bleed that is {self.bleed}", self.bleed_ml, 0.0, MOST_ML[self.bleed]),
            ("shift_mm", self.shift_mm, 0.0, 15.0),  # B9: above 5 mm is flagged; 15 mm is a dying brain
            ("blood_hu", self.blood_hu, 50.0, 90.0),  # B23: acute haematoma
            ("oedema_mm", self.oedema_mm, 0.0, 12.0),
            ("noise_hu", self.noise_hu, 0.0, 20.0),
            ("cupping_hu", self.cupping_hu, 0.0, 20.0),
            ("rotation_deg", self.rotation_deg, -20.0, 20.0),
            ("infarct_ml", self.infarct_ml, 0.0, 150.0),
            ("infarct_drop_hu", self.infarct_drop_hu, 3.0, 20.0),  # B23: early 3 to 8, more by the day
        )
        for limited, number, low, high in limits:
            if not low <= number <= high:
                raise UsageError(
                    f"{limited} is {number:g}, outside {low:g} to {high:g} that the head phantom can show"
                )
        if self.infarct_ml and self.bleed_ml:
            raise UsageError("infarct_ml and bleed_ml exclude each other here: set one of them to 0")


def make_head_ct(
    parameters: HeadCtParameters | None = None, *, tilt_deg: float = 0.0, progress: Progress | None = None
) -> Phantom:
    """Make the phantom: array int16 HU (z, y, x), axial, z increasing to the head. Deterministic by seed.

    truth: `bleed` with its volume (ml; counted in parts of voxels before blur and noise, for an ellipsoid also by
    its formula), the area on every slice, and for an ellipsoid the lengths that ABC/2 takes; `midline` with the
    distances that its rule takes; `infarct`; `tissue_hu`; `noise` and `kernel`. masks: `intracranial`, `grey-matter`,
    `white-matter`, `csf`, `ventricles`, `bleed`, `infarct`: voxels at least half of which is that.
    """
    return _HeadCt(parameters or HeadCtParameters(), math.radians(tilt_deg), progress or Silent()).make()


class _HeadCt:
    """The work of making one phantom."""

    def __init__(self, parameters: HeadCtParameters, tilt_rad: float, progress: Progress) -> None:
        p = self.parameters = parameters
        self.progress, self.side = progress, SIDES[p.side]
        rng = np.random.Generator(np.random.PCG64(p.seed))
        self.head = Head(rng, shift_mm=-self.side * p.shift_mm, mass_side=self.side)
        self.head.hu["blood"] = p.blood_hu
        for tissue in ("grey", "white"):
            self.head.hu[f"infarct-{tissue}"] = self.head.hu[tissue] - p.infarct_drop_hu
        self.ellipsoid = (
            make_ellipsoid(p.bleed_ml, self.side, rng) if p.bleed == KINDS[0] and p.bleed_ml else None
        )
        self.pixel_mm = p.field_of_view_mm / p.matrix_px
        self.grid = axial_grid(
            (p.n_slices, p.matrix_px),
            (p.thickness_mm, self.pixel_mm),
            MIDDLE_Z_MM,
            derive_uid("phantom", "head-ct", repr(p)),
            tilt_rad,
        )
        self.planes = slice_planes(p.n_slices, p.thickness_mm, MIDDLE_Z_MM)
        self.sample_mm3 = self.grid.voxel_volume_mm3 / self.planes[0].size
        across_mm = centres_mm(p.matrix_px, self.pixel_mm)
        self.headrest = self._headrest(across_mm, math.cos(tilt_rad))
        self.window = self._window(across_mm, math.cos(tilt_rad))
        rows_mm, self.columns_mm = across_mm[self.window[0], None], across_mm[None, self.window[1]]
        self.rows_mm, self.rows_z_mm = rows_mm * math.cos(tilt_rad), rows_mm * math.sin(tilt_rad)

    def _window(self, across_mm: NDArray[np.float64], tilt_cos: float) -> tuple[slice, slice]:
        """The rows and columns that the head, however it is rotated, can reach."""
        angle = math.radians(abs(self.parameters.rotation_deg))
        wide_mm, long_mm = shapes.SKIN_MM[0] * (1.0 + shapes.FRONT_IS_NARROWER), shapes.SKIN_MM[1]
        reach_x_mm = wide_mm * math.cos(angle) + long_mm * math.sin(angle) + 2.0 * self.pixel_mm
        reach_y_mm = (long_mm * math.cos(angle) + wide_mm * math.sin(angle)) / tilt_cos + 2.0 * self.pixel_mm
        near = [np.flatnonzero(np.abs(across_mm) <= reach_mm) for reach_mm in (reach_y_mm, reach_x_mm)]
        return slice(int(near[0][0]), int(near[0][-1]) + 1), slice(int(near[1][0]), int(near[1][-1]) + 1)

    def points(self, z_mm: float) -> Points:
        """Points of one plane in the coordinates of the head, which is rotated in the scanner."""
        angle = math.radians(self.parameters.rotation_deg)
        x = self.columns_mm * math.cos(angle) + self.rows_mm * math.sin(angle)
        y = self.rows_mm * math.cos(angle) - self.columns_mm * math.sin(angle)
        return Points(*(np.asarray(one, dtype=np.float32) for one in (x, y, self.rows_z_mm + z_mm)))

    def make(self) -> Phantom:
        """The level of the blood, then every slice, then the truth."""
        p, shape = self.parameters, self.grid.shape
        self.inside_bleed, self.inside_infarct = self._blood(), self._infarct()
        array, noiseless = np.empty(shape, dtype=np.int16), np.empty(shape, dtype=np.float32)
        absent = {"bleed": not p.bleed_ml, "infarct": not p.infarct_ml}
        names = [name for name in (*REGIONS, "intracranial") if not absent.get(name)]
        masks = {name: np.zeros(shape, dtype=np.bool_) for name in names}
        blood_mm3, infarct_mm3 = np.zeros(shape[0]), np.zeros(shape[0])
        for k, planes_mm in enumerate(self.planes):
            if k % 5 == 0:
                step(self.progress, "head phantom: slices", k / shape[0])
            parts = self._slice(planes_mm)
            noiseless[k] = self._hu(parts, float(planes_mm.mean()))
            parts["infarct"] = parts.get("infarct-grey", 0.0) + parts.get("infarct-white", np.float32(0.0))
            parts["intracranial"] = sum(parts[one] for one in CONTENTS if one in parts)
            for name, mask in masks.items():
                mask[k][self.window] = parts.get(REGIONS.get(name, name), np.float32(0.0)) >= 0.5
            for counted_mm3, name in ((blood_mm3, "blood"), (infarct_mm3, "infarct")):
                filled = float(np.sum(parts.get(name, 0.0), dtype=np.float64))
                counted_mm3[k] = filled * self.grid.voxel_volume_mm3
        self._check_room(float(blood_mm3.sum()))
        noise_hu = self._noise(noiseless)
        for k in range(shape[0]):
            array[k] = np.clip(np.rint(noiseless[k] + noise_hu(k)), -1024, 3071)
        truth = self._truth(blood_mm3, float(infarct_mm3.sum() / 1000.0), masks)
        return Phantom("head-ct", array, self.grid, "HU", asdict(p), truth, masks)

    def _blood(self) -> Callable[[Points], Field] | None:
        """The part of every pixel of a plane that lies within the bleed."""
        p = self.parameters
        if not p.bleed_ml:
            return None
        if self.ellipsoid is not None:
            around = self.ellipsoid
            return lambda points: around.part(points, self.pixel_mm)
        growing = GROWING[p.bleed](self.head, self.side)
        return self._grown(growing, FILLS.get(p.bleed, INSIDE), p.bleed_ml, f"a bleed ({p.bleed})")

    def _infarct(self) -> Callable[[Points], Field] | None:
        """The part of every pixel of a plane that lies within the infarct."""
        if not self.parameters.infarct_ml:
            return None
        growing = territory(self.head, self.side)
        return self._grown(growing, ("grey", "white"), self.parameters.infarct_ml, "an infarct")

    def _grown(
        self, growing: Callable[[Points, Field], Growing], fills: tuple[str, ...], volume_ml: float, what: str
    ) -> Callable[[Points], Field]:
        """The region that grew in those tissues until it had the volume."""
        regions = []
        for k, planes_mm in enumerate(self.planes):
            if k % 5 == 0:
                step(self.progress, f"head phantom: room for {what}", k / len(self.planes))
            for z_mm in planes_mm:
                points = self.points(float(z_mm))
                parts = self.head.fractions(points, self.pixel_mm)
                room = sum(parts[one] for one in fills if one in parts)
                regions.append(growing(points, np.asarray(room, dtype=np.float32)))
        volume_mm3 = volume_ml * 1000.0
        level_mm = level_for(
            regions, volume_mm3, pixel_mm=self.pixel_mm, sample_mm3=self.sample_mm3, what=what
        )
        nothing = np.zeros((), dtype=np.float32)
        return lambda points: growing(points, nothing).inside(level_mm, self.pixel_mm)

    def _slice(self, planes_mm: NDArray[np.float64]) -> dict[str, Any]:
        """Parts of the voxels of one slice: the mean over its planes."""
        mean: dict[str, Any] = {}
        for z_mm in planes_mm:
            points = self.points(float(z_mm))
            parts = self.head.fractions(points, self.pixel_mm)
            if self.ellipsoid is not None and self.parameters.oedema_mm:
                rim = edge(self.ellipsoid.distance_mm(points) + self.parameters.oedema_mm, self.pixel_mm)
                replace_part(parts, "oedema", rim, ("grey", "white"))
            if self.inside_infarct is not None:
                for tissue in ("grey", "white"):
                    replace_part(parts, f"infarct-{tissue}", self.inside_infarct(points), (tissue,))
            if self.inside_bleed is not None:
                fills = FILLS.get(self.parameters.bleed, (*INSIDE, "oedema"))
                replace_part(parts, "blood", self.inside_bleed(points), fills)
            for name, part in parts.items():
                mean[name] = mean.get(name, 0.0) + part / planes_mm.size
        return mean

    def _hu(self, parts: dict[str, Any], z_mm: float) -> Field:
        """HU of one slice as the kernel shows it, without noise."""
        hu = self.head.hu
        mixed = sum(
            part * np.float32(hu["csf" if name == "ventricle" else name]) for name, part in parts.items()
        )
        mixed = mixed + parts["air"] * self.headrest[self.window]
        if self.parameters.cupping_hu:
            radius = np.minimum(shapes.shell_radius(self.points(z_mm), shapes.INNER_MM), 1.0)
            brain = sum(parts[one] for one in CONTENTS if one in parts)
            mixed = mixed - brain * np.float32(self.parameters.cupping_hu) * (1.0 - radius**2)
        whole = AIR_HU + self.headrest
        whole[self.window] = mixed
        return reconstruct(whole, KERNELS[self.parameters.kernel], self.pixel_mm)

    def _headrest(self, across_mm: NDArray[np.float64], tilt_cos: float) -> Field:
        """How much the headrest adds to the air behind the head, HU."""
        rows_mm = across_mm[:, None] * tilt_cos
        shell_mm = HEADREST_MM / 2 - np.abs(np.hypot(across_mm[None, :], rows_mm) - HEADREST_RADIUS_MM)
        part = edge(np.asarray(np.minimum(shell_mm, rows_mm - 40.0), dtype=np.float32), self.pixel_mm)
        return np.asarray(part * (HEADREST_HU - AIR_HU), dtype=np.float32)

    def _noise(self, noiseless: NDArray[np.float32]) -> Callable[[int], Any]:
        """Noise by slice: as strong as the rays through the slice make it, noise_hu in the middle of the head."""
        p = self.parameters
        if not p.noise_hu:
            return lambda _k: 0.0
        kernel, shape = KERNELS[p.kernel], noiseless.shape[1:]
        middle, k_middle = shape[0] // 2, self._nearest_slice(MONRO_Z_MM)
        at_middle = float(ray_variance(noiseless[k_middle], self.pixel_mm)[middle, middle])
        strength_hu = p.noise_hu * noise_gain(shape, kernel, self.pixel_mm)

        def noise(k: int) -> Any:
            rng = np.random.Generator(np.random.PCG64([p.seed, 1, k]))
            relative = np.sqrt(ray_variance(noiseless[k], self.pixel_mm) / at_middle)
            return strength_hu * relative * noise_field(shape, kernel, self.pixel_mm, rng)

        return noise

    def _nearest_slice(self, z_mm: float) -> int:
        return int(np.argmin([abs(float(planes.mean()) - z_mm) for planes in self.planes]))

    def _check_room(self, blood_mm3: float) -> None:
        """Refuse an ellipsoid that reaches out of the skull or of the scan."""
        wanted_mm3 = self.parameters.bleed_ml * 1000.0
        if blood_mm3 < 0.98 * wanted_mm3:
            raise UsageError(
                f"a bleed of {self.parameters.bleed_ml:g} ml does not fit: only {blood_mm3 / 1000:.1f} ml lie in the "
                "brain and in the scan; ask for less, for thinner slices, or for more of them"
            )

    def _truth(
        self, blood_mm3: NDArray[np.float64], infarct_ml: float, masks: dict[str, NDArray[np.bool_]]
    ) -> dict[str, Any]:
        p, kernel = self.parameters, KERNELS[self.parameters.kernel]
        gain = noise_gain(self.grid.shape[1:], kernel, self.pixel_mm)
        region_ml = {
            name: float(mask.sum() * self.grid.voxel_volume_mm3 / 1000.0) for name, mask in masks.items()
        }
        bleed = bleed_truth(p, blood_mm3, region_ml["bleed"]) if p.bleed_ml else None
        if bleed is not None and self.ellipsoid is not None:
            bleed |= ellipsoid_truth(self.ellipsoid, self.planes[int(np.argmax(blood_mm3))], p)
        infarct = {
            "side": p.side,
            "volume_ml": p.infarct_ml,
            "counted_volume_ml": infarct_ml,
            "mask_volume_ml": region_ml.get("infarct", 0.0),
            "drop_hu": p.infarct_drop_hu,
        }
        return {
            "bleed": bleed,
            "infarct": infarct if p.infarct_ml else None,
            "midline": midline_truth(self.head, p.rotation_deg),
            "tissue_hu": {
                name: float(value)
                for name, value in self.head.hu.items()
                if (name != "blood" or p.bleed_ml) and (not name.startswith("infarct") or p.infarct_ml)
            },
            "noise": {"middle_of_head_hu": p.noise_hu * gain, "over_soft_kernel": gain},
            "kernel": kernel.to_json(),
            "volumes": "of noiseless voxels before blur, counted by the part that each tissue fills",
            "region_ml": region_ml,
        }
