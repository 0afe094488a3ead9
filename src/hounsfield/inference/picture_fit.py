"""Where a picture lies on a network's square, how it is resized to it, and how a map of the square comes back.

Every way is that of a program whose models are run here; the names are those of `zoo.Preprocessing`. Sources:
TorchXRayVision 1.5.7 `datasets.py` (XRayCenterCrop, XRayResizer), torchvision 0.29 `transforms` (Resize, CenterCrop),
scikit-image 0.26 `transform.resize`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.zoo import Preprocessing

_PILLOW = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
_LEVELS = 255


@dataclass(frozen=True, slots=True)
class Placement:
    """From a picture to a square of `size_px`: a part is cut out, resized, and laid on the square.

    shape_yx: of the picture. cut_yx, part_yx: first pixel and sides of the part. resized_yx: its sides after resizing.
    corner_yx: the resized pixel under the square's first one; below 0 where the square reaches beyond it.
    """

    size_px: int
    shape_yx: tuple[int, int]
    cut_yx: tuple[int, int]
    part_yx: tuple[int, int]
    resized_yx: tuple[int, int]
    corner_yx: tuple[int, int]

    def lay(self, resized: NDArray[np.float32], outside: float) -> NDArray[np.float32]:
        """The square (size_px, size_px) with the resized part on it, `outside` beside it."""
        square = np.full((self.size_px, self.size_px), outside, dtype=np.float32)
        here, there = self._common()
        square[there] = resized[here]
        return square

    def restore(self, square: NDArray[np.float32]) -> NDArray[np.float32]:
        """A map (size_px, size_px) on the picture's pixels (y, x); 0 where the network saw nothing of the picture."""
        resized = np.zeros(self.resized_yx, dtype=np.float32)
        here, there = self._common()
        resized[here] = square[there]
        picture = np.zeros(self.shape_yx, dtype=np.float32)
        (top, left), (height, width) = self.cut_yx, self.part_yx
        picture[top : top + height, left : left + width] = _pillow(resized, self.part_yx, "bilinear")
        return picture

    def _common(self) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """The pixels that resized part and square share: in the part, and in the square."""
        here, there = [], []
        for side, corner in zip(self.resized_yx, self.corner_yx, strict=True):
            first, last = max(corner, 0), min(corner + self.size_px, side)
            here.append(slice(first, last))
            there.append(slice(first - corner, last - corner))
        return (here[0], here[1]), (there[0], there[1])


def placement(shape_yx: tuple[int, int], settings: Preprocessing) -> Placement:
    """Where a picture of `shape_yx` lies on the network's square."""
    size, (height, width) = settings.size_px, shape_yx
    if settings.fit == "crop":
        side = min(shape_yx)
        cut = (height // 2 - side // 2, width // 2 - side // 2)
        return Placement(size, shape_yx, cut, (side, side), (size, size), (0, 0))
    if settings.fit == "stretch":
        return Placement(size, shape_yx, (0, 0), shape_yx, (size, size), (0, 0))
    if settings.shorter_px is not None:
        # torchvision: the longer side is rounded down, the corner of the centre square to the nearest.
        resized = tuple(int(settings.shorter_px * side / min(shape_yx)) for side in shape_yx)
        rounded = round if settings.corner == "nearest" else int
        corner = tuple(rounded((side - size) / 2.0) for side in resized)
        return Placement(size, shape_yx, (0, 0), shape_yx, (resized[0], resized[1]), (corner[0], corner[1]))
    scale = size / max(shape_yx)
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    corner_yx = (-((size - high) // 2), -((size - wide) // 2))
    return Placement(size, shape_yx, (0, 0), shape_yx, (high, wide), corner_yx)


def fitted(grey: NDArray[np.float32], place: Placement, settings: Preprocessing) -> NDArray[np.float32]:
    """The square (size_px, size_px) of a picture as it is shown (y, x; 0 black, 1 white), in the network's numbers."""
    (top, left), (height, width) = place.cut_yx, place.part_yx
    part = np.ascontiguousarray(grey[top : top + height, left : left + width], dtype=np.float32)
    black, span = np.float32(settings.black), np.float32(settings.white - settings.black)
    way = settings.interpolation
    if way.endswith("-8-bit"):
        levels = np.round(part * _LEVELS).astype(np.uint8)
        _, filter_name, *_ = way.split("-")
        shown = np.asarray(_pillow(levels, place.resized_yx, filter_name), dtype=np.float32)
        resized = shown / np.float32(_LEVELS) * span + black
    else:
        # The numbers are resized, not the greys: what lies around a picture is 0 to scikit-image.
        resized = _RESIZED[way](part * span + black, place.resized_yx)
    return place.lay(resized, settings.black)


def _pillow(values: NDArray[Any], shape_yx: tuple[int, int], filter_name: str) -> NDArray[Any]:
    if values.shape == shape_yx:
        return values
    resized = Image.fromarray(values).resize((shape_yx[1], shape_yx[0]), _PILLOW[filter_name])
    return np.asarray(resized)


def _bilinear(values: NDArray[np.float32], shape_yx: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(_pillow(values, shape_yx, "bilinear"), dtype=np.float32)


def _scikit_image(values: NDArray[np.float32], shape_yx: tuple[int, int]) -> NDArray[np.float32]:
    """scikit-image's `resize(mode="constant", preserve_range=True)`: blurred, then linear, zeros around."""
    from scipy import ndimage

    ratios = np.divide(values.shape, shape_yx)
    if (ratios > 1).any():
        sigma = tuple(np.maximum(0, (ratios - 1) / 2))
        values = ndimage.gaussian_filter(values, sigma, mode="grid-constant", cval=0.0)
    out = ndimage.zoom(values, tuple(1 / ratios), order=1, mode="grid-constant", cval=0.0, grid_mode=True)
    return np.asarray(out, dtype=np.float32)


def _linear(values: NDArray[np.float32], shape_yx: tuple[int, int]) -> NDArray[np.float32]:
    """Linear between pixel centres, the edge going on beyond: torch's `interpolate(align_corners=False)`."""
    from scipy import ndimage

    ratios = np.divide(values.shape, shape_yx)
    out = ndimage.zoom(values, tuple(1 / ratios), order=1, mode="nearest", grid_mode=True)
    return np.asarray(out, dtype=np.float32)


_RESIZED = {"pillow-bilinear": _bilinear, "scikit-image": _scikit_image, "linear": _linear}
