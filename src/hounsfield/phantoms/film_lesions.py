"""What can be planted into the lungs of a frontal chest film: nodule, opacity, effusion, pneumothorax.

Each changes the thickness of aerated lung and returns its outline, so its place and size are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hounsfield.phantoms.film_frontal import cage_half_mm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.phantoms.film_frontal import Field, Frontal, FrontalBuild, Rng

AERATED = 0.74  # part of the lung's thickness that is air; density 0.26 g/ml at full inspiration (ICRU 44)
PLEURA_MM = 1.0
SIDES = {"right": -1.0, "left": 1.0}


def _place(chest: Frontal, rng: Rng, *, clear_mm: float, spacing_mm: float) -> tuple[int, int, str]:
    """A pixel of either lung at least `clear_mm` from its outline (or as far as there is room), and its side."""
    name = ("right-lung", "left-lung")[int(rng.integers(2))]
    depth = ndimage.distance_transform_edt(chest.masks[name]) * spacing_mm
    rows, columns = np.nonzero(depth >= min(clear_mm, 0.8 * float(depth.max())))
    chosen = int(rng.integers(rows.size))
    return int(rows[chosen]), int(columns[chosen]), name.split("-", maxsplit=1)[0]


def plant_nodule(chest: Frontal, x: Field, y: Field, rng: Rng, diameter_mm: float) -> dict[str, object]:
    """A ball of soft tissue in aerated lung."""
    spacing_mm = float(x[0, 1] - x[0, 0])
    row, column, side = _place(chest, rng, clear_mm=diameter_mm / 2 + 3.0, spacing_mm=spacing_mm)
    radius = np.hypot(x - x[0, column], y - y[row, 0]) / (diameter_mm / 2)
    ball = diameter_mm * np.sqrt(np.clip(1.0 - radius**2, 0.0, None))
    chest.lung = np.clip(chest.lung - ball, 0.0, None)
    chest.masks["nodule"] = radius <= 1.0
    return {"side": side, "diameter_mm": float(diameter_mm), "centre_px_yx": [row, column]}


def plant_opacity(chest: Frontal, x: Field, y: Field, rng: Rng, size_mm: float) -> dict[str, object]:
    """A patch of consolidation with a soft, uneven edge; its mask is where more than half the air is gone."""
    spacing_mm = float(x[0, 1] - x[0, 0])
    row, column, side = _place(chest, rng, clear_mm=0.4 * size_mm, spacing_mm=spacing_mm)
    radius = np.hypot((x - x[0, column]) / (0.5 * size_mm), (y - y[row, 0]) / (0.42 * size_mm))
    rough = ndimage.gaussian_filter(rng.standard_normal(radius.shape), 8.0 / spacing_mm)
    filled = 0.85 / (1.0 + np.exp((radius - 1.0 + 0.22 * rough / rough.std()) / 0.12))
    chest.lung = chest.lung * (1.0 - filled)
    chest.masks["opacity"] = (filled > 0.425) & chest.masks[f"{side}-lung"]
    return {"side": side, "size_mm": float(size_mm)}


def plant_effusion(  # noqa: PLR0917  where, whose, how much
    chest: Frontal, x: Field, y: Field, rng: Rng, build: FrontalBuild, height_mm: float
) -> dict[str, object]:
    """Fluid in one pleural space of an upright chest: a level that climbs along the lateral wall."""
    side = ("right", "left")[int(rng.integers(2))]
    u = np.abs(x) / cage_half_mm(y, build)
    level = build.angle_mm - height_mm - 26.0 * np.clip(u, 0.0, 1.0) ** 4
    fluid = np.clip((y - level) / 4.0 + 0.5, 0.0, 1.0) * (x * SIDES[side] > 0)
    chest.lung = chest.lung * (1.0 - 0.93 * fluid)
    chest.masks["effusion"] = (fluid > 0.5) & chest.masks[f"{side}-lung"]
    return {"side": side, "height_above_angle_mm": float(height_mm)}


def plant_pneumothorax(  # noqa: PLR0917  where, whose, how much
    chest: Frontal, x: Field, y: Field, rng: Rng, build: FrontalBuild, gap_mm: float
) -> dict[str, object]:
    """Air between wall and lung, widest at the top: no vessels there, and the edge of the pleura as a line."""
    side = ("right", "left")[int(rng.integers(2))]
    narrowing = np.clip(1.0 - y / (1.1 * build.right_dome_mm), 0.0, 1.0)
    gap = gap_mm * (0.25 + 0.75 * narrowing)
    inwards = np.minimum(cage_half_mm(y, build) - np.abs(x), 0.85 * y)
    air = chest.masks[f"{side}-lung"] & (inwards < gap)
    edge = np.exp(-(((inwards - gap) / (0.6 * PLEURA_MM)) ** 2)) * chest.masks[f"{side}-lung"]
    chest.lung = np.where(air, chest.lung / AERATED, chest.lung) - 3.0 * PLEURA_MM * edge
    chest.lung = np.clip(chest.lung, 0.0, chest.body)
    chest.masks["pneumothorax"] = air
    return {"side": side, "gap_at_apex_mm": float(gap_mm)}


def box_px(mask: NDArray[np.bool_]) -> list[int] | None:
    """First and last row and column of a mask, [y, x, y, x]; None where it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    return [int(rows[0]), int(columns[0]), int(rows[-1]), int(columns[-1])]
