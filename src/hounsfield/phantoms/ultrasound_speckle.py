"""Ultrasound pictures from scatterers: speckle, log compression, and the geometry of a convex or phased probe.

A picture is made in the order of the machine: scatterers finer than the resolution (circular complex
Gaussian), their sum under the point spread of pulse and beam, its envelope (Rayleigh where tissue is
even; Burckhardt 1978, IEEE Trans Sonics Ultrason 25:1; Wagner 1983, ibid 30:156), log compression, and
for a sector the conversion from lines to rows and columns. Echo strengths are in decibels of mean
amplitude below the brightest echo of the display.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

WHITE = 255  # largest grey value of an 8-bit picture


def scatterers(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    """Scatterers of mean power 1: circular complex Gaussian numbers."""
    parts = rng.standard_normal((2, *shape), dtype=np.float32) * np.float32(np.sqrt(0.5))
    return np.asarray(parts[0] + 1j * parts[1], dtype=np.complex64)


def amplitude(strength_db: Field) -> Field:
    """Amplitude of echoes of that strength; 0 dB is 1."""
    return np.asarray(np.exp(strength_db * np.float32(np.log(10.0) / 20.0)), dtype=np.float32)


def envelope(echo: NDArray[np.complex64], resolution_px: tuple[float, float]) -> Field:
    """Envelope of `echo`: scatterers (depth, line) times their amplitude, under pulse and beam.

    resolution_px: standard deviations of pulse (along depth) and beam (across lines) in samples, each at
    least 0.5. Where the amplitude is even, the envelope is Rayleigh distributed and has that amplitude as mean.
    """
    parts = [
        ndimage.gaussian_filter(part, resolution_px, mode="nearest", truncate=3.0)
        for part in (echo.real, echo.imag)
    ]
    # The filter leaves 1/(4 pi s1 s2) of white power; the mean of a Rayleigh envelope of power 1 is sqrt(pi)/2.
    gain = np.sqrt(4.0 * np.pi * resolution_px[0] * resolution_px[1]) * 2.0 / np.sqrt(np.pi)
    return np.asarray(np.hypot(parts[0], parts[1]) * np.float32(gain), dtype=np.float32)


def log_compressed(envelope_: Field, range_db: float) -> Field:
    """Grey 0 to WHITE (not rounded) of an envelope: `range_db` below amplitude 1 is black."""
    level_db = 20.0 * np.log10(np.maximum(envelope_, np.float32(1e-6)))
    return np.asarray(np.clip(1.0 + level_db / range_db, 0.0, 1.0) * WHITE, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Sector:
    """A fan of lines from a probe of `radius_mm` (0: phased array) and the square pixels that show it.

    depth_mm: from the skin to the end of the lines. opening_deg: whole angle. step_mm: between samples of a
    line. n_lines: lines, evenly over the angle. Depth 0 is the skin at the middle of the probe; the ends of a
    convex probe lie above it.
    """

    depth_mm: float
    opening_deg: float
    pixel_mm: float
    n_lines: int
    step_mm: float
    radius_mm: float = 0.0

    @property
    def half_rad(self) -> float:
        """Half of the opening angle."""
        return float(np.radians(self.opening_deg / 2))

    @property
    def sag_mm(self) -> float:
        """How far the ends of the probe lie above its middle."""
        return float(self.radius_mm * (1.0 - np.cos(self.half_rad)))

    @property
    def shape_yx(self) -> tuple[int, int]:
        """Rows and columns that hold the fan, columns even."""
        half_width_mm = (self.radius_mm + self.depth_mm) * np.sin(self.half_rad)
        rows = int(np.ceil((self.depth_mm + self.sag_mm) / self.pixel_mm))
        return rows, 2 * int(np.ceil(half_width_mm / self.pixel_mm))

    def pixel_places_mm(self) -> tuple[Field, Field]:
        """Centres of the pixels: x to the right of the picture (1, columns) and depth (rows, 1)."""
        rows, columns = self.shape_yx
        x = (np.arange(columns) - (columns - 1) / 2) * self.pixel_mm
        depth = (np.arange(rows) + 0.5) * self.pixel_mm - self.sag_mm
        return x[None, :].astype(np.float32), depth[:, None].astype(np.float32)

    def sample_places_mm(self) -> tuple[Field, Field, Field, Field]:
        """Places of the samples: x and depth (range, line), the ranges (n, 1) and the angles (1, lines)."""
        n_samples = int(np.ceil(self.depth_mm / self.step_mm))
        range_mm = ((np.arange(n_samples) + 0.5) * self.step_mm)[:, None].astype(np.float32)
        angle = np.linspace(-self.half_rad, self.half_rad, self.n_lines, dtype=np.float32)[None, :]
        from_centre = range_mm + np.float32(self.radius_mm)
        return from_centre * np.sin(angle), from_centre * np.cos(angle) - self.radius_mm, range_mm, angle

    def scan_converter(self) -> ScanConverter:
        """What turns samples into pixels."""
        x, depth = self.pixel_places_mm()
        from_centre = np.hypot(x, depth + self.radius_mm)
        angle = np.arctan2(x, depth + self.radius_mm)
        row = (from_centre - self.radius_mm) / self.step_mm - 0.5
        column = (angle + self.half_rad) * (self.n_lines - 1) / (2 * self.half_rad)
        n_samples = int(np.ceil(self.depth_mm / self.step_mm))
        inside = (np.abs(angle) <= self.half_rad) & (row >= -0.5) & (row <= n_samples - 0.5)
        return ScanConverter(inside, np.stack([row[inside], column[inside]]).astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class ScanConverter:
    """inside: pixels of the fan, bool (rows, columns); at: their places among the samples (2, n)."""

    inside: NDArray[np.bool_]
    at: Field

    def picture(self, samples: Field) -> NDArray[np.uint8]:
        """Grey values 0 to 255 of the pixels, 0 outside of the fan."""
        out = np.zeros(self.inside.shape, dtype=np.uint8)
        values = ndimage.map_coordinates(samples, self.at, order=1, mode="nearest")
        out[self.inside] = np.rint(np.clip(values, 0, WHITE)).astype(np.uint8)
        return out
