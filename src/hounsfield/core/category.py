"""A class that a clinical rule gives: a guideline's own word, with the numbers it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.core.code import Code

# How well the limits of a rule are known: read in the primary document, in a secondary source
# (guideline summary, two independent implementations), or general knowledge of the named source.
Evidence = Literal["verified", "secondary", "unverified"]
EVIDENCE_TEXTS: dict[Evidence, str] = {
    "verified": "verified in the primary source",
    "secondary": "taken from a secondary source",
    "unverified": "unverified: not checked against the primary source",
}


@dataclass(frozen=True, slots=True)
class Category:
    """One class of a reading, never without the rule that gave it.

    name: what is classified, kebab-case ("lung-rads"). value: the class in the guideline's own
    spelling ("4A", "PD"). meaning: one phrase for people. evidence: how well the limits are known.
    based_on: the numbers and words it was decided from, by names that carry their unit
    ({"mean_diameter_mm": 8.0}). code: a coded concept where a verified one exists.
    """

    name: str
    value: str
    meaning: str
    rule: str
    rule_version: str
    evidence: Evidence
    based_on: Mapping[str, Any] = field(default_factory=dict)
    code: Code | None = None

    def __post_init__(self) -> None:
        if not (self.name and self.value and self.meaning):
            raise ValueError("a category needs a name, a value and a meaning")
        if not self.rule or not self.rule_version:
            raise ValueError(f"category {self.name!r} names no rule or no version of it")
        if self.evidence not in EVIDENCE_TEXTS:
            raise ValueError(
                f"category {self.name!r} has evidence {self.evidence!r}, none of {list(EVIDENCE_TEXTS)}"
            )
        if not self.based_on:
            raise ValueError(f"category {self.name!r} carries no number or word that it was decided from")

    def to_json(self) -> dict[str, Any]:
        """The form used by `hu measure --json`."""
        return {
            "name": self.name,
            "value": self.value,
            "meaning": self.meaning,
            "rule": self.rule,
            "rule_version": self.rule_version,
            "evidence": self.evidence,
            "based_on": dict(self.based_on),
            "code": self.code.to_json() if self.code else None,
        }
