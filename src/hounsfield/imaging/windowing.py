"""From pixel values to grey: the VOI functions of DICOM and windows from percentiles.

Grey is a fraction: 0 is the darkest, 1 the brightest. Inversion (MONOCHROME1, PET) is left to
whoever draws, because measured values must stay as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


def _linear(values: NDArray[np.float32], center: float, width: float) -> NDArray[np.float32]:
    # C.11.2.1.2.1: the halves make a window of width w hold exactly w integer values; at w = 1 it is a step.
    if width == 1.0:
        return (values > center - 0.5).astype(np.float32)
    ramp = (values - np.float32(center - 0.5)) / np.float32(width - 1.0) + np.float32(0.5)
    return np.asarray(np.clip(ramp, 0.0, 1.0), dtype=np.float32)


def _linear_exact(values: NDArray[np.float32], center: float, width: float) -> NDArray[np.float32]:
    ramp = (values - np.float32(center)) / np.float32(width) + np.float32(0.5)
    return np.asarray(np.clip(ramp, 0.0, 1.0), dtype=np.float32)


def _sigmoid(values: NDArray[np.float32], center: float, width: float) -> NDArray[np.float32]:
    # tanh is the same curve as 1 / (1 + exp(-4 (x - c) / w)) and cannot overflow.
    slope = 2.0 * (values - np.float32(center)) / np.float32(width)
    return np.asarray(0.5 * (1.0 + np.tanh(slope)), dtype=np.float32)


_FUNCTIONS: dict[str, Callable[[NDArray[np.float32], float, float], NDArray[np.float32]]] = {
    "LINEAR": _linear,
    "LINEAR_EXACT": _linear_exact,
    "SIGMOID": _sigmoid,
}


@dataclass(frozen=True, slots=True)
class Window:
    """A window: centre and width in the unit of the pixels, and the VOI LUT Function that reads them.

    Source: PS3.3 C.11.2.1.2 and C.11.2.1.3. Raises UsageError for a width below 1 with LINEAR, or not
    above 0 with the others.
    """

    center: float
    width: float
    function: VoiFunction = "LINEAR_EXACT"

    def __post_init__(self) -> None:
        if self.function not in _FUNCTIONS:
            raise UsageError(
                f"VOI function {self.function!r} is none of {', '.join(_FUNCTIONS)} (PS3.3 C.11.2.1.2). "
                "Choose one of them."
            )
        enough = self.width >= 1.0 if self.function == "LINEAR" else self.width > 0.0
        if not (enough and math.isfinite(self.center) and math.isfinite(self.width)):
            raise UsageError(
                f"a {self.function} window of centre {self.center} and width {self.width} shows nothing. "
                "The width must be at least 1 for LINEAR and above 0 for the others."
            )

    @classmethod
    def between(cls, low: float, high: float) -> Self:
        """The window that is black at `low` and white at `high`; a unit wide where both are equal."""
        return cls(center=(low + high) / 2.0, width=high - low if high > low else 1.0)

    @classmethod
    def from_percentiles(cls, values: NDArray[Any], *, low_percent: float, high_percent: float) -> Self:
        """The window between two percentiles of the finite `values` (any shape).

        Raises UsageError where no value is finite or the percentiles are not ordered.
        """
        if not 0.0 <= low_percent < high_percent <= 100.0:
            raise UsageError(
                f"percentiles {low_percent} and {high_percent} are not two rising ones within 0 to 100"
            )
        finite = values[np.isfinite(values)]
        if finite.size == 0:
            raise UsageError("a picture without one finite value has no window. Check the series' pixels.")
        low, high = np.percentile(finite, (low_percent, high_percent))
        return cls.between(float(low), float(high))

    def apply(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Grey in [0, 1], float32, of the shape of `values`; what is not a number becomes 0."""
        grey = _FUNCTIONS[self.function](np.asarray(values, dtype=np.float32), self.center, self.width)
        return np.nan_to_num(grey, copy=False, nan=0.0)
