"""Synthetic MR of a head, T1 and FLAIR at several visits: lesions, ventricles and hippocampi of known volume.

Signals follow the equations of the sequences (spoiled gradient echo, inversion recovery spin echo) with
relaxation times of 3 T; a smooth field of the coil and Rician noise are laid over them. The head lies
differently at every visit, as heads do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core import Grid
from hounsfield.core.errors import UsageError
from hounsfield.core.uid import derive_uid
from hounsfield.phantoms.brain_anatomy import (
    CORTEX_MM,
    DAYS_PER_YEAR,
    FACE,
    LESION_FACTORS,
    SCALP_MM,
    SKULL_MM,
    Change,
    Ellipsoid,
    Head,
    Pose,
    axial_diameters_mm,
    lesion_places,
    pose,
    random_waves,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Contrast = Literal["t1", "flair"]
EXTENT_MM = 168.0
# Middle of the imaged volume in the head frame: the crown is in, the chin is not.
MIDDLE_Z_MM = -4.0
EDGE_MM = 0.8  # half width of the edge response, about half a voxel
SIGNAL_OF_WHITE_MATTER = 1000.0
LARGEST_STORED = 4095
SMALLEST_MM = 3.0  # a lesion that shrinks below has vanished
N_FIELD_WAVES = 4
FIELD_WAVE_MM = (220.0, 400.0)

# T1, T2 in ms and proton density: white and grey matter Stanisz 2005 (Magnetic Resonance in Medicine 54:507) at 3 T, fluid,
# fat and muscle as commonly given; the lesion has the long times of oedema and gliosis.
TISSUES: dict[str, tuple[float, float, float]] = {
    "air": (1000.0, 50.0, 0.0),
    "fat": (380.0, 70.0, 0.9),
    "muscle": (1420.0, 32.0, 0.8),
    "bone": (600.0, 1.0, 0.08),
    "fluid": (4300.0, 1500.0, 1.0),
    "grey": (1820.0, 99.0, 0.82),
    "white": (1084.0, 69.0, 0.70),
    "lesion": (1900.0, 180.0, 0.88),
}


@dataclass(frozen=True, slots=True)
class Sequence:
    """How a contrast is made: times in ms; slice_mm: distance of slices."""

    description: str
    repetition_ms: float
    echo_ms: float
    inversion_ms: float | None
    flip_deg: float
    slice_mm: float

    def signal(self, tissue: str) -> float:
        """Spoiled gradient echo (Ernst), or inversion recovery spin echo."""
        t1_ms, t2_ms, density = TISSUES[tissue]
        decay, recovery = np.exp(-self.echo_ms / t2_ms), np.exp(-self.repetition_ms / t1_ms)
        if self.inversion_ms is None:
            angle = np.radians(self.flip_deg)
            return float(density * np.sin(angle) * (1 - recovery) / (1 - np.cos(angle) * recovery) * decay)
        return float(density * abs(1 - 2 * np.exp(-self.inversion_ms / t1_ms) + recovery) * decay)


SEQUENCES: dict[Contrast, Sequence] = {
    "t1": Sequence("T1 3D", 9.0, 3.5, None, 20.0, 2.0),
    "flair": Sequence("FLAIR", 9000.0, 100.0, 2500.0, 90.0, 3.0),
}


@dataclass(frozen=True, slots=True)
class BrainMrParameters:
    """What a series of head MR is made from; equal parameters give equal voxels.

    visit_days: days of the visits, the first 0, up to six. lesion_diameters_mm: at the first visit, 6 to 30 mm, of the
    sphere of the same volume. lesion_doubling_days: time in which each doubles, negative: in which it halves, 0: it
    stays; below 3 mm it is gone. lesion_first_days: day from which on each is there, empty for all from the first;
    its diameter is then that of this day. brain_loss_percent, hippocampal_loss_percent, ventricle_growth_percent: of the volume at the first
    visit, a year. matrix_px over field_of_view_mm. noise: standard deviation as part of the signal of white matter.
    bias: largest change of signal by the coil. moves: whether the head lies differently at every visit. contrasts:
    which are written; lesions are outlined on the last of them. Raises
    UsageError outside the ranges that the phantom can show.
    """

    seed: int = 1
    visit_days: tuple[int, ...] = (0, 180, 365)
    lesion_diameters_mm: tuple[float, ...] = (16.0, 12.0)
    lesion_doubling_days: tuple[float, ...] = (240.0, -400.0)
    lesion_first_days: tuple[int, ...] = ()
    brain_loss_percent: float = 1.0
    hippocampal_loss_percent: float = 4.0
    ventricle_growth_percent: float = 8.0
    matrix_px: int = 144
    field_of_view_mm: float = 230.4
    noise: float = 0.025
    bias: float = 0.2
    moves: bool = True
    contrasts: tuple[Contrast, ...] = ("t1", "flair")

    def __post_init__(self) -> None:
        years = max(self.visit_days, default=0) / DAYS_PER_YEAR
        limits: tuple[tuple[str, float, float, float], ...] = (
            ("seed", self.seed, 0, 2**63 - 1),
            ("matrix_px", self.matrix_px, 64, 320),
            ("field_of_view_mm", self.field_of_view_mm, 210.0, 280.0),
            ("noise", self.noise, 0.0, 0.2),
            ("bias", self.bias, 0.0, 0.5),
            ("brain_loss_percent over all visits", self.brain_loss_percent * years, 0.0, 15.0),
            ("hippocampal_loss_percent over all visits", self.hippocampal_loss_percent * years, 0.0, 50.0),
            ("ventricle_growth_percent over all visits", self.ventricle_growth_percent * years, 0.0, 40.0),
            *(("lesion_diameters_mm", one, 6.0, 30.0) for one in self.lesion_diameters_mm),
            *(("lesion_doubling_days", abs(one), 20.0, 1e6) for one in self.lesion_doubling_days if one),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise UsageError(
                    f"{name} is {value:g}, outside {low:g} to {high:g} that the brain phantom can show"
                )
        if not self.contrasts or not set(self.contrasts) <= set(SEQUENCES):
            raise UsageError(f"contrasts are {self.contrasts}; choose from {', '.join(SEQUENCES)}")
        days = self.visit_days
        if not 1 <= len(days) <= 6 or days[0] != 0 or list(days) != sorted(set(days)):
            raise UsageError(f"visit_days are {days}: give one to six days that begin with 0 and rise")
        n_lesions = len(self.lesion_diameters_mm)
        if len(self.lesion_doubling_days) != n_lesions or len(self.lesion_first_days) not in {0, n_lesions}:
            raise UsageError(
                "lesion_doubling_days (and lesion_first_days, if given) need one number for each of lesion_diameters_mm"
            )
        largest_mm = max((max(self.diameters_mm(day)) for day in days if n_lesions), default=0)
        if largest_mm > 45.0:
            raise UsageError(
                f"a lesion grows to {largest_mm:.0f} mm, and the brain phantom has room for 45: choose a longer "
                "lesion_doubling_days or fewer days"
            )

    def diameters_mm(self, day: int) -> tuple[float, ...]:
        """Of the sphere of each lesion's volume on that day; 0 for one that is not there."""
        first_days = self.lesion_first_days or (0,) * len(self.lesion_diameters_mm)
        found = []
        for first_mm, doubling_days, first_day in zip(
            self.lesion_diameters_mm, self.lesion_doubling_days, first_days, strict=True
        ):
            growth = 2.0 ** ((day - first_day) / doubling_days / 3.0) if doubling_days else 1.0
            diameter_mm = first_mm * growth
            found.append(diameter_mm if day >= first_day and diameter_mm >= SMALLEST_MM else 0.0)
        return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class BrainVisit:
    """The head at one visit, how it lies, and the name of its millimetres."""

    number: int
    day: int
    head: Head
    lying: Pose
    frame_of_reference_uid: str


def brain_visits(parameters: BrainMrParameters) -> list[BrainVisit]:
    """The head at every visit. Raises UsageError if a lesion finds no place."""
    rng = np.random.Generator(np.random.PCG64(parameters.seed))
    size = 1.0 + float(rng.uniform(-0.04, 0.03))
    first = Head(size, random_waves(rng), Change(), {})
    largest_mm = [parameters.diameters_mm(day) for day in parameters.visit_days]
    room_mm = tuple(max(*over_time, SMALLEST_MM) for over_time in zip(*largest_mm, strict=True))
    places = lesion_places(rng, room_mm, first)
    if len(places) < len(room_mm):
        raise UsageError(
            f"the white matter has room for {len(places)} of {len(room_mm)} lesions; ask for fewer or smaller ones"
        )
    turns_deg = rng.uniform(-4.0, 4.0, (len(parameters.visit_days), 3))
    shifts_mm = rng.uniform(-6.0, 6.0, (len(parameters.visit_days), 3))
    visits = []
    for number, day in enumerate(parameters.visit_days):
        years = day / DAYS_PER_YEAR
        change = Change(
            1.0 - parameters.brain_loss_percent / 100 * years,
            1.0 + parameters.ventricle_growth_percent / 100 * years,
            1.0 - parameters.hippocampal_loss_percent / 100 * years,
        )
        lesions = {
            f"lesion-{n}": Ellipsoid(place.centre_mm, _half_mm(diameter_mm))
            for n, (place, diameter_mm) in enumerate(
                zip(places, parameters.diameters_mm(day), strict=True), 1
            )
            if diameter_mm
        }
        moved = float(parameters.moves and number > 0)
        uid = derive_uid("phantom", "brain-mr", repr(parameters), str(number if parameters.moves else 0))
        lying = pose(moved * turns_deg[number], moved * shifts_mm[number])
        visits.append(BrainVisit(number, day, replace(first, change=change, lesions=lesions), lying, uid))
    return visits


def _half_mm(diameter_mm: float) -> tuple[float, float, float]:
    x, y, z = (diameter_mm / 2 * factor for factor in LESION_FACTORS)
    return x, y, z


@dataclass(frozen=True, slots=True, eq=False)
class BrainScan:
    """One contrast of one visit: array uint16 (z, y, x) as stored, masks by name, truth as JSON types."""

    array: NDArray[np.uint16]
    grid: Grid
    masks: Mapping[str, NDArray[np.bool_]]
    truth: Mapping[str, Any]


def scan(parameters: BrainMrParameters, visit: BrainVisit, contrast: Contrast) -> BrainScan:
    """The head of `visit` as `contrast`; slices one by one, so that no float volume is held."""
    sequence = SEQUENCES[contrast]
    grid = _grid(parameters, sequence, visit)
    shape = grid.shape
    masks = {name: np.zeros(shape, dtype=np.bool_) for name in _names(visit.head)}
    array = np.zeros(shape, dtype=np.uint16)
    number = sorted(SEQUENCES).index(contrast)
    rng = np.random.Generator(np.random.PCG64([parameters.seed, visit.number, number]))
    field = _FieldOfCoil(parameters, number)
    painter = _Painter(visit.head, sequence)
    brain_voxels = 0.0
    rows, columns = np.meshgrid(np.arange(shape[1]), np.arange(shape[2]), indexing="ij")
    for k in range(shape[0]):
        index = np.stack([np.full(rows.shape, k), rows, columns], axis=-1)
        scanner_mm = grid.index_to_mm(index)
        points = visit.lying.to_head(scanner_mm).astype(np.float32)
        signal, parts = painter.paint(points)
        brain_voxels += float(parts.pop("brain").sum())
        for name, depth_mm in parts.items():
            masks[name][k] = depth_mm > 0.0
        array[k] = _stored(signal * field.at(scanner_mm), parameters.noise, rng)
    voxel_mm3 = grid.voxel_volume_mm3
    return BrainScan(array, grid, masks, _truth(visit, brain_voxels * voxel_mm3))


def _grid(parameters: BrainMrParameters, sequence: Sequence, visit: BrainVisit) -> Grid:
    n_slices = round(EXTENT_MM / sequence.slice_mm)
    pixel_mm = parameters.field_of_view_mm / parameters.matrix_px
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = sequence.slice_mm, pixel_mm, pixel_mm, 1.0
    corner_mm = (pixel_mm - parameters.field_of_view_mm) / 2
    affine[:3, 3] = corner_mm, corner_mm, MIDDLE_Z_MM + (sequence.slice_mm - EXTENT_MM) / 2
    return Grid((n_slices, parameters.matrix_px, parameters.matrix_px), affine, visit.frame_of_reference_uid)


def _names(head: Head) -> list[str]:
    return ["ventricles", *head.hippocampi, *head.lesions]


def _truth(visit: BrainVisit, brain_mm3: float) -> dict[str, Any]:
    """Volumes of ellipsoids are exact; that of the brain is summed over parts of voxels without noise."""
    head = visit.head
    lesions = []
    for name, lesion in head.lesions.items():
        long_mm, short_mm = axial_diameters_mm(lesion, visit.lying)
        lesions.append(
            {
                "name": name,
                "centre_mm": visit.lying.to_scanner(lesion.centre_mm),
                "volume_mm3": lesion.volume_mm3,
                "longest_axial_mm": long_mm,
                "short_axis_mm": short_mm,
            }
        )
    return {
        "lesions": lesions,
        "ventricles_mm3": sum(shape.volume_mm3 for shape in head.ventricles),
        "hippocampi_mm3": {name: shape.volume_mm3 for name, shape in head.hippocampi.items()},
        "brain_mm3": brain_mm3,
        "brain_definition": "grey and white matter, hippocampi and lesions, without ventricles; noiseless",
        "head_to_scanner": {
            "rotation": np.round(visit.lying.rotation, 9).tolist(),
            "shift_mm": np.round(visit.lying.shift_mm, 6).tolist(),
        },
    }


class _Painter:
    """Signal of one slice, tissue over tissue, each with the edge response of the voxel."""

    def __init__(self, head: Head, sequence: Sequence) -> None:
        self.head = head
        whole = SIGNAL_OF_WHITE_MATTER / SEQUENCES["t1"].signal("white")
        if sequence.inversion_ms is not None:
            whole = 0.6 * SIGNAL_OF_WHITE_MATTER / sequence.signal("white")
        self.signals = {tissue: np.float32(whole * sequence.signal(tissue)) for tissue in TISSUES}

    def paint(self, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Signal, the part of each voxel that is brain (`brain`), and depths in the structures by name."""
        head = self.head
        skull = np.maximum(*(shape.depth_mm(points) for shape in head.skull_inside))
        brain = head.brain_depth_mm(points)
        ventricle = np.max([shape.depth_mm(points) for shape in head.ventricles], axis=0)
        named: dict[str, Any] = {name: shape.depth_mm(points) for name, shape in head.hippocampi.items()}
        lesions = {name: one.depth_mm(points) for name, one in head.lesions.items()}
        face = head.scaled(FACE).depth_mm(points)
        deep = np.max([shape.depth_mm(points) for shape in head.deep_grey], axis=0)
        signal = np.full(skull.shape, self.signals["air"], dtype=np.float32)
        for tissue, depth_mm in (
            ("fat", np.maximum(face, skull + SKULL_MM + SCALP_MM)),
            ("muscle", face - SCALP_MM),
            ("bone", skull + SKULL_MM),
            ("fluid", skull),
            ("grey", brain),
            ("white", brain - CORTEX_MM),
            ("grey", deep),
            *(("grey", depth_mm) for depth_mm in named.values()),
            ("fluid", ventricle),
            *(("lesion", depth_mm) for depth_mm in lesions.values()),
        ):
            signal += _edge(depth_mm) * (self.signals[tissue] - signal)
        parts = {"ventricles": ventricle, **named, **lesions}
        return signal, parts | {"brain": _edge(brain) * (1.0 - _edge(ventricle))}


def _edge(depth_mm: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.clip(depth_mm / (2 * EDGE_MM) + 0.5, 0.0, 1.0), dtype=np.float32)


class _FieldOfCoil:
    """A smooth factor around 1 in scanner coordinates: the same for all visits of one contrast."""

    def __init__(self, parameters: BrainMrParameters, number: int) -> None:
        rng = np.random.Generator(np.random.PCG64([parameters.seed, 1000 + number]))
        directions = rng.standard_normal((N_FIELD_WAVES, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        self._waves = 2 * np.pi * directions / rng.uniform(*FIELD_WAVE_MM, (N_FIELD_WAVES, 1))
        self._phases = rng.uniform(0, 2 * np.pi, N_FIELD_WAVES)
        self._bias = parameters.bias

    def at(self, points_mm: NDArray[np.float64]) -> NDArray[np.float32]:
        waves = np.cos(points_mm @ self._waves.T + self._phases).mean(axis=-1)
        return np.asarray(1.0 + self._bias * waves, dtype=np.float32)


def _stored(signal: NDArray[np.float32], noise: float, rng: np.random.Generator) -> NDArray[np.uint16]:
    """The magnitude of signal and complex noise (Gudbjartsson 1995, Magnetic Resonance in Medicine 34:910), rounded."""
    sigma = np.float32(noise * SIGNAL_OF_WHITE_MATTER)
    real, imaginary = (sigma * rng.standard_normal(signal.shape, dtype=np.float32) for _ in range(2))
    magnitude = np.hypot(signal + real, imaginary)
    return np.asarray(np.clip(np.rint(magnitude), 0, LARGEST_STORED), dtype=np.uint16)


def record(parameters: BrainMrParameters) -> dict[str, Any]:
    """The parameters as JSON types."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(parameters).items()}
