"""index.html and readings.json over a whole archive, written part by part from the journal and the readings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hounsfield.core import Condition
from hounsfield.reports import FailedStudy, index_page_in_parts
from hounsfield.results import write_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hounsfield.pipeline.journal import Journal


def write_overview(journal: Journal, out: Path) -> None:
    """Write both files. Raises ResultError, naming the file and the remedy."""
    page = index_page_in_parts(
        (reading.entry for outcome in journal.outcomes() for reading in outcome.readings),
        failed=(FailedStudy(o.key, o.reason) for o in journal.outcomes() if o.state == "failed"),
        refused=(
            Condition(c["code"], c["severity"], c["text"], tuple(c["instances"]))
            for outcome in journal.outcomes()
            for c in outcome.refused
        ),
    )
    write_page(out / "index.html", page)
    text = readings_document(journal, out, with_folders=True)
    write_page(out / "readings.json", (part.encode() for part in text))


def readings_document(journal: Journal, out: Path, *, with_folders: bool) -> Iterator[str]:
    """The text of readings.json in parts: as `Run.to_json`, and `studies` with state and reason of each."""
    yield "{\n"
    yield from _list("readings", _readings(journal, out, with_folders=with_folders))
    yield ",\n"
    yield from _list("not_taken", (v for outcome in journal.outcomes() for v in outcome.not_taken))
    yield ",\n"
    yield from _list("refused", (c for outcome in journal.outcomes() for c in outcome.refused))
    yield ",\n"
    yield from _list("studies", _studies(journal))
    yield "\n}\n"


def _list(name: str, items: Iterator[Any]) -> Iterator[str]:
    yield f"  {json.dumps(name)}: ["
    between = "\n"
    for item in items:
        text = json.dumps(item, indent=2, ensure_ascii=False, allow_nan=False)
        yield between + "\n".join(f"    {line}" for line in text.split("\n"))
        between = ",\n"
    yield "]" if between == "\n" else "\n  ]"


def _readings(journal: Journal, out: Path, *, with_folders: bool) -> Iterator[dict[str, Any]]:
    for outcome in journal.outcomes():
        for reading in outcome.readings:
            record = json.loads((out / reading.folder / "reading.json").read_text(encoding="utf-8"))
            yield {"folder": reading.folder, **record} if with_folders else record


def _studies(journal: Journal) -> Iterator[dict[str, Any]]:
    for outcome in journal.outcomes():
        yield {
            "study": outcome.key,
            "state": outcome.state,
            "reason": outcome.reason,
            "duration_s": outcome.duration_s,
            "readings": [{"application": r.application, "status": r.status} for r in outcome.readings],
        }
