"""A reportlab canvas that writes "page 2 of 3" and who the page is about at its foot.

How many pages there are is known only at the end, so each page is kept and finished then.
"""

from __future__ import annotations

from typing import Any

_FOOT_MM, _SIDE_MM = 11.0, 16.0
_SIZE_PT = 7.0
_MOST_CHARACTERS = 300  # more than a line holds


def numbered_canvas(foot: tuple[str, str], font: str) -> type[Any]:
    """A canvas class for `SimpleDocTemplate.build`; foot: two lines at the left of every page's foot."""
    from reportlab.lib.units import mm
    from reportlab.pdfbase.pdfmetrics import stringWidth
    from reportlab.pdfgen.canvas import Canvas

    class NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab ships no types
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802  # reportlab's name
            self._kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._kept, 1):
                self.__dict__.update(page)
                self._draw_foot(f"Page {number} of {len(self._kept)}")
                super().showPage()
            super().save()

        def _draw_foot(self, numbering: str) -> None:
            width = self._pagesize[0]
            self.setFont(font, _SIZE_PT)
            self.setFillGray(0.3)
            self.setStrokeGray(0.8)
            self.line(_SIDE_MM * mm, (_FOOT_MM + 5.0) * mm, width - _SIDE_MM * mm, (_FOOT_MM + 5.0) * mm)
            self.drawRightString(width - _SIDE_MM * mm, (_FOOT_MM + 1.5) * mm, numbering)
            room = width - 2 * _SIDE_MM * mm
            taken = (stringWidth(numbering, font, _SIZE_PT) + 8.0, 0.0)
            for line, (text, reserved) in enumerate(zip(foot, taken, strict=True)):
                self.drawString(
                    _SIDE_MM * mm, (_FOOT_MM + 1.5 - 3.4 * line) * mm, shortened(text, room - reserved)
                )

    def shortened(text: str, room: float) -> str:
        if len(text) <= _MOST_CHARACTERS and stringWidth(text, font, _SIZE_PT) <= room:
            return text
        text = text[:_MOST_CHARACTERS]
        while text and stringWidth(f"{text}…", font, _SIZE_PT) > room:
            text = text[:-1]
        return f"{text}…"

    return NumberedCanvas
