"""How a slice of any size becomes a network's square input, and how a map goes back onto the slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fit_picture(
    picture: NDArray[np.floating], *, size: int, percentiles: tuple[float, float] = (1.0, 99.5)
) -> NDArray[np.float32]:
    """The slice (y, x) on a square (size, size), its percentiles scaled to 0 and 1 and cut there.

    The longer side fills the square, the rest is zero. An even picture becomes zeros, which a guard must
    refuse. Raises RefusedInput for a picture that is no single slice or holds values that are not finite.
    """
    values = np.asarray(picture, dtype=np.float32)
    if values.ndim != 2 or 0 in values.shape:
        raise RefusedInput(f"a picture of shape {values.shape} is no single slice; give one slice (y, x)")
    if not np.isfinite(values).all():
        raise RefusedInput("the picture holds values that are not finite; export it again")
    low, high = (float(value) for value in np.percentile(values, percentiles))
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0) if high > low else np.zeros_like(values)
    top, left, height, width = _placed(values.shape[0], values.shape[1], size)
    square = np.zeros((size, size), dtype=np.float32)
    square[top : top + height, left : left + width] = _resize(scaled, height, width)
    return square


def restore_map(square: NDArray[np.floating], shape_yx: tuple[int, int]) -> NDArray[np.float32]:
    """A map (size, size) made on `fit_picture`'s square, on the slice's own pixels (y, x)."""
    top, left, height, width = _placed(shape_yx[0], shape_yx[1], square.shape[0])
    return _resize(
        np.asarray(square[top : top + height, left : left + width], dtype=np.float32),
        shape_yx[0],
        shape_yx[1],
    )


def _placed(height: int, width: int, size: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of a slice on its square."""
    scale = size / max(height, width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    return (size - new_height) // 2, (size - new_width) // 2, new_height, new_width


def _resize(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    if values.shape == (height, width):
        return values
    # Pillow's bilinear filter widens when shrinking, so that fine texture does not alias.
    resized = Image.fromarray(np.ascontiguousarray(values)).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32)
