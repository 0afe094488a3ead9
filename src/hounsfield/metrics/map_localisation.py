"""Whether a map lies where the truth lies: its highest point, its mass, and boxes around its bright parts.

Sources: pointing game, Zhang 2018, Int J Comput Vis 126:1084 (here without its tolerance of 15 pixels); share of the map
inside the truth, Wang 2020, CVPR Workshops (Score-CAM, section 4.3); boxes from maps and their overlap over the detected
box, Wang 2017, CVPR, 2097-2106 (ChestX-ray8, section 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# ChestX-ray8 scales a map to 0..255 and boxes what reaches 60 and what reaches 180.
BOX_LEVELS = (60 / 255, 180 / 255)


@dataclass(frozen=True, slots=True)
class Box:
    """A box on a picture, in pixels: rows top <= y < bottom, columns left <= x < right."""

    top: float
    left: float
    bottom: float
    right: float

    @property
    def area(self) -> float:
        """Height times width, 0 where nothing is enclosed."""
        return max(0.0, self.bottom - self.top) * max(0.0, self.right - self.left)

    def overlap(self, other: Box) -> float:
        """Area that both enclose."""
        return Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        ).area

    def mask(self, shape_yx: tuple[int, int]) -> NDArray[np.bool_]:
        """The pixels whose centres the box encloses, bool (y, x)."""
        y, x = np.arange(shape_yx[0]) + 0.5, np.arange(shape_yx[1]) + 0.5
        inside: NDArray[np.bool_] = np.outer(
            (y >= self.top) & (y < self.bottom), (x >= self.left) & (x < self.right)
        )
        return inside


def points_at(values: NDArray[Any], truth: NDArray[np.bool_]) -> float:
    """1 if the highest value of the map lies in the truth, else 0; an empty map points nowhere. Both (y, x)."""
    _check(values, truth)
    return float(values.max() > 0 and truth[np.unravel_index(int(values.argmax()), values.shape)])


def share_of_map_inside(values: NDArray[Any], truth: NDArray[np.bool_]) -> float:
    """Share of the map's sum that lies in the truth; 0 for an empty map. Both (y, x); values not below zero."""
    _check(values, truth)
    total = float(values.sum())
    return float(values[truth].sum()) / total if total > 0 else 0.0


def boxes_of_map(values: NDArray[Any], level: float) -> list[Box]:
    """Boxes around the connected parts of a map (y, x) in [0, 1] that reach the level, the part of largest sum first.

    Pixels that touch at a corner connect.
    """
    from scipy import ndimage

    parts, n_parts = ndimage.label(values >= level, structure=np.ones((3, 3)))
    sums = np.asarray(ndimage.sum_labels(values, parts, np.arange(1, n_parts + 1)))
    around = ndimage.find_objects(parts)
    chosen = (around[index] for index in np.argsort(-sums, kind="stable"))
    return [Box(rows.start, columns.start, rows.stop, columns.stop) for rows, columns in chosen]


def iobb(found: Box, truth: Box) -> float:
    """Overlap over the area of the found box: 1 for a box inside the truth, however small."""
    return found.overlap(truth) / found.area if found.area else 0.0


def iou(found: Box, truth: Box) -> float:
    """Overlap over the area that either encloses."""
    both = found.overlap(truth)
    either = found.area + truth.area - both
    return both / either if either else 0.0


def box_of_mask(mask: NDArray[np.bool_]) -> Box:
    """The box around all true pixels (y, x); raises UsageError for a mask without any."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise UsageError("an empty mask has no box; leave its case out")
    return Box(float(rows[0]), float(columns[0]), float(rows[-1] + 1), float(columns[-1] + 1))


def _check(values: NDArray[Any], truth: NDArray[np.bool_]) -> None:
    if values.shape != truth.shape:
        raise UsageError(f"the map {values.shape} and the truth {truth.shape} lie on different pixels")
