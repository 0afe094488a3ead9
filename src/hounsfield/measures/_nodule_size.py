"""Size of a lung nodule: mean diameter to a tenth, or volume to one mm3, never one from the other."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING, Annotated

from hounsfield.core import Given, RuleInput
from hounsfield.core.exact import exact, round_half_up

if TYPE_CHECKING:
    from decimal import Decimal

# The guideline's volumes of spheres of these diameters, mm to mm3.
LIMIT_VOLUMES_MM3 = {4: 34, 6: 113, 8: 268, 10: 524, 15: 1767, 30: 14137}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoduleSize(RuleInput):
    """Whole nodule and its solid part; where a volume is given, it decides."""

    mean_diameter_mm: Annotated[
        float | None, Given("mm", "mean of long and short axis of the nodule", above=0, at_most=300)
    ] = None
    solid_mm: Annotated[
        float | None, Given("mm", "mean diameter of the solid part", at_least=0, at_most=300)
    ] = None
    volume_mm3: Annotated[float | None, Given("mm3", "volume of the nodule", above=0)] = None
    solid_volume_mm3: Annotated[float | None, Given("mm3", "volume of the solid part", at_least=0)] = None

    @property
    def diameter(self) -> Decimal | None:
        """Mean diameter in mm, rounded half up to a tenth."""
        return None if self.mean_diameter_mm is None else round_half_up(self.mean_diameter_mm, 1)

    @property
    def has_size(self) -> bool:
        """Whether diameter or volume is known."""
        return self.mean_diameter_mm is not None or self.volume_mm3 is not None

    @property
    def has_solid_size(self) -> bool:
        """Whether diameter or volume of the solid part is known."""
        return self.solid_mm is not None or self.solid_volume_mm3 is not None

    @property
    def size_text(self) -> str:
        """The size that decides, in words."""
        if self.volume_mm3 is not None:
            return f"{round_half_up(self.volume_mm3)} mm³"
        if self.diameter is None:
            return "no size"
        solid = "" if self.solid_mm is None else f", solid part {round_half_up(self.solid_mm, 1)} mm"
        return f"{self.diameter} mm{solid}"

    def reaches(self, limit_mm: float) -> bool:
        """Whether the nodule is at least as large as a sphere of `limit_mm`."""
        return _reaches(self.mean_diameter_mm, self.volume_mm3, limit_mm)

    def solid_reaches(self, limit_mm: float) -> bool:
        """Whether its solid part is."""
        return _reaches(self.solid_mm, self.solid_volume_mm3, limit_mm)


def _reaches(diameter_mm: float | None, volume_mm3: float | None, limit_mm: float) -> bool:
    if volume_mm3 is not None:
        return round_half_up(volume_mm3) >= LIMIT_VOLUMES_MM3.get(int(limit_mm), 0)
    return diameter_mm is not None and round_half_up(diameter_mm, 1) >= exact(limit_mm)


def sphere_volume_mm3(diameter_mm: float) -> float:
    """Volume of a sphere."""
    return pi / 6 * diameter_mm**3
