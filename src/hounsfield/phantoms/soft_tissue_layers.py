"""What a linear probe shows of neck and breast around a nodule: layers of skin, fat, muscle and gland.

Echo strengths in decibels below white, chosen so that the order of tissues is that of a machine: capsules
and skin brightest, then gland, fat and muscle, fluid black. Depths are usual ones (textbook ranges), varied
by the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

GLAND_DB = -22.0
MUSCLE_DB, FAT_DB, SKIN_DB, CAPSULE_DB, FLUID_DB, AIR_DB = -35.0, -31.0, -14.0, -11.0, -54.0, -40.0
CAPSULE_MM = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """strength_db: of every pixel (y, x). behind_db: gained or lost behind what lies above. front_mm: depth of the
    front of the gland in the middle, and back_mm that of its back.
    """

    strength_db: Field
    behind_db: Field
    front_mm: float
    back_mm: float


def _wavy(rng: np.random.Generator, x_mm: Field, height_mm: float) -> Field:
    """A gently waving depth along x."""
    wave = np.zeros_like(x_mm)
    for n in range(1, 4):
        wave = wave + height_mm / n * np.sin(2 * np.pi * n * x_mm / 45.0 + float(rng.uniform(0, 2 * np.pi)))
    return np.asarray(wave, dtype=np.float32)


def _fibres(rng: np.random.Generator, shape: tuple[int, int], pixel_mm: float) -> Field:
    """Stripes along x, as muscle and connective tissue show; standard deviation 1."""
    field = ndimage.gaussian_filter(
        rng.standard_normal(shape, dtype=np.float32), (0.3 / pixel_mm, 4.0 / pixel_mm)
    )
    return np.asarray(field / field.std(), dtype=np.float32)


def neck(rng: np.random.Generator, y_mm: Field, x_mm: Field, pixel_mm: float, *, plane: str) -> Layers:
    """A thyroid lobe below skin, fat and strap muscle; across it trachea and carotid artery stand beside."""
    shape = np.broadcast_shapes(y_mm.shape, x_mm.shape)
    fibres = _fibres(rng, shape, pixel_mm)
    front, back = float(rng.uniform(9.0, 11.0)), float(rng.uniform(30.0, 33.0))
    wave = _wavy(rng, x_mm, 0.4)
    strength_db = np.asarray(MUSCLE_DB - 3.0 + 2.5 * fibres, dtype=np.float32)
    for depth, db in ((front - 0.6, MUSCLE_DB), (5.0, FAT_DB), (1.6, SKIN_DB)):
        upper = y_mm + wave < depth
        strength_db = np.where(upper, db + 2.0 * fibres, strength_db)
    middle, half_y = (front + back) / 2, (back - front) / 2
    half_x = 17.0 if plane == "transverse" else 26.0
    lobe = np.hypot(x_mm / half_x, (y_mm - middle) / half_y)
    strength_db = np.where(lobe < 1.0, GLAND_DB, strength_db)
    rim = np.abs(lobe - 1.0) * half_y < CAPSULE_MM
    strength_db = np.where(rim, CAPSULE_DB, strength_db).astype(np.float32)
    behind_db = np.zeros(shape, dtype=np.float32)
    if plane == "transverse":
        artery = np.hypot(x_mm - 21.0, y_mm - middle) < 3.2
        wall = np.hypot(x_mm - 21.0, y_mm - middle) < 3.9
        strength_db[wall], strength_db[artery] = CAPSULE_DB - 4.0, FLUID_DB
        behind_db += 4.0 * np.asarray(np.logical_or.accumulate(artery, axis=0) & ~artery, dtype=np.float32)
        trachea = np.hypot(x_mm + 24.0, y_mm - middle - 2.0) < 9.0
        ring = trachea & (np.hypot(x_mm + 24.0, y_mm - middle - 2.0) > 8.0)
        strength_db[trachea], strength_db[ring] = AIR_DB, CAPSULE_DB
    return Layers(strength_db, behind_db, front, back)


def breast(rng: np.random.Generator, y_mm: Field, x_mm: Field, pixel_mm: float, *, plane: str) -> Layers:
    """Fat with ligaments, fibroglandular tissue, fat, and the pectoral muscle; both planes look alike."""
    del plane
    shape = np.broadcast_shapes(y_mm.shape, x_mm.shape)
    fibres = _fibres(rng, shape, pixel_mm)
    front, back = float(rng.uniform(7.0, 9.0)), float(rng.uniform(29.0, 32.0))
    wave = _wavy(rng, x_mm, 1.2)
    depth = y_mm + wave
    strength_db = np.asarray(MUSCLE_DB + 3.0 * fibres, dtype=np.float32)
    strength_db = np.where(depth < back + 3.0, FAT_DB - 3.0 + 1.5 * fibres, strength_db)
    strength_db = np.where(depth < back, GLAND_DB + 1.5 * fibres, strength_db)
    lobules = ndimage.gaussian_filter(
        rng.standard_normal(shape, dtype=np.float32), (1.6 / pixel_mm, 3.5 / pixel_mm)
    )
    ligament = np.abs(lobules / lobules.std()) < 0.09
    strength_db = np.where(depth < front, np.where(ligament, CAPSULE_DB - 6.0, FAT_DB - 4.0), strength_db)
    fascia = np.abs(depth - back - 3.0) < CAPSULE_MM
    strength_db = np.where(fascia, CAPSULE_DB, strength_db)
    strength_db = np.where(y_mm < 1.8, SKIN_DB, strength_db).astype(np.float32)
    return Layers(np.broadcast_to(strength_db, shape).copy(), np.zeros(shape, dtype=np.float32), front, back)


SURROUNDINGS = {"thyroid": neck, "breast": breast}
