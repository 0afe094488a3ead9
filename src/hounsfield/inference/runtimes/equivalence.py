"""When two runs of one network count as the same: how far their numbers may lie apart, and how many decisions differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a predictor may differ from torch in 32 bits on the sample.

    typical: root of the mean squared difference of an output, as a share of the output's standard deviation. largest:
    the largest difference as such a share. agreement: least share of places at which the largest value along the axis of
    classes of the first output (the decision) is the same.
    """

    typical: float
    largest: float
    agreement: float

    def to_json(self) -> dict[str, float]:
        """The three numbers by name."""
        return {"typical": self.typical, "largest": self.largest, "agreement": self.agreement}


# Single precision differs by the order of its sums alone. bfloat16 keeps 8 bits: one rounding in 256 at each layer, of
# which a mean over many layers and places leaves a few hundredths; more means a layer that it does not bear.
TOLERANCES = {
    "fp32": Tolerance(typical=1e-4, largest=1e-2, agreement=0.9999),
    "bf16": Tolerance(typical=3e-2, largest=5e-1, agreement=0.98),
    "int8": Tolerance(typical=2e-1, largest=2.0, agreement=0.95),
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far one answer lies from another: the three numbers that `Tolerance` limits, the worst over all outputs."""

    typical: float
    largest: float
    agreement: float

    def within(self, tolerance: Tolerance) -> bool:
        """Whether all three keep to the tolerance; numbers that are not finite never do."""
        return (
            self.typical <= tolerance.typical
            and self.largest <= tolerance.largest
            and self.agreement >= tolerance.agreement
        )

    def to_json(self) -> dict[str, float]:
        """The three numbers by name, rounded to four digits."""
        return {
            name: float(f"{value:.4g}")
            for name, value in (
                ("typical", self.typical),
                ("largest", self.largest),
                ("agreement", self.agreement),
            )
        }


def likeness(found: Sequence[NDArray[Any]], expected: Sequence[NDArray[Any]]) -> Likeness:
    """Compare the outputs of one run with those of another, one array each; shapes must be equal, or nothing is alike."""
    apart = Likeness(float("inf"), float("inf"), 0.0)
    if len(found) != len(expected) or any(
        a.shape != b.shape or not np.isfinite(a).all() for a, b in zip(found, expected, strict=True)
    ):
        return apart
    typical = largest = 0.0
    for a, b in zip(found, expected, strict=True):
        difference = a.astype(np.float32) - b
        # A constant output has no spread: then its size is the measure.
        scale = float(b.std()) or float(np.abs(b).max()) or 1.0
        typical = max(typical, float(np.sqrt(np.mean(difference**2, dtype=np.float64))) / scale)
        largest = max(largest, float(np.abs(difference).max()) / scale)
    same = found[0].argmax(axis=1) == expected[0].argmax(axis=1)
    return Likeness(typical, largest, float(same.mean()))
