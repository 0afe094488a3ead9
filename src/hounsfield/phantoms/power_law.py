"""Random texture with a power spectrum that falls as a power of the frequency, as that of breast tissue does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_MM = 80.0  # below one wave in this length the spectrum is level


def power_law_field(
    rng: np.random.Generator, shape: tuple[int, int], pixel_mm: float, exponent: float
) -> NDArray[np.float32]:
    """A field (y, x) of mean 0 and standard deviation 1 whose power goes with frequency to -`exponent`.

    Source: Burgess 2001, Med Phys 28:419: mammograms have an exponent near 3 between 0.15 and 0.7 per mm.
    """
    # A quarter larger, so that opposite edges do not join.
    sides = [int(fft.next_fast_len(int(n * 1.25), real=True)) for n in shape]
    white = fft.rfft2(rng.standard_normal(sides, dtype=np.float32))
    rows = fft.fftfreq(sides[0], pixel_mm).astype(np.float32)[:, None]
    columns = fft.rfftfreq(sides[1], pixel_mm).astype(np.float32)[None, :]
    squared = rows**2 + columns**2
    gain = np.maximum(squared, np.float32(LONGEST_MM**-2)) ** np.float32(-exponent / 4.0)
    gain[0, 0] = 0.0
    field = fft.irfft2(white * gain, s=sides)[: shape[0], : shape[1]]
    return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)
