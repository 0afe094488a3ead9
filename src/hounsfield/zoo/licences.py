"""What a licence's name says about passing a model on. A reading of names, no legal advice."""

from __future__ import annotations

import re
from typing import Literal

Passing = Literal["allowed", "forbidden", "unclear"]

_FORBIDDING = re.compile(
    r"do not (pass|share|redistribute)|(may|must|can) ?not be (passed|shared|redistributed)|no redistribution|not redistributable"
    r"|all rights reserved|proprietary|data use agreement|credentialed",
    re.IGNORECASE,
)
# Licences that let anyone pass the work on, with their conditions (attribution, the same licence, no trade).
_ALLOWING = re.compile(
    r"\b(apache|mit|bsd|isc|cc0|cc[- ]by|creative commons|mpl|a?gpl|lgpl|unlicense|public domain|openrail)",
    re.IGNORECASE,
)


def passing_on(licence: str) -> Passing:
    """Whether a licence, by its name or first words, lets others pass the work on; forbidding words go before."""
    if _FORBIDDING.search(licence):
        return "forbidden"
    return "allowed" if _ALLOWING.search(licence) else "unclear"
