"""What every clinical rule shares: its identity, the checks of its input, what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.category import Category, Evidence
from hounsfield.core.errors import GeometryError, RefusedInput, UnitError, UsageError
from hounsfield.core.measurement import Measurement
from hounsfield.core.outcome import Outcome
from hounsfield.core.rule_input import input_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from hounsfield.core.code import Code
    from hounsfield.core.condition import Condition
    from hounsfield.core.image import Image
    from hounsfield.core.region import Region
    from hounsfield.core.rule_input import RuleInput

# What a number's note adds: an output never hides that its limits were not verified.
NOTE_OF_EVIDENCE: dict[Evidence, str] = {
    "verified": "",
    "secondary": "limits from a secondary source",
    "unverified": "limits unverified",
}
Takes = Literal["image and region", "region", "header", "numbers"]


@dataclass(frozen=True, slots=True)
class RuleCard:
    """Identity of a rule.

    name: identifier stored in `Measurement.rule` (the file's name with hyphens and points). version:
    changes when a number or class can change. source: the publication that fixes the rule. quantity
    and unit (UCUM) of its value; None for a rule of several numbers, or of classes alone. takes: what
    it is called with; `numbers` means one typed RuleInput, `inputs`. image_unit: unit that the image
    must be in, None where no image is taken. evidence: how well its limits are known, told with every
    output. formula: the rule in one or two lines. population: whom it holds for. refuses: when it
    gives no answer. uncertainty: what is known of its repeatability, "" where nothing is.
    """

    name: str
    version: str
    source: str
    quantity: Code | None = None
    unit: str | None = None
    takes: Takes = "image and region"
    image_unit: str | None = None
    evidence: Evidence = "unverified"
    inputs: type[RuleInput] | None = None
    formula: str = ""
    population: str = ""
    refuses: tuple[str, ...] = ()
    uncertainty: str = ""

    def __post_init__(self) -> None:
        if (self.takes == "numbers") != (self.inputs is not None):
            raise ValueError(f"rule {self.name!r}: `inputs` is the typed input of a rule that takes numbers")

    def to_json(self) -> dict[str, Any]:
        """The form used by `hu measure --list --json`."""
        return {
            "name": self.name,
            "version": self.version,
            "source": self.source,
            "evidence": self.evidence,
            "takes": self.takes,
            "inputs": [field.to_json() for field in input_fields(self.inputs)] if self.inputs else [],
            "formula": self.formula,
            "population": self.population,
            "refuses": list(self.refuses),
            "uncertainty": self.uncertainty,
        }

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
        if self.quantity is None or self.unit is None:
            raise UsageError(f"rule {self.name} has no single quantity: make its numbers with `number`")
        return Measurement(
            name=name,
            quantity=self.quantity,
            value=float(value),
            unit=self.unit,
            rule=self.name,
            rule_version=self.version,
            regions=(region.name,),
            derivation=derivation,
            note=self._with_evidence(note),
        )

    def number(
        self,
        name: str,
        value: float | Decimal,
        *,
        unit: str | None = None,
        quantity: Code | None = None,
        uncertainty: float | None = None,
        note: str = "",
    ) -> Measurement:
        """A number from typed input; unit and quantity are the card's where it has one of each.

        uncertainty: half-width of a 95 % interval in the same unit, None where none is known.
        """
        quantity, unit = quantity or self.quantity, unit or self.unit
        if quantity is None or unit is None:
            raise UsageError(f"rule {self.name}: number {name!r} needs a quantity and a unit")
        return Measurement(
            name=name,
            quantity=quantity,
            value=float(value),
            unit=unit,
            rule=self.name,
            rule_version=self.version,
            uncertainty=uncertainty,
            note=self._with_evidence(note),
        )

    def category(
        self,
        name: str,
        value: str,
        meaning: str,
        *,
        based_on: Mapping[str, Any],
        evidence: Evidence | None = None,
        code: Code | None = None,
    ) -> Category:
        """A class of this rule with the numbers it rests on; evidence: the card's unless stated."""
        return Category(
            name=name,
            value=value,
            meaning=meaning,
            rule=self.name,
            rule_version=self.version,
            evidence=evidence or self.evidence,
            based_on={key: _json_number(one) for key, one in based_on.items()},
            code=code,
        )

    def outcome(
        self,
        *,
        measurements: Iterable[Measurement] = (),
        categories: Iterable[Category] = (),
        conditions: Iterable[Condition] = (),
        steps: Iterable[str] = (),
    ) -> Outcome:
        """What the rule answers, with its name, version and evidence."""
        return Outcome(
            self.name,
            self.version,
            self.evidence,
            tuple(measurements),
            tuple(categories),
            tuple(conditions),
            tuple(steps),
        )

    def _with_evidence(self, note: str) -> str:
        """The note with how well the rule's limits are known, where they were not verified."""
        return "; ".join(part for part in (note, NOTE_OF_EVIDENCE[self.evidence]) if part)


def _json_number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


@dataclass(frozen=True, slots=True)
class Measure:
    """A registered rule: its card and the function that computes it."""

    card: RuleCard
    compute: Callable[..., Any]

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.compute.__doc__ or self.card.name).strip().splitlines()[0]

    def evaluate(self, values: Mapping[str, Any]) -> Outcome:
        """The answer for inputs by name, as texts or JSON values; for rules that take numbers.

        Raises UsageError where an input is missing, unknown or of another kind, RefusedInput where
        the rule must not be applied.
        """
        if self.card.inputs is None:
            raise UsageError(
                f"rule {self.card.name} takes {self.card.takes}, not numbers: run the application that "
                "measures it, or take its figure from a reading."
            )
        outcome: Outcome = self.compute(self.card.inputs.from_mapping(values))
        return outcome
