"""Simple properties of a picture that say how it was made rather than what it shows, and a few that may say either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.imaging.burned_text import find_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Families whose numbers lie outside of the anatomy, unless the picture is cut close.
AROUND = ("size", "border", "corners", "text")
# Families that disease may change too: from them a label may be read for good reasons.
WITHIN = ("grey", "spectrum")
FAMILIES = (*AROUND, *WITHIN)
SPOKEN_FAMILIES = {
    "size": "size and aspect",
    "border": "empty rows and columns, rim",
    "corners": "the four corners",
    "text": "burned-in text",
    "grey": "grey histogram",
    "spectrum": "spectrum, compression, bytes a pixel",
}
_RIM_SHARE, _CORNER_SHARE = 0.04, 0.12
_EVEN = 0.02  # of the full range: a row that varies less is empty
_N_GREY, _N_BANDS, _BLOCK_PX = 16, 8, 8


def picture_properties(picture: NDArray[np.floating], n_bytes: int) -> Mapping[str, Array]:
    """Vectors by family. picture: grey values (y, x), any range; n_bytes: length of its file."""
    values = np.asarray(picture, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return {
        "size": _size(values),
        "border": _border(values),
        "corners": _corners(values),
        "text": _text(scaled),
        "grey": _grey(values, scaled),
        "spectrum": _spectrum(scaled, n_bytes),
    }


def _size(values: Array) -> Array:
    height, width = values.shape
    return np.log([height, width, height / width])


def _border(values: Array) -> Array:
    """From each edge: share of empty rows or columns, and mean and spread of the rim in stored grey values, because a
    bright lesion would darken a rim that is scaled to the picture's maximum.
    """
    even = _EVEN * float(np.ptp(values))
    found: list[float] = []
    for turned in (values, values[::-1], values.T, values.T[::-1]):
        full = np.flatnonzero(np.ptp(turned, axis=1) > even)
        empty = int(full[0]) if full.size else turned.shape[0]
        rim = turned[: max(1, round(_RIM_SHARE * turned.shape[0]))]
        found += [empty / turned.shape[0], float(rim.mean()), float(rim.std())]
    return np.array(found)


def _corners(values: Array) -> Array:
    """Mean and spread of each corner, in stored grey values."""
    rows, columns = (max(1, round(_CORNER_SHARE * n)) for n in values.shape)
    patches = [
        values[:rows, :columns],
        values[:rows, -columns:],
        values[-rows:, :columns],
        values[-rows:, -columns:],
    ]
    return np.array([number for one in patches for number in (float(one.mean()), float(one.std()))])


def _text(scaled: Array) -> Array:
    """Rows of text, letters, and the share of the picture that they cover."""
    lines = find_text(scaled)
    covered = sum((one.bottom - one.top) * (one.right - one.left) for one in lines)
    return np.array([len(lines), sum(one.n_letters for one in lines), covered], dtype=np.float64)


def _grey(values: Array, scaled: Array) -> Array:
    shares, _ = np.histogram(scaled, bins=_N_GREY, range=(0.0, 1.0))
    ends = [float((scaled == 0.0).mean()), float((scaled == 1.0).mean())]
    return np.array(
        [*(shares / scaled.size), *ends, scaled.mean(), scaled.std(), values.min(), values.max()],
        dtype=np.float64,
    )


def _spectrum(scaled: Array, n_bytes: int) -> Array:
    """Logarithm of the power in bands of frequency (per pixel), and steps at the edges of JPEG's blocks, bytes."""
    power = np.abs(np.fft.fft2(scaled - scaled.mean())) ** 2 / scaled.size
    frequency = np.hypot(np.fft.fftfreq(scaled.shape[0])[:, None], np.fft.fftfreq(scaled.shape[1]))
    band = np.minimum((frequency / 0.5 * _N_BANDS).astype(np.intp), _N_BANDS)
    sums = np.bincount(band.ravel(), power.ravel(), minlength=_N_BANDS + 1)
    counts = np.maximum(np.bincount(band.ravel(), minlength=_N_BANDS + 1), 1)
    steps = []
    for turned in (scaled, scaled.T):
        jumps = np.abs(np.diff(turned, axis=1)).mean(axis=0)
        at_edge = np.arange(1, jumps.size + 1) % _BLOCK_PX == 0
        if at_edge.any() and not at_edge.all():
            steps.append(float(np.log((jumps[at_edge].mean() + 1e-6) / (jumps[~at_edge].mean() + 1e-6))))
        else:
            steps.append(0.0)
    bytes_a_pixel = float(np.log(max(n_bytes, 1) / scaled.size))
    return np.array([*np.log(sums / counts + 1e-9), *steps, bytes_a_pixel])
