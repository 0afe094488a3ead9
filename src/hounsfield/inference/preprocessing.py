"""How a picture becomes a network's input, and how a map of the network comes back onto the picture.

The arithmetic is `datasets.fit_picture` and `datasets.restore_map`, which training calls too, so that
both cannot differ; here it is bound to what a bundle's card says. No torch: that begins in torch_model.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.datasets import fit_picture, restore_map
from hounsfield.zoo import Preprocessing

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A network's input: pixels float32 (size_px, size_px), and the shape of the picture it shows."""

    pixels: NDArray[np.float32]
    shape_yx: tuple[int, int]

    def restore(self, square_map: NDArray[Any]) -> NDArray[np.float32]:
        """A map (size_px, size_px) of the network brought back onto the picture's pixels (y, x)."""
        if square_map.shape != self.pixels.shape:
            raise RefusedInput(
                f"a map of shape {square_map.shape} does not lie on the network's {self.pixels.shape} pixels"
            )
        return restore_map(np.asarray(square_map, dtype=np.float32), self.shape_yx)


def prepare(picture: NDArray[Any], settings: Preprocessing) -> Prepared:
    """The network's input for `picture` (y, x), any size and value range.

    Raises RefusedInput for another shape, for values that are not finite, and for a picture without
    contrast between the two percentiles of `settings`.
    """
    values = np.asarray(picture, dtype=np.float32)
    percentiles = (settings.percentile_low, settings.percentile_high)
    pixels = fit_picture(values, size=settings.size_px, percentiles=percentiles)
    if not pixels.any():
        raise RefusedInput(
            f"the picture has no contrast: its percentiles {percentiles[0]:g} and {percentiles[1]:g} are "
            "equal. Check that the file holds an image."
        )
    return Prepared(pixels, (values.shape[0], values.shape[1]))


class PictureToInput:
    """`prepare` as a callable with plain arguments, the form that a MONAI configuration can name.

    settings: those of `zoo.Preprocessing`. Called with a picture (y, x) or (1, y, x); gives float32
    (1, size_px, size_px).
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = Preprocessing(**settings)

    def __call__(self, picture: NDArray[Any]) -> NDArray[np.float32]:
        """The network's input for one picture."""
        values = np.asarray(picture)
        return prepare(values[0] if values.ndim == 3 else values, self.settings).pixels[None]
