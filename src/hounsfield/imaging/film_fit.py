"""Where a chest lies in a frontal film: a mean film of few pixels, moved and scaled until it fits best.

Greys are replaced by their ranks, so neither exposure nor window matters. Begin with `fit_chest`: it asks
how well the mean film fits the picture as it is and turned or inverted, and where in it the chest then lies.
The mean film and what it was made from: mean_film.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.imaging.mean_film import LUNG_BOTTOM, LUNG_LEFT, LUNG_RIGHT, LUNG_TOP, mean_film

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float64]

SIDE = 16  # pixels of the thumbnail that is compared; 24 and 32 fit no better
# Rows and columns of 64 that vary by less grey (of 1) are no picture: borders, collimation.
FLAT_SIDE, FLAT_DEVIATION = 64, 0.02
# Scales and places that are tried, as parts of the picture's side; a chest of which less is seen is none.
SCALES = (0.7, 0.8, 0.9, 1.0, 1.12, 1.25, 1.4, 1.57, 1.76)
CENTRES = tuple(round(0.2 + 0.05 * number, 2) for number in range(13))
LEAST_OF_CHEST, LEAST_OF_PICTURE = 0.55, 0.6
LARGEST_SQUEEZE = 2.2
# Taken off the correlation: the square of the logarithm of what the chest, in pixels, is higher than wide; twice that
# of its scale, four times that of its shifts. Weight and form were chosen on the choosing half of the films
# (benchmarks/radiograph_quality.py): cutting a film changes its sides, not the chest's shape in pixels.
UNLIKELY_WEIGHT, SCALE_WEIGHT, SHIFT_WEIGHT = 0.3, 2.0, 4.0
TURNS_DEG = (0, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class Window:
    """The mean film's place in a picture, as parts of its height and width; beyond 0 to 1 it is cut."""

    top: float
    bottom: float
    left: float
    right: float

    def at(self, down: float, across: float) -> tuple[float, float]:
        """Place in the picture (parts of height and width) of a place in the mean film (parts of its side)."""
        return (
            self.top + down * (self.bottom - self.top),
            self.left + across * (self.right - self.left),
        )


@dataclass(frozen=True, slots=True)
class ChestFit:
    """How a picture compares with the mean film.

    likeness: correlation less what an unlikely place costs, -1 to 1, of the picture as it is. other_likeness:
    the best of it turned by other_turn_deg against the clock and inverted if other_is_inverted. window: where
    the chest lies in the picture as it is. field: first and last row and column that hold a picture.
    """

    likeness: float
    other_likeness: float
    other_turn_deg: int
    other_is_inverted: bool
    window: Window
    field: tuple[slice, slice]

    def cut_off(self) -> dict[str, float]:
        """Part of the lungs' height or width that lies beyond each edge of the picture; below 0 is room."""
        top, left = self.window.at(LUNG_TOP, LUNG_LEFT)
        bottom, right = self.window.at(LUNG_BOTTOM, LUNG_RIGHT)
        height, width = bottom - top, right - left
        return {
            "top": -top / height,
            "bottom": (bottom - 1.0) / height,
            "left": -left / width,
            "right": (right - 1.0) / width,
        }


def shrink(picture: Field, side: int) -> Field:
    """Means over the cells of a `side` x `side` raster laid on `picture` (y, x); cells may share pixels."""
    return np.asarray(_cells(picture.shape[0], side) @ picture @ _cells(picture.shape[1], side).T)


@lru_cache(maxsize=64)
def _cells(n: int, side: int) -> Field:
    edges = np.linspace(0, n, side + 1)
    pixel = np.arange(n)
    cover = np.minimum(pixel + 1, edges[1:, None]) - np.maximum(pixel, edges[:-1, None])
    weights = np.clip(cover, 0.0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def ranks(picture: Field) -> Field:
    """Greys replaced by their ranks, with mean 0 and deviation 1 (uniform); equal greys keep the pixels' order."""
    order = picture.ravel().argsort(kind="stable").argsort(kind="stable")
    uniform = (order / max(order.size - 1, 1) - 0.5) * np.sqrt(12.0)
    return np.asarray(uniform.reshape(picture.shape))


def find_field(picture: Field) -> tuple[slice, slice]:
    """Rows and columns from the first to the last that hold more than an even border; all if none does."""
    coarse = shrink(picture, min(FLAT_SIDE, *picture.shape))
    found = []
    for axis, n in enumerate(picture.shape):
        hit = np.flatnonzero(coarse.std(axis=1 - axis) > FLAT_DEVIATION)
        first, last = (hit[0], hit[-1] + 1) if hit.size else (0, coarse.shape[axis])
        found.append(slice(int(first * n / coarse.shape[axis]), int(np.ceil(last * n / coarse.shape[axis]))))
    return found[0], found[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Bank:
    """The mean film at every place that is tried: unit vectors, the cells it covers, and the window.

    cost: of scale and shift; squeeze: logarithm of height over width, in parts of the picture's sides.
    """

    vectors: NDArray[np.float32]
    covers: NDArray[np.float32]
    cost: Field
    squeeze: Field
    windows: tuple[Window, ...]


def _spans() -> list[tuple[float, float]]:
    spans = [(centre - scale / 2, centre + scale / 2) for scale in SCALES for centre in CENTRES]
    seen = [(min(1.0, end) - max(0.0, start), end - start) for start, end in spans]
    return [
        span
        for span, (shown, length) in zip(spans, seen, strict=True)
        if shown >= LEAST_OF_CHEST * length and shown >= LEAST_OF_PICTURE
    ]


def _sampling(start: float, end: float, n: int) -> tuple[Field, Field]:
    """Matrix (SIDE, n) that reads the mean film at the thumbnail's cells, and which cells it covers."""
    centres = (np.arange(SIDE) + 0.5) / SIDE
    place = np.clip((centres - start) / (end - start) * n - 0.5, 0, n - 1)
    weights = np.clip(1.0 - np.abs(place[:, None] - np.arange(n)), 0.0, None)
    inside = ((centres >= start) & (centres <= end)).astype(np.float64)
    return weights * inside[:, None], inside


@lru_cache(maxsize=1)
def _shipped_bank() -> _Bank:
    return make_bank(mean_film())


def make_bank(film: Field) -> _Bank:
    """Lay `film` on all places that are tried."""
    spans = _spans()
    read = [_sampling(*span, film.shape[0]) for span in spans]
    vectors, covers, costs, squeezes, windows = [], [], [], [], []
    for (top, bottom), (down, rows) in zip(spans, read, strict=True):
        half = down @ film
        for (left, right), (across, columns) in zip(spans, read, strict=True):
            squeeze = np.log((bottom - top) / (right - left))
            if abs(squeeze) > np.log(LARGEST_SQUEEZE):
                continue
            cover = np.outer(rows, columns)
            laid = half @ across.T
            laid = (laid - laid[cover > 0].mean()) * cover
            vectors.append((laid / np.sqrt((laid**2).sum())).ravel())
            covers.append(cover.ravel())
            scale = (np.log((bottom - top) * (right - left)) / 2) ** 2
            shift = ((top + bottom - 1.0) / 2) ** 2 + ((left + right - 1.0) / 2) ** 2
            costs.append(UNLIKELY_WEIGHT * (SCALE_WEIGHT * scale + SHIFT_WEIGHT * shift))
            squeezes.append(squeeze)
            windows.append(Window(top, bottom, left, right))
    return _Bank(
        np.array(vectors, dtype=np.float32),
        np.array(covers, dtype=np.float32),
        np.array(costs),
        np.array(squeezes),
        tuple(windows),
    )


def likeness(bank: _Bank, thumbnails: Field, heights: Field) -> Field:
    """Correlation of each place (rows) with each thumbnail (n, SIDE, SIDE), less the place's cost.

    heights: (n,) height over width, in pixels, of the picture behind each thumbnail.
    """
    flat = thumbnails.reshape(len(thumbnails), -1).T.astype(np.float32)
    count = bank.covers.sum(axis=1)[:, None]
    spread = bank.covers @ flat**2 - (bank.covers @ flat) ** 2 / count
    correlation = (bank.vectors @ flat) / np.sqrt(np.maximum(spread, 1e-3))
    squeeze = (bank.squeeze[:, None] + np.log(heights)) ** 2
    return np.asarray(correlation - bank.cost[:, None] - UNLIKELY_WEIGHT * squeeze, dtype=np.float64)


def fit_chest(picture: Field, *, bank: _Bank | None = None) -> ChestFit:
    """Fit the mean film to `picture` (y, x), grey 0 to 1 with bone bright, as it is and turned and inverted.

    bank: of another mean film, from `make_bank`; the shipped one if None.
    """
    bank = bank or _shipped_bank()
    field = find_field(picture)
    thumbnail = ranks(shrink(picture[field], SIDE))
    tried = [(turn, inverted) for turn in TURNS_DEG for inverted in (False, True)]
    shown = np.array(
        [np.rot90(thumbnail, turn // 90) * (-1.0 if inverted else 1.0) for turn, inverted in tried]
    )
    height = picture[field].shape[0] / picture[field].shape[1]
    heights = np.array([height if turn % 180 == 0 else 1.0 / height for turn, _ in tried])
    found = likeness(bank, shown, heights)
    best = found.max(axis=0)
    other = 1 + int(best[1:].argmax())
    return ChestFit(
        float(best[0]),
        float(best[other]),
        tried[other][0],
        tried[other][1],
        bank.windows[int(found[:, 0].argmax())],
        field,
    )


def read_window(picture: Field, window: Window, side: int) -> tuple[Field, NDArray[np.bool_]]:
    """`picture` read on a `side` x `side` raster laid over `window`, and which cells lie inside it."""
    from scipy import ndimage

    at = (np.arange(side) + 0.5) / side
    rows = window.top + at * (window.bottom - window.top)
    columns = window.left + at * (window.right - window.left)
    inside = np.outer((rows >= 0) & (rows <= 1), (columns >= 0) & (columns <= 1))
    places = np.meshgrid(rows * picture.shape[0] - 0.5, columns * picture.shape[1] - 0.5, indexing="ij")
    return np.asarray(ndimage.map_coordinates(picture, places, order=1, mode="nearest")), inside
