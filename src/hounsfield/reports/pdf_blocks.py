"""What the PDF is built of: paragraphs of escaped text and tables over the page's width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from hounsfield.reports.names import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

FONT, BOLD = "HounsfieldSans", "HounsfieldSans-Bold"
WIDTH_MM, SIDE_MM, TOP_MM, FOOT_MM = 210.0, 16.0, 15.0, 20.0
INNER_MM = WIDTH_MM - 2 * SIDE_MM
_LONGEST_TEXT = 1500  # characters: a header may hold megabytes where the standard allows 64
_INK, _QUIET, _LINE, _ACCENT = "#16191d", "#525a66", "#c9cdd3", "#0b5fa5"
# Name: size, leading, space before, space after, font, colour.
_STYLES: dict[str, tuple[float, float, float, float, str, str]] = {
    "title": (16, 20, 0, 4, BOLD, _INK),
    "heading": (10.5, 14, 10, 4, BOLD, _ACCENT),
    "body": (8.5, 11.5, 0, 3, FONT, _INK),
    "large": (10, 14, 0, 3, BOLD, _INK),
    "bold": (8.5, 11.5, 0, 3, BOLD, _INK),
    "cell": (8, 10.5, 0, 0, FONT, _INK),
    "cell-bold": (8, 10.5, 0, 0, BOLD, _INK),
    "cell-quiet": (7, 9.2, 0, 0, FONT, _QUIET),
    "cell-part": (7, 9.2, 0, 0, FONT, _QUIET),
    "caption": (7, 9.2, 3, 0, FONT, _QUIET),
    "quiet": (7.5, 10, 0, 3, FONT, _QUIET),
}


def paragraph(text: str, style: str = "body", *, right: bool = False) -> Any:
    """A paragraph; `text` is escaped, because DICOM text may hold markup."""
    return markup(escaped(text), style, right=right)


def escaped(text: str) -> str:
    """`text` without markup and control marks, cut where it would fill a page."""
    shown = printable(text)
    if len(shown) > _LONGEST_TEXT:
        shown = f"{shown[:_LONGEST_TEXT].rstrip()}… (cut here; report.html holds all of it)"
    return escape(shown)


def markup(marked: str, style: str, *, right: bool = False) -> Any:
    """A paragraph of text that holds markup of our own."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.enums import TA_LEFT, TA_RIGHT
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    size, leading, before, after, font, colour = _STYLES[style]
    return Paragraph(
        marked,
        ParagraphStyle(
            style,
            fontName=font,
            fontSize=size,
            leading=leading,
            spaceBefore=before,
            spaceAfter=after,
            textColor=HexColor(colour),
            alignment=TA_RIGHT if right else TA_LEFT,
            leftIndent=8.0 if style == "cell-part" else 0.0,
            splitLongWords=1,
        ),
    )


def page_table(
    rows: Sequence[Sequence[Any]],
    widths: Sequence[float],
    *,
    head: bool,
    ruled: bool = True,
    extra: Sequence[Any] = (),
) -> Any:
    """A table of paragraphs over the page's width; widths are shares of it."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.units import mm
    from reportlab.platypus import Table

    style: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 6),
        ("TOPPADDING", (0, 0), (-1, -1), 2.2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2),
        *([("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(_LINE))] if ruled else []),
        *extra,
    ]
    total = sum(widths)
    columns = [INNER_MM * mm * width / total for width in widths]
    return Table(
        list(rows), colWidths=columns, repeatRows=1 if head else 0, style=style, hAlign="LEFT", splitInRow=1
    )
