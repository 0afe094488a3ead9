"""How a picture becomes a network's input, and how a map of the network comes back onto the picture.

The arithmetic of our own networks is `datasets.fit_picture`, which training calls too, so that both cannot differ; that of
the networks of others is `picture_fit.py`. Here they are bound to what a bundle's card says. No torch: that begins in
torch_model.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.datasets import fit_picture, restore_map
from hounsfield.inference.picture_fit import fitted, placement
from hounsfield.zoo import Preprocessing

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHITE = 255.0  # of a picture as it is shown; `studies` and `datasets` give 8-bit pictures so


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A network's input: pixels float32 (size_px, size_px), and the shape of the picture it shows.

    settings: by which it was made; None for those of our own networks.
    """

    pixels: NDArray[np.float32]
    shape_yx: tuple[int, int]
    settings: Preprocessing | None = field(default=None)

    @property
    def channels(self) -> NDArray[np.float32]:
        """What the network takes: (channels, size_px, size_px), each less its mean, by its deviation."""
        if self.settings is None:
            return self.pixels[None]
        n = self.settings.channels
        mean, deviation = self.settings.mean or (0.0,) * n, self.settings.deviation or (1.0,) * n
        planes = [(self.pixels - np.float32(m)) / np.float32(d) for m, d in zip(mean, deviation, strict=True)]
        return np.stack(planes)

    def restore(self, square_map: NDArray[Any]) -> NDArray[np.float32]:
        """A map (size_px, size_px) of the network on the picture's pixels (y, x); 0 on what the network was not shown."""
        if square_map.shape != self.pixels.shape:
            raise RefusedInput(
                f"a map of shape {square_map.shape} does not lie on the network's {self.pixels.shape} pixels"
            )
        square = np.asarray(square_map, dtype=np.float32)
        if self.settings is None or self.settings.fit == "pad":
            return restore_map(square, self.shape_yx)
        return placement(self.shape_yx, self.settings).restore(square)


def prepare(picture: NDArray[Any], settings: Preprocessing) -> Prepared:
    """The network's input for `picture` (y, x), any size.

    With normalisation "range" the picture must be as it is shown, from 0 (black) to 255 (white). Raises RefusedInput for
    another shape, for values that are not finite or of another range, and for a picture without contrast (between the two
    percentiles of `settings`, where these count).
    """
    if settings.normalisation == "range":
        return _prepared_as_shown(np.asarray(picture), settings)
    values = np.asarray(picture, dtype=np.float32)
    percentiles = (settings.percentile_low, settings.percentile_high)
    pixels = fit_picture(values, size=settings.size_px, percentiles=percentiles)
    if not pixels.any():
        raise RefusedInput(
            f"the picture has no contrast: its percentiles {percentiles[0]:g} and {percentiles[1]:g} are "
            "equal. Check that the file holds an image."
        )
    return Prepared(pixels, (values.shape[0], values.shape[1]), settings)


def _prepared_as_shown(picture: NDArray[Any], settings: Preprocessing) -> Prepared:
    grey = _shown_grey(picture)
    if grey.min() == grey.max():
        raise RefusedInput(
            "the picture has no contrast: all pixels are equal. Check that the file holds an image."
        )
    place = placement((grey.shape[0], grey.shape[1]), settings)
    return Prepared(fitted(grey, place, settings), place.shape_yx, settings)


def _shown_grey(picture: NDArray[Any]) -> NDArray[np.float32]:
    """The picture as it is shown, 0 black to 1 white; what its numbers mean is not guessed."""
    if picture.ndim != 2 or 0 in picture.shape:
        raise RefusedInput(f"a picture of shape {picture.shape} is no single slice; give one slice (y, x)")
    grey = np.asarray(picture, dtype=np.float32)
    if not np.isfinite(grey).all():
        raise RefusedInput("the picture holds values that are not finite; export it again")
    low, high = float(grey.min()), float(grey.max())
    if low < 0.0 or high > WHITE or high <= 1.0:
        raise RefusedInput(
            f"this model takes pictures as they are shown, from 0 (black) to {WHITE:g} (white); these numbers go from "
            f"{low:g} to {high:g}. Apply the window of the film, or give an 8-bit picture."
        )
    return grey / np.float32(WHITE)


class PictureToInput:
    """`prepare` as a callable with plain arguments, the form that a MONAI configuration can name.

    settings: those of `zoo.Preprocessing`. Called with a picture (y, x) or (1, y, x); gives float32
    (channels, size_px, size_px).
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = Preprocessing(**settings)

    def __call__(self, picture: NDArray[Any]) -> NDArray[np.float32]:
        """The network's input for one picture."""
        values = np.asarray(picture)
        return prepare(values[0] if values.ndim == 3 else values, self.settings).channels
