"""A synthetic CT perfusion study of the brain: a slab of slices, scanned again and again while contrast passes.

The anatomy is that of the head CT (head_anatomy.py) without a bleed. Each tissue follows the curve that its flow,
transit time and delay give (perfusion_curves.py); core and penumbra are nested regions of brain tissue of
chosen volume. Every image is the baseline plus, for each tissue, its part of the voxel times its curve.
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
from hounsfield.phantoms.axial_slices import axial_grid, centres_mm, slice_planes
from hounsfield.phantoms.ct_scanner import KERNELS, noise_field, ray_variance, reconstruct
from hounsfield.phantoms.head_anatomy import INSIDE, Head, edge, replace_part
from hounsfield.phantoms.head_bleed import level_for, territory
from hounsfield.phantoms.head_shapes import Points, bent_tube
from hounsfield.phantoms.perfusion_curves import (
    DENSITY_G_PER_ML,
    HAEMATOCRIT_FACTOR,
    SCALE_S,
    SHAPE,
    Flow,
    arterial_hu,
    tissue_hu,
    venous_hu,
)
from hounsfield.phantoms.phantom import Phantom, PhantomStudy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Progress

MIDDLE_Z_MM = 5.0  # of the slab: basal ganglia, as stroke protocols place it
REFERENCE_MAS = 150.0  # dose at which noise_hu holds
VENOUS_DELAY_S, VENOUS_MTT_S = 4.0, 5.0
SIDES = {"left": 1, "right": -1}
# (x, y, z, radius) of arteries that run up through the slab, and of the superior sagittal sinus.
ANTERIOR = ((0.0, -41.0, -40.0, 2.4), (0.0, -43.0, 60.0, 2.4))
MIDDLE_CEREBRAL = (
    (7.0, -10.0, -13.0, 2.2),
    (22.0, -12.0, -10.0, 2.0),
    (36.0, -8.0, -6.0, 1.6),
    (37.0, -4.0, 12.0, 1.3),
)
OPEN_STUMP = ((7.0, -10.0, -13.0, 2.2), (14.0, -11.0, -12.0, 2.2))
SINUS = ((0.0, 74.0, -40.0, 4.0), (0.0, 75.0, 10.0, 4.0), (0.0, 70.0, 40.0, 4.0))
# Names of what carries contrast: normal tissue, penumbra, core, vessels.
STATES = ("normal", "penumbra", "core")


@dataclass(frozen=True, slots=True)
class CtPerfusionParameters:
    """What a CT perfusion phantom is made from; equal parameters give equal voxels.

    n_times, interval_s: scans of the slab and the time between them. core_ml, penumbra_ml: brain tissue of the side,
    the penumbra around the core. core_relative_cbf, penumbra_relative_cbf: flow over that of the same tissue on the
    other side. core_delay_s, penumbra_delay_s, normal_delay_s: how much later than in the artery the blood arrives,
    which is Tmax (0.5 s more in normal white matter). arrival_s: of the contrast in the arteries. peak_hu: its largest enhancement there. noise_hu: standard deviation in the middle of the head at 150 mAs;
    it goes with the root of 150 / dose_mas. Raises UsageError outside the ranges.
    """

    seed: int = 1
    n_slices: int = 8
    matrix_px: int = 128
    thickness_mm: float = 5.0
    field_of_view_mm: float = 240.0
    n_times: int = 32
    interval_s: float = 2.0
    core_ml: float = 20.0
    penumbra_ml: float = 45.0
    side: Literal["left", "right"] = "left"
    core_relative_cbf: float = 0.15
    penumbra_relative_cbf: float = 0.5
    core_delay_s: float = 11.0
    penumbra_delay_s: float = 8.0
    normal_delay_s: float = 0.5
    arrival_s: float = 8.0
    peak_hu: float = 280.0
    noise_hu: float = 5.0
    dose_mas: float = 150.0

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise UsageError(f"side is {self.side!r}; choose one of {', '.join(SIDES)}")
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("n_slices", self.n_slices, 2, 64),
            ("matrix_px", self.matrix_px, 64, 512),
            ("thickness_mm", self.thickness_mm, 1.0, 10.0),
            ("n_slices x thickness_mm", self.n_slices * self.thickness_mm, 10.0, 100.0),
            ("field_of_view_mm", self.field_of_view_mm, 220.0, 300.0),
            ("n_times", self.n_times, 5, 120),
            ("interval_s", self.interval_s, 0.5, 5.0),
            ("core_ml", self.core_ml, 0.0, 100.0),
            ("penumbra_ml", self.penumbra_ml, 0.0, 150.0),
            # B9: a core has less than 30 % of the flow of the other side, the penumbra more; Tmax above 6 s.
            ("core_relative_cbf", self.core_relative_cbf, 0.02, 0.29),
            ("penumbra_relative_cbf", self.penumbra_relative_cbf, 0.31, 0.9),
            ("core_delay_s", self.core_delay_s, 6.1, 20.0),
            ("penumbra_delay_s", self.penumbra_delay_s, 6.1, 20.0),
            ("normal_delay_s", self.normal_delay_s, 0.0, 5.0),
            ("arrival_s", self.arrival_s, 0.0, 30.0),
            ("peak_hu", self.peak_hu, 50.0, 600.0),
            ("noise_hu", self.noise_hu, 0.0, 30.0),
            ("dose_mas", self.dose_mas, 10.0, 1000.0),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value:g}, outside {low:g} to {high:g} that the perfusion phantom can show"
                )


def make_ct_perfusion(
    parameters: CtPerfusionParameters | None = None, *, progress: Progress | None = None
) -> PhantomStudy:
    """Make the phantom: images `time-01`, `time-02`, ..., int16 HU (z, y, x), each with its time_s in its truth.

    truth: `times_s`; the curves of artery and vein and the flow of every tissue in closed form; `core_ml`,
    `penumbra_ml` (brain tissue, counted in parts of voxels before blur and noise). masks (the same for all times):
    `core`, `penumbra`, `grey-matter`, `white-matter`, voxels at least half of which is that; `artery` and `vein`, nine
    tenths. Deterministic by seed.
    """
    return _CtPerfusion(parameters or CtPerfusionParameters(), progress or Silent()).make()


class _CtPerfusion:
    """The work of making one phantom."""

    def __init__(self, parameters: CtPerfusionParameters, progress: Progress) -> None:
        p = self.parameters = parameters
        self.progress, self.side = progress, SIDES[p.side]
        rng = np.random.Generator(np.random.PCG64(p.seed))
        self.head = Head(rng)
        self.flows = self._flows(rng)
        self.pixel_mm = p.field_of_view_mm / p.matrix_px
        uid = derive_uid("phantom", "ct-perfusion", repr(p))
        self.grid = axial_grid((p.n_slices, p.matrix_px), (p.thickness_mm, self.pixel_mm), MIDDLE_Z_MM, uid)
        self.planes = slice_planes(p.n_slices, p.thickness_mm, MIDDLE_Z_MM)
        self.region = territory(self.head, self.side)
        across_mm = centres_mm(p.matrix_px, self.pixel_mm).astype(np.float32)
        self.columns_mm, self.rows_mm = across_mm[None, :], across_mm[:, None]
        self.times_s = np.arange(p.n_times, dtype=np.float64) * np.float64(p.interval_s)

    def _flows(self, rng: np.random.Generator) -> dict[str, Flow]:
        """Flow of grey and white matter in each state; textbook values of adults, varied by the seed."""
        p = self.parameters
        normal = {
            "grey": Flow(rng.uniform(55.0, 65.0), rng.uniform(3.8, 4.4), p.normal_delay_s),
            "white": Flow(rng.uniform(21.0, 25.0), rng.uniform(4.6, 5.2), p.normal_delay_s + 0.5),
        }
        flows = {f"{tissue}-normal": flow for tissue, flow in normal.items()}
        for tissue, flow in normal.items():
            # Vessels of the penumbra widen and keep its blood volume; those of the core have given up.
            flows[f"{tissue}-penumbra"] = Flow(
                flow.cbf * p.penumbra_relative_cbf, flow.mtt_s / p.penumbra_relative_cbf, p.penumbra_delay_s
            )
            flows[f"{tissue}-core"] = Flow(flow.cbf * p.core_relative_cbf, 2.0 * flow.mtt_s, p.core_delay_s)
        return flows

    def _points(self, z_mm: float) -> Points:
        return Points(self.columns_mm, self.rows_mm, np.full((1, 1), z_mm, dtype=np.float32))

    def make(self) -> PhantomStudy:
        """The regions, the parts of every voxel, then every time."""
        p = self.parameters
        step(self.progress, "perfusion phantom: anatomy", 0.0)
        levels_mm = self._levels()
        slices = [self._slice(planes_mm, levels_mm) for planes_mm in self.planes]
        masks = self._masks(slices)
        curves = self._curves()
        baseline, parts_of = self._as_the_kernel_shows(slices, list(curves))
        noise_scale_hu = p.noise_hu * math.sqrt(REFERENCE_MAS / p.dose_mas)
        relative = self._relative_noise(baseline) if noise_scale_hu else None
        images = {}
        for t, time_s in enumerate(self.times_s):
            step(self.progress, "perfusion phantom: times", t / p.n_times)
            hu = baseline + sum(curve[t] * parts_of[name] for name, curve in curves.items())
            if relative is not None:
                hu = hu + noise_scale_hu * relative * self._noise(t)
            name = f"time-{t + 1:0{len(str(p.n_times))}d}"
            array = np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
            truth = {"time_s": float(time_s)}
            images[name] = Phantom("ct-perfusion", array, self.grid, "HU", asdict(p), truth, masks, name=name)
        return PhantomStudy("ct-perfusion", asdict(p), self._truth(slices, noise_scale_hu), images)

    def _tissue(self, z_mm: float) -> dict[str, Any]:
        """Tissues of one plane, with vessels in the place of what they run through."""
        points = self._points(z_mm)
        parts: dict[str, Any] = dict(self.head.fractions(points, self.pixel_mm))
        healthy = Points(np.asarray(-self.side * self.columns_mm, dtype=np.float32), points.y, points.z)
        occluded = Points(np.asarray(self.side * self.columns_mm, dtype=np.float32), points.y, points.z)
        arteries = np.maximum(bent_tube(points, ANTERIOR), bent_tube(healthy, MIDDLE_CEREBRAL))
        arteries = np.maximum(arteries, bent_tube(occluded, OPEN_STUMP))
        replace_part(parts, "artery", edge(arteries, self.pixel_mm), INSIDE)
        replace_part(parts, "vein", edge(bent_tube(points, SINUS), self.pixel_mm), INSIDE)
        return parts

    def _levels(self) -> dict[str, float]:
        """How far core, and core and penumbra together, reach, so that each has its volume."""
        p = self.parameters
        volumes_ml = {"core": p.core_ml, "penumbra": p.core_ml + p.penumbra_ml}
        regions = []
        for z_mm in np.concatenate(self.planes):
            parts = self._tissue(float(z_mm))
            regions.append(self.region(self._points(float(z_mm)), parts["grey"] + parts["white"]))
        sample_mm3 = self.grid.voxel_volume_mm3 / self.planes[0].size
        return {
            name: level_for(
                regions,
                ml * 1000.0,
                pixel_mm=self.pixel_mm,
                sample_mm3=sample_mm3,
                what=f"a {name} in the slab",
            )
            if ml
            else -math.inf
            for name, ml in volumes_ml.items()
        }

    def _slice(self, planes_mm: NDArray[np.float64], levels_mm: dict[str, float]) -> dict[str, Any]:
        """Parts of the voxels of one slice: tissues, of which grey and white matter by state, and vessels."""
        mean: dict[str, Any] = {}
        for z_mm in planes_mm:
            parts = self._tissue(float(z_mm))
            for tissue in ("grey", "white"):
                room = parts.pop(tissue)
                region = self.region(self._points(float(z_mm)), room)
                core, both = (
                    region.inside(levels_mm[name], self.pixel_mm) * region.room
                    for name in ("core", "penumbra")
                )
                parts[f"{tissue}-core"], parts[f"{tissue}-penumbra"] = core, both - core
                parts[f"{tissue}-normal"] = room - both
            for name, part in parts.items():
                mean[name] = mean.get(name, 0.0) + part / planes_mm.size
        return mean

    def _masks(self, slices: list[dict[str, Any]]) -> dict[str, NDArray[np.bool_]]:
        wanted: dict[str, tuple[tuple[str, ...], float]] = {
            "core": (("grey-core", "white-core"), 0.5),
            "penumbra": (("grey-penumbra", "white-penumbra"), 0.5),
            "grey-matter": (tuple(f"grey-{state}" for state in STATES), 0.5),
            "white-matter": (tuple(f"white-{state}" for state in STATES), 0.5),
            "artery": (("artery",), 0.9),
            "vein": (("vein",), 0.9),
        }
        return {
            label: np.stack([sum(parts[one] for one in names) >= least for parts in slices])
            for label, (names, least) in wanted.items()
        }

    def _curves(self) -> dict[str, NDArray[np.float64]]:
        """Enhancement over time of everything that carries contrast, HU."""
        p = self.parameters
        bolus = {"arrival_s": p.arrival_s, "peak_hu": p.peak_hu}
        curves = {name: tissue_hu(self.times_s, flow, **bolus) for name, flow in self.flows.items()}
        curves["artery"] = arterial_hu(self.times_s, **bolus)
        curves["vein"] = venous_hu(self.times_s, delay_s=VENOUS_DELAY_S, mtt_s=VENOUS_MTT_S, **bolus)
        return curves

    def _as_the_kernel_shows(
        self, slices: list[dict[str, Any]], carriers: list[str]
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """The image before contrast, and the part of each carrier, both as the soft kernel shows them."""
        kernel, hu = KERNELS["soft"], {**self.head.hu, "artery": 42.0, "vein": 45.0}

        hu |= {name: hu[name.split("-", maxsplit=1)[0]] for name in self.flows} | {"ventricle": hu["csf"]}
        mixed: list[Any] = [
            sum(part * np.float32(hu[name]) for name, part in parts.items()) for parts in slices
        ]
        baseline = np.stack([reconstruct(one, kernel, self.pixel_mm) for one in mixed])
        # The kernel leaves air (-1000 HU) as it is: a part of 0 is told as air and given back.
        shown = {
            name: np.stack([reconstruct(parts[name] - 1000.0, kernel, self.pixel_mm) for parts in slices])
            + 1000.0
            for name in carriers
        }
        return baseline, shown

    def _relative_noise(self, baseline: NDArray[np.float32]) -> NDArray[np.float32]:
        """Standard deviation of the noise over that in the middle of the slab."""
        variance = np.stack([ray_variance(one, self.pixel_mm) for one in baseline])
        middle = tuple(n // 2 for n in variance.shape)
        return np.asarray(np.sqrt(variance / variance[middle]), dtype=np.float32)

    def _noise(self, t: int) -> NDArray[np.float32]:
        rng = np.random.Generator(np.random.PCG64([self.parameters.seed, 2, t]))
        shape = self.grid.shape[1:]
        return np.stack(
            [noise_field(shape, KERNELS["soft"], self.pixel_mm, rng) for _ in range(self.grid.shape[0])]
        )

    def _truth(self, slices: list[dict[str, Any]], noise_hu: float) -> dict[str, Any]:
        p = self.parameters
        counted_ml = {
            state: float(
                sum(parts[f"{tissue}-{state}"].sum() for parts in slices for tissue in ("grey", "white"))
            )
            * self.grid.voxel_volume_mm3
            / 1000.0
            for state in STATES
        }
        return {
            "times_s": [float(time_s) for time_s in self.times_s],
            "side": p.side,
            "core_ml": p.core_ml,
            "penumbra_ml": p.penumbra_ml,
            "hypoperfused_ml": p.core_ml + p.penumbra_ml,
            "counted_ml": counted_ml,
            "flows": {name: flow.to_json() for name, flow in self.flows.items()},
            "artery": {"arrival_s": p.arrival_s, "peak_hu": p.peak_hu, "shape": SHAPE, "scale_s": SCALE_S},
            "vein": {"delay_s": VENOUS_DELAY_S, "mtt_s": VENOUS_MTT_S},
            "model": "C(t) = density / haematocrit_factor x CBF / 6000 x integral of artery(s) exp(-(t - delay - s) / MTT) ds",
            "density_g_per_ml": DENSITY_G_PER_ML,
            "haematocrit_factor": HAEMATOCRIT_FACTOR,
            "noise_hu": noise_hu,
        }
