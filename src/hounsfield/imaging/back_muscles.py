"""Muscles of the back, quadratus lumborum and psoas on slices of an abdominal CT, by their place about the spine.

Where such a muscle touches a kidney or the bowel, both are shrunk until they part. Arrays are (row, column).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hounsfield.imaging.lumbar_levels import HALF_DEPTH_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.imaging.morphology import Spacing

# Shrinking that parts a muscle from an organ that touches it; how much of a muscle may lie beyond its space,
# and how far beside the spine its middle: a kidney's lies farther.
SHRINK_MM, MOST_BEYOND, FARTHEST_MM = (3.5, 5.0, 6.5, 8.0, 10.0, 12.0), 0.10, 46.0


@dataclass(frozen=True, slots=True)
class Spine:
    """Where things lie about the vertebral body of one slice, in mm: back (down the image) and beside (either side)."""

    back_mm: NDArray[np.float64]
    beside_mm: NDArray[np.float64]

    @classmethod
    def around(cls, centre: NDArray[np.float64], shape_yx: tuple[int, ...], spacing_mm: Spacing) -> Spine:
        """For a body's centre (row, column)."""
        back_mm = (np.arange(shape_yx[0]) - centre[0])[:, None] * spacing_mm[1]
        beside_mm = np.abs(np.arange(shape_yx[1]) - centre[1])[None, :] * spacing_mm[2]
        shape = (shape_yx[0], shape_yx[1])
        return cls(np.broadcast_to(back_mm, shape), np.broadcast_to(beside_mm, shape))

    def _ellipse(self, beside_mm: float, back_mm: float, half: tuple[float, float]) -> NDArray[np.bool_]:
        inside = ((self.beside_mm - beside_mm) / half[0]) ** 2 + ((self.back_mm - back_mm) / half[1]) ** 2
        return np.asarray(inside < 1.0)

    def body(self) -> NDArray[np.bool_]:
        """The vertebral body, a little smaller than it is."""
        return self._ellipse(0.0, 0.0, (20.0, HALF_DEPTH_MM))

    def bone(self) -> NDArray[np.bool_]:
        """The body and the canal: neither is muscle, whatever its density."""
        return self.body() | self._ellipse(0.0, 20.0, (11.0, 11.0))

    def muscle_space(self) -> NDArray[np.bool_]:
        """Where the muscles of the back, the quadratus lumborum and the psoas can lie."""
        behind = (self.back_mm > 12.0) & (self.beside_mm < 80.0)
        return behind | self._ellipse(38.0, -2.0, (28.0, 26.0))

    def erector_seeds(self) -> NDArray[np.bool_]:
        """Where the muscles of the back surely lie: beside the spinous process."""
        return np.asarray((self.back_mm > 28.0) & (self.beside_mm < 55.0))

    def muscle_seeds(self) -> NDArray[np.bool_]:
        """Where one of these muscles lies: those of the back, or the psoas beside the vertebral body."""
        psoas = (np.abs(self.back_mm - 2.0) < 12.0) & (self.beside_mm > 20.0) & (self.beside_mm < 40.0)
        return self.erector_seeds() | psoas

    def between_muscles(self) -> NDArray[np.bool_]:
        """Where fat lies between the muscles of the back, or in the canal, and not around organs."""
        near = (self.back_mm > 10.0) & (self.beside_mm < 25.0)
        return np.asarray(near | ((self.back_mm > 28.0) & (self.beside_mm < 45.0)))


def deep_muscle(lean: NDArray[np.bool_], spine: Spine, spacing_mm: Spacing) -> NDArray[np.bool_]:
    """Muscles of the back and psoas among the lean pixels (y, x) of a slice.

    Pieces that hold a seed and lie in the space of these muscles are muscle. A piece that reaches beyond is
    a muscle and an organ that touch: it is shrunk until they part, and every pixel then goes to the nearest.
    """
    sampling = spacing_mm[1:]
    depth_mm = ndimage.distance_transform_edt(lean, sampling=sampling)
    space, seeds = spine.muscle_space(), spine.muscle_seeds()
    decided = np.zeros(lean.shape, dtype=np.uint8)
    open_pieces = lean
    for radius_mm in SHRINK_MM:
        labels, n_pieces = ndimage.label(open_pieces & (depth_mm > radius_mm))
        every = np.arange(n_pieces + 1)
        has_seed = ndimage.maximum(seeds, labels, every) > 0
        beyond = ndimage.mean(~space, labels, every)
        is_near = ndimage.mean(spine.beside_mm, labels, every) < FARTHEST_MM
        is_near |= ndimage.maximum(spine.erector_seeds(), labels, every) > 0
        is_parted = (beyond < MOST_BEYOND) | (radius_mm == SHRINK_MM[-1])
        is_muscle = has_seed & is_near & is_parted & (beyond < 0.5)
        is_other = ~has_seed | (is_parted & ~is_muscle)
        is_muscle[0] = is_other[0] = False
        decided[is_other[labels]] = 2
        decided[is_muscle[labels]] = 1
        open_pieces = (labels > 0) & (decided == 0)
    if not (decided == 1).any():
        return np.zeros_like(lean)
    rows, columns = ndimage.distance_transform_edt(
        decided == 0, sampling=sampling, return_distances=False, return_indices=True
    )
    near = ndimage.distance_transform_edt(depth_mm <= SHRINK_MM[0], sampling=sampling)
    reached = lean & (near <= SHRINK_MM[0] + spacing_mm[1] / 2)
    muscle: NDArray[np.bool_] = reached & (decided[rows, columns] == 1) & space
    return muscle
