"""The anatomy of the abdomen phantom, slice by slice: which tissue lies at a point, by formulas alone.

Positions in mm: x to the patient's left, y to the back, z to the head, z = 0 in the middle of L3. Sizes are
those of an adult of middling build (textbook anatomy), varied by the seed; organs are ellipsoids that do
not overlap, so their volumes follow from their axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PITCH_MM, BODY_HEIGHT_MM = 37.0, 28.0  # one vertebra with its disc, and the body alone
CREST_Z_MM = -39.0  # the iliac crests end beside L4
SPINE_Y_MM, CORTEX_MM, SKIN_MM = 40.0, 1.6, 2.0
LOWEST_RIB_Z_MM = 62.0


class Tissue(IntEnum):
    """What a point can be made of."""

    AIR = 0
    SKIN = 1
    SUBCUTANEOUS = 2
    MUSCLE = 3
    VISCERAL = 4
    CORTEX = 5
    MARROW = 6
    DISC = 7
    CANAL = 8
    LIVER = 9
    SPLEEN = 10
    RIGHT_KIDNEY = 11
    LEFT_KIDNEY = 12
    PANCREAS = 13
    VESSEL = 14
    BOWEL = 15
    GAS = 16
    STOOL = 17
    LESION = 18
    LIMB = 19
    METAL = 20
    TABLE = 21
    BETWEEN = 22  # fat between the muscles of the back: neither under the skin nor around organs


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """An organ: centre and semi-axes (x, y, z) in mm."""

    centre_mm: tuple[float, float, float]
    axes_mm: tuple[float, float, float]

    @property
    def volume_ml(self) -> float:
        """4/3 pi a b c."""
        return float(4 / 3 * np.pi * np.prod(self.axes_mm) / 1000.0)

    def reaches(self, z: float) -> bool:
        """Whether the slice at z cuts it."""
        return abs(z - self.centre_mm[2]) < self.axes_mm[2]

    def level(self, x: NDArray[np.float64], y: NDArray[np.float64], z: float) -> NDArray[np.float64]:
        """Below 1 inside."""
        (cx, cy, cz), (ax, ay, az) = self.centre_mm, self.axes_mm
        return np.asarray(((x - cx) / ax) ** 2 + ((y - cy) / ay) ** 2 + ((z - cz) / az) ** 2)


# Before scaling; right is negative x.
ORGANS: dict[Tissue, Ellipsoid] = {
    Tissue.LIVER: Ellipsoid((-62.0, -32.0, 82.0), (54.0, 38.0, 40.0)),
    Tissue.SPLEEN: Ellipsoid((96.0, 10.0, 94.0), (24.0, 30.0, 30.0)),
    Tissue.RIGHT_KIDNEY: Ellipsoid((-78.0, 26.0, 16.0), (25.0, 21.0, 48.0)),
    Tissue.LEFT_KIDNEY: Ellipsoid((78.0, 26.0, 20.0), (25.0, 21.0, 48.0)),
    Tissue.PANCREAS: Ellipsoid((14.0, -14.0, 52.0), (46.0, 9.0, 10.0)),
}
STOMACH = Ellipsoid((36.0, -46.0, 90.0), (26.0, 22.0, 28.0))
# Colon: place (x, y), radius, from and to z. Small bowel: loops as spheres in rows.
COLON = ((-104.0, -18.0, 17.0, -110.0, 34.0), (104.0, -14.0, 15.0, -110.0, 50.0))
LOOPS = tuple(
    (x, y, z, 14.0)
    for z in (-92.0, -56.0, -20.0, 14.0)
    for x, y in ((-68.0, -46.0), (-34.0, -54.0), (0.0, -56.0), (34.0, -54.0), (68.0, -46.0), (0.0, -18.0))
)
VESSELS = ((8.0, 12.0, 9.0), (-15.0, 13.0, 10.0))  # aorta and vena cava: (x, y) and radius
WALL_OF_BOWEL_MM = 2.5


@dataclass(frozen=True, slots=True)
class Build:
    """How a synthetic person is built: scale of all, layers in mm, and what is added."""

    scale: float
    fat_front_mm: float
    fat_side_mm: float
    fat_back_mm: float
    wall_front_mm: float
    wall_side_mm: float
    lesions: tuple[Ellipsoid, ...] = ()
    has_arms: bool = False
    has_metal: bool = False

    @property
    def wall_axes_mm(self) -> tuple[float, float]:
        """Semi-axes (x, y) of the wall's outer surface."""
        return 150.0 * self.scale, 100.0 * self.scale

    def organ(self, tissue: Tissue) -> Ellipsoid:
        """An organ of this person."""
        return self.scaled(ORGANS[tissue])

    def scaled(self, shape: Ellipsoid) -> Ellipsoid:
        """A shape as large as this person's; heights stay, because levels are fixed."""
        (cx, cy, cz), (ax, ay, az) = shape.centre_mm, shape.axes_mm
        s = self.scale
        return Ellipsoid((cx * s, cy * s, cz), (ax * s, ay * s, az))

    def tissues(self, x: NDArray[np.float64], y: NDArray[np.float64], z: float) -> NDArray[np.uint8]:
        """Tissue at the points (row y, column x) of the slice at z; x (1, n), y (m, 1) in mm."""
        shape = np.broadcast_shapes(x.shape, y.shape)
        found = np.zeros(shape, dtype=np.uint8)
        self._layers(found, x, y)
        self._muscles(found, x / self.scale, y / self.scale, z)
        self._organs(found, x, y, z)
        self._spine(found, x / self.scale, y / self.scale, z)
        self._ring_bones(found, x, y, z)
        if self.has_arms:
            self._arms(found, x, y)
        if self.has_metal:
            rod = (x - 30.0 * self.scale) ** 2 + (y - (SPINE_Y_MM + 24.0) * self.scale) ** 2 < 4.0**2
            found[rod & (abs(z) < 60.0)] = Tissue.METAL
        return found

    def _layers(self, found: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """Table, skin, fat under it, wall, and the fat of the cavity."""
        half_x, half_y = self.wall_axes_mm
        middle_mm = (self.fat_back_mm - self.fat_front_mm) / 2
        body_y = half_y + (self.fat_front_mm + self.fat_back_mm) / 2
        back_mm = middle_mm + body_y
        found[(np.abs(y - back_mm - 7.0) < 4.0) & (np.abs(x) < 190.0)] = Tissue.TABLE
        for tissue, ax, ay, cy in (
            (Tissue.SKIN, half_x + self.fat_side_mm, body_y, middle_mm),
            (
                Tissue.SUBCUTANEOUS,
                half_x + self.fat_side_mm - SKIN_MM,
                body_y - SKIN_MM,
                middle_mm,
            ),
            (Tissue.MUSCLE, half_x, half_y, 0.0),
            (Tissue.VISCERAL, half_x - self.wall_side_mm, half_y - self.wall_front_mm, 0.0),
        ):
            found[(x / ax) ** 2 + ((y - cy) / ay) ** 2 < 1.0] = tissue

    @staticmethod
    def _muscles(found: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64], z: float) -> None:
        """Muscles of the back, quadratus lumborum and psoas, which grows downwards; unscaled positions."""
        beside, back = np.abs(x), y - SPINE_Y_MM
        erector = ((beside - 32.0) / 30.0) ** 2 + ((back - 43.0) / 20.0) ** 2 < 1.0
        between = (beside < 30.0) & (back > 24.0) & (back < 46.0)
        quadratus = ((beside - 58.0) / 15.0) ** 2 + ((back - 26.0) / 12.0) ** 2 < 1.0
        grown = float(np.clip(0.95 - 0.004 * z, 0.45, 1.2))
        psoas = ((beside - 33.0) / (14.0 * grown)) ** 2 + ((back + 1.0) / (16.0 * grown)) ** 2 < 1.0
        found[(beside < 25.0) & (back > 10.0) & (back < 46.0)] = Tissue.BETWEEN
        found[erector | between | quadratus | psoas] = Tissue.MUSCLE

    def _organs(
        self, found: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64], z: float
    ) -> None:
        for tissue in ORGANS:
            self._paint(found, self.organ(tissue), tissue, (x, y, z))
        for lesion in self.lesions:
            self._paint(found, lesion, Tissue.LESION, (x, y, z))
        s = self.scale
        for cx, cy, radius in VESSELS:
            found[(x - cx * s) ** 2 + (y - cy * s) ** 2 < radius**2] = Tissue.VESSEL
        stomach = self.scaled(STOMACH)
        if stomach.reaches(z):
            self._hollow(found, np.sqrt(stomach.level(x, y, z)) * 24.0, 24.0, y < stomach.centre_mm[1])
        for cx, cy, cz, radius in LOOPS:
            if abs(z - cz) >= radius:
                continue
            from_mm = np.sqrt((x - cx * s) ** 2 + (y - cy * s) ** 2 + (z - cz) ** 2)
            self._hollow(found, from_mm, radius, y < cy * s - 5.0)
        for cx, cy, radius, low, high in COLON:
            if low < z < high:
                from_mm = np.hypot(x - cx * s, y - cy * s)
                self._hollow(found, from_mm, radius, y < cy * s)

    @staticmethod
    def _paint(
        found: NDArray[np.uint8],
        shape: Ellipsoid,
        tissue: Tissue,
        at: tuple[NDArray[np.float64], NDArray[np.float64], float],
    ) -> None:
        if shape.reaches(at[2]):
            found[shape.level(*at) < 1.0] = tissue

    @staticmethod
    def _hollow(
        found: NDArray[np.uint8], from_mm: NDArray[np.float64], radius_mm: float, gas: NDArray[np.bool_]
    ) -> None:
        """A loop: its wall, and within it gas in front of its contents."""
        inside = from_mm < radius_mm - WALL_OF_BOWEL_MM
        found[from_mm < radius_mm] = Tissue.BOWEL
        found[inside & gas] = Tissue.GAS
        found[inside & ~gas] = Tissue.STOOL

    @staticmethod
    def _spine(found: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64], z: float) -> None:
        """Bodies and discs, arches with canal, spinous and transverse processes; unscaled positions."""
        beside, back = np.abs(x), y - SPINE_Y_MM
        height = (z + PITCH_MM / 2) % PITCH_MM - PITCH_MM / 2
        level = (x / 22.0) ** 2 + (back / 16.0) ** 2
        body = level < 1.0
        is_body = abs(height) < BODY_HEIGHT_MM / 2
        is_plate = abs(height) > BODY_HEIGHT_MM / 2 - CORTEX_MM
        found[body] = Tissue.CORTEX if is_body else Tissue.DISC
        if is_body and not is_plate:
            found[level < (1.0 - CORTEX_MM / 16.0) ** 2] = Tissue.MARROW
        facets = ((beside - 16.0) / 7.0) ** 2 + ((back - 27.0) / 6.0) ** 2 < 1.0
        found[facets] = Tissue.CORTEX
        if abs(height) < 12.0:
            found[(x / 17.0) ** 2 + ((back - 25.0) / 13.0) ** 2 < 1.0] = Tissue.CORTEX
            found[(beside < 3.5) & (back > 34.0) & (back < 60.0)] = Tissue.CORTEX
        if abs(height) < 5.0:
            found[(beside > 15.0) & (beside < 40.0) & (np.abs(back - 19.0) < 4.0)] = Tissue.CORTEX
        found[(x / 10.0) ** 2 + ((back - 25.0) / 8.5) ** 2 < 1.0] = Tissue.CANAL

    def _ring_bones(
        self, found: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64], z: float
    ) -> None:
        """Iliac wings below the crests and ribs above, as plates within the wall."""
        half_x = self.wall_axes_mm[0] - self.wall_side_mm / 2
        half_y = self.wall_axes_mm[1] - self.wall_front_mm / 2
        off_mm = np.abs(np.sqrt((x / half_x) ** 2 + (y / half_y) ** 2) - 1.0) * min(half_x, half_y)
        angle_deg = np.degrees(np.arctan2(y / half_y, np.abs(x) / half_x))
        if z < CREST_Z_MM:
            reach_deg = min(10.0 + 0.6 * (CREST_Z_MM - z), 32.0)
            wing = (np.abs(angle_deg - 38.0) < reach_deg) & (off_mm < 4.0)
            found[wing] = Tissue.CORTEX
            found[wing & (off_mm < 4.0 - CORTEX_MM)] = Tissue.MARROW
        if z > LOWEST_RIB_Z_MM:
            height_mm = (z - LOWEST_RIB_Z_MM + 1.2 * (70.0 - angle_deg)) % 30.0
            rib = (height_mm < 11.0) & (angle_deg > -40.0) & (angle_deg < 70.0) & (off_mm < 3.5)
            found[rib] = Tissue.CORTEX

    def _arms(self, found: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        from_x = np.abs(x) - (self.wall_axes_mm[0] + self.fat_side_mm + 52.0)
        radius_mm = np.hypot(from_x, y - 15.0)
        found[radius_mm < 42.0] = Tissue.LIMB
        found[radius_mm < 11.0] = Tissue.CORTEX
