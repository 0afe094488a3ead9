"""Masses and calcifications: where they lie in a breast, and their thickness along the beam in each view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Field = NDArray[np.float32]
    PlaceOf = Callable[[float, float, float], tuple[float, float]]  # (behind, lateral, above) to (y, x) pixel

Margin = Literal["none", "round", "spiculated"]
MARGINS: tuple[Margin, ...] = ("none", "round", "spiculated")
N_SPICULES = (16, 28)
SPICULE_LENGTH = (0.7, 1.6)  # beyond the core, in radii
SPICULE_WIDTH_MM, SPICULE_DEPTH_MM = 0.7, 3.0
SPECK_MM = (0.1, 0.5)
FINER = 5  # sub-pixels along an axis for partial volume
CLUSTER_MM = 9.0  # BI-RADS "grouped": within 1 cm


@dataclass(frozen=True, slots=True)
class Speck:
    """A calcification: place from the middle of the cluster (behind, lateral, above) and half axes, mm."""

    place_mm: tuple[float, float, float]
    half_axes_mm: tuple[float, float, float]
    turn_rad: float

    @property
    def diameter_mm(self) -> float:
        """Diameter of the sphere of equal volume."""
        return float(2.0 * np.prod(self.half_axes_mm) ** (1 / 3))


def make_cluster(rng: np.random.Generator, n_specks: int) -> tuple[Speck, ...]:
    """Specks of SPECK_MM within a ball of CLUSTER_MM, not closer than 0.8 mm to each other in space."""
    specks: list[Speck] = []
    for _ in range(10_000):
        if len(specks) == n_specks:
            break
        place = rng.uniform(-CLUSTER_MM / 2, CLUSTER_MM / 2, 3)
        if np.linalg.norm(place) > CLUSTER_MM / 2:
            continue
        if any(np.linalg.norm(place - np.array(one.place_mm)) < 0.8 for one in specks):
            continue
        # More small specks than large ones.
        diameter = float(np.exp(rng.uniform(*np.log(SPECK_MM))))
        longer = float(rng.uniform(1.0, 1.5))
        half = diameter / 2 * np.array([longer, longer**-0.5, longer**-0.5])
        x, y, z = (float(v) for v in place)
        half_axes = (float(half[0]), float(half[1]), float(half[2]))
        specks.append(Speck((x, y, z), half_axes, float(rng.uniform(0, np.pi))))
    return tuple(specks)


def speck_thickness_mm(
    shape: tuple[int, int], pixel_mm: float, speck: Speck, at_yx: tuple[float, float]
) -> Any:
    """Where in the picture the speck lies (two slices), and its mean thickness along the beam there, mm."""
    reach_px = int(np.ceil(max(speck.half_axes_mm) / pixel_mm)) + 1
    rows, columns = (np.arange(round(c) - reach_px, round(c) + reach_px + 1) for c in at_yx)
    rows, columns = rows[(rows >= 0) & (rows < shape[0])], columns[(columns >= 0) & (columns < shape[1])]
    if rows.size == 0 or columns.size == 0:
        return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), dtype=np.float32)
    part = (np.arange(FINER) + 0.5) / FINER - 0.5
    y = ((rows[:, None] + part).ravel() - at_yx[0])[:, None] * pixel_mm
    x = ((columns[:, None] + part).ravel() - at_yx[1])[None, :] * pixel_mm
    c, s = np.cos(speck.turn_rad), np.sin(speck.turn_rad)
    a, b, depth = speck.half_axes_mm
    squared = 1.0 - ((x * c + y * s) / a) ** 2 - ((y * c - x * s) / b) ** 2
    chord = 2.0 * depth * np.sqrt(np.clip(squared, 0.0, None))
    mean = chord.reshape(rows.size, FINER, columns.size, FINER).mean(axis=(1, 3))
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)), mean.astype(np.float32)


def mass_thickness_mm(
    rng: np.random.Generator, y_mm: Field, x_mm: Field, diameter_mm: float, margin: Margin
) -> tuple[Field, NDArray[np.bool_]]:
    """Thickness along the beam (mm) of a mass in the middle of (y, x), and the mask of its core.

    round: an ellipsoid with an even border. spiculated: an uneven core with rays that taper from it.
    """
    radius = diameter_mm / 2
    angle, reach = np.arctan2(y_mm, x_mm), np.hypot(y_mm, x_mm)
    waves = range(2, 4) if margin == "round" else range(2, 9)
    height = 0.03 if margin == "round" else 0.07
    border = np.ones_like(angle)
    for n in waves:
        border += height * float(rng.uniform(0.5, 1.0)) * np.cos(n * angle + float(rng.uniform(0, 2 * np.pi)))
    border *= radius / np.sqrt((border**2).mean())
    inside = 1.0 - (reach / border) ** 2
    thickness = 2.0 * radius * np.sqrt(np.clip(inside, 0.0, None))
    if margin == "spiculated":
        thickness = np.maximum(thickness, _spicules(rng, y_mm, x_mm, radius))
    return thickness.astype(np.float32), np.asarray(inside > 0)


def _spicules(rng: np.random.Generator, y_mm: Field, x_mm: Field, radius_mm: float) -> Field:
    """Thickness of slightly bent rays, thick at the core and fading to their ends."""
    drawn = np.zeros(np.broadcast_shapes(y_mm.shape, x_mm.shape), dtype=np.float32)
    n = int(rng.integers(*N_SPICULES, endpoint=True))
    for k in range(n):
        turn = 2 * np.pi * (k + float(rng.uniform(-0.35, 0.35))) / n
        length = radius_mm * (1.0 + float(rng.uniform(*SPICULE_LENGTH)))
        bend = float(rng.uniform(-0.12, 0.12))
        along = x_mm * np.cos(turn) + y_mm * np.sin(turn)
        across = y_mm * np.cos(turn) - x_mm * np.sin(turn) - bend * along**2 / length
        left = np.clip(1.0 - along / length, 0.0, 1.0)
        profile = np.exp(-0.5 * (across / (SPICULE_WIDTH_MM * (0.35 + 0.65 * left) / 2)) ** 2)
        ray = SPICULE_DEPTH_MM * np.sqrt(left) * profile * (along > 0.6 * radius_mm)
        np.maximum(drawn, ray, out=drawn)
    return np.asarray(ndimage.gaussian_filter(drawn, 0.5), dtype=np.float32)
