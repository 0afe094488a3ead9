"""Reports that say the same: equal but for case, signs and numbers, or sharing most runs of five words."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHINGLE_WORDS = 5
LEAST_SHARED = 0.8
# A run of words in more reports than this is a phrase of the house and proposes no pair.
_MOST_REPORTS = 200


@dataclass(frozen=True, slots=True)
class TextPair:
    """Two reports by their numbers. shared: of their runs of words, 0 to 1 (Jaccard); is_equal: all words are."""

    first: int
    second: int
    shared: float
    is_equal: bool


def duplicate_texts(first: Sequence[str], second: Sequence[str]) -> list[TextPair]:
    """Pairs of reports, one of each side, that are equal or share LEAST_SHARED of their runs; each with its likest.

    Reports of fewer than five words are left alone. Source: Broder 1997, Compression and Complexity of Sequences
    (shingles and their resemblance).
    """
    here, there = ([_words(text) for text in texts] for texts in (first, second))
    equal: dict[tuple[str, ...], int] = {}
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    shingles_there = [_shingles(words) for words in there]
    for number, (words, shingles) in enumerate(zip(there, shingles_there, strict=True)):
        equal.setdefault(words, number)
        for shingle in shingles:
            holders[shingle].append(number)
    found = []
    for number, words in enumerate(here):
        if len(words) < SHINGLE_WORDS:
            continue
        if words in equal:
            found.append(TextPair(number, equal[words], 1.0, True))
            continue
        own = _shingles(words)
        shared = Counter(
            other
            for one in own
            if len(holders.get(one, ())) <= _MOST_REPORTS
            for other in holders.get(one, ())
        )
        likeness = {
            other: len(own & shingles_there[other]) / len(own | shingles_there[other]) for other in shared
        }
        best = max(likeness, key=lambda other: (likeness[other], -other), default=None)
        if best is not None and likeness[best] >= LEAST_SHARED:
            found.append(TextPair(number, best, likeness[best], False))
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W\d_]+", text.lower()))


def _shingles(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {words[at : at + SHINGLE_WORDS] for at in range(len(words) - SHINGLE_WORDS + 1)}
