"""A number with its quantity, unit, rule and the regions that it came from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.core.code import Code

if TYPE_CHECKING:
    from collections.abc import Mapping

# UCUM codes in use (https://ucum.org, case sensitive) and how people write them.
UNIT_SIGNS = {
    "1": "",
    "%": "%",
    "mm": "mm",
    "cm": "cm",
    "mm2": "mm²",
    "cm2": "cm²",
    "mm3": "mm³",
    "cm3": "cm³",
    "ml": "mL",
    "l": "L",
    "ml/m2": "mL/m²",
    "m": "m",
    "m2": "m²",
    "kg": "kg",
    "g": "g",
    "mg": "mg",
    "g/l": "g/L",
    "mg/cm3": "mg/cm³",
    "mg/mm3/[hnsf'U]": "mg/(mm³ HU)",
    "mm3/ml": "mm³/mL",
    "deg": "°",
    "kV": "kV",
    "s": "s",
    "h": "h",
    "d": "days",
    "wk": "weeks",
    "mo": "months",
    "a": "years",
    "%/a": "%/year",
    "[hnsf'U]": "HU",
    "g/ml{SUVbw}": "SUVbw (g/mL)",
    "{Centiloid}": "CL",
    "{pixels}": "pixels",
    "g/ml{SUVlbm}": "SUL (g/mL)",
    "g/ml{SUVlbm(Janma)}": "SUL Janmahasatian (g/mL)",
    "g/ml{SUVlbm(James128)}": "SUL James 128 (g/mL)",
    "um2/s": "µm²/s",
    "s/mm2": "s/mm²",
    "min": "min",
    "cm2/m2": "cm²/m²",
    "kg/m2": "kg/m²",
    "ng/ml": "ng/mL",
    "ng/ml/ml": "ng/mL per mL",
    "U/L": "U/L",
    "10*9/L": "10⁹/L",
    "/cm": "1/cm",
    "[hnsf'U]2": "HU²",
    "g2/ml2": "(g/mL)²",
    "bit": "bit",
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure of a reading.

    name: kebab-case, stable ("volume", "laa-950"). quantity: its code. unit: UCUM. rule and version:
    what computed it. uncertainty: half-width of a 95 % interval in the same unit, or None where no
    repeatability figure exists. regions: names of the Regions measured. derivation: e.g. MEAN.
    """

    name: str
    quantity: Code
    value: float
    unit: str
    rule: str
    rule_version: str
    uncertainty: float | None = None
    regions: tuple[str, ...] = ()
    derivation: Code | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"measurement {self.name!r} is {self.value}: leave it out and state a Condition")
        if self.unit not in UNIT_SIGNS:
            raise ValueError(f"measurement {self.name!r} has unit {self.unit!r}, which is not in UNIT_SIGNS")
        if not self.rule or not self.rule_version:
            raise ValueError(f"measurement {self.name!r} names no rule or no version of it")

    @property
    def unit_sign(self) -> str:
        """The unit as people write it."""
        return UNIT_SIGNS[self.unit]

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Measurement:
        """From the form used in `reading.json`; raises KeyError or ValueError for another form."""
        return cls(
            name=record["name"],
            quantity=Code(**record["quantity"]),
            value=float(record["value"]),
            unit=record["unit"],
            rule=record["rule"],
            rule_version=record["rule_version"],
            uncertainty=record["uncertainty"],
            regions=tuple(record["regions"]),
            derivation=Code(**record["derivation"]) if record["derivation"] else None,
            note=record["note"],
        )

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json`."""
        return {
            "name": self.name,
            "quantity": self.quantity.to_json(),
            "value": self.value,
            "unit": self.unit,
            "uncertainty": self.uncertainty,
            "rule": self.rule,
            "rule_version": self.rule_version,
            "regions": list(self.regions),
            "derivation": self.derivation.to_json() if self.derivation else None,
            "note": self.note,
        }
