"""A section of an audit: what was asked, what was found, in sentences, tables and charts, and as a record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

Verdict = Literal["clear", "look", "found", "too few"]


@dataclass(frozen=True, slots=True)
class AuditTable:
    """Rows of cells as text. marked: numbers of the rows that a reader must see first."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class AuditSection:
    """One question of an audit and its answer; said must not be empty.

    key: name in the JSON and anchor on the page (kebab-case). verdict: "clear" (looked for, not found), "look" (a person should look), "found" (shown beyond
    chance), "too few" (could not be judged). said: paragraphs, the answer first, the method last. charts: SVG by title.
    record: what the JSON holds, every figure with its interval.
    """

    key: str
    title: str
    verdict: Verdict
    said: tuple[str, ...]
    tables: tuple[AuditTable, ...] = ()
    charts: Mapping[str, str] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.said:
            raise UsageError(
                f"the section {self.key} of an audit says nothing; its first paragraph is the answer"
            )
