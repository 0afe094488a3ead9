"""One apical view of the echo phantom: what lies where at a moment, and the picture of it.

Places are those of the ventricle: x to the right of the picture, y from the centre of the ellipsoid towards
the base. The four-chamber view has the left ventricle to the right of the picture (ASE), the right
ventricle to its left, both atria below; the two-chamber view has left ventricle and atrium only. Strengths
of echoes are chosen to look like tissue at a display range of 60 dB; blood is all but black.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from hounsfield.phantoms.left_ventricle import cavity
from hounsfield.phantoms.ultrasound_speckle import Sector, amplitude, envelope, log_compressed, scatterers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.phantoms.left_ventricle import Ventricle

    Field = NDArray[np.float32]

View = Literal["a4c", "a2c"]
VIEWS: tuple[View, ...] = ("a4c", "a2c")
RANGE_DB = 60.0
PATCHES_DB = 4.0  # standard deviation of what lies around the heart
BLOOD_DB, MUSCLE_DB, SPECULAR_DB, PERICARDIUM_DB, LUNG_DB, VALVE_DB = -54.0, -25.0, 9.0, -9.0, -36.0, -16.0
NEAR_FIELD_DB, NEAR_FIELD_MM = -22.0, 12.0  # reverberation below the probe
NOISE_DB = -62.0  # of the receiver at the skin; gain over depth lifts it
NOISE_DB_PER_MM = 0.07
PERICARDIUM_MM, ATRIUM_WALL_MM, VALVE_MM = 2.5, 2.5, 1.3
# Pulse of about two cycles at 2.5 MHz (0.6 mm) and a beam of 1.5 degrees, as standard deviations in samples.
RESOLUTION_PX = (1.0, 1.0)
GRAIN_MM = 0.35  # of the scatterers that move with the wall


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the ventricle lies in the fan: its apex (right of the middle, depth) and the turn of its axis."""

    apex_x_mm: float
    apex_depth_mm: float
    turn_deg: float


class ViewPictures:
    """Makes the frames of one view; the scatterers of tissue stay with the tissue, those of blood do not."""

    def __init__(self, view: View, sector: Sector, placement: Placement, rng: np.random.Generator) -> None:
        self.view, self.sector, self.placement, self.rng = view, sector, placement, rng
        x, depth, range_mm, _ = sector.sample_places_mm()
        self.x, self.depth = x, depth
        self.converter = sector.scan_converter()
        self.still = scatterers(rng, x.shape)
        self.wall = scatterers(rng, (256, 1024))
        self.noise = amplitude((NOISE_DB + NOISE_DB_PER_MM * range_mm).astype(np.float32))
        near_db = NEAR_FIELD_DB - 20.0 * range_mm / NEAR_FIELD_MM
        self.near = self.still * amplitude(near_db.astype(np.float32))
        self.gain_db = float(rng.uniform(-2.0, 2.0))
        patches = ndimage.gaussian_filter(rng.standard_normal(x.shape, dtype=np.float32), (20.0, 8.0))
        self.lung_db = LUNG_DB + PATCHES_DB * patches / patches.std()

    def _in_ventricle(self, x: Field, depth: Field, ventricle: Ventricle) -> tuple[Field, Field]:
        """Coordinates of the ventricle for places of the fan; the outside of the apex stays where it is."""
        angle = np.radians(self.placement.turn_deg)
        across, down = x - self.placement.apex_x_mm, depth - self.placement.apex_depth_mm
        u = across * np.cos(angle) - down * np.sin(angle)
        v = across * np.sin(angle) + down * np.cos(angle) - (ventricle.c_mm + ventricle.wall_mm)
        return np.asarray(u, dtype=np.float32), np.asarray(v, dtype=np.float32)

    def mask(self, ventricle: Ventricle) -> NDArray[np.bool_]:
        """Pixels whose centre lies in the cavity of the left ventricle and in the fan."""
        x, depth = self.sector.pixel_places_mm()
        u, v = self._in_ventricle(x, depth, ventricle)
        return cavity(u, v, ventricle, self.view) & self.converter.inside

    def frame(self, ventricle: Ventricle, filling: float, opening: float) -> NDArray[np.uint8]:
        """Grey picture (rows, columns). filling: of the atria, 0 to 1; opening: of the mitral valve, 0 to 1."""
        u, v = self._in_ventricle(self.x, self.depth, ventricle)
        strength_db, is_blood, field = self._tissue(u, v, ventricle, filling)
        strength_db = np.where(self._valve(u, v, ventricle, opening), VALVE_DB, strength_db)
        # What is new in every frame: echoes of blood, and everywhere the noise of the receiver.
        fresh = scatterers(self.rng, u.shape)
        strength = amplitude(strength_db.astype(np.float32))
        moving = np.where(is_blood, np.hypot(strength, self.noise), self.noise)
        echo = np.where(is_blood, 0, field * strength) + self.near + fresh * moving
        grey = log_compressed(
            envelope(np.asarray(echo, dtype=np.complex64), RESOLUTION_PX) * 10 ** (self.gain_db / 20.0),
            RANGE_DB,
        )
        return self.converter.picture(grey)

    def _tissue(
        self, u: Field, v: Field, ventricle: Ventricle, filling: float
    ) -> tuple[Field, NDArray[np.bool_], NDArray[np.complex64]]:
        """Strength of echoes, where blood is, and the scatterers of every place."""
        a, c, wall = ventricle.half_width_mm(self.view), ventricle.c_mm, ventricle.wall_mm
        inner = np.hypot(u / a, v / c)
        outer = np.hypot(u / (a + wall), v / (c + wall))
        above = v < ventricle.base_mm
        strength_db = self.lung_db.copy()
        rind = np.hypot(u / (a + wall + PERICARDIUM_MM), v / (c + wall + PERICARDIUM_MM))
        strength_db[(rind < 1.0) & above] = PERICARDIUM_DB
        is_blood = np.zeros(u.shape, dtype=np.bool_)
        self._chambers(u, v, ventricle, filling, (strength_db, is_blood))
        in_wall = (outer < 1.0) & (inner >= 1.0) & above
        # Layers that face the beam reflect more than those along it; fibres of septum and lateral wall drop out.
        normal = np.stack([u / a**2, v / c**2])
        facing = np.abs(normal[1]) / np.maximum(np.hypot(normal[0], normal[1]), 1e-9)
        strength_db[in_wall] = (MUSCLE_DB - 0.5 * SPECULAR_DB + SPECULAR_DB * facing)[in_wall]
        in_cavity = (inner < 1.0) & above
        strength_db[in_cavity] = BLOOD_DB
        is_blood |= in_cavity
        field = self.still.copy()
        layer = np.clip((inner - 1.0) / np.maximum(inner - outer, 1e-6), 0.0, 1.0)[in_wall]
        around = np.arctan2(u / a, v / c)[in_wall]
        # Places of the wall at end-diastole, about 10 mm thick and 40 mm from the centre.
        rows = np.clip(layer * 10.0 / GRAIN_MM, 0, 255).astype(np.intp)
        columns = np.clip((around + np.pi) * 40.0 / GRAIN_MM, 0, 1023).astype(np.intp)
        field[in_wall] = self.wall[rows, columns]
        return strength_db, is_blood, field

    def _chambers(
        self, u: Field, v: Field, ventricle: Ventricle, filling: float, into: tuple[Field, NDArray[np.bool_]]
    ) -> None:
        """Atria and right ventricle, each with a wall; drawn before the left ventricle, which covers them."""
        base, a, wall = ventricle.base_mm, ventricle.half_width_mm(self.view), ventricle.wall_mm
        across = a * 0.80 + wall
        swell = 0.88 + 0.12 * filling
        chambers = [(0.0, base + 21.0 * swell, across * 0.95 * swell, 24.0 * swell)]
        if self.view == "a4c":
            chambers.append((-(a + across), base + 20.0 * swell, across * 0.8 * swell, 22.0 * swell))
            chambers.append((-(a + wall + 4.0), base - 26.0, 19.0 * (a / 24.0), 40.0))
        strength_db, is_blood = into
        for x, y, half_x, half_y in chambers:
            outside = np.hypot((u - x) / (half_x + ATRIUM_WALL_MM), (v - y) / (half_y + ATRIUM_WALL_MM)) < 1.0
            inside = np.hypot((u - x) / half_x, (v - y) / half_y) < 1.0
            strength_db[outside & ~is_blood] = MUSCLE_DB
            strength_db[inside] = BLOOD_DB
            is_blood |= inside

    def _valve(self, u: Field, v: Field, ventricle: Ventricle, opening: float) -> NDArray[np.bool_]:
        """Two leaflets from the ends of the annulus: in its plane when closed, into the ventricle when open."""
        ring = ventricle.half_width_mm(self.view) * float(
            np.sqrt(1.0 - (ventricle.base_mm / ventricle.c_mm) ** 2)
        )
        turn = np.radians(8.0 + 60.0 * opening)
        from_ring = ring - np.abs(u)
        along = from_ring * np.cos(turn) + (ventricle.base_mm - v) * np.sin(turn)
        off = np.abs(from_ring * np.sin(turn) - (ventricle.base_mm - v) * np.cos(turn))
        return np.asarray((off < VALVE_MM / 2) & (along > 0.0) & (along < ring / np.cos(np.radians(8.0))))
