"""Blood in a synthetic head, in five places, and the territory of a stroke, each of a chosen volume.

Every kind is a family of nested regions that grow with one number, the level: an ellipsoid, a crescent or a
lens at the inner table, the cisterns around the base of the brain, or the ventricles filled from behind. The
level is found at which the region, counted in parts of pixels before any blur, has the volume that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.phantoms import head_shapes as shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hounsfield.phantoms.head_anatomy import Head
    from hounsfield.phantoms.head_shapes import Points

    Field = NDArray[np.float32]

Bleed = Literal["intraparenchymal", "subdural", "epidural", "subarachnoid", "intraventricular"]
FILLS: dict[str, tuple[str, ...]] = {  # tissues that the blood takes the place of
    "subarachnoid": ("csf",),
    "intraventricular": ("ventricle",),
}
SUBARACHNOID_CENTRE_MM = (0.0, -14.0, -22.0)  # suprasellar cistern, where blood of an aneurysm gathers
# Of the middle cerebral artery: axes of its nested regions, of which only the proportions matter.
TERRITORY_MM, TERRITORY_CENTRE_MM = (28.0, 20.0, 18.0), (38.0, -2.0, 8.0)
SPARED_MM = 4.0  # beside the midline the other arteries feed the brain
VOLUME_TOLERANCE = 1e-4
FAR_MM = 500.0  # where no level reaches


@dataclass(frozen=True, slots=True)
class Growing:
    """Regions that grow with a level: blood lies where place < level x reach, in the part `room` of the pixel.

    All three at the points of one slice; place and level in millimetres.
    """

    place: Field
    reach: Field | float
    room: Field | float

    def inside(self, level_mm: float, pixel_mm: float) -> Field:
        """Part of every pixel that lies within the level, whatever room there is."""
        within = np.clip((level_mm * self.reach - self.place) / pixel_mm + 0.5, 0.0, 1.0)
        return np.asarray(within, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """Intraparenchymal blood: centre and half axes in mm, turned in the axial plane of the head.

    half_axes_mm: along its length (nearly front to back), across, and up.
    """

    centre_mm: tuple[float, float, float]
    half_axes_mm: tuple[float, float, float]
    turned_deg: float

    def radius(self, p: Points) -> Field:
        """1 on the surface."""
        angle = np.radians(self.turned_deg)
        x, y = p.x - self.centre_mm[0], p.y - self.centre_mm[1]
        along, across = y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)
        a, b, c = self.half_axes_mm
        up = (p.z - self.centre_mm[2]) / c
        return np.asarray(np.sqrt((along / a) ** 2 + (across / b) ** 2 + up**2), dtype=np.float32)

    def distance_mm(self, p: Points) -> Field:
        """Signed distance, positive inside: (1 - radius) over its slope, so that it holds on every side."""
        angle = np.radians(self.turned_deg)
        x, y = p.x - self.centre_mm[0], p.y - self.centre_mm[1]
        along, across = y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)
        a, b, c = self.half_axes_mm
        up = p.z - self.centre_mm[2]
        radius = np.maximum(self.radius(p), 1e-3)
        slope = np.sqrt((along / a**2) ** 2 + (across / b**2) ** 2 + (up / c**2) ** 2) / radius
        return np.asarray((1.0 - radius) / np.maximum(slope, 1e-3), dtype=np.float32)

    def part(self, p: Points, pixel_mm: float) -> Field:
        """Part of every pixel inside; at the border the mean over 3 x 3 smaller ones, as small bleeds are mostly border."""
        distance_mm = self.distance_mm(p)
        inside = np.asarray(distance_mm > 0, dtype=np.float32)
        border = np.abs(distance_mm) < 1.5 * pixel_mm
        x, y, z = (np.broadcast_to(one, border.shape)[border] for one in (p.x, p.y, p.z))
        offsets_mm = (-pixel_mm / 3, 0.0, pixel_mm / 3)
        total = np.zeros(x.shape, dtype=np.float32)
        for across_mm in offsets_mm:
            for along_mm in offsets_mm:
                at = shapes.Points(x + np.float32(across_mm), y + np.float32(along_mm), z)
                total += np.clip(3.0 * self.distance_mm(at) / pixel_mm + 0.5, 0.0, 1.0)
        inside[border] = total / 9.0
        return inside


def make_ellipsoid(volume_ml: float, side: int, rng: np.random.Generator) -> Ellipsoid:
    """An ellipsoid of exactly that volume in the basal ganglia of a side (+1 left): 4/3 pi abc."""
    longer, higher = rng.uniform(1.15, 1.5), rng.uniform(0.8, 1.1)
    b_mm = float((volume_ml * 1000.0 * 3.0 / (4.0 * np.pi * longer * higher)) ** (1.0 / 3.0))
    half_axes_mm = (longer * b_mm, b_mm, higher * b_mm)
    centre_mm = (side * max(28.0 + rng.uniform(-2, 3), b_mm + 6.0), rng.uniform(-6, 6), rng.uniform(3, 10))
    return Ellipsoid(centre_mm, half_axes_mm, float(side * rng.uniform(5, 20)))


def subdural(_head: Head, side: int) -> Callable[[Points, Field], Growing]:
    """A crescent along the convexity of one side: thick in its middle, thin towards front, back and vertex."""

    def growing(p: Points, room: Field) -> Growing:
        angle = np.arctan2(p.y, np.maximum(p.x * side, 1e-3))
        spread = 1.0 - (angle / np.radians(62.0)) ** 2 - ((p.z - 22.0) / 42.0) ** 2
        reach = np.sqrt(np.maximum(spread, 0.0)) * (p.x * side > 0)
        place = np.where(reach > 0, shapes.shell_distance(p, shapes.INNER_MM), np.float32(FAR_MM))
        return Growing(np.asarray(place, dtype=np.float32), np.asarray(reach, dtype=np.float32), room)

    return growing


def epidural(_head: Head, side: int) -> Callable[[Points, Field], Growing]:
    """A lens between the temporal bone and the dura."""
    centre = np.array([side * 62.0, -8.0, 6.0])

    def growing(p: Points, room: Field) -> Growing:
        away2 = (p.x - centre[0]) ** 2 + (p.y - centre[1]) ** 2 + (p.z - centre[2]) ** 2
        table_mm = shapes.shell_distance(p, shapes.INNER_MM)
        # A lens 12 mm thick reaches 27 mm along the table.
        place = table_mm + np.maximum(away2 - table_mm**2, 0.0) / 60.0
        return Growing(np.asarray(np.where(p.x * side > 0, place, FAR_MM), dtype=np.float32), 1.0, room)

    return growing


def subarachnoid(head: Head, _side: int) -> Callable[[Points, Field], Growing]:
    """CSF outside the ventricles within a distance of the suprasellar cistern."""

    def growing(p: Points, room: Field) -> Growing:
        at = head.unshifted(p)
        x, y, z = SUBARACHNOID_CENTRE_MM
        away = np.sqrt((at.x - x) ** 2 + (at.y - y) ** 2 + (at.z - z) ** 2)
        return Growing(np.asarray(away, dtype=np.float32), 1.0, room)

    return growing


def intraventricular(_head: Head, _side: int) -> Callable[[Points, Field], Growing]:
    """The ventricles of a supine patient, filled from behind with a level surface."""

    def growing(p: Points, room: Field) -> Growing:
        return Growing(np.asarray(-p.y + 0.0 * p.x, dtype=np.float32), 1.0, room)

    return growing


def territory(_head: Head, side: int) -> Callable[[Points, Field], Growing]:
    """Nested regions around the middle of what the middle cerebral artery of one side feeds."""
    centre_mm = (side * TERRITORY_CENTRE_MM[0], *TERRITORY_CENTRE_MM[1:])
    around = Ellipsoid(centre_mm, TERRITORY_MM, side * 8.0)

    def growing(p: Points, room: Field) -> Growing:
        place = np.where(p.x * side > SPARED_MM, around.radius(p) * TERRITORY_MM[1], FAR_MM)
        return Growing(np.asarray(place, dtype=np.float32), 1.0, room)

    return growing


GROWING: dict[str, Callable[[Head, int], Callable[[Points, Field], Growing]]] = {
    "subdural": subdural,
    "epidural": epidural,
    "subarachnoid": subarachnoid,
    "intraventricular": intraventricular,
}
KINDS: tuple[str, ...] = ("intraparenchymal", *GROWING)


def level_for(
    regions: list[Growing], volume_mm3: float, *, pixel_mm: float, sample_mm3: float, what: str
) -> float:
    """The level in mm at which the regions, one a plane of samples, hold the volume together.

    sample_mm3: volume that one pixel of a plane stands for. Raises UsageError where there is not so much room.
    """
    places, reaches, rooms = (_joined(regions, name) for name in ("place", "reach", "room"))

    def volume_at(level_mm: float) -> float:
        inside = np.clip((level_mm * reaches - places) / pixel_mm + 0.5, 0.0, 1.0)
        return float((inside * rooms).sum(dtype=np.float64) * sample_mm3)

    low_mm, high_mm = -200.0, 200.0
    most = volume_at(high_mm)
    if most < volume_mm3:
        raise UsageError(
            f"{what} of {volume_mm3 / 1000:g} ml does not fit: this head has room for {most / 1000:.0f} ml; ask for less"
        )
    for _ in range(60):
        middle_mm = (low_mm + high_mm) / 2
        found = volume_at(middle_mm)
        if abs(found - volume_mm3) <= VOLUME_TOLERANCE * volume_mm3:
            return middle_mm
        low_mm, high_mm = (middle_mm, high_mm) if found < volume_mm3 else (low_mm, middle_mm)
    return (low_mm + high_mm) / 2


def _joined(regions: list[Growing], name: str) -> NDArray[Any]:
    """One array of all points that have room."""
    return np.concatenate(
        [
            np.broadcast_to(getattr(one, name), one.place.shape)[
                np.broadcast_to(one.room, one.place.shape) > 0
            ]
            for one in regions
        ]
    )
