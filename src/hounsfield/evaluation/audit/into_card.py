"""The dated summary of an audit in the card of a bundle."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from hounsfield.zoo import AuditNote, AuditSummary, open_bundle, write_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hounsfield.evaluation.audit.section import AuditSection
    from hounsfield.zoo import Bundle


def write_into_card(
    folder: Path, sections: Sequence[AuditSection], *, kind: str, data: str, made_on: date | None = None
) -> Bundle:
    """Put the verdicts and answers of `sections` into the card of the bundle in `folder`, and write the bundle anew.

    kind: of the audit ("bias", "shortcuts"); data: what it was made on. An earlier audit of that kind on these data is
    replaced. made_on: today (UTC) where None. Weights stay as they are; all digests are renewed. Raises ModelError.
    """
    bundle = open_bundle(folder)
    notes = tuple(AuditNote(question=one.title, verdict=one.verdict, answer=one.said[0]) for one in sections)
    day = (made_on or datetime.now(UTC).date()).isoformat()
    summary = AuditSummary(kind=kind, made_on=day, data=data, notes=notes)
    others = tuple(one for one in bundle.card.audits if (one.kind, one.data) != (kind, data))
    card = bundle.card.model_copy(update={"audits": (*others, summary), "files": {}})
    weights, guard = bundle.weights(), bundle.guard_arrays()
    return write_bundle(folder, card=card, weights=weights, guard_arrays=guard or None)
