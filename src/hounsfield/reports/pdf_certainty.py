"""The section "How sure" of the PDF: question, answer with its bar, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.reports.pdf_blocks import page_table, paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.reports.certainty_rows import CertaintyRow

_BAR_PT = (100.0, 6.0)
_GROUND, _FILLED, _LIMIT = "#e4e8ee", "#0b5fa5", "#9b1c1c"


def certainty_table(rows: Sequence[CertaintyRow]) -> Any:
    """One row a question."""
    words = [paragraph(word, "cell-quiet") for word in ("Question", "Answer", "What it rests on")]
    cells = [
        [paragraph(row.question, "cell-bold"), _answer(row), paragraph(row.detail, "cell")] for row in rows
    ]
    return page_table([words, *cells], (2.6, 3.6, 6.8), head=True)


def _answer(row: CertaintyRow) -> list[Any]:
    answer = [paragraph(row.answer, "cell")]
    if row.bar is None:
        return answer
    return [*answer, _bar(row.bar, row.mark), paragraph(row.caption, "cell-quiet")]


def _bar(filled: float, mark: float | None) -> Any:
    from reportlab.graphics.shapes import Drawing, Line, Rect
    from reportlab.lib.colors import HexColor

    width, height = _BAR_PT
    drawing = Drawing(width, height + 6)
    for length, colour in ((1.0, _GROUND), (filled, _FILLED)):
        drawing.add(Rect(0, 2, width * length, height, fillColor=HexColor(colour), strokeColor=None))
    if mark is not None:
        drawing.add(
            Line(width * mark, 0, width * mark, height + 4, strokeColor=HexColor(_LIMIT), strokeWidth=1.2)
        )
    return drawing
