"""The shapes of a synthetic chest, as signed distances in millimetres on a coarse grid.

Positive inside, zero on the surface. Coordinates: x to the patient's left, y to the back, z to the
head, with 0 in the middle of the chest. A distance that is smooth on a 2 mm grid can be interpolated
to any voxel size, and its slope across the surface is the blur of the scanner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

COARSE_MM = 2.0
# Distances to tubes are exact up to here: as far as a nodule keeps from the surface, and more.
FAR_MM = 24.0
BODY_X_MM, BODY_Y_MM = 168.0, 112.0
CAVITY_X_MM, CAVITY_Y_MM = 132.0, 84.0
FAT_MM = 13.0
RIB_PERIOD_MM = 27.0
CARINA_Z_MM = 45.0
TRACHEA_RADIUS_MM, BRONCHUS_RADIUS_MM = 8.5, 5.5
LOBAR_RADIUS_MM = 3.4
AIRWAY_WALL_MM = 1.6
DIAPHRAGM_MM = 3.0
LOWEST_LUNG_MM = -145.0  # both lungs end within the scan
PERICARDIUM_MM = 4.0
# The mediastinum keeps the lungs apart at least this far on each side of its middle.
SEPTUM_HALF_MM = 4.0


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Signed distances (z, y, x) in mm on a grid of COARSE_MM; axes give the coordinates.

    cavity: inside of the rib cage and below it, which fat fills where no organ lies. viscera: spleen and
    stomach. blood: heart and great vessels. airway: the lumen; its wall lies outside.
    """

    z_mm: Field
    y_mm: Field
    x_mm: Field
    body: Field
    lung_left: Field
    lung_right: Field
    cavity: Field
    liver: Field
    viscera: Field
    bone: Field
    blood: Field
    airway: Field


def ellipse(u: Field, v: Field, a_mm: float, b_mm: float, power: float = 2.0) -> Field:
    """Approximate signed distance to a superellipse: exact on the axes, smooth elsewhere."""
    radius = (np.abs(u / a_mm) ** power + np.abs(v / b_mm) ** power) ** (1.0 / power)
    return np.asarray((1.0 - radius) * min(a_mm, b_mm), dtype=np.float32)


def ellipsoid(x: Field, y: Field, z: Field, radii_mm: tuple[float, float, float]) -> Field:
    """Approximate signed distance to an ellipsoid about the origin; radii along x, y, z."""
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


def _tubes(x: Field, y: Field, z: Field, ends_and_radii: tuple[Any, ...]) -> Field:
    """Signed distance to the nearest of many capsules; farther away than FAR_MM it is -FAR_MM."""
    field = np.full((z.size, y.size, x.size), -FAR_MM, dtype=np.float32)
    for start_mm, end_mm, radius_mm in ends_and_radii:
        window = []
        for axis, low, high in zip((x, y, z), start_mm, end_mm, strict=True):
            reach = np.array([min(low, high), max(low, high)]) + (radius_mm + FAR_MM) * np.array([-1.0, 1.0])
            first, last = np.searchsorted(axis.ravel(), reach)
            window.append(slice(int(first), int(last)))
        in_x, in_y, in_z = window
        drawn = tube(x[:, :, in_x], y[:, in_y], z[in_z], start_mm, end_mm, radius_mm)
        part = field[in_z, in_y, in_x]
        np.maximum(part, drawn, out=part)
    return field


def build_anatomy(extent_mm: float, field_of_view_mm: float, lung_scale: float) -> Anatomy:
    """All shapes for a chest `extent_mm` long in a square field of view; lung_scale: about 1."""
    half, wide = extent_mm / 2 + 2 * COARSE_MM, field_of_view_mm / 2 + 2 * COARSE_MM
    axis_z = np.arange(-half, half + COARSE_MM, COARSE_MM, dtype=np.float32)
    axis = np.arange(-wide, wide + COARSE_MM, COARSE_MM, dtype=np.float32)
    z, y, x = axis_z[:, None, None], axis[None, :, None], axis[None, None, :]
    body = np.broadcast_to(ellipse(x, y, BODY_X_MM, BODY_Y_MM, 2.6), (axis_z.size, axis.size, axis.size))
    body = np.asarray(body, dtype=np.float32)
    cage = cage_mm(x, y, z, lung_scale)
    cavity = np.minimum(cage, _apices(x, y, z))
    airway = _airway(x, y, z)
    blood = _heart_and_vessels(x, y, z)
    outside_mediastinum = np.minimum(-blood - PERICARDIUM_MM, -(airway + AIRWAY_WALL_MM + 1.5))
    dome = above_diaphragm(x, y, z, lung_scale)
    lung = np.minimum(np.minimum(cavity, dome), outside_mediastinum)
    septum = septum_mm(y, z)
    abdomen = np.minimum(cavity - 3.0, -dome - DIAPHRAGM_MM)
    return Anatomy(
        axis_z,
        axis,
        axis,
        body,
        np.minimum(lung, x - septum),
        np.minimum(lung, -x - septum),
        np.minimum(cavity, np.where(dome > 0, dome, np.maximum(-dome - DIAPHRAGM_MM, -DIAPHRAGM_MM))),
        np.minimum(abdomen, 0.7 * (24.0 - x - 0.35 * (y + 30.0))),
        np.minimum(abdomen, spleen_and_stomach(x, y, z)),
        bones(x, y, z, cage),
        blood,
        airway,
    )


def septum_mm(y: Field, z: Field) -> Field:
    """Half width of the mediastinum: wide before the spine, behind the sternum and at the top."""
    behind = 15.0 / (1.0 + np.exp(-(y - 14.0) / 12.0))
    before = 12.0 / (1.0 + np.exp((y + 66.0) / 5.0))
    above = 20.0 / (1.0 + np.exp((92.0 - z) / 9.0))
    return np.asarray(SEPTUM_HALF_MM + behind + before + above, dtype=np.float32)


def cage_mm(x: Field, y: Field, z: Field, lung_scale: float) -> Field:
    """Inside of the rib cage: narrow above, widest low, dented by the spine."""
    height = np.clip((z + 150.0) / 284.0, 0.0, 1.0)
    narrow = np.sqrt(np.clip(1.0 - height**4.2, 0.015, None)) * (0.90 + 0.10 * (1.0 - height))
    u, v = x / narrow, (y + 4.0 - 10.0 * height**3) / (0.20 + 0.80 * narrow)
    inside = ellipse(u, v, CAVITY_X_MM * lung_scale, CAVITY_Y_MM * lung_scale, 2.3) * (0.3 + 0.7 * narrow)
    spine = np.sqrt(x**2 + ((y - 80.0) * 0.85) ** 2) - 33.0
    return np.asarray(np.minimum(np.minimum(inside, spine), 134.0 - z), dtype=np.float32)


def _apices(x: Field, y: Field, z: Field) -> Field:
    """Below two domes, one for the apex of each lung."""
    aside = np.asarray(np.abs(x) - 44.0, dtype=np.float32)
    return ellipsoid(aside, y - 6.0, z + 40.0, (102.0, 130.0, 172.0))


def spleen_and_stomach(x: Field, y: Field, z: Field) -> Field:
    """What lies below the left dome."""
    spleen = ellipsoid(x - 92.0, y - 36.0, z + 122.0, (27.0, 40.0, 42.0))
    stomach = ellipsoid(x - 54.0 - 0.2 * y, y + 28.0, z + 132.0, (36.0, 34.0, 40.0))
    return np.maximum(spleen, stomach)


def above_diaphragm(x: Field, y: Field, z: Field, lung_scale: float) -> Field:
    """Height above the two domes; the right one stands higher, both fall steeply to the back."""
    width = CAVITY_X_MM * lung_scale * 0.58
    domes = []
    for centre_mm, top_mm in ((-66.0, -72.0), (66.0, -86.0)):
        shape = 1.0 - ((x - centre_mm) / width) ** 2 - ((y + 12.0) / 92.0) ** 2
        domes.append(top_mm - 62.0 * (1.0 - np.clip(shape, -0.2, 1.0)))
    surface = np.maximum(np.where(x < 0, domes[0], domes[1]), LOWEST_LUNG_MM)
    return np.asarray(0.8 * (z - surface), dtype=np.float32)


def _airway(x: Field, y: Field, z: Field) -> Field:
    """Trachea, main bronchi, and an upper and a lower lobar bronchus on each side."""
    carina, right_end, left_end = (0.0, 12.0, CARINA_Z_MM), (-40.0, 20.0, 20.0), (46.0, 22.0, 12.0)
    branches = (
        (carina, (0.0, 4.0, 400.0), TRACHEA_RADIUS_MM),
        (carina, right_end, BRONCHUS_RADIUS_MM + 0.5),
        (carina, left_end, BRONCHUS_RADIUS_MM),
        (right_end, (-60.0, 14.0, 42.0), LOBAR_RADIUS_MM),
        (right_end, (-54.0, 36.0, -22.0), LOBAR_RADIUS_MM + 0.5),
        (left_end, (66.0, 8.0, 36.0), LOBAR_RADIUS_MM),
        (left_end, (62.0, 38.0, -28.0), LOBAR_RADIUS_MM + 0.5),
    )
    return _tubes(x, y, z, branches)


def _heart_and_vessels(x: Field, y: Field, z: Field) -> Field:
    left_heart = ellipsoid(x - 30.0 - 0.3 * y, y + 24.0, z + 46.0, (46.0, 44.0, 46.0))
    right_heart = ellipsoid(x + 10.0, y + 22.0, z + 36.0, (34.0, 36.0, 42.0))
    vessels = (
        ((22.0, 40.0, -400.0), (22.0, 40.0, 56.0), 12.0),  # descending aorta
        ((22.0, 40.0, 56.0), (14.0, 20.0, 70.0), 12.5),  # arch
        ((14.0, 20.0, 70.0), (-8.0, -10.0, 62.0), 13.0),
        ((-8.0, -10.0, 62.0), (-6.0, -14.0, -10.0), 15.5),  # ascending aorta
        ((-26.0, -8.0, 96.0), (-24.0, -14.0, -30.0), 9.5),  # superior vena cava
        ((-26.0, -8.0, 96.0), (-20.0, -6.0, 400.0), 7.0),
        ((10.0, -28.0, 0.0), (10.0, -10.0, 24.0), 13.0),  # pulmonary trunk and arteries
        ((10.0, -10.0, 24.0), (-42.0, 4.0, 12.0), 9.0),
        ((10.0, -10.0, 24.0), (44.0, 8.0, 26.0), 9.5),
        ((0.0, 14.0, -6.0), (-40.0, 10.0, -8.0), 7.0),  # left atrium and lower veins
        ((0.0, 14.0, -6.0), (42.0, 14.0, -6.0), 7.0),
        ((-6.0, -4.0, 70.0), (-14.0, -2.0, 400.0), 5.5),  # arteries to the head
        ((14.0, 18.0, 74.0), (20.0, 8.0, 400.0), 5.5),
    )
    heart = np.maximum(left_heart, right_heart)
    return np.maximum(heart, _tubes(x, y, z, vessels))


def bones(x: Field, y: Field, z: Field, cage: Field) -> Field:
    """Vertebrae with discs, an arch around the canal and processes; ribs that fall to the front; a sternum."""
    disc = 9.5 - np.abs(np.mod(z, 24.0) - 12.0)
    vertebra = np.minimum(ellipse(x, y - 66.0, 19.0, 15.0), disc + 2.5)
    canal = np.sqrt(x**2 + (y - 89.0) ** 2)
    arch = np.minimum(13.0 - canal, canal - 8.0)
    process = np.minimum(3.5 - np.abs(x), np.minimum(y - 97.0, 111.0 - y))
    transverse = np.minimum(4.0 - np.abs(y - 86.0), np.minimum(34.0 - np.abs(x), np.abs(x) - 10.0))
    behind = np.minimum(np.maximum(np.maximum(arch, process), transverse), disc - 2.0)
    wall = 4.0 - np.abs(cage + 8.0)
    angle = np.arctan2(x, -y)
    band = 5.5 - np.abs(np.mod(z + 52.0 * np.cos(angle), RIB_PERIOD_MM) - RIB_PERIOD_MM / 2)
    # In front of this plane ribs are cartilage.
    ribs = np.minimum(np.minimum(wall, 0.85 * band), np.minimum(y + 82.0, 128.0 - z))
    sternum = np.minimum(ellipse(x, y + 95.0, 17.0, 5.0), np.minimum(z + 60.0, 96.0 - z))
    return np.asarray(np.maximum(np.maximum(vertebra, behind), np.maximum(ribs, sternum)), dtype=np.float32)
