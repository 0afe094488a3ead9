"""The shapes of a synthetic head as signed distances in millimetres, positive inside, at any points.

Coordinates of the head: x to the patient's left, y to the back, z to the vertex, 0 in the middle of the skull
at the height of the foramina of Monro. Shapes that come in pairs are written for u = |x|. Sizes are those of
adult atlases, rounded; distances are exact on the axes of a shape and smooth elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

POWER = 2.2  # the cross-section of a skull is a little squarer than an ellipse
FRONT_IS_NARROWER = 0.12
# Half axes x, y, and z upwards and downwards: skin, outer table, inner table.
SKIN_MM, OUTER_MM, INNER_MM = (
    (74.0, 93.0, 90.5, 124.0),
    (69.0, 87.5, 85.0, 118.0),
    (63.0, 80.5, 79.0, 112.0),
)
SEPTUM_HALF_MM = 0.9  # septum pellucidum, 1.5 to 2 mm thick
SULCUS_DEPTH_MM, SULCUS_HALF_MM, CORTEX_MM, CSF_GAP_MM = 14.0, 1.1, 2.8, 1.6
FIELD_STEP_MM, GYRUS_MM = 3.0, 5.0
NEAR_MM = 5.0  # around a shape its distance is used: a pixel's edge, a rim of CSF, the ribbon of cortex
FAR = np.full((1, 1), -50.0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one slice: coordinates of the head, each an array that broadcasts to (y, x)."""

    x: Field
    y: Field
    z: Field


def shell_radius(p: Points, half_axes_mm: tuple[float, float, float, float]) -> Field:
    """1 on the surface of a skull-shaped shell, less inside."""
    a, b, c_up, c_down = half_axes_mm
    wide = a * (1.0 + FRONT_IS_NARROWER * p.y / b)
    c = np.where(p.z >= 0, np.float32(c_up), np.float32(c_down))
    total = np.abs(p.x / wide) ** POWER + np.abs(p.y / b) ** POWER + np.abs(p.z / c) ** POWER
    return np.asarray(total ** (1.0 / POWER), dtype=np.float32)


def shell_distance(p: Points, half_axes_mm: tuple[float, float, float, float]) -> Field:
    """Signed distance to a skull-shaped shell: (1 - r) over the slope of r, so that it holds on every side."""
    a, b, c_up, c_down = half_axes_mm
    radius = np.maximum(shell_radius(p, half_axes_mm), 1e-3)
    wide = a * (1.0 + FRONT_IS_NARROWER * p.y / b)
    c = np.where(p.z >= 0, np.float32(c_up), np.float32(c_down))
    power = POWER - 1.0
    slopes = [
        (np.abs(one / half) / radius) ** power / half for one, half in ((p.x, wide), (p.y, b), (p.z, c))
    ]
    slope = np.sqrt(slopes[0] ** 2 + slopes[1] ** 2 + slopes[2] ** 2)
    return np.asarray((1.0 - radius) / np.maximum(slope, 1e-3), dtype=np.float32)


def half_width_mm(y: Field, z: Field) -> Field:
    """Half the width between the inner tables at (y, z); 0 where there is no brain."""
    a, b, c_up, c_down = INNER_MM
    c = np.where(z >= 0, np.float32(c_up), np.float32(c_down))
    left = 1.0 - np.abs(y / b) ** POWER - np.abs(z / c) ** POWER
    wide = a * (1.0 + FRONT_IS_NARROWER * y / b)
    return np.asarray(wide * np.maximum(left, 0.0) ** (1.0 / POWER), dtype=np.float32)


def _misses(z: Field, low_mm: float, high_mm: float) -> bool:
    """Whether all points lie so far above or below a shape that nothing of it can be seen there."""
    return bool(z.min() > high_mm + NEAR_MM or z.max() < low_mm - NEAR_MM)


def ellipsoid(
    p: Points, centre_mm: tuple[float, float, float], half_axes_mm: tuple[float, float, float]
) -> Field:
    """Approximate signed distance to an ellipsoid along the axes of the head."""
    if _misses(p.z, centre_mm[2] - half_axes_mm[2], centre_mm[2] + half_axes_mm[2]):
        return FAR
    radius = np.sqrt(
        sum(
            ((one - centre) / half) ** 2
            for one, centre, half in zip((p.x, p.y, p.z), centre_mm, half_axes_mm, strict=True)
        )
    )
    return np.asarray((1.0 - radius) * min(half_axes_mm), dtype=np.float32)


def bent_tube(p: Points, knots_mm: tuple[tuple[float, float, float, float], ...]) -> Field:
    """Signed distance to a tube through knots (x, y, z, radius), its radius changing evenly between them."""
    best = FAR
    for (x0, y0, z0, r0), (x1, y1, z1, r1) in pairwise(knots_mm):
        reach_mm = max(r0, r1)
        if _misses(p.z, min(z0, z1) - reach_mm, max(z0, z1) + reach_mm):
            continue
        along = np.array([x1 - x0, y1 - y0, z1 - z0], dtype=np.float32)
        length2 = float(along @ along)
        t = ((p.x - x0) * along[0] + (p.y - y0) * along[1] + (p.z - z0) * along[2]) / length2
        t = np.clip(t, 0.0, 1.0)
        apart = np.sqrt(
            (p.x - x0 - t * along[0]) ** 2 + (p.y - y0 - t * along[1]) ** 2 + (p.z - z0 - t * along[2]) ** 2
        )
        piece = r0 + (r1 - r0) * t - apart
        best = np.maximum(best, piece)
    return np.asarray(best, dtype=np.float32)


# One lateral ventricle in (u, y, z, radius): frontal horn, body, atrium, and the horns that leave it.
LATERAL = (
    (5.0, -36.0, 1.0, 4.5),
    (5.2, -24.0, 1.5, 5.5),
    (5.2, -10.0, 6.0, 5.5),
    (8.0, 8.0, 15.0, 5.5),
    (15.0, 24.0, 15.0, 6.0),
    (22.0, 34.0, 8.0, 7.0),
)
OCCIPITAL = ((22.0, 34.0, 8.0, 6.0), (21.0, 48.0, 4.0, 4.0), (18.0, 60.0, 2.0, 1.5))
TEMPORAL = ((22.0, 34.0, 8.0, 5.0), (29.0, 20.0, -8.0, 2.5), (29.0, -6.0, -18.0, 2.2))


def lateral_ventricles(p: Points, squeeze: Field | float = 1.0) -> Field:
    """Both lateral ventricles without the septum between them. squeeze: width over the usual one, by place."""
    across = Points(np.asarray(np.abs(p.x) / squeeze, dtype=np.float32), p.y, p.z)
    tubes = np.maximum(bent_tube(across, LATERAL), bent_tube(across, OCCIPITAL))
    tubes = np.maximum(tubes, bent_tube(across, TEMPORAL))
    return np.asarray(np.minimum(tubes, np.abs(p.x) - SEPTUM_HALF_MM), dtype=np.float32)


def middle_ventricles(p: Points) -> Field:
    """Third and fourth ventricle."""
    third = ellipsoid(p, (0.0, 1.0, -8.0), (2.6, 14.0, 11.0))
    return np.maximum(third, ellipsoid(p, (0.0, 38.0, -38.0), (7.0, 5.0, 12.0)))


def cisterns(p: Points) -> Field:
    """Suprasellar, ambient and quadrigeminal, prepontine cisterns, and the Sylvian fissures with the insulae."""
    u = np.abs(p.x)
    star = ellipsoid(p, (0.0, -14.0, -24.0), (14.0, 9.0, 7.0))
    star = np.minimum(star, 5.0 + 0.45 * np.abs(p.y + 14.0) - 0.35 * u + 2.0)
    # Behind the midbrain it looks like a smile.
    ring = np.hypot(p.x, (p.y - 10.0) * 0.95)
    smile = np.minimum(2.0 - np.abs(ring - 19.0), np.minimum(p.y - 12.0, 7.0 - np.abs(p.z + 12.0)))
    pons = np.minimum(2.0 - np.abs(np.hypot(p.x, p.y - 14.0) - 17.0), np.minimum(8.0 - p.y, -24.0 - p.z))
    insula = np.minimum(
        1.5 - np.abs(u - 37.0 - 0.004 * (p.y + 4.0) ** 2),
        np.minimum(19.0 - np.abs(p.y + 4.0), 13.0 - np.abs(p.z)),
    )
    cleft = np.minimum(1.5 - np.abs(p.y + 16.0 - 0.25 * (u - 40.0)), np.minimum(u - 37.0, 11.0 - np.abs(p.z)))
    parts = (smile, pons, insula, cleft)
    for part in parts:
        star = np.maximum(star, part)
    return np.asarray(star, dtype=np.float32)


def deep_grey(p: Points) -> Field:
    """Heads of the caudate nuclei, lentiform nuclei, thalami."""
    u = Points(np.asarray(np.abs(p.x), dtype=np.float32), p.y, p.z)
    caudate = bent_tube(u, ((13.5, -26.0, 5.0, 5.0), (15.0, -6.0, 17.0, 3.0), (20.0, 14.0, 21.0, 1.5)))
    turned = Points(u.x - 0.3 * (p.y + 2.0), p.y, p.z)  # wider behind, with the internal capsule inside
    lentiform = ellipsoid(turned, (25.0, -2.0, 1.0), (7.0, 15.0, 10.0))
    thalamus = ellipsoid(u, (11.5, 14.0, 1.0), (8.0, 13.0, 10.0))
    return np.asarray(np.maximum(np.maximum(caudate, lentiform), thalamus), dtype=np.float32)


def fissure(p: Points) -> Field:
    """How far into the planes of the interhemispheric fissure a point lies: before, above and behind the callosum."""
    before_or_above = np.maximum(-44.0 - p.y, p.z - 28.0)
    return np.asarray(np.maximum(before_or_above, np.minimum(p.y - 46.0, p.z + 4.0)), dtype=np.float32)


def below_tentorium(p: Points) -> Field:
    """Positive in the posterior fossa, which the tentorium covers like a tent."""
    roof = 1.0 - 0.32 * np.maximum(p.y - 36.0, 0.0) - 0.42 * np.abs(p.x)
    behind = p.y - 15.0 - 0.35 * np.maximum(np.abs(p.x) - 18.0, 0.0)
    stem = np.minimum(np.minimum(18.0 - np.abs(p.x), -8.0 - p.z), p.y + 6.0)
    return np.asarray(np.minimum(np.maximum(behind, stem), roof - p.z), dtype=np.float32)


def brainstem(p: Points) -> Field:
    """Midbrain, pons and medulla as one column that leans forward."""
    return np.asarray(
        np.minimum(14.0 - np.hypot(0.85 * p.x, p.y - 12.0 - 0.1 * (p.z + 20.0)), -6.0 - p.z), dtype=np.float32
    )


def _orbital_roof_mm(p: Points) -> Field:
    """How far the roofs of the orbits rise above the floor of the anterior fossa."""
    away2 = (np.abs(p.x) - 27.0) ** 2 + (p.y + 58.0) ** 2
    return np.asarray(7.0 * np.exp(-away2 / 320.0), dtype=np.float32)


def skull_base(p: Points) -> Field:
    """Petrous ridges, clivus with sella, sphenoid wings, and the floor of the anterior fossa."""
    u = Points(np.asarray(np.abs(p.x), dtype=np.float32), p.y, p.z)
    petrous = bent_tube(u, ((16.0, 10.0, -46.0, 6.0), (40.0, 24.0, -42.0, 8.0), (64.0, 40.0, -40.0, 10.0)))
    wing = bent_tube(u, ((10.0, -30.0, -38.0, 4.0), (38.0, -38.0, -30.0, 3.0), (60.0, -28.0, -18.0, 3.0)))
    clivus = bent_tube(u, ((0.0, -16.0, -38.0, 5.0), (0.0, 2.0, -60.0, 6.0)))
    dome_mm = _orbital_roof_mm(p)
    floor = np.minimum(0.8 - np.abs(p.z + 36.0 - dome_mm), -36.0 - p.y)
    return np.asarray(np.maximum(np.maximum(petrous, wing), np.maximum(clivus, floor)), dtype=np.float32)


def face(p: Points) -> Field:
    """Below the anterior fossa: no brain here."""
    dome_mm = _orbital_roof_mm(p)
    return np.asarray(np.minimum(dome_mm - 36.0 - p.z, -34.0 - p.y), dtype=np.float32)


class Gyri:
    """Sulci as the zero set of a smooth random field that runs inwards from the surface of the brain."""

    def __init__(self, rng: np.random.Generator) -> None:
        shape = (70, 70, 62)  # z, y, x at FIELD_STEP_MM: more than the head
        noise = rng.standard_normal(shape, dtype=np.float32)
        sigma = GYRUS_MM / FIELD_STEP_MM
        band = ndimage.gaussian_filter(noise, sigma) - ndimage.gaussian_filter(noise, 1.6 * sigma)
        steps = np.gradient(band, FIELD_STEP_MM)
        slope = np.sqrt(sum(one**2 for one in steps)) + 1e-3 * band.std()
        self._distance = np.asarray(np.minimum(np.abs(band) / slope, 12.0), dtype=np.float32)

    def distance_mm(self, p: Points, radius: Field) -> Field:
        """Distance to the nearest sulcus; radius: that of the inner table, by which points are drawn outwards."""
        out = (0.94 / np.maximum(radius, 0.2)) ** 0.85
        shape = self._distance.shape
        middle = [(n - 1) / 2 for n in shape]
        index = [
            np.broadcast_to(one * out / FIELD_STEP_MM + mid, radius.shape)
            for one, mid in zip((p.z - 15.0, p.y, p.x), middle, strict=True)
        ]
        return np.asarray(
            ndimage.map_coordinates(self._distance, index, order=1, mode="mirror"), dtype=np.float32
        )
