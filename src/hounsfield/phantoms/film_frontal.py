"""The frontal chest as thicknesses in millimetres along the beam: soft tissue, aerated lung, bone.

Coordinates: x to the right of the picture, which is the patient's left, 0 in the midline; y downwards, 0 at
the top of the lungs. Every shape is an analytic chord or band, so outlines (and with them the cardiothoracic
ratio) are exact by construction. It is a drawing of a chest, not a patient.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float64]
    Rng = np.random.Generator

# Mean and standard deviation of the inner thoracic width (mm) and the cardiothoracic ratio on PA films of
# 1047 adults. Source: Brakohiapa et al. 2017, Pan Afr Med J 27:201.
WIDTH_MM = {"M": (297.0, 27.0), "F": (271.0, 26.0)}
NORMAL_RATIO = {"M": (0.466, 0.039), "F": (0.478, 0.048)}
LEAST_RATIO, LARGEST_NORMAL_RATIO = 0.36, 0.50  # above 0.50 a heart counts as enlarged (Danzer 1919)
# The heart stands away from the detector on AP films. Source: Chon et al. 2011, J Korean Med Sci 26:1446:
# width on PA / width on AP = 0.00099 x distance (cm) + 0.79, taken for AP at 100 cm.
AP_WIDENING = 1.0 / 0.889
RIGHT_SHARE = (0.30, 0.38)  # part of the heart's width to the right of the midline; textbook: about a third
N_RIBS, RIB_STEP_MM, RIB_HALF_MM = 10, 23.0, 5.5
MEDIASTINUM_HALF_MM = 25.0  # vascular pedicle of about 50 mm on an upright film
HEART_TILT_RAD, HEART_SLIMNESS = 0.66, 0.70


@dataclass(frozen=True, slots=True)
class FrontalBuild:
    """What the seed draws for one chest; lengths in mm. right_dome_mm, left_dome_mm: y of the domes' tops."""

    width_mm: float
    right_dome_mm: float
    left_dome_mm: float
    right_heart_mm: float
    left_heart_mm: float
    wall_mm: float

    @property
    def ratio(self) -> float:
        """The cardiothoracic ratio, exact."""
        return (self.right_heart_mm + self.left_heart_mm) / self.width_mm

    @property
    def angle_mm(self) -> float:
        """Height (y) of the costophrenic angles."""
        return self.right_dome_mm + 52.0

    @property
    def widest_mm(self) -> float:
        """Height (y) at which the cage is widest."""
        return 0.84 * self.angle_mm


@dataclass(slots=True)
class Frontal:
    """Thicknesses (y, x) in mm: `body` of all tissue, `lung` of aerated lung within it, `bone`; and outlines."""

    body: Field
    lung: Field
    bone: Field
    masks: dict[str, NDArray[np.bool_]] = field(default_factory=dict)


def draw_build(rng: Rng, *, sex: str, view: str, ratio: float | None) -> FrontalBuild:
    """One chest; ratio: cardiothoracic ratio of the film, None to draw a normal one."""
    mean_mm, deviation_mm = WIDTH_MM[sex]
    width_mm = float(np.clip(rng.normal(mean_mm, deviation_mm), mean_mm - 50.0, mean_mm + 50.0))
    normal, spread = NORMAL_RATIO[sex]
    drawn = float(rng.normal(normal, spread))
    while not LEAST_RATIO <= drawn <= LARGEST_NORMAL_RATIO:
        drawn = float(rng.normal(normal, spread))
    if ratio is None:
        ratio = drawn * AP_WIDENING if view == "AP" else drawn
    share = float(rng.uniform(*RIGHT_SHARE))
    depth = 0.70 if view == "AP" else 0.80  # less inspiration lying down
    right_dome_mm = width_mm * (depth + float(rng.uniform(-0.05, 0.05)))
    return FrontalBuild(
        width_mm,
        right_dome_mm,
        right_dome_mm + float(rng.uniform(6.0, 20.0)),  # the right dome stands 1 to 2 cm higher
        share * ratio * width_mm,
        (1.0 - share) * ratio * width_mm,
        float(rng.uniform(20.0, 38.0)),
    )


def cage_half_mm(y: Field, build: FrontalBuild) -> Field:
    """Half the inner width of the rib cage at height `y`; its largest value is half the thoracic width."""
    up = np.clip(y / build.widest_mm, 0.0, 1.0)
    down = np.clip((y - build.widest_mm) / (build.angle_mm - build.widest_mm), 0.0, 4.0)
    half = (1.0 - (1.0 - up) ** 2.2) ** 0.42 * (1.0 - 0.035 * down**2)
    return np.asarray(build.width_mm / 2 * np.clip(half, 0.02, None))


def heart_radius(x: Field, y: Field, build: FrontalBuild) -> Field:
    """0 in the heart's middle, 1 on its outline: an ellipse tilted to the left whose width is exact."""
    half = (build.right_heart_mm + build.left_heart_mm) / 2
    cos, sin = np.cos(HEART_TILT_RAD), np.sin(HEART_TILT_RAD)
    long_mm = half / np.sqrt(cos**2 + (HEART_SLIMNESS * sin) ** 2)
    centre_x = (build.left_heart_mm - build.right_heart_mm) / 2
    height = np.sqrt((long_mm * sin) ** 2 + (HEART_SLIMNESS * long_mm * cos) ** 2)
    centre_y = build.left_dome_mm + 16.0 - height
    along = (x - centre_x) * cos + (y - centre_y) * sin
    across = -(x - centre_x) * sin + (y - centre_y) * cos
    return np.asarray(np.sqrt((along / long_mm) ** 2 + (across / (HEART_SLIMNESS * long_mm)) ** 2))


def dome_mm(x: Field, build: FrontalBuild) -> Field:
    """Height (y) of the diaphragm's outline over `x`."""
    middle = 0.46 * build.width_mm / 2
    top = np.where(x < 0, build.right_dome_mm, build.left_dome_mm)
    aside = (np.abs(x) - middle) / (build.width_mm / 2 - middle)
    return np.asarray(top + np.where(aside > 0, 50.0 * np.abs(aside) ** 2.2, 16.0 * aside**2))


def frontal(x: Field, y: Field, build: FrontalBuild, *, sex: str, view: str) -> Frontal:
    """The chest without its vessels: body, lungs, heart, mediastinum, bones. x (1, n), y (n, 1) in mm."""
    half = cage_half_mm(y, build)
    u = np.abs(x) / half
    depth_mm = 0.60 * build.width_mm * (0.50 + 0.50 * np.clip(y / build.widest_mm, 0.0, 1.0) ** 0.7)
    chord = depth_mm * np.sqrt(np.clip(1.0 - u**2, 0.0, None))
    top = 13.0 * (np.clip(50.0 - np.abs(x), 0.0, None) / 50.0) ** 2
    chord = chord * np.clip((y - top) / 6.0, 0.0, 1.0)
    radius = heart_radius(x, y, build)
    heart = 0.62 * (build.right_heart_mm + build.left_heart_mm) * np.sqrt(np.clip(1.0 - radius**2, 0.0, None))
    beside = np.clip((np.abs(x) - _mediastinum_mm(x, y)) / 7.0 + 0.5, 0.0, 1.0)
    below = y - dome_mm(x, build)
    lung = np.clip(chord * beside - heart, 0.0, None)
    lung = np.where(below < 0, lung, 0.22 * lung * np.exp(-np.clip(below, 0, None) / 18.0))
    inside = (u < 1) & (y > top) & (below < 0)
    heart_mask = radius <= 1.0
    fields = inside & (beside > 0.5) & ~heart_mask
    masks = {"heart": heart_mask, "right-lung": fields & (x < 0), "left-lung": fields & (x > 0)}
    body = _body(x, y, half, depth_mm, build, sex=sex)
    lung = np.minimum(lung, 0.92 * body)
    return Frontal(body, lung, _bones(x, y, half, build, view=view), masks)


def _mediastinum_mm(x: Field, y: Field) -> Field:
    """Half width of the mediastinum, with the aortic knob on the left and the hila."""
    knob = np.where(x > 0, 12.0 * np.exp(-(((y - 60.0) / 16.0) ** 2)), 0.0)
    hila = 15.0 * np.exp(-(((y - 108.0 + 6.0 * np.sign(x)) / 26.0) ** 2))
    return np.asarray(MEDIASTINUM_HALF_MM - 0.03 * y + knob + hila)


def _body(x: Field, y: Field, half: Field, depth_mm: Field, build: FrontalBuild, *, sex: str) -> Field:
    """Thickness of all tissue: trunk, shoulders, neck, and breasts; the airways are taken out."""
    trunk_half = np.maximum(half, 0.78 * build.width_mm / 2) + build.wall_mm
    trunk = (depth_mm + 1.6 * build.wall_mm) * np.sqrt(
        np.clip(1.0 - (np.abs(x) / trunk_half) ** 2.6, 0, None)
    )
    trunk = trunk * np.clip((y + 26.0) / 30.0, 0.0, 1.0)
    slope_half = np.clip(58.0 + (y + 52.0) * 2.1, 58.0, build.width_mm / 2 + 72.0)
    slope_half = np.minimum(slope_half, np.clip(build.width_mm / 2 + 72.0 - (y - 96.0) * 1.2, 40.0, None))
    shoulder = 105.0 * np.sqrt(np.clip(1.0 - (np.abs(x) / slope_half) ** 4, 0.0, None))
    body = np.maximum(trunk, shoulder * np.clip(1.0 - (y - 90.0) / 80.0, 0.0, 1.0))
    if sex == "F":
        for side in (-1.0, 1.0):
            far = ((x - side * 0.56 * build.width_mm / 2) / 58.0) ** 2 + (
                (y - build.right_dome_mm + 22.0) / 46.0
            ) ** 2
            body = body + 26.0 * np.sqrt(np.clip(1.0 - far, 0.0, None)) * (body > 0)
    trachea = 19.0 * np.sqrt(np.clip(1.0 - ((x + 1.0) / 9.0) ** 2, 0.0, None)) * (y < 78.0)
    gas = ((x - 62.0) / 30.0) ** 2 + ((y - build.left_dome_mm - 27.0) / 15.0) ** 2
    stomach = 42.0 * np.sqrt(np.clip(1.0 - gas, 0.0, None))
    return np.asarray(np.clip(body - trachea - stomach, 0.0, None))


def _band(distance_mm: Field, half_mm: float, bone_mm: float) -> Field:
    """A tube of bone: dense cortex at its edges, less in its middle."""
    inside = np.clip(1.0 - (distance_mm / half_mm) ** 2, 0.0, None)
    return np.asarray(
        bone_mm * (0.55 * np.sqrt(inside) + 0.45 * (inside > 0) * (np.abs(distance_mm) / half_mm) ** 3)
    )


def _bones(x: Field, y: Field, half: Field, build: FrontalBuild, *, view: str) -> Field:
    u = np.abs(x) / half
    bone = _spine(x, y)
    for number in range(N_RIBS):
        start = 6.0 + number * RIB_STEP_MM * build.right_dome_mm / 232.0
        behind = start + 34.0 * u**2.2 - 13.0 * np.sin(np.pi * np.clip(u, 0, 1))
        bone = bone + _band((y - behind) * 0.93, RIB_HALF_MM, 4.2) * ((u < 1.03) & (np.abs(x) > 14.0))
        before = start + 34.0 + 46.0 * np.clip(1.0 - u, 0.0, None) ** 0.9
        is_bony = np.clip((u - 0.42) / 0.06, 0.0, 1.0)  # towards the sternum ribs are cartilage
        bone = bone + _band((y - before) * 0.80, RIB_HALF_MM, 3.0) * is_bony * (
            (u < 1.03) & (number < N_RIBS - 2)
        )
    wall = np.exp(-(((u - 1.03) * half / 4.0) ** 2)) * ((y > 0) & (y < build.angle_mm + 20.0))
    bone = bone + 2.2 * wall
    clavicle = 26.0 - 30.0 * np.sin(np.clip((np.abs(x) - 22.0) / 150.0, 0.0, 1.0) * np.pi / 2)
    bone = bone + _band((y - clavicle) * 0.95, 5.5, 6.0) * ((np.abs(x) > 20.0) & (np.abs(x) < 165.0))
    head = np.hypot(np.abs(x) - build.width_mm / 2 - 42.0, y - 18.0)
    bone = bone + 0.30 * np.sqrt(np.clip(24.0**2 - head**2, 0.0, None)) * 1.2
    # Shoulder blades lie beside the lungs on a PA film, over them on an AP film.
    inner = (0.60 if view == "AP" else 0.98) * build.width_mm / 2
    blade = np.clip((np.abs(x) - inner - 0.12 * (y - 20.0)) / 3.0, 0.0, 1.0) * np.clip(
        (inner + 62.0 - np.abs(x)) / 8.0, 0, 1
    )
    return np.asarray(
        bone + 1.3 * blade * np.clip((y - 12.0) / 10.0, 0, 1) * np.clip((150.0 - y) / 20.0, 0, 1)
    )


def _spine(x: Field, y: Field) -> Field:
    """Vertebrae with discs between them and pedicles as two rings."""
    height = np.mod(y, 24.0)
    disc = np.clip((np.abs(height - 12.0) - 8.5) / 2.0, 0.0, 1.0)
    body = np.clip((17.0 + 2.5 * disc - np.abs(x)) / 2.0, 0.0, 1.0) * (11.0 - 5.0 * disc)
    ring = np.hypot(np.abs(x) - 11.0, height - 8.0)
    return np.asarray(
        body + 3.5 * np.exp(-(((ring - 4.0) / 1.4) ** 2)) + 4.0 * np.exp(-((x / 3.0) ** 2)) * (height > 12)
    )


def vessels_mm(x: Field, y: Field, rng: Rng, build: FrontalBuild) -> Field:
    """Thickness of the lungs' vessels: branches from both hila, thinner outwards; more of them below."""
    total: Any = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    for side in (-1.0, 1.0):
        for number in range(22):
            angle = float(rng.uniform(-1.35, 1.35) + (0.25 if number % 3 else 0.0))
            place = np.array([side * (MEDIASTINUM_HALF_MM + 8.0), 104.0 - 8.0 * side])
            radius = float(rng.uniform(2.4, 4.6))
            for _ in range(7):
                step_mm = float(rng.uniform(10.0, 17.0)) * build.width_mm / 290.0
                end = place + step_mm * np.array([side * np.cos(angle), np.sin(angle)])
                _add_tube(total, x, y, (place, end), radius)
                place, angle, radius = end, angle + float(rng.normal(0.0, 0.22)), radius * 0.80
    return np.asarray(total)


def _add_tube(total: Field, x: Field, y: Field, ends: tuple[Any, Any], radius_mm: float) -> None:
    """Add a tube's chord to `total` in place, in its own window."""
    (x0, y0), (x1, y1) = ends
    columns = slice(*np.searchsorted(x.ravel(), [min(x0, x1) - radius_mm, max(x0, x1) + radius_mm]))
    rows = slice(*np.searchsorted(y.ravel(), [min(y0, y1) - radius_mm, max(y0, y1) + radius_mm]))
    px, py = x[:, columns] - x0, y[rows] - y0
    length = np.hypot(x1 - x0, y1 - y0)
    along = np.clip((px * (x1 - x0) + py * (y1 - y0)) / length**2, 0.0, 1.0)
    distance = np.hypot(px - along * (x1 - x0), py - along * (y1 - y0))
    part = total[rows, columns]
    np.maximum(part, 2.0 * np.sqrt(np.clip(radius_mm**2 - distance**2, 0.0, None)), out=part)
