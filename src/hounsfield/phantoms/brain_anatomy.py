"""A head made of ellipsoids: what lies where, how it changes over years, how it lies in the scanner.

Head frame: LPS millimetres from the middle of the brain. Volumes of ellipsoids are exact; the surface of
the brain is folded by waves, so its volume is summed over voxels. Sizes are those of adults: intracranial
volume about 1500 ml, lateral ventricles about 20 ml, hippocampus 3 to 3.5 ml a side (textbook ranges).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Points = NDArray[np.float32]

DAYS_PER_YEAR = 365.25
CORTEX_MM = 3.0
SKULL_MM, SCALP_MM = 6.0, 6.0
SULCUS_MM = 2.2  # amplitude of the folds
# Brain surface within the skull before any loss, as part of its half axes: 0.965 cubed is 0.90 of the volume.
BRAIN_IN_SKULL = 0.965
# A lesion is longer front to back than high; the product of the factors is 1, so its volume is that of a sphere.
LESION_FACTORS = (1.0, 1.15, 1.0 / 1.15)
N_WAVES = 14
WAVE_MM = (16.0, 34.0)


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """centre_mm, half_mm: (x, y, z) in the head frame; axes along those of the head."""

    centre_mm: tuple[float, float, float]
    half_mm: tuple[float, float, float]

    @property
    def volume_mm3(self) -> float:
        """4/3 pi abc."""
        return float(4.0 / 3.0 * np.pi * np.prod(self.half_mm))

    def depth_mm(self, points: Points) -> Points:
        """About the distance to the surface, positive inside; exact in sign. points: (..., 3)."""
        half = np.asarray(self.half_mm, dtype=np.float32)
        squared = np.square(points - np.asarray(self.centre_mm, dtype=np.float32))
        radius, slope = np.sqrt(squared @ half**-2), np.sqrt(squared @ half**-4)
        return np.asarray(radius * (1.0 - radius) / np.maximum(slope, 1e-6), dtype=np.float32)

    def grown(self, factor: float, axes: tuple[bool, bool, bool] = (True, True, True)) -> Ellipsoid:
        """The ellipsoid of `factor` times the volume, larger along `axes` alone."""
        scale = factor ** (1.0 / sum(axes))
        half = [mm * (scale if grows else 1.0) for mm, grows in zip(self.half_mm, axes, strict=True)]
        return Ellipsoid(self.centre_mm, (half[0], half[1], half[2]))


# Left first; the mirror image is the right side.
CRANIUM = Ellipsoid((0.0, 0.0, 0.0), (68.0, 84.0, 63.0))
FOSSA = Ellipsoid((0.0, 38.0, -48.0), (48.0, 34.0, 27.0))
FACE = Ellipsoid((0.0, -20.0, -75.0), (56.0, 66.0, 62.0))
LATERAL_VENTRICLE = Ellipsoid((14.0, -2.0, 9.0), (7.5, 31.0, 8.5))
THIRD_VENTRICLE = Ellipsoid((0.0, 4.0, -9.0), (2.3, 11.0, 7.0))
HIPPOCAMPUS = Ellipsoid((28.0, 14.0, -22.0), (5.6, 20.0, 7.0))
THALAMUS = Ellipsoid((12.0, 9.0, -4.5), (6.5, 12.0, 5.0))
PUTAMEN = Ellipsoid((29.0, -8.0, -2.0), (5.5, 16.0, 9.0))


def mirrored(shape: Ellipsoid) -> Ellipsoid:
    """The same on the other side."""
    x, y, z = shape.centre_mm
    return Ellipsoid((-x, y, z), shape.half_mm)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the head since the first visit: volumes as parts of the first ones."""

    brain: float = 1.0
    ventricles: float = 1.0
    hippocampi: float = 1.0


@dataclass(frozen=True, slots=True)
class Head:
    """A head at one visit. size: of the whole, 1 for the sizes above. lesions: those that are there, by name."""

    size: float
    waves: NDArray[np.float64]
    change: Change
    lesions: Mapping[str, Ellipsoid]

    def scaled(self, shape: Ellipsoid) -> Ellipsoid:
        """A shape of the table above at the size of this head."""
        centre, half = (tuple(self.size * mm for mm in part) for part in (shape.centre_mm, shape.half_mm))
        return Ellipsoid((centre[0], centre[1], centre[2]), (half[0], half[1], half[2]))

    @property
    def skull_inside(self) -> tuple[Ellipsoid, ...]:
        """What holds the brain."""
        return self.scaled(CRANIUM), self.scaled(FOSSA)

    @property
    def ventricles(self) -> tuple[Ellipsoid, ...]:
        """Lateral and third; they widen sideways and upwards, not lengthwise."""
        lateral = self.scaled(LATERAL_VENTRICLE)
        return tuple(
            shape.grown(self.change.ventricles, (True, False, True))
            for shape in (lateral, mirrored(lateral), self.scaled(THIRD_VENTRICLE))
        )

    @property
    def hippocampi(self) -> dict[str, Ellipsoid]:
        """By side."""
        left = self.scaled(HIPPOCAMPUS).grown(self.change.hippocampi)
        return {"left-hippocampus": left, "right-hippocampus": mirrored(left)}

    @property
    def deep_grey(self) -> tuple[Ellipsoid, ...]:
        """Thalamus and putamen of both sides."""
        left = (self.scaled(THALAMUS), self.scaled(PUTAMEN))
        return (*left, *(mirrored(shape) for shape in left))

    def folds_mm(self, points: Points) -> Points:
        """Displacement of the surface of the brain: a sum of waves, standard deviation about SULCUS_MM."""
        total = np.zeros(points.shape[:-1], dtype=np.float32)
        for *direction, phase in self.waves.astype(np.float32):
            total += np.cos(points @ np.asarray(direction, dtype=np.float32) + phase)
        return np.asarray(total * np.float32(SULCUS_MM * np.sqrt(2.0 / len(self.waves))), dtype=np.float32)

    def brain_depth_mm(self, points: Points) -> Points:
        """Depth below the folded surface of the brain."""
        factor = self.change.brain * BRAIN_IN_SKULL**3
        inside = [shape.grown(factor).depth_mm(points) for shape in self.skull_inside]
        return np.asarray(np.maximum(*inside) - np.abs(self.folds_mm(points)), dtype=np.float32)


def random_waves(rng: np.random.Generator) -> NDArray[np.float64]:
    """(n, 4): wave vector in radians a millimetre, and phase."""
    directions = rng.standard_normal((N_WAVES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths_mm = rng.uniform(*WAVE_MM, (N_WAVES, 1))
    return np.hstack([2 * np.pi * directions / lengths_mm, rng.uniform(0, 2 * np.pi, (N_WAVES, 1))])


def lesion_places(rng: np.random.Generator, diameters_mm: tuple[float, ...], head: Head) -> list[Ellipsoid]:
    """Lesions in the white matter, clear of ventricles, hippocampi, cortex and each other; shorter where none fits."""
    placed: list[Ellipsoid] = []
    others = (*head.ventricles, *head.hippocampi.values(), *head.deep_grey)
    for diameter_mm in diameters_mm:
        radius_mm = diameter_mm / 2
        for _ in range(4000):
            centre = np.asarray(rng.uniform((-55, -65, -15), (55, 65, 45)), dtype=np.float32)
            clear_mm = radius_mm * LESION_FACTORS[1] + 4.0
            if float(head.brain_depth_mm(centre)) < clear_mm + CORTEX_MM:
                continue
            if any(float(shape.depth_mm(centre)) > -clear_mm for shape in (*others, *placed)):
                continue
            half = tuple(radius_mm * factor for factor in LESION_FACTORS)
            placed.append(
                Ellipsoid((float(centre[0]), float(centre[1]), float(centre[2])), (half[0], half[1], half[2]))
            )
            break
    return placed


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """How the head lies in the scanner: scanner point = rotation @ head point + shift_mm."""

    rotation: NDArray[np.float64]
    shift_mm: NDArray[np.float64]

    def to_head(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Head coordinates of scanner points (..., 3)."""
        return np.asarray((points_mm - self.shift_mm) @ self.rotation)

    def to_scanner(self, point_mm: tuple[float, float, float]) -> list[float]:
        """Scanner coordinates of a head point."""
        return [round(float(mm), 4) for mm in self.rotation @ np.asarray(point_mm) + self.shift_mm]


def pose(angles_deg: NDArray[np.float64], shift_mm: NDArray[np.float64]) -> Pose:
    """Rotations about x, then y, then z."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(angles_deg)), np.sin(np.radians(angles_deg))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return Pose(about_z @ about_y @ about_x, np.asarray(shift_mm, dtype=np.float64))


def axial_diameters_mm(shape: Ellipsoid, lying: Pose) -> tuple[float, float]:
    """Longest diameter on an axial plane of the scanner, and the one across it; exact.

    All cuts of an ellipsoid by parallel planes are alike and the one through its centre is the largest.
    """
    form = lying.rotation @ np.diag(1.0 / np.square(shape.half_mm)) @ lying.rotation.T
    short, long = sorted(2.0 / np.sqrt(np.linalg.eigvalsh(form[:2, :2])))
    return float(long), float(short)
