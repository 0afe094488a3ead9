"""What a CT scanner does to a noiseless slice: the kernel's resolution, noise of photons, cupping.

Kernels are told apart by their modulation transfer function (MTF). Noise is that of filtered back-projection:
each ray's photons are counted with a Poisson error, so the variance of its line integral is exp(integral)
over the photons sent, and the grain has the power spectrum of a ramp filter times the kernel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

MU_WATER_PER_MM = 0.0193  # 120 kVp after filtration, about 70 keV (0.193 per cm)
AIR_HU = -1000.0
N_VIEWS, COARSE_PX = 8, 64  # rays for the noise: it varies slowly over the slice


@dataclass(frozen=True, slots=True)
class Kernel:
    """A reconstruction kernel: MTF(f) = (1 + boost x) exp(-x), x = (f / scale)^2.

    name: as Convolution Kernel states it. scale_per_mm: in line pairs per mm. boost: above 1 edges overshoot.
    """

    name: str
    scale_per_mm: float
    boost: float

    def mtf(self, frequency_per_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Modulation transfer at spatial frequencies in line pairs per mm; 1 at 0."""
        x = (frequency_per_mm / self.scale_per_mm) ** 2
        return np.asarray((1.0 + self.boost * x) * np.exp(-x))

    def to_json(self) -> dict[str, str | float]:
        """What the truth of a phantom says of it."""
        formula = "(1 + b x) exp(-x), x = (f / s)^2, f in line pairs per mm"
        return {"name": self.name, "mtf": formula, "s_per_mm": self.scale_per_mm, "b": self.boost}


# Half of the modulation is left at 0.36 (soft) and 0.8 line pairs per mm (sharp): project choice near what data
# sheets of scanners give for soft-tissue and bone kernels (3.5 to 4 and 8 to 9 line pairs per cm), unverified.
KERNELS = {"soft": Kernel("SOFT", 0.36 / math.sqrt(math.log(2.0)), 0.0), "sharp": Kernel("BONE", 0.508, 2.0)}


def reconstruct(slice_hu: Field, kernel: Kernel, pixel_mm: float) -> Field:
    """A noiseless slice (y, x) as the kernel shows it. Air must surround what is in it."""
    spectrum = np.fft.rfft2(slice_hu.astype(np.float64) - AIR_HU)
    blurred = np.fft.irfft2(
        spectrum * kernel.mtf(_frequencies_per_mm(slice_hu.shape, pixel_mm)), slice_hu.shape
    )
    return np.asarray(blurred + AIR_HU, dtype=np.float32)


def noise_field(shape: tuple[int, ...], kernel: Kernel, pixel_mm: float, rng: np.random.Generator) -> Field:
    """Noise of expected standard deviation 1 with the kernel's grain: power spectrum f x MTF(f)^2."""
    grain = _grain(shape, kernel, pixel_mm)
    white = np.fft.rfft2(rng.standard_normal(shape))
    return np.asarray(np.fft.irfft2(white * grain, shape) / _strength(grain, shape), dtype=np.float32)


def noise_gain(shape: tuple[int, ...], kernel: Kernel, pixel_mm: float) -> float:
    """Standard deviation of the noise by this kernel over that by the soft one, same photons."""
    grains = [_grain(shape, one, pixel_mm) for one in (kernel, KERNELS["soft"])]
    return _strength(grains[0], shape) / _strength(grains[1], shape)


def ray_variance(slice_hu: Field, pixel_mm: float) -> Field:
    """Variance of the noise at every pixel, in units of that of a ray through air: the mean of exp(line integral)
    over rays from N_VIEWS directions through the pixel.
    """
    factor = max(1, slice_hu.shape[0] // COARSE_PX)
    coarse = np.asarray(ndimage.zoom(slice_hu, 1.0 / factor, order=1, grid_mode=True, mode="nearest"))
    per_pixel = MU_WATER_PER_MM * pixel_mm * factor * np.clip(1.0 + coarse / 1000.0, 0.0, None)
    total = np.zeros(coarse.shape)
    for view in range(N_VIEWS):
        angle_deg = 180.0 * view / N_VIEWS
        turned = ndimage.rotate(per_pixel, angle_deg, reshape=False, order=1)
        rays = np.broadcast_to(np.exp(turned.sum(axis=0)), coarse.shape)
        total += ndimage.rotate(rays, -angle_deg, reshape=False, order=1, mode="nearest")
    zoom = tuple(fine / rough for fine, rough in zip(slice_hu.shape, coarse.shape, strict=True))
    fine: Any = ndimage.zoom(total / N_VIEWS, zoom, order=1, grid_mode=True, mode="nearest")
    return np.asarray(np.maximum(fine, 1.0), dtype=np.float32)


def _frequencies_per_mm(shape: tuple[int, ...], pixel_mm: float) -> NDArray[np.float64]:
    along_y, along_x = np.fft.fftfreq(shape[0], pixel_mm), np.fft.rfftfreq(shape[1], pixel_mm)
    return np.asarray(np.hypot(along_y[:, None], along_x[None, :]))


def _grain(shape: tuple[int, ...], kernel: Kernel, pixel_mm: float) -> NDArray[np.float64]:
    frequency_per_mm = _frequencies_per_mm(shape, pixel_mm)
    return np.asarray(np.sqrt(frequency_per_mm) * kernel.mtf(frequency_per_mm))


def _strength(grain: NDArray[np.float64], shape: tuple[int, ...]) -> float:
    """Standard deviation that the filter gives to white noise of standard deviation 1 (Parseval)."""
    # All columns of the half spectrum but the first (and the last of an even row) stand for two.
    twice = np.full(grain.shape[1], 2.0)
    twice[0] = 1.0
    if shape[1] % 2 == 0:
        twice[-1] = 1.0
    return float(np.sqrt((grain**2 * twice).sum() / (shape[0] * shape[1])))
