"""What a header says for and against a T1-weighted image of a head; what it does not state is never taken for granted."""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.core import Series

# T1-weighted spin and gradient echoes are read out within 30 ms; T2 weighting begins at about 80 ms.
LONGEST_T1_ECHO_MS = 60.0
NO_CONTRAST = frozenset({"NONE", "NO", "N", "WITHOUT", "UNENHANCED"})  # as ContrastBolusAgent says it
_WORD = r"(?<![a-z0-9]){}(?![a-z0-9])"
_T1_WORDS = re.compile(_WORD.format(r"(t1\w*|mprage|mp-rage|spgr|bravo|tfl3d)"))
_OTHER_WORDS = re.compile(_WORD.format(r"(t2\w*|flair|dwi|adc|swi|dti|tof|bold|asl|perf\w*|pd\w*)"))
_HEAD_WORDS = ("HEAD", "BRAIN", "SKULL", "NEURO", "PITUIT", "SELLA", "ORBIT", "IAC", "CRANI")


def said_words(series: Series) -> str:
    """What a series calls itself, in small letters: description, protocol and sequence name."""
    tags = series.tags
    words = " ".join(
        str(tags.get(key) or "") for key in ("SeriesDescription", "ProtocolName", "SequenceName")
    )
    return f"{series.description} {words}".lower().replace("_", " ")


def against_t1_head(series: Series, *, wanted: str) -> str | None:
    """The sentence that says why this is no T1-weighted head, ending with what to give instead; None if nothing says so."""
    tags = series.tags
    echo_time_ms = _number(tags.get("EchoTime"))
    if echo_time_ms is not None and echo_time_ms > LONGEST_T1_ECHO_MS:
        return f"The echo time is {echo_time_ms:g} ms (0018,0081): that is T2 weighting. Give {wanted}."
    words = said_words(series)
    other = _OTHER_WORDS.search(words)
    # "T1 FLAIR" and "post T2 T1" are T1-weighted: only a description without T1 speaks against it.
    if other is not None and _T1_WORDS.search(words) is None:
        return (
            f"The series calls itself {other.group(0).upper()!r} (description, protocol or sequence name). "
            f"Give {wanted}."
        )
    return _against_head(tags, wanted)


def _against_head(tags: Mapping[str, Any], wanted: str) -> str | None:
    part = str(tags.get("BodyPartExamined") or "").upper()
    if not part or any(word in part for word in _HEAD_WORDS):
        return None
    return f"The body part examined is {part!r} (0018,0015), not the head. Give {wanted}."


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) else None
