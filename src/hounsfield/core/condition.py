"""A named departure from the plain case: corrected and told, or refused and told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["note", "warning", "refusal"]
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "refusal")
_CODE = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")


@dataclass(frozen=True, slots=True)
class Condition:
    """What was found to differ from the plain case, and what that means for the reading.

    code: kebab-case, stable, for programs ("slices-missing"). severity: `note` (told), `warning`
    (told, the result may suffer), `refusal` (nothing was computed from it). text: one plain
    sentence or two that say what was found, where, and the remedy. instances: SOP Instance UIDs
    or file names concerned.
    """

    code: str
    severity: Severity
    text: str
    instances: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _CODE.match(self.code):
            raise ValueError(f"condition code {self.code!r} is not kebab-case")
        if self.severity not in SEVERITIES:
            raise ValueError(f"condition severity {self.severity!r} is none of {SEVERITIES}")
        if not self.text.strip():
            raise ValueError(f"condition {self.code!r} has no text")

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json` and by `hu inspect --json`."""
        return {
            "code": self.code,
            "severity": self.severity,
            "text": self.text,
            "instances": list(self.instances),
        }
