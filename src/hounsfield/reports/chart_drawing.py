"""A chart as SVG for pages, as pixels for the PDF and secondary captures, and as a file by its ending."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.reports.canvas import font, png_bytes
from hounsfield.reports.chart import DASHES_PX, DOT_PX, Chart, dashes, lay_out
from hounsfield.results.documents import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Trend
    from hounsfield.reports.colours import Colour

_FINER = 2  # drawn at this multiple and averaged, because the drawing library does not smooth lines
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def chart_svg(chart: Chart) -> str:
    """The chart as one SVG element: attributes alone, no style sheet, no script."""
    parts = []
    for stroke in chart.strokes:
        on, off = DASHES_PX[stroke.dash]
        dash = f' stroke-dasharray="{on} {off}"' if off else ""
        path = " ".join(f"{x:g},{y:g}" for x, y in stroke.points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{_hex(stroke.colour)}" '
            f'stroke-width="{stroke.width_px}"{dash}/>'
        )
    parts += [
        f'<circle cx="{dot.at[0]:g}" cy="{dot.at[1]:g}" r="{DOT_PX}" fill="{_hex(dot.colour)}"/>'
        for dot in chart.dots
    ]
    parts += [
        f'<text x="{words.at[0]:g}" y="{words.at[1]:g}" text-anchor="{words.anchor}" '
        f'font-size="{words.size_px}" fill="{_hex(words.colour)}">{escape(words.text)}</text>'
        for words in chart.words
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {chart.width_px} {chart.height_px}" role="img" '
        f'aria-label="{escape(chart.title)}" font-family="DejaVu Sans, Verdana, sans-serif">'
        f'<rect width="{chart.width_px}" height="{chart.height_px}" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def chart_rgb(chart: Chart) -> NDArray[np.uint8]:
    """The chart as pixels (y, x, 3), uint8."""
    from PIL import Image as Raster
    from PIL import ImageDraw

    n = _FINER
    sheet = Raster.new("RGB", (chart.width_px * n, chart.height_px * n), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    for stroke in chart.strokes:
        for (x1, y1), (x2, y2) in dashes(stroke):
            draw.line([(x1 * n, y1 * n), (x2 * n, y2 * n)], fill=stroke.colour, width=stroke.width_px * n)
    for dot in chart.dots:
        (x, y), r = dot.at, DOT_PX
        draw.ellipse([((x - r) * n, (y - r) * n), ((x + r) * n, (y + r) * n)], fill=dot.colour)
    for words in chart.words:
        at = (words.at[0] * n, words.at[1] * n)
        size = font(words.size_px * n)
        draw.text(at, words.text, fill=words.colour, font=size, anchor=_ANCHORS[words.anchor])
    return np.asarray(sheet.resize((chart.width_px, chart.height_px), Raster.Resampling.BOX))


def chart_picture(trend: Trend, chart: Chart) -> Picture:
    """The chart as one of the pictures of a reading."""
    return Picture(f"chart-{trend.name}", chart.title, chart_rgb(chart))


def chart_file(trend: Trend, ending: str) -> bytes:
    """`trend` as a file with that ending, .svg or .png. Raises UsageError for another one."""
    chart = lay_out(trend)
    if ending == ".svg":
        return chart_svg(chart).encode("utf-8")
    if ending == ".png":
        return png_bytes(chart_rgb(chart))
    raise UsageError(f"a chart is drawn as .svg or .png, not as {ending!r}: choose one of these endings")


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
