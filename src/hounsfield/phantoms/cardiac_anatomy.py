"""The shapes of a synthetic heart in its chest, as signed distances in millimetres, slice by slice.

The chest around it is that of chest_anatomy.py: x to the patient's left, y to the back, z to the head. The
coronary arteries run along the surface of the muscle, within the fat that surrounds it; that is where a
reader looks for their calcium.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.phantoms.chest_anatomy import (
    BODY_X_MM,
    BODY_Y_MM,
    FAT_MM,
    above_diaphragm,
    bones,
    cage_mm,
    ellipse,
    ellipsoid,
    septum_mm,
    spleen_and_stomach,
    tube,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]
    Points = NDArray[np.float64]

EDGE_MM = 0.8  # half width of the scanner's edge response, as in the chest phantom
SKIN_MM, CORTEX_MM = 2.0, 3.0
# Epicardial fat: 5 to 10 mm thick beside the coronary arteries on CT (textbook range).
EPICARDIAL_FAT_MM, PERICARDIUM_MM = 6.0, 1.5
VESSEL_DEPTH_MM = 3.2  # the artery's axis lies this far outside the muscle
LUMEN_RADIUS_MM = {"lm": 2.2, "lad": 1.7, "lcx": 1.5, "rca": 1.8}  # Dodge 1992: 4.5, 3.7, 3.4, 3.9 mm across
HEART_CENTRE_MM = (20.0, -23.0, -42.0)
ROOT_MM = (-6.0, -14.0, -8.0)
# Start, end and radius: ascending and descending aorta, pulmonary trunk and its arteries, upper vena cava.
ASCENDING = ((-8.0, -10.0, 62.0), ROOT_MM, 15.5)
DESCENDING = ((22.0, 40.0, -400.0), (22.0, 40.0, 56.0), 12.0)
GREAT_VESSELS = (
    ASCENDING,
    DESCENDING,
    ((12.0, -32.0, 4.0), (14.0, -8.0, 28.0), 12.0),
    ((14.0, -8.0, 28.0), (-40.0, 8.0, 16.0), 8.5),
    ((14.0, -8.0, 28.0), (44.0, 12.0, 30.0), 9.0),
    ((-27.0, -6.0, 96.0), (-24.0, -10.0, -20.0), 8.5),
)
# Where each artery runs, before it is laid onto the surface of the muscle: (x, y, z) from its origin on.
COURSES_MM = {
    "lm": ((12.0, -22.0, 4.0), (22.0, -26.0, 6.0), (30.0, -28.0, 5.0)),
    "lad": ((30.0, -28.0, 5.0), (36.0, -50.0, -8.0), (42.0, -66.0, -34.0), (48.0, -68.0, -62.0)),
    "lcx": ((30.0, -28.0, 5.0), (52.0, -14.0, -6.0), (72.0, 0.0, -26.0), (74.0, 12.0, -54.0)),
    "rca": (
        (-18.0, -30.0, 4.0),
        (-36.0, -44.0, -10.0),
        (-46.0, -34.0, -38.0),
        (-34.0, -22.0, -66.0),
        (-8.0, -2.0, -80.0),
    ),
}
VESSELS = tuple(COURSES_MM)


@dataclass(frozen=True, slots=True)
class Heart:
    """Size and place of one heart: scale about HEART_CENTRE_MM and shift in mm (x, y, z)."""

    scale: float = 1.0
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def muscle_mm(self, x: Any, y: Any, z: Any) -> Any:
        """Signed distance to the surface of the muscle, which holds the chambers too."""
        u, v, w = self.own(x, y, z)
        left = ellipsoid(u - 30.0 - 0.3 * v, v + 24.0, w + 46.0, (46.0, 44.0, 46.0))
        right = ellipsoid(u + 10.0, v + 22.0, w + 36.0, (34.0, 36.0, 42.0))
        return np.maximum(left, right) * np.float32(self.scale)

    def chambers_mm(self, x: Any, y: Any, z: Any) -> Any:
        """Signed distance to the blood in the four chambers."""
        u, v, w = self.own(x, y, z)
        ventricle = ellipsoid(u - 34.0 - 0.3 * v, v + 30.0, w + 54.0, (26.0, 24.0, 30.0))
        right = ellipsoid(u - 2.0, v + 40.0, w + 46.0, (24.0, 15.0, 26.0))
        atrium = ellipsoid(u - 24.0, v + 2.0, w + 24.0, (26.0, 14.0, 18.0))
        right_atrium = ellipsoid(u + 22.0, v + 14.0, w + 34.0, (18.0, 20.0, 24.0))
        cavities = np.maximum(np.maximum(ventricle, right), np.maximum(atrium, right_atrium))
        return cavities * np.float32(self.scale)

    def own(self, x: Any, y: Any, z: Any) -> tuple[Any, Any, Any]:
        """A place in the coordinates of the heart of scale 1 that is not shifted."""
        places = zip((x, y, z), HEART_CENTRE_MM, self.shift_mm, strict=True)
        u, v, w = ((place - centre - shift) / self.scale + centre for place, centre, shift in places)
        return u, v, w

    def placed(self, points_mm: Any) -> Points:
        """Points (n, 3) of the heart of scale 1 where this heart has them: the inverse of `own`."""
        centre = np.array(HEART_CENTRE_MM)
        return np.asarray((np.asarray(points_mm) - centre) * self.scale + centre + np.array(self.shift_mm))

    def courses(self, *, step_mm: float = 0.5) -> dict[str, Points]:
        """The axis of every artery as points (n, 3) some `step_mm` apart, VESSEL_DEPTH_MM outside the muscle."""
        return {
            name: self._laid_on(_dense(self.placed(course), step_mm)) for name, course in COURSES_MM.items()
        }

    def _laid_on(self, points_mm: Points) -> Points:
        """The points moved along rays from the heart's centre to the surface; by halving, 0.01 mm exact."""
        centre = self.placed([HEART_CENTRE_MM])[0]
        rays = points_mm - centre
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        near, far = np.zeros(len(rays)), np.full(len(rays), 120.0)
        for _ in range(14):
            middle = (near + far) / 2
            x, y, z = (centre + rays * middle[:, None]).T
            is_inside = np.asarray(self.muscle_mm(x, y, z)) > -VESSEL_DEPTH_MM
            near, far = np.where(is_inside, middle, near), np.where(is_inside, far, middle)
        return np.asarray(centre + rays * near[:, None])


def _dense(corners_mm: Points, step_mm: float) -> Points:
    """The line through corners (n, 3) as points some `step_mm` apart."""
    parts = []
    for start, end in pairwise(corners_mm):
        n = max(2, int(np.linalg.norm(end - start) / step_mm))
        parts.append(start + (end - start) * (np.arange(n) / n)[:, None])
    return np.concatenate([*parts, corners_mm[-1:]])


def share_inside(distance_mm: Any) -> Field:
    """Part of a voxel that lies inside, from its distance to the surface: the edge response."""
    return np.asarray(np.clip(distance_mm / (2 * EDGE_MM) + 0.5, 0.0, 1.0), dtype=np.float32)


def tissue_slice(heart: Heart, x: Field, y: Field, z_mm: float, tissue_hu: dict[str, float]) -> Field:
    """HU (y, x) of the slice at `z_mm` without coronary arteries and calcium; x (1, nx), y (ny, 1).

    tissue_hu: of air, lung, fat, muscle, blood, liver, spleen, cancellous and cortical bone.
    """
    x, y, z = x[None], y[None], np.full((1, 1, 1), z_mm, dtype=np.float32)
    body, cage = ellipse(x, y, BODY_X_MM, BODY_Y_MM, 2.6), cage_mm(x, y, z, 1.0)
    dome, muscle = above_diaphragm(x, y, z, 1.0), heart.muscle_mm(x, y, z)
    abdomen = np.minimum(cage - 3.0, -dome - 3.0)
    great = np.maximum.reduce([tube(x, y, z, *vessel) for vessel in GREAT_VESSELS])
    sac = muscle + EPICARDIAL_FAT_MM + PERICARDIUM_MM
    lung = np.minimum(np.minimum(cage, dome), np.minimum(-sac, -great - 3.0))
    lung = np.minimum(lung, np.abs(x) - septum_mm(y, z))
    hu = np.full(cage.shape, tissue_hu["muscle"], dtype=np.float32)
    for name, distance_mm in (
        ("fat", np.minimum(FAT_MM - body, body - SKIN_MM)),
        ("fat", np.minimum(cage, np.where(dome > 0, dome, np.maximum(-dome - 3.0, -3.0)))),
        ("liver", np.minimum(abdomen, 0.7 * (24.0 - x - 0.35 * (y + 30.0)))),
        ("spleen", np.minimum(abdomen, spleen_and_stomach(x, y, z))),
        ("lung", lung),
        ("muscle", sac),
        ("fat", sac - PERICARDIUM_MM),
        ("muscle", muscle),
        ("blood", np.maximum(heart.chambers_mm(x, y, z), great)),
    ):
        hu += share_inside(distance_mm) * (np.float32(tissue_hu[name]) - hu)
    bone = bones(x, y, z, cage)
    cortex = np.clip(1.0 - bone / CORTEX_MM, 0.0, 1.0)
    bone_hu = tissue_hu["cancellous"] + cortex * (tissue_hu["cortical"] - tissue_hu["cancellous"])
    hu += share_inside(bone) * (bone_hu.astype(np.float32) - hu)
    hu += share_inside(-body) * (np.float32(tissue_hu["air"]) - hu)
    return np.asarray(hu[0], dtype=np.float32)
