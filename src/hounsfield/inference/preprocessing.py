"""How a picture becomes a network's input, and how a map of the network comes back onto the picture.

The only place that does either: training and reading both call it, so that they cannot differ.
NumPy alone; torch begins in torch_model.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.zoo import Preprocessing


@lru_cache(maxsize=64)
def _resampling_matrix(n_in: int, n_out: int) -> NDArray[np.float32]:
    """Weights (n_out, n_in) of linear interpolation; rows sum to 1.

    Pixels are areas: both ends of the first and last pixel coincide. When shrinking, the triangle is
    as wide as an output pixel, so that nothing is skipped (the antialiasing of Pillow's BILINEAR).
    """
    scale = n_in / n_out
    support = max(scale, 1.0)
    centres = (np.arange(n_out) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(n_in)[None, :] - centres[:, None]) / support
    weights = np.clip(1.0 - distance, 0.0, None)
    matrix: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    matrix.setflags(write=False)
    return matrix


def resample(picture: NDArray[Any], shape_yx: tuple[int, int]) -> NDArray[np.float32]:
    """`picture` (y, x) scaled to `shape_yx` by linear interpolation, antialiased; float32."""
    rows = _resampling_matrix(picture.shape[0], shape_yx[0])
    columns = _resampling_matrix(picture.shape[1], shape_yx[1])
    scaled: NDArray[np.float32] = rows @ np.asarray(picture, dtype=np.float32) @ columns.T
    return scaled


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in the network's square input: centred, aspect kept, padded with zeros.

    shape_yx: of the picture, in its own pixels. size_px: side of the square input.
    """

    shape_yx: tuple[int, int]
    size_px: int

    @property
    def side_px(self) -> int:
        """Side of the square around the picture, in the picture's pixels."""
        return max(self.shape_yx)

    @property
    def corner_yx(self) -> tuple[int, int]:
        """First row and column of the picture in that square."""
        return ((self.side_px - self.shape_yx[0]) // 2, (self.side_px - self.shape_yx[1]) // 2)

    def place(self, picture: NDArray[Any]) -> NDArray[np.float32]:
        """`picture` or a mask (y, x) on the square input (size_px, size_px), float32."""
        if picture.shape != self.shape_yx:
            raise RefusedInput(
                f"this placement is for {self.shape_yx} pixels, not {picture.shape}: make one for this picture"
            )
        (top, left), (height_px, width_px) = self.corner_yx, self.shape_yx
        square = np.zeros((self.side_px, self.side_px), dtype=np.float32)
        square[top : top + height_px, left : left + width_px] = picture
        return resample(square, (self.size_px, self.size_px))

    def restore(self, square_map: NDArray[Any]) -> NDArray[np.float32]:
        """A map on the square, any resolution (n, n), brought back onto the picture's pixels (y, x)."""
        (top, left), (height_px, width_px) = self.corner_yx, self.shape_yx
        square = resample(square_map, (self.side_px, self.side_px))
        return np.ascontiguousarray(square[top : top + height_px, left : left + width_px])


def normalise(picture: NDArray[Any], settings: Preprocessing) -> NDArray[np.float32]:
    """`picture` (y, x) scaled so that its two percentiles become 0 and 1, cut there; float32.

    Raises RefusedInput for values that are no numbers, and for a picture without contrast.
    """
    values = np.asarray(picture, dtype=np.float64)
    if values.ndim != 2 or values.size == 0:
        raise RefusedInput(f"a picture of shape (y, x) is needed, this one has shape {values.shape}")
    if not np.isfinite(values).all():
        raise RefusedInput("the picture holds values that are no finite numbers: mend or replace the file")
    low, high = np.percentile(values, [settings.percentile_low, settings.percentile_high])
    if not high > low:
        raise RefusedInput(
            f"the picture has no contrast: its percentiles {settings.percentile_low:g} and "
            f"{settings.percentile_high:g} are both {low:g}. Check that the file holds an image."
        )
    scaled: NDArray[np.float32] = np.clip((values - low) / (high - low), 0.0, 1.0).astype(np.float32)
    return scaled


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A network's input: pixels float32 (size_px, size_px) in [0, 1], and where the picture lies in it."""

    pixels: NDArray[np.float32]
    placement: Placement


def prepare(picture: NDArray[Any], settings: Preprocessing) -> Prepared:
    """Normalise `picture` (y, x), any size and value range, and place it on the network's square.

    Raises RefusedInput as `normalise` does.
    """
    values = normalise(picture, settings)
    placement = Placement((values.shape[0], values.shape[1]), settings.size_px)
    return Prepared(placement.place(values), placement)


class PictureToInput:
    """`prepare` as a callable with plain arguments, the form that a MONAI configuration can name.

    Called with a picture (y, x) or (1, y, x); gives float32 (1, size_px, size_px).
    """

    def __init__(self, **settings: Any) -> None:
        from hounsfield.zoo import Preprocessing

        self.settings = Preprocessing(**settings)

    def __call__(self, picture: NDArray[Any]) -> NDArray[np.float32]:
        """The network's input for one picture."""
        values = np.asarray(picture)
        return prepare(values[0] if values.ndim == 3 else values, self.settings).pixels[None]
