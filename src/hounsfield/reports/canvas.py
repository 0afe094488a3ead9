"""Drawing a picture: grey or colour, outlines, letters, scale bar, legend, notice.

Text stands in margins around the picture, so that nothing hides tissue.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Raster
from PIL import ImageDraw, ImageFont
from scipy import ndimage

from hounsfield.core import RESEARCH_USE
from hounsfield.reports.colours import WHITE, Colour, heat_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hounsfield.reports.planes import Letters

MARGIN_PX = 44
LEAST_WIDTH_PX = 640
# Printed two to a row on A4, a picture is 86 mm wide: these are 7.5 and 6 points there.
_TEXT_PX = 25
_SMALL_PX = 20
_LINE_PX = 35
_MOST_CHARACTERS = 200  # more than a line holds
_SCALES_MM = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_GROUND: Colour = (16, 18, 22)
QUIET: Colour = (176, 182, 190)


@dataclass(frozen=True, slots=True)
class Legend:
    """What a picture says about itself.

    entries: colour and label of each outline. display: how grey is to be read. scale: name of the
    colour bar, None without one. spacing_note: what the scale bar refers to where that is not the patient.
    """

    entries: tuple[tuple[Colour, str], ...] = ()
    display: str = ""
    scale: str | None = None
    spacing_note: str = ""


@cache
def font(size_px: int) -> ImageFont.FreeTypeFont:
    """The shipped font (DejaVu Sans: Latin, Greek, Cyrillic) at `size_px`."""
    source = files("hounsfield.reports").joinpath("fonts/DejaVuSans.ttf").read_bytes()
    return ImageFont.truetype(BytesIO(source), size_px)


def outline(mask: NDArray[np.bool_], *, width_px: int = 3) -> NDArray[np.bool_]:
    """The rim of `mask`, `width_px` wide and inside it, so that it never covers what is not in the region."""
    inner = ndimage.binary_erosion(mask, ndimage.generate_binary_structure(2, 1), iterations=width_px)
    return np.asarray(mask & ~inner)


def paint(rgb: NDArray[np.uint8], where: NDArray[np.bool_], colour: Colour) -> NDArray[np.uint8]:
    """`rgb` with the pixels of `where` in `colour`."""
    painted = rgb.copy()
    painted[where] = colour
    return painted


def frame(
    rgb: NDArray[np.uint8], *, legend: Legend, letters: Letters | None, mm_per_px: float | None
) -> NDArray[np.uint8]:
    """The picture in its margins: letters at the sides, scale bar, legend and research-use notice below."""
    rows, columns = rgb.shape[:2]
    width = max(columns, LEAST_WIDTH_PX) + 2 * MARGIN_PX
    left = (width - columns) // 2
    lines = _wrap_entries(legend.entries, width - 2 * MARGIN_PX)
    scale = _scale_of(columns, mm_per_px, legend.spacing_note)
    shares_line = scale.width_px + _SMALL_PX + _width(legend.display, _SMALL_PX) <= width - 2 * MARGIN_PX
    foot = _LINE_PX * (2 + len(lines) + (legend.scale is not None) + (not shares_line)) + 12
    sheet = Raster.new("RGB", (width, rows + 2 * MARGIN_PX + foot), _GROUND)
    sheet.paste(Raster.fromarray(rgb), (left, MARGIN_PX))
    draw = ImageDraw.Draw(sheet)
    if letters is not None:
        middle, centre = MARGIN_PX + rows // 2, left + columns // 2
        _text(draw, (left - MARGIN_PX // 2, middle), letters.left, anchor="mm")
        _text(draw, (left + columns + MARGIN_PX // 2, middle), letters.right, anchor="mm")
        _text(draw, (centre, MARGIN_PX // 2), letters.top, anchor="mm")
        _text(draw, (centre, MARGIN_PX + rows + MARGIN_PX // 2), letters.bottom, anchor="mm")
    y = rows + 2 * MARGIN_PX + 6
    right = width - MARGIN_PX
    _draw_scale(draw, (MARGIN_PX, y + _LINE_PX // 2), scale)
    y += 0 if shares_line else _LINE_PX
    _text(draw, (right, y + _LINE_PX // 2), legend.display, anchor="rm", size_px=_SMALL_PX, colour=QUIET)
    y += _LINE_PX
    if legend.scale:
        _colour_bar(sheet, draw, (MARGIN_PX, y), legend.scale)
        y += _LINE_PX
    for line in lines:
        _legend_line(draw, (MARGIN_PX, y + _LINE_PX // 2), line)
        y += _LINE_PX
    _text(draw, (right, y + _LINE_PX // 2), RESEARCH_USE, anchor="rm", size_px=_SMALL_PX, colour=QUIET)
    return np.asarray(sheet)


def png_bytes(rgb: NDArray[np.uint8]) -> bytes:
    """`rgb` as a PNG file."""
    target = BytesIO()
    Raster.fromarray(rgb).save(target, "PNG", compress_level=6)
    return target.getvalue()


def scale_bar_mm(extent_mm: float) -> int:
    """Length of the scale bar for a picture `extent_mm` wide: a round number of at most a third of it."""
    fitting = [length for length in _SCALES_MM if length <= extent_mm / 3.0]
    return fitting[-1] if fitting else _SCALES_MM[0]


@dataclass(frozen=True, slots=True)
class _Scale:
    """A scale bar and its label; no bar where there are no millimetres."""

    bar_px: int
    label: str

    @property
    def width_px(self) -> int:
        return self.bar_px + (12 if self.bar_px else 0) + _width(self.label, _SMALL_PX)


def _scale_of(columns: int, mm_per_px: float | None, note: str) -> _Scale:
    if mm_per_px is None:
        return _Scale(0, "no scale")
    length_mm = scale_bar_mm(columns * mm_per_px)
    return _Scale(round(length_mm / mm_per_px), f"{length_mm} mm {note}".rstrip())


def _draw_scale(draw: ImageDraw.ImageDraw, at: tuple[int, int], scale: _Scale) -> None:
    x, y = at
    if not scale.bar_px:
        _text(draw, at, scale.label, anchor="lm", size_px=_SMALL_PX, colour=QUIET)
        return
    end = x + scale.bar_px
    draw.line([(x, y), (end, y)], fill=WHITE, width=3)
    for tick in (x, end):
        draw.line([(tick, y - 6), (tick, y + 6)], fill=WHITE, width=3)
    _text(draw, (end + 12, y), scale.label, anchor="lm", size_px=_SMALL_PX)


def _width(text: str, size_px: int) -> int:
    return round(font(size_px).getlength(text))


def _colour_bar(sheet: Raster.Image, draw: ImageDraw.ImageDraw, at: tuple[int, int], label: str) -> None:
    x, y = at
    bar = np.repeat(heat_scale()[None, ::2, :], 14, axis=0)
    _text(draw, (x, y + _LINE_PX // 2), "0", anchor="lm", size_px=_SMALL_PX)
    sheet.paste(Raster.fromarray(bar), (x + 22, y + _LINE_PX // 2 - 7))
    after = x + 22 + bar.shape[1] + 8
    _text(draw, (after, y + _LINE_PX // 2), f"1  {label}", anchor="lm", size_px=_SMALL_PX)


def _entry_width(label: str) -> int:
    return _width(label, _TEXT_PX) + 26 + 22


def _wrap_entries(entries: Sequence[tuple[Colour, str]], width: int) -> list[list[tuple[Colour, str]]]:
    lines: list[list[tuple[Colour, str]]] = []
    used = width
    for colour, label in entries:
        shown = _shorten(label, width)
        if not lines or used + _entry_width(shown) > width:
            lines.append([])
            used = 0
        lines[-1].append((colour, shown))
        used += _entry_width(shown)
    return lines


def _shorten(label: str, width: int) -> str:
    shown = label[:_MOST_CHARACTERS]
    if shown == label and _entry_width(label) <= width:
        return label
    while shown and _entry_width(f"{shown}…") > width:
        shown = shown[:-1]
    return f"{shown.rstrip()}…"


def _legend_line(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], entries: Sequence[tuple[Colour, str]]
) -> None:
    x, y = at
    for colour, label in entries:
        draw.line([(x, y), (x + 18, y)], fill=colour, width=5)
        _text(draw, (x + 26, y), label, anchor="lm")
        x += _entry_width(label)


def _text(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    *,
    anchor: str,
    size_px: int = _TEXT_PX,
    colour: Colour = WHITE,
) -> None:
    draw.text(at, text, fill=colour, font=font(size_px), anchor=anchor)
