"""What every clinical rule shares: its identity, the checks of its input, the number it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from hounsfield.core import Measurement, Registry
from hounsfield.core.errors import GeometryError, RefusedInput, UnitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hounsfield.core import Code, Image, Region

Rule = TypeVar("Rule", bound="Callable[..., Any]")
Takes = Literal["image and region", "region", "header"]


@dataclass(frozen=True, slots=True)
class RuleCard:
    """Identity of a rule.

    name: identifier stored in `Measurement.rule` (the file's name with hyphens). version: changes
    when a number can change. source: the publication that fixes the rule. quantity and unit (UCUM)
    of its value. takes: what it is called with. image_unit: unit that the image must be in, None
    where no image is taken.
    """

    name: str
    version: str
    source: str
    quantity: Code
    unit: str
    takes: Takes = "image and region"
    image_unit: str | None = None

    def values(self, image: Image, region: Region) -> NDArray[np.float64]:
        """Values (n,) of `image` inside `region`, checked.

        Raises UnitError if the image is not in the rule's unit, GeometryError if both do not lie on
        one grid, RefusedInput if the region is empty or holds values that are no numbers.
        """
        if image.unit != self.image_unit:
            raise UnitError(
                f"rule {self.name} needs an image in {self.image_unit}, this one is in {image.unit}. "
                f"Convert the image first, or choose a series in {self.image_unit}."
            )
        if image.array.ndim != 3:
            raise GeometryError(
                f"rule {self.name} needs one volume (z, y, x), this image has shape {image.array.shape}. "
                "Choose one time point."
            )
        if region.mask is None or not region.grid.is_same_as(image.grid):
            raise GeometryError(
                f"region {region.name!r} is no mask on the image's grid, so rule {self.name} cannot "
                "tell which voxels it holds. Draw or resample the region on the image's grid."
            )
        values: NDArray[np.float64] = image.array[region.mask].astype(np.float64)
        if values.size == 0:
            raise RefusedInput(
                f"region {region.name!r} holds no voxel: rule {self.name} has nothing to measure."
            )
        if not np.isfinite(values).all():
            raise RefusedInput(
                f"region {region.name!r} holds {int((~np.isfinite(values)).sum())} voxels that are not finite "
                f"numbers; rule {self.name} gives no value. Exclude them from the region."
            )
        return values

    def measurement(
        self,
        value: float,
        region: Region,
        *,
        name: str,
        note: str = "",
        derivation: Code | None = None,
    ) -> Measurement:
        """The number of this rule for one region, with unit, rule and version."""
        return Measurement(
            name=name,
            quantity=self.quantity,
            value=float(value),
            unit=self.unit,
            rule=self.name,
            rule_version=self.version,
            regions=(region.name,),
            derivation=derivation,
            note=note,
        )


@dataclass(frozen=True, slots=True)
class Measure:
    """A registered rule: its card and the function that computes it."""

    card: RuleCard
    compute: Callable[..., Any]

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.compute.__doc__ or self.card.name).strip().splitlines()[0]


measures: Registry[Measure] = Registry("measure", "hounsfield.measures")


def measure(card: RuleCard) -> Callable[[Rule], Rule]:
    """Register the decorated function as the rule of `card`."""

    def register(compute: Rule) -> Rule:
        measures.add(card.name, Measure(card, compute))
        return compute

    return register
