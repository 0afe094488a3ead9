"""A trend as a chart: laid out once as strokes and words, drawn as SVG or as pixels.

Days run to the right on their own scale, visits are ticks. Measured curves are solid with a dot at each
visit, limits of a rule dashed, fitted lines dotted; each is named below in its colour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from hounsfield.core import RESEARCH_USE
from hounsfield.core.exact import shown
from hounsfield.reports.canvas import font
from hounsfield.reports.colours import ON_LIGHT, Colour

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hounsfield.core import Curve, Trend

# In pixels; a chart is as wide as half a page of the report and readable there: 25 px are 7.5 points.
WIDTH_PX, PLOT_HEIGHT_PX = 1000, 470
_LEFT_PX, _RIGHT_PX, _TOP_PX = 110, 40, 110
_TEXT_PX, _SMALL_PX, _LINE_PX = 25, 22, 36
DOT_PX, _STROKE_PX = 7, 4
_WIDTHS_PX = {
    "measured": _STROKE_PX,
    "limit": 3,
    "model": 9,
}  # a fitted line shows beside the curve that it follows
_LEAST_GAP_PX = 96  # between the words of two visits
_INK, _QUIET, _GRID = (22, 25, 29), (82, 90, 102), (214, 218, 224)
_LIMITS: tuple[Colour, ...] = ((40, 110, 60), (150, 30, 40))  # the better one first
Dash = Literal["solid", "dashed", "dotted"]
DASHES_PX: dict[Dash, tuple[int, int]] = {"solid": (1, 0), "dashed": (16, 10), "dotted": (3, 9)}
_DASH_OF: dict[str, Dash] = {"measured": "solid", "limit": "dashed", "model": "dotted"}


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points (x, y) in pixels."""

    points: tuple[tuple[float, float], ...]
    colour: Colour
    width_px: int
    dash: Dash = "solid"


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    at: tuple[float, float]
    colour: Colour


@dataclass(frozen=True, slots=True)
class Words:
    """Text; anchor: which end lies at x."""

    at: tuple[float, float]
    text: str
    anchor: Literal["start", "middle", "end"] = "start"
    size_px: int = _TEXT_PX
    colour: Colour = _INK


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, back to front. title: what a reader who cannot see it is told."""

    title: str
    width_px: int
    height_px: int
    strokes: tuple[Stroke, ...]
    dots: tuple[Dot, ...]
    words: tuple[Words, ...]


@dataclass(slots=True)
class _Sheet:
    strokes: list[Stroke] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)


def lay_out(trend: Trend) -> Chart:
    """The chart of `trend`."""
    scale = _Scale(trend)
    sheet = _Sheet()
    _draw_axes(sheet, trend, scale)
    colours = _colours(trend.curves)
    for curve in sorted(trend.curves, key=lambda one: one.kind == "measured"):
        colour = colours[curve.label]
        points = tuple((scale.x(day), scale.y(value)) for day, value in curve.points)
        is_measured = curve.kind == "measured"
        if len(points) > 1:
            sheet.strokes.append(Stroke(points, colour, _WIDTHS_PX[curve.kind], _DASH_OF[curve.kind]))
        sheet.dots += [Dot(point, colour) for point in points if is_measured]
    height = _draw_legend(sheet, trend.curves, colours, _TOP_PX + PLOT_HEIGHT_PX + 2 * _LINE_PX + 44)
    sheet.words.append(Words((WIDTH_PX - _RIGHT_PX, height), RESEARCH_USE, "end", _SMALL_PX - 2, _QUIET))
    told = f"{trend.title} in {trend.unit_sign} over {shown(trend.days[-1])} days"
    return Chart(told, WIDTH_PX, height + 20, tuple(sheet.strokes), tuple(sheet.dots), tuple(sheet.words))


class _Scale:
    """From days and values to pixels."""

    def __init__(self, trend: Trend) -> None:
        days = [day for curve in trend.curves for day, _ in curve.points]
        values = [value for curve in trend.curves for _, value in curve.points]
        self.first, self.last = min(days), max(days)
        self.is_logarithmic = trend.logarithmic
        self.ticks = _ratio_ticks(values) if trend.logarithmic else _even_ticks(max(values))
        self._low, self._high = self._height(self.ticks[0]), self._height(self.ticks[-1])

    def _height(self, value: float) -> float:
        return math.log2(value) if self.is_logarithmic else value

    def x(self, day: float) -> float:
        room = WIDTH_PX - _LEFT_PX - _RIGHT_PX - 60
        part = 0.5 if self.last == self.first else (day - self.first) / (self.last - self.first)
        return round(_LEFT_PX + 30 + room * part, 1)

    def y(self, value: float) -> float:
        part = (self._height(value) - self._low) / (self._high - self._low)
        return round(_TOP_PX + PLOT_HEIGHT_PX * (1 - part), 1)


def _even_ticks(most: float) -> list[float]:
    """From 0 upwards in 1, 2 or 5 times a power of ten: four to eight steps that reach `most`."""
    rough = max(most, 1e-6) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(step * k, 10) for k in range(math.ceil(max(most, 1e-6) / step + 0.02) + 1)]


def _ratio_ticks(values: Sequence[float]) -> list[float]:
    """1, 2 and 5 times powers of ten around `values`: at least two."""
    low, high = min(values), max(values)
    steps = [factor * 10.0**power for power in range(-7, 8) for factor in (1, 2, 5)]
    first = max(k for k, step in enumerate(steps) if step <= low * 0.999 or k == 0)
    last = min(k for k, step in enumerate(steps) if step >= high * 1.001 or k == len(steps) - 1)
    ticks = steps[first : max(last, first + 1) + 1]
    return ticks if len(ticks) <= 9 else [tick for tick in ticks if f"{tick:e}"[0] == "1"]


def _draw_axes(sheet: _Sheet, trend: Trend, scale: _Scale) -> None:
    bottom, right = _TOP_PX + PLOT_HEIGHT_PX, WIDTH_PX - _RIGHT_PX
    sheet.words.append(Words((_LEFT_PX - 80, 36), f"{trend.title}, {trend.unit_sign}", size_px=_TEXT_PX + 3))
    for tick in scale.ticks:
        y = scale.y(tick)
        sheet.strokes.append(Stroke(((_LEFT_PX, y), (right, y)), _GRID, 1))
        sheet.words.append(Words((_LEFT_PX - 14, y + 8), shown(tick), "end", _SMALL_PX, _QUIET))
    marks = dict(trend.marks)
    shown_until = {"day": -math.inf, "mark": -math.inf}
    for day in sorted({*trend.days, *marks}):
        x = scale.x(day)
        sheet.strokes.append(Stroke(((x, _TOP_PX), (x, bottom)), _GRID, 1))
        if x - shown_until["day"] >= _LEAST_GAP_PX / 1.4:
            sheet.words.append(Words((x, bottom + 32), shown(day), "middle", _SMALL_PX, _QUIET))
            shown_until["day"] = x
        if day in marks and x - shown_until["mark"] >= _LEAST_GAP_PX:
            sheet.words.append(Words((x, _TOP_PX - 18), marks[day], "middle", _SMALL_PX))
            shown_until["mark"] = x
    sheet.strokes.append(Stroke(((_LEFT_PX, bottom), (right, bottom)), _QUIET, 2))
    sheet.words.append(
        Words(((_LEFT_PX + right) / 2, bottom + 66), "Days from the first visit", "middle", _SMALL_PX, _QUIET)
    )


def _colours(curves: Sequence[Curve]) -> dict[str, Colour]:
    """Of each curve; a fitted line has that of the curve whose name it begins with, a limit that of limits."""
    measured = [curve.label for curve in curves if curve.kind == "measured"]
    found = {label: ON_LIGHT[(k + 1) % len(ON_LIGHT)] for k, label in enumerate(measured)}
    limits = [curve.label for curve in curves if curve.kind == "limit"]
    found |= {label: _LIMITS[k % len(_LIMITS)] for k, label in enumerate(limits)}
    for curve in curves:
        if curve.kind == "model":
            of = [label for label in measured if curve.label.startswith(f"{label}:")]
            found[curve.label] = found[of[0]] if of else _QUIET
    return found


def _draw_legend(sheet: _Sheet, curves: Sequence[Curve], colours: dict[str, Colour], top: int) -> int:
    """Names in their colours from `top` on; returns where the next line begins."""
    x, y, right = _LEFT_PX - 80, top, WIDTH_PX - _RIGHT_PX
    for curve in curves:
        text = curve.label if _width(curve.label) < right - 160 else f"{curve.label[:50]}…"
        if x > _LEFT_PX and x + 66 + _width(text) > right:
            x, y = _LEFT_PX - 80, y + _LINE_PX
        line = ((x, y - 8.0), (x + 50.0, y - 8.0))
        width, dash = _WIDTHS_PX[curve.kind], _DASH_OF[curve.kind]
        sheet.strokes.append(Stroke(line, colours[curve.label], width, dash))
        sheet.words.append(Words((x + 62, y), text, size_px=_SMALL_PX))
        x += 62 + round(_width(text)) + 34
    return y + _LINE_PX + 6


def _width(text: str) -> float:
    return float(font(_SMALL_PX).getlength(text))


def dashes(stroke: Stroke) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """The straight pieces of a stroke as it is drawn: whole sides, or dashes that go on around corners."""
    on, off = DASHES_PX[stroke.dash]
    travelled = 0.0
    for (x1, y1), (x2, y2) in zip(stroke.points[:-1], stroke.points[1:], strict=True):
        length = math.hypot(x2 - x1, y2 - y1)
        if not off:
            yield (x1, y1), (x2, y2)
            continue
        at = 0.0
        while at < length:
            phase = (travelled + at) % (on + off)
            until = min(length, at + (on - phase if phase < on else on + off - phase))
            if phase < on:
                a, b = at / length, until / length
                yield (x1 + (x2 - x1) * a, y1 + (y2 - y1) * a), (x1 + (x2 - x1) * b, y1 + (y2 - y1) * b)
            at = until + 1e-9
        travelled += length
