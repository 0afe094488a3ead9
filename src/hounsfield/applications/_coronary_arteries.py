"""The four coronary arteries as calcium is scored in them: codes, and how files call them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core import Code
from hounsfield.core.code import private_code

if TYPE_CHECKING:
    from hounsfield.core import Region


@dataclass(frozen=True, slots=True)
class Artery:
    """One of the four arteries: how files call it, its code, and the code of calcium in it."""

    name: str
    title: str
    site: Code
    words: re.Pattern[str]

    @property
    def calcium(self) -> Code:
        """The concept of the region that holds its calcium."""
        return private_code(f"CALCIUM_{self.title.upper()}", f"Calcium of the {self.title}")


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])")


# Coded as in DICOM CID 3015; the words are those of SCCT 2014 and of what people call their regions.
ARTERIES = (
    Artery(
        "lm",
        "LM",
        Code("3227004", "SCT", "Left main coronary artery"),
        _words("lm|lmca|left main(?! bronch)"),
    ),
    Artery(
        "lad",
        "LAD",
        Code("59438005", "SCT", "Left anterior descending coronary artery"),
        _words("lad|(?:left )?anterior descending"),
    ),
    Artery(
        "lcx",
        "LCx",
        Code("57396003", "SCT", "Circumflex coronary artery"),
        _words("lcx|cx|(?:left )?circumflex"),
    ),
    Artery("rca", "RCA", Code("13647002", "SCT", "Right coronary artery"), _words("rca|right coronary")),
)


def artery_of(region: Region) -> Artery | None:
    """Which artery a given region is, by its code, else by its name or label; None where it may be two."""
    by_code = [artery for artery in ARTERIES if region.concept.value == artery.site.value]
    label = f"{region.name} {region.concept.meaning}".replace("-", " ").replace("_", " ").lower()
    by_name = [artery for artery in ARTERIES if artery.words.search(label)]
    found = by_code or by_name
    return found[0] if len(found) == 1 else None
