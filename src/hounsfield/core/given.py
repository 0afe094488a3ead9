"""What one input of a clinical rule is: its unit, its meaning and the limits it must keep."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.core.measurement import UNIT_SIGNS


@dataclass(frozen=True, slots=True)
class Given:
    """Unit (UCUM, "" for words and yes or no), meaning, and limits of an input; None is no limit.

    Of a tuple, the limits hold for each number in it.
    """

    unit: str
    meaning: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def __post_init__(self) -> None:
        if not self.meaning:
            raise ValueError("an input needs a meaning")
        if self.unit and self.unit not in UNIT_SIGNS:
            raise ValueError(f"input {self.meaning!r} has unit {self.unit!r}, which is not in UNIT_SIGNS")

    @property
    def unit_sign(self) -> str:
        """The unit as people write it; "" for what has none."""
        return UNIT_SIGNS[self.unit] if self.unit else ""

    @property
    def limits(self) -> str:
        """The limits in words, "" where there is none."""
        told = (
            ("at least", self.at_least),
            ("above", self.above),
            ("at most", self.at_most),
            ("below", self.below),
        )
        words = " and ".join(f"{word} {shown(limit)}" for word, limit in told if limit is not None)
        return f"{words} {self.unit_sign}".strip() if words else ""

    def check(self, number: float, name: str) -> None:
        """Raise RefusedInput, naming the input, its unit and the remedy, if `number` leaves the limits."""
        keeps = math.isfinite(number) and not (
            (self.at_least is not None and exact(number) < exact(self.at_least))
            or (self.above is not None and exact(number) <= exact(self.above))
            or (self.at_most is not None and exact(number) > exact(self.at_most))
            or (self.below is not None and exact(number) >= exact(self.below))
        )
        if not keeps:
            must = self.limits or "a finite number"
            raise RefusedInput(
                f"{name} is {shown(number)} {self.unit_sign}".rstrip()
                + f", but {self.meaning} must be {must}. Check the value and its unit."
            )
