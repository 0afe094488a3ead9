"""The shapes of a synthetic chest, as signed distances in millimetres on a coarse grid.

Positive inside, zero on the surface. Coordinates: x to the patient's left, y to the back, z to the
head, with 0 in the middle of the chest. A distance that is smooth on a 2 mm grid can be interpolated
to any voxel lung_scale, and its slope across the surface is the blur of the scanner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

COARSE_MM = 2.0
BODY_X_MM, BODY_Y_MM = 168.0, 112.0
CAVITY_X_MM, CAVITY_Y_MM = 132.0, 84.0
FAT_MM = 13.0
RIB_PERIOD_MM = 27.0
CARINA_Z_MM = 45.0
TRACHEA_RADIUS_MM, BRONCHUS_RADIUS_MM = 8.5, 5.5
AIRWAY_WALL_MM = 1.6
# The mediastinum keeps the lungs apart at least this far on each side of its middle.
SEPTUM_HALF_MM = 4.0


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Signed distances (z, y, x) in mm on a grid of COARSE_MM; axes give the coordinates."""

    z_mm: Field
    y_mm: Field
    x_mm: Field
    body: Field
    lung_left: Field
    lung_right: Field
    bone: Field
    blood: Field
    airway: Field


def _ellipse(u: Field, v: Field, a_mm: float, b_mm: float, power: float = 2.0) -> Field:
    """Approximate signed distance to a superellipse: exact on the axes, smooth elsewhere."""
    radius = (np.abs(u / a_mm) ** power + np.abs(v / b_mm) ** power) ** (1.0 / power)
    return np.asarray((1.0 - radius) * min(a_mm, b_mm), dtype=np.float32)


def _ellipsoid(x: Field, y: Field, z: Field, radii_mm: tuple[float, float, float]) -> Field:
    a, b, c = radii_mm
    radius = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
    return np.asarray((1.0 - radius) * min(radii_mm), dtype=np.float32)


def tube(  # noqa: PLR0917  three coordinates and three things about the tube
    x: Field, y: Field, z: Field, start_mm: tuple[float, ...], end_mm: tuple[float, ...], radius_mm: float
) -> Field:
    """Signed distance to a capsule from `start_mm` to `end_mm` (x, y, z)."""
    start, end = np.asarray(start_mm, dtype=np.float64), np.asarray(end_mm, dtype=np.float64)
    along = end - start
    t = ((x - start[0]) * along[0] + (y - start[1]) * along[1] + (z - start[2]) * along[2]) / float(
        along @ along
    )
    t = np.clip(t, 0.0, 1.0)
    distance = np.sqrt(
        (x - start[0] - t * along[0]) ** 2
        + (y - start[1] - t * along[1]) ** 2
        + (z - start[2] - t * along[2]) ** 2
    )
    return np.asarray(radius_mm - distance, dtype=np.float32)


def build_anatomy(extent_mm: float, field_of_view_mm: float, lung_scale: float) -> Anatomy:
    """All shapes for a chest `extent_mm` long in a square field of view; lung_scale: about 1."""
    half, wide = extent_mm / 2 + 2 * COARSE_MM, field_of_view_mm / 2 + 2 * COARSE_MM
    axis_z = np.arange(-half, half + COARSE_MM, COARSE_MM, dtype=np.float32)
    axis = np.arange(-wide, wide + COARSE_MM, COARSE_MM, dtype=np.float32)
    z, y, x = axis_z[:, None, None], axis[None, :, None], axis[None, None, :]
    body = np.broadcast_to(_ellipse(x, y, BODY_X_MM, BODY_Y_MM, 2.6), (axis_z.size, axis.size, axis.size))
    body = np.asarray(body, dtype=np.float32)
    cavity = _cavity(x, y, z, lung_scale)
    airway = _airway(x, y, z)
    blood = _heart_and_vessels(x, y, z)
    outside_mediastinum = np.minimum(-blood - 2.0, -(airway + AIRWAY_WALL_MM + 4.0))
    lung = np.minimum(np.minimum(cavity, _above_diaphragm(x, y, z, lung_scale)), outside_mediastinum)
    return Anatomy(
        axis_z,
        axis,
        axis,
        body,
        np.minimum(lung, x - _septum(y)),
        np.minimum(lung, -x - _septum(y)),
        _bones(x, y, z, cavity),
        blood,
        airway,
    )


def _septum(y: Field) -> Field:
    """Half width of the mediastinum: wide before the spine, narrow behind the sternum."""
    return np.asarray(SEPTUM_HALF_MM + 16.0 / (1.0 + np.exp(-(y - 10.0) / 14.0)), dtype=np.float32)


def _cavity(x: Field, y: Field, z: Field, lung_scale: float) -> Field:
    """Inside of the rib cage: narrowing to the apex, widest low, slightly flattened by the spine."""
    height = np.clip((z + 150.0) / 300.0, 0.0, 1.0)
    narrow = np.sqrt(np.clip(1.0 - (height / 1.02) ** 5.0, 0.02, None)) * (0.90 + 0.10 * (1.0 - height))
    u, v = x / narrow, (y + 4.0) / (0.25 + 0.75 * narrow)
    inside = _ellipse(u, v, CAVITY_X_MM * lung_scale, CAVITY_Y_MM * lung_scale, 2.3)
    spine = np.sqrt(x**2 + ((y - 86.0) * 0.8) ** 2) - 34.0
    return np.asarray(np.minimum(np.minimum(inside, spine), 138.0 - z), dtype=np.float32)


def _above_diaphragm(x: Field, y: Field, z: Field, lung_scale: float) -> Field:
    """Height above the two domes; the right one stands higher, both fall steeply to the back."""
    width = CAVITY_X_MM * lung_scale * 0.58
    domes = []
    for centre_mm, top_mm in ((-66.0, -72.0), (66.0, -86.0)):
        shape = 1.0 - ((x - centre_mm) / width) ** 2 - ((y + 12.0) / 92.0) ** 2
        domes.append(top_mm - 62.0 * (1.0 - np.clip(shape, -0.2, 1.0)))
    surface = np.where(x < 0, domes[0], domes[1])
    return np.asarray(0.8 * (z - surface), dtype=np.float32)


def _airway(x: Field, y: Field, z: Field) -> Field:
    carina = (0.0, 12.0, CARINA_Z_MM)
    trachea = tube(x, y, z, carina, (0.0, 4.0, 400.0), TRACHEA_RADIUS_MM)
    right = tube(x, y, z, carina, (-44.0, 22.0, 18.0), BRONCHUS_RADIUS_MM + 0.5)
    left = tube(x, y, z, carina, (50.0, 24.0, 10.0), BRONCHUS_RADIUS_MM)
    return np.maximum(trachea, np.maximum(right, left))


def _heart_and_vessels(x: Field, y: Field, z: Field) -> Field:
    heart = _ellipsoid(x - 24.0 - 0.25 * y, y + 26.0, z + 42.0, (56.0, 42.0, 52.0))
    descending = tube(x, y, z, (20.0, 56.0, -400.0), (20.0, 56.0, 62.0), 12.5)
    arch = tube(x, y, z, (20.0, 56.0, 62.0), (-4.0, -8.0, 66.0), 12.5)
    ascending = tube(x, y, z, (-4.0, -8.0, 66.0), (-4.0, -16.0, -20.0), 15.0)
    cava = tube(x, y, z, (-22.0, -10.0, 110.0), (-22.0, -14.0, -30.0), 10.0)
    hila = np.maximum(
        tube(x, y, z, (0.0, 2.0, 24.0), (-46.0, 10.0, 6.0), 9.0),
        tube(x, y, z, (0.0, 2.0, 24.0), (48.0, 14.0, 12.0), 9.0),
    )
    great = np.maximum(np.maximum(descending, arch), np.maximum(ascending, cava))
    return np.asarray(np.maximum(np.maximum(heart, great), hila), dtype=np.float32)


def _bones(x: Field, y: Field, z: Field, cavity: Field) -> Field:
    """Vertebrae with discs, a canal and processes; sloping ribs; a sternum."""
    disc = 9.0 - np.abs(np.mod(z, 24.0) - 12.0)
    vertebra = np.minimum(_ellipse(x, y - 76.0, 20.0, 16.0), disc + 3.0)
    arch = np.minimum(11.0 - np.abs(x), np.minimum(y - 99.0, 118.0 - y)) * 0.6
    wall = 4.5 - np.abs(cavity + 9.0)
    angle = np.arctan2(x, -y)
    slope = 34.0 * np.cos(angle)
    band = 5.0 - np.abs(np.mod(z - slope, RIB_PERIOD_MM) - RIB_PERIOD_MM / 2)
    ribs = np.minimum(np.minimum(wall, band), (y + 74.0) * 0.5 + 12.0)
    sternum = np.minimum(_ellipse(x, y + 97.0, 17.0, 5.5), np.minimum(z + 70.0, 100.0 - z))
    return np.asarray(np.maximum(np.maximum(vertebra, arch), np.maximum(ribs, sternum)), dtype=np.float32)
