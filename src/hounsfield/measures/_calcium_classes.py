"""What the classes of the Agatston score share: the score they take and its special mentions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Condition, Given, RuleInput
from hounsfield.core.exact import exact, shown

VERY_HIGH = 1000  # Peng 2020: a group of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class AgatstonScore(RuleInput):
    """A score by the rule of 1990 from a triggered scan."""

    agatston: Annotated[float, Given("1", "Agatston score", at_least=0)]
    is_gated: Annotated[bool, Given("", "the scan was triggered by the ECG")] = True


def score_conditions(score: float, *, is_gated: bool) -> list[Condition]:
    """Why no class is given, and what deserves a mention."""
    found = []
    if not is_gated:
        text = "The score is of a scan that was not triggered: its number is given, its class is not."
        found.append(Condition("outside-population", "warning", text))
    if exact(score) >= VERY_HIGH:
        text = f"The score is {shown(score)}: from 1000 on, risk is higher than in the class as a whole."
        found.append(Condition("calcium-score-very-high", "note", text))
    return found
