"""Colours that colour-blind readers can tell apart, and the scale of the explanation maps."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)

# After Okabe and Ito, "Color Universal Design" (2008), brighter for a dark ground; the second set is seen
# on white and on black alike, because lesions on inverted PET are black on white.
ON_DARK: tuple[Colour, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (240, 228, 66),
    (204, 121, 167),
    (0, 178, 130),
    (233, 110, 40),
    (255, 255, 255),
    (150, 150, 255),
)
ON_LIGHT: tuple[Colour, ...] = (
    (232, 93, 0),
    (0, 132, 210),
    (0, 158, 115),
    (204, 80, 160),
    (178, 128, 0),
    (110, 100, 240),
    (200, 40, 60),
    (90, 150, 30),
)

# From OKLab to linear sRGB: B. Ottosson, "A perceptual color space for image processing" (2020).
_OKLAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
_LIGHTNESS = (0.22, 0.93)
_HUE_DEG = (300.0, 460.0)  # violet over red and orange to yellow
_CHROMA = 0.16  # within what screens show at most of these hues: no band stands out by its saturation
_STEPS = 256


def _srgb(lightness: float, chroma: float, hue_deg: float) -> NDArray[np.float64]:
    hue = np.radians(hue_deg)
    lab = np.array([lightness, chroma * np.cos(hue), chroma * np.sin(hue)])
    linear = _LMS_TO_RGB @ (_OKLAB_TO_LMS @ lab) ** 3
    curve = 1.055 * np.maximum(linear, 0.0031308) ** (1.0 / 2.4) - 0.055  # IEC 61966-2-1
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, curve))


def _colour(lightness: float, hue_deg: float) -> NDArray[np.float64]:
    """The colour of that lightness and hue, as saturated as a screen can show it but no more than _CHROMA."""
    inside, outside = 0.0, 2.0 * _CHROMA
    for _ in range(20):
        chroma = (inside + outside) / 2.0
        rgb = _srgb(lightness, chroma, hue_deg)
        if (rgb >= 0.0).all() and (rgb <= 1.0).all():
            inside = chroma
        else:
            outside = chroma
    return np.clip(_srgb(lightness, min(0.95 * inside, _CHROMA), hue_deg), 0.0, 1.0)


@cache
def heat_scale() -> NDArray[np.uint8]:
    """Colours (256, 3), uint8, for values 0 to 1: lightness rises evenly, so steps look equal everywhere."""
    fractions = np.linspace(0.0, 1.0, _STEPS)
    lightness = _LIGHTNESS[0] + fractions * (_LIGHTNESS[1] - _LIGHTNESS[0])
    hues = _HUE_DEG[0] + fractions * (_HUE_DEG[1] - _HUE_DEG[0])
    scale = np.array([_colour(*pair) for pair in zip(lightness, hues, strict=True)])
    colours = np.round(255.0 * scale).astype(np.uint8)
    colours.setflags(write=False)
    return colours


def heat_colours(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colours (..., 3) of values in [0, 1]."""
    steps = np.round(np.clip(values, 0.0, 1.0) * (_STEPS - 1)).astype(np.intp)
    return np.asarray(heat_scale()[steps])
