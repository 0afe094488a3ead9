"""What a clinical rule answers when it is called with numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hounsfield.core.category import Category, Evidence
    from hounsfield.core.condition import Condition
    from hounsfield.core.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Outcome:
    """Numbers, classes, and what stood in the way of more.

    A number or class that must not be reported is absent, and a Condition says why. steps: the rule
    with the inputs filled in, one sentence each, for `hu measure --explain`.
    """

    rule: str
    rule_version: str
    evidence: Evidence
    measurements: tuple[Measurement, ...] = ()
    categories: tuple[Category, ...] = ()
    conditions: tuple[Condition, ...] = ()
    steps: tuple[str, ...] = ()

    def value(self, name: str) -> float | None:
        """The number of that name; None where it must not be reported."""
        return next((m.value for m in self.measurements if m.name == name), None)

    def category(self, name: str) -> str | None:
        """The class of that name; None where it must not be reported."""
        return next((c.value for c in self.categories if c.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """The form used by `hu measure --json`."""
        return {
            "rule": self.rule,
            "rule_version": self.rule_version,
            "evidence": self.evidence,
            "measurements": [m.to_json() for m in self.measurements],
            "categories": [c.to_json() for c in self.categories],
            "conditions": [c.to_json() for c in self.conditions],
            "steps": list(self.steps),
        }
