"""An audit as a file for programs and one page for people: dated, self-contained, printable."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from hounsfield.core import RESEARCH_USE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hounsfield.evaluation.audit.section import AuditSection

SCHEMA_VERSION = "1.0"
# Charts wider than this, in units of their viewBox, do not stand two in a row.
WIDEST_OF_TWO = 400
# What each verdict means, worst first: the order of the list on top of the page.
VERDICTS = {
    "found": "shown beyond chance",
    "look": "a person should look",
    "too few": "could not be judged",
    "clear": "looked for, not found",
}


def audit_record(
    sections: Sequence[AuditSection],
    *,
    title: str,
    about: Mapping[str, str] | None = None,
    made_on: date | None = None,
) -> dict[str, Any]:
    """What audit.json holds (schema: cli/schemas/audit.schema.json).

    about: what was audited, as name and text. made_on: today (UTC) where None.
    """
    return {
        "notice": RESEARCH_USE,
        "schema_version": SCHEMA_VERSION,
        "title": title,
        "made_on": (made_on or datetime.now(UTC).date()).isoformat(),
        "about": dict(about or {}),
        "sections": [_section_record(one) for one in sections],
    }


def write_audit(
    sections: Sequence[AuditSection],
    out: Path,
    *,
    title: str,
    about: Mapping[str, str] | None = None,
    made_on: date | None = None,
) -> Path:
    """Write `audit.json` and `audit.html` into the folder `out`, replacing those; returns the page's path.

    The arguments are those of `audit_record`. The page loads nothing from elsewhere.
    """
    record = audit_record(sections, title=title, about=about, made_on=made_on)
    page = _render(sections, record)
    out.mkdir(parents=True, exist_ok=True)
    (out / "audit.json").write_text(
        json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (out / "audit.html").write_text(page, encoding="utf-8")
    return out / "audit.html"


def _section_record(section: AuditSection) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title,
        "verdict": section.verdict,
        "said": list(section.said),
        "tables": [
            {
                "caption": one.caption,
                "columns": list(one.columns),
                "rows": [list(row) for row in one.rows],
                "marked": sorted(one.marked),
            }
            for one in section.tables
        ],
        "record": dict(section.record),
    }


def _render(sections: Sequence[AuditSection], record: Mapping[str, Any]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hounsfield.evaluation", "templates"), autoescape=True, undefined=StrictUndefined
    )
    worst_first = sorted(sections, key=lambda one: list(VERDICTS).index(one.verdict))
    return environment.get_template("audit.html").render(
        record=record, sections=sections, worst_first=worst_first, meanings=VERDICTS, is_wide=_is_wide
    )


def _is_wide(drawing: str) -> bool:
    """Whether a chart needs the whole width: one too wide to stand beside another."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ', drawing)
    return found is not None and float(found.group(1)) > WIDEST_OF_TWO
