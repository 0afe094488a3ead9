"""What all commands of `hounsfield audit` do with their sections: write them, print the verdicts or the JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hounsfield.cli._terminal import print_json, print_tables, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hounsfield.evaluation.audit import AuditSection


def answer(
    sections: Sequence[AuditSection],
    out: Path,
    *,
    title: str,
    about: Mapping[str, str],
    as_json: bool,
    quiet: bool,
) -> None:
    """Write audit.html and audit.json into `out`; print audit.json, or a line for each verdict."""
    from hounsfield.core import RESEARCH_USE
    from hounsfield.evaluation.audit import write_audit

    page = write_audit(sections, out, title=title, about=about)
    if as_json:
        print_json(json.loads((out / "audit.json").read_text(encoding="utf-8")))
        return
    if not quiet:
        rows = [[one.verdict, one.title, one.said[0]] for one in sections]
        print_tables(table("", ["verdict", "question", "answer"], rows))
    print(f"Audit: {page}")
    print(RESEARCH_USE)
