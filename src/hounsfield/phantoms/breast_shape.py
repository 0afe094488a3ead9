"""A compressed breast in one mammographic view: outline, thickness, nipple and pectoral muscle.

Places are (depth, height) in millimetres: depth from the chest wall towards the nipple, height from the
nipple upwards in the picture: to the side of the arm in the cranio-caudal view, towards the armpit in the
medio-lateral oblique one. Left and right breast have the same coordinates; the picture mirrors them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

View = Literal["CC", "MLO"]
OUTLINE_POWER = 2.3
NIPPLE_RADIUS_MM = 5.0
# The free edge bulges over this part of the thickness.
ROUNDED_PART = 0.4
OBLIQUE_RAD = np.pi / 4  # usual angle of the MLO view


@dataclass(frozen=True, slots=True)
class BreastView:
    """One view. depth_mm: nipple to chest wall; up_mm, down_mm: half heights of the outline at the chest wall.

    thickness_mm: under compression. muscle_mm: width of the pectoral muscle at `up_mm` above the nipple, and how
    far it reaches below the nipple; None where the view shows none.
    """

    view: View
    depth_mm: float
    up_mm: float
    down_mm: float
    thickness_mm: float
    muscle_mm: tuple[float, float] | None = None

    def inside_mm(self, depth: Field, height: Field) -> Field:
        """Distance to the skin along the ray from the middle of the chest wall, positive inside."""
        half = np.where(height > 0, np.float32(self.up_mm), np.float32(self.down_mm))
        radius = (
            np.abs(depth / self.depth_mm) ** OUTLINE_POWER + np.abs(height / half) ** OUTLINE_POWER
        ) ** (1.0 / OUTLINE_POWER)
        reach = np.hypot(depth, height)
        to_skin = reach / np.maximum(radius, 1e-3) - reach
        nipple = NIPPLE_RADIUS_MM - np.hypot(depth - (self.depth_mm - 1.0), height)
        return np.asarray(np.maximum(to_skin, nipple), dtype=np.float32)

    def thickness_at(self, inside_mm: Field) -> Field:
        """Thickness in mm where the skin is `inside_mm` away: even, with a rounded free edge, 0 outside."""
        width = ROUNDED_PART * self.thickness_mm
        part = np.clip(inside_mm / width, 0.0, 1.0)
        return np.asarray(self.thickness_mm * np.sqrt(1.0 - (1.0 - part) ** 2), dtype=np.float32)

    def muscle_inside_mm(self, depth: Field, height: Field) -> Field:
        """Distance to the front of the pectoral muscle, positive in the muscle; far outside where there is none."""
        if self.muscle_mm is None:
            return np.full(np.broadcast_shapes(depth.shape, height.shape), -100.0, dtype=np.float32)
        width, below = self.muscle_mm
        length = self.up_mm + below
        up = np.clip((height + below) / length, 0.0, None)
        # Slightly convex, as a well placed muscle is.
        front = np.where(up > 0, width * up**0.85, -3.0)
        return np.asarray((front - depth) * length / np.hypot(length, width), dtype=np.float32)

    def place_of(self, behind_mm: float, lateral_mm: float, above_mm: float) -> tuple[float, float]:
        """(depth, height) of what lies so far behind the nipple, to the side of the arm, and above the nipple."""
        if self.view == "CC":
            return self.depth_mm - behind_mm, lateral_mm
        # The detector of the oblique view stands along the muscle: what is lateral is shown higher.
        return self.depth_mm - behind_mm, float(
            above_mm * np.cos(OBLIQUE_RAD) + lateral_mm * np.sin(OBLIQUE_RAD)
        )
