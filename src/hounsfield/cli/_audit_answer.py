"""What all commands of `hounsfield audit` do with their sections: write them, print the verdicts or the JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from hounsfield.cli._terminal import print_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hounsfield.evaluation.audit import AuditSection

WIDTH, INDENT = 100, " " * 9


@dataclass(frozen=True, slots=True)
class Shown:
    """Where an answer goes beside the page. kind: name of the command. data: what was audited, for the card."""

    kind: str
    data: str
    into_card: Path | None = None
    as_json: bool = False
    quiet: bool = False


def answer(
    sections: Sequence[AuditSection],
    out: Path,
    *,
    title: str,
    about: Mapping[str, str],
    shown: Shown,
) -> None:
    """Write audit.html and audit.json into `out` and the summary into a card; print audit.json, or each verdict.

    The command's name is the kind of the audit in the card.
    """
    from hounsfield.core import RESEARCH_USE
    from hounsfield.evaluation.audit import write_audit, write_into_card

    page = write_audit(sections, out, title=title, about=about)
    if shown.into_card is not None:
        write_into_card(shown.into_card, sections, kind=shown.kind, data=shown.data)
    if shown.as_json:
        print_json(json.loads((out / "audit.json").read_text(encoding="utf-8")))
        return
    if not shown.quiet:
        for one in sections:
            print(f"{one.verdict:<8} {one.title}")
            print(
                fill(
                    one.said[0],
                    WIDTH,
                    initial_indent=INDENT,
                    subsequent_indent=INDENT,
                    break_on_hyphens=False,
                )
            )
        print()
    if shown.into_card is not None:
        print(f"Card: {shown.into_card}")
    print(f"Audit: {page}")
    print(RESEARCH_USE)
