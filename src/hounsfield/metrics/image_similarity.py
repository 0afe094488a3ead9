"""How alike two pictures are: PSNR, SSIM, MS-SSIM and NRMSE, for pictures made from others (denoised, reconstructed).

The data range is always stated: HU have no natural one, and every decibel depends on it. A high figure does not say
that a lesion is still there: smoothing away a small nodule costs almost nothing. `task_change` judges what the picture
is for.
Sources: Wang 2004, IEEE Trans Image Process 13:600 (SSIM); Wang 2003, Asilomar 2:1398 (MS-SSIM).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Wang 2004: a Gaussian window of 11 samples and sigma 1.5, and the constants K1, K2.
SIGMA_SAMPLES = 1.5
RADIUS_SAMPLES = 5
K1, K2 = 0.01, 0.03
# Wang 2003, table 1: weights of the five scales, from fine to coarse.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def psnr(truth: NDArray[Any], picture: NDArray[Any], *, data_range: float) -> float:
    """Peak signal-to-noise ratio in dB: 10 log10(range^2 / mean squared error); inf for equal pictures.

    truth, picture: real, of one shape. data_range: largest less smallest value that the picture could have, in its
    unit. Raises RefusedInput for shapes that differ, values that are not finite, or a range that is not above 0.
    """
    first, second = _checked(truth, picture, data_range)
    error = float(((first - second) ** 2).mean())
    return 10.0 * math.log10(data_range**2 / error) if error else math.inf


def nrmse(
    truth: NDArray[Any], picture: NDArray[Any], *, by: Literal["norm", "range", "mean"] = "norm"
) -> float:
    """Root mean squared error over the size of the truth; 0 is best.

    by: "norm", the root mean square of the truth; "range", its largest less its smallest value; "mean", its mean,
    which says nothing for HU. Raises RefusedInput as `psnr` does, and for a truth whose size is 0.
    """
    first, second = _checked(truth, picture, 1.0)
    sizes = {
        "norm": math.sqrt(float((first**2).mean())),
        "range": float(np.ptp(first)),
        "mean": float(first.mean()),
    }
    if not sizes[by]:
        raise RefusedInput(f"the {by} of the true picture is 0, so that no error can be divided by it.")
    return math.sqrt(float(((first - second) ** 2).mean())) / sizes[by]


def ssim_map(truth: NDArray[Any], picture: NDArray[Any], *, data_range: float) -> NDArray[np.float64]:
    """Structural similarity at each sample whose window lies within the picture: 5 less on every side.

    truth, picture: real (y, x) or (z, y, x); each axis takes part alike, in samples and not in millimetres, so that
    thick slices blur into one another: take slices one by one where spacing differs much. Variances are those of the
    window (divided by its weight). Mirrored borders are not in the map. Raises RefusedInput as `psnr` does, and for a
    side below 11 samples.
    """
    first, second = _checked(truth, picture, data_range)
    luminance, structure = _luminance_and_structure(first, second, data_range)
    return luminance * structure


def ssim(truth: NDArray[Any], picture: NDArray[Any], *, data_range: float) -> float:
    """Mean of `ssim_map`: 1 for equal pictures; arguments and errors as there."""
    return float(ssim_map(truth, picture, data_range=data_range).mean())


def ms_ssim(truth: NDArray[Any], picture: NDArray[Any], *, data_range: float) -> float:
    """SSIM over five scales: structure at each, luminance at the coarsest, as weighted powers; 1 for equal pictures.

    Each scale halves the sides by means of pairs; an odd last row is left out. A scale whose mean structure is negative
    counts as 0, so that the whole is 0. Raises RefusedInput as `ssim_map` does, and for a side below 176 samples.
    """
    first, second = _checked(truth, picture, data_range)
    least = (2 * RADIUS_SAMPLES + 1) * 2 ** (len(SCALE_WEIGHTS) - 1)
    if min(first.shape, default=0) < least:
        raise RefusedInput(
            f"a picture of {first.shape} is too small for five scales; {least} a side are needed."
        )
    product = 1.0
    for scale, weight in enumerate(SCALE_WEIGHTS):
        if scale:
            first, second = _halved(first), _halved(second)
        luminance, structure = _luminance_and_structure(first, second, data_range)
        of_scale = luminance * structure if scale == len(SCALE_WEIGHTS) - 1 else structure
        product *= max(float(of_scale.mean()), 0.0) ** weight
    return product


def _luminance_and_structure(
    first: NDArray[np.float64], second: NDArray[np.float64], data_range: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if min(first.shape, default=0) < 2 * RADIUS_SAMPLES + 1:
        raise RefusedInput(
            f"a picture of {first.shape} is smaller than the window; {2 * RADIUS_SAMPLES + 1} a side are needed."
        )
    mean_1, mean_2 = _windowed(first), _windowed(second)
    variance_1 = _windowed(first * first) - mean_1**2
    variance_2 = _windowed(second * second) - mean_2**2
    shared = _windowed(first * second) - mean_1 * mean_2
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    luminance = (2 * mean_1 * mean_2 + c1) / (mean_1**2 + mean_2**2 + c1)
    return luminance, (2 * shared + c2) / (variance_1 + variance_2 + c2)


def _windowed(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    inside = (slice(RADIUS_SAMPLES, -RADIUS_SAMPLES),) * picture.ndim
    blurred = gaussian_filter(picture, SIGMA_SAMPLES, radius=RADIUS_SAMPLES)
    return np.asarray(blurred[inside], dtype=np.float64)


def _halved(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    even = picture[tuple(slice(0, 2 * (side // 2)) for side in picture.shape)]
    pairs = even.reshape([part for side in even.shape for part in (side // 2, 2)])
    return np.asarray(pairs.mean(axis=tuple(range(1, 2 * even.ndim, 2))), dtype=np.float64)


def _checked(
    truth: NDArray[Any], picture: NDArray[Any], data_range: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.asarray(truth, dtype=np.float64), np.asarray(picture, dtype=np.float64)
    if first.shape != second.shape or not first.size:
        raise RefusedInput(
            f"the pictures have shapes {first.shape} and {second.shape}; two of one shape with samples are needed."
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise RefusedInput("a picture holds a value that is not a finite number.")
    if not (data_range > 0 and math.isfinite(data_range)):
        raise RefusedInput(
            f"the data range is {data_range:g}; above 0 is needed: largest less smallest value."
        )
    return first, second
