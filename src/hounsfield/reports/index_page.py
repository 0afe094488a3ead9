"""The overview of a run: every reading with its status and link, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from hounsfield.reports.content import STATUS
from hounsfield.reports.html import render_in_parts
from hounsfield.reports.names import spoken
from hounsfield.reports.sentences import impression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hounsfield.core import Condition, Reading

_MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One line of the overview.

    study: how it is called on the page (a UID or file name, never a patient). link: relative path of the
    report, quoted for a page. findings: the main sentences.
    """

    study: str
    title: str
    status: str
    link: str
    findings: tuple[str, ...] = ()

    @classmethod
    def of(cls, reading: Reading, link: str) -> Self:
        """The line of `reading`, whose report lies at the relative path `link`."""
        lines = [sentence.text for sentence in impression(reading)]
        if reading.status == "refused":
            lines = [c.text for c in reading.conditions if c.severity == "refusal"]
        if len(lines) > _MOST_LINES:
            lines = [*lines[: _MOST_LINES - 1], f"and {len(lines) - _MOST_LINES + 1} more"]
        return cls(
            study=_study(reading),
            title=reading.title or spoken(reading.application),
            status=reading.status,
            link=quote(link),
            findings=tuple(lines),
        )

    @property
    def status_word(self) -> str:
        """The status as the page writes it."""
        return STATUS.get(self.status, self.status)


@dataclass(frozen=True, slots=True)
class FailedStudy:
    """A study of an archive from which nothing came. study: as in `IndexEntry`."""

    study: str
    reason: str


def index_page(entries: Iterable[IndexEntry], *, refused: Iterable[Condition] = ()) -> bytes:
    """`index.html` as UTF-8: readings in the order given, then files that could not be read."""
    return b"".join(index_page_in_parts(entries, refused=refused, failed=()))


def index_page_in_parts(
    entries: Iterable[IndexEntry], *, refused: Iterable[Condition], failed: Iterable[FailedStudy]
) -> Iterator[bytes]:
    """The same page part by part, with the studies that failed; each iterable is gone through once."""
    return render_in_parts("index.html.j2", entries=entries, refused=refused, failed=failed)


def _study(reading: Reading) -> str:
    if reading.study_instance_uid:
        return f"Study {reading.study_instance_uid}"
    names = [name for reference in reading.inputs for name in reference.files]
    return names[0].replace("\\", "/").rsplit("/", 1)[-1] if names else ""
