"""Charts of drift: what the bets hold over time, and each monitor's p value; SVG that prints."""

from __future__ import annotations

from html import escape
from math import log10
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.evaluation.charts import COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.evaluation.audit.drift import Monitor
    from hounsfield.evaluation.audit.drift_over_time import Track

_WIDTH, _HEIGHT, _LEFT, _TOP = 640, 220, 52, 12
_MOST_POINTS = 400
_TEXT = 'font-size="11" font-family="sans-serif" fill="#222"'


def track_chart(tracks: Sequence[Track], first: str, last: str) -> str:
    """What the bets of each track hold (log10) over the stream, the alarm as a dashed line; at most six are named.

    first, last: times at the ends of the axis.
    """
    alarm_log10 = tracks[0].alarm_log10
    top = max(alarm_log10 * 1.25, *(float(track.held_log10.max()) for track in tracks))
    top, bottom = min(top, 4 * alarm_log10), -1.5
    ordered = sorted(tracks, key=lambda track: -float(track.held_log10.max()))
    longest = max(len(track.held_log10) for track in tracks) - 1

    def place(index: float, value: float) -> tuple[float, float]:
        share = (min(max(value, bottom), top) - bottom) / (top - bottom)
        x = _LEFT + _WIDTH * index / max(longest, 1)
        return round(x, 1), round(_TOP + _HEIGHT * (1 - share), 1)

    parts = []
    for value in range(int(bottom), int(top) + 1, max(1, round((top - bottom) / 6))):
        x, y = place(0, value)
        parts.append(f'<path d="M{x} {y}h{_WIDTH}" stroke="#ddd" fill="none"/>')
        label = f"{10.0**value:g}"
        parts.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end" {_TEXT}>{label}</text>')
    x, y = place(0, alarm_log10)
    parts.append(f'<path d="M{x} {y}h{_WIDTH}" stroke="#b00020" stroke-dasharray="6 4" fill="none"/>')
    parts.append(
        f'<text x="{x + _WIDTH - 4}" y="{y - 5}" text-anchor="end" {_TEXT}>alarm at {10**alarm_log10:,.0f}</text>'
    )
    for number, track in reversed(list(enumerate(ordered))):
        n = len(track.held_log10)
        at = np.unique(np.linspace(0, n - 1, min(n, _MOST_POINTS)).round().astype(int))
        points = " ".join(
            f"{a},{b}" for a, b in (place(int(one), float(track.held_log10[one])) for one in at)
        )
        colour = COLOURS[number] if number < len(COLOURS) else "#bbbbbb"
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
    foot = _TOP + _HEIGHT + 16
    parts.append(f'<text x="{_LEFT}" y="{foot}" {_TEXT}>{escape(first)}</text>')
    parts.append(f'<text x="{_LEFT + _WIDTH}" y="{foot}" text-anchor="end" {_TEXT}>{escape(last)}</text>')
    parts += _names(ordered, foot + 20)
    size = f"0 0 {_LEFT + _WIDTH + 12} {foot + 28 + 16 * ((min(len(ordered), len(COLOURS)) + 1) // 2)}"
    return (
        f'<svg viewBox="{size}" role="img" aria-label="what the bets hold over time">{"".join(parts)}</svg>'
    )


def monitor_chart(monitors: Sequence[Monitor], level: float) -> str:
    """Adjusted p of each tested monitor on a logarithmic axis, a bar to the left of `level` being an alarm."""
    tested = [one for one in monitors if one.test is not None]
    lowest = min(0.001, *(one.adjusted for one in tested))
    left, row = 210, 20

    def x_of(p: float) -> float:
        return round(left + (_WIDTH - left) * (1 - log10(max(p, lowest)) / log10(lowest)), 1)

    parts = []
    for number, one in enumerate(tested):
        y = _TOP + row * number
        colour = "#b00020" if one.adjusted <= level else COLOURS[0]
        name = f"{one.subject}: {one.name}"
        parts.append(
            f'<text x="{left - 8}" y="{y + 14}" text-anchor="end" {_TEXT}>{escape(name[:36])}</text>'
        )
        parts.append(
            f'<path d="M{x_of(1.0)} {y + 10}H{x_of(one.adjusted)}" stroke="{colour}" stroke-width="9"/>'
        )
    foot = _TOP + row * len(tested)
    parts.append(
        f'<path d="M{x_of(level)} {_TOP}V{foot}" stroke="#b00020" stroke-dasharray="6 4" fill="none"/>'
    )
    parts += [
        f'<text x="{x_of(p)}" y="{foot + 14}" text-anchor="middle" {_TEXT}>{p:g}</text>'
        for p in (1.0, level, 0.001)
    ]
    label = "adjusted p of each monitor"
    parts.append(
        f'<text x="{(left + _WIDTH) / 2}" y="{foot + 32}" text-anchor="middle" {_TEXT}>{label}</text>'
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH + 20} {foot + 40}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


def _names(ordered: Sequence[Track], y: float) -> list[str]:
    parts = []
    for number, track in enumerate(ordered[: len(COLOURS)]):
        x, line = _LEFT + (number % 2) * _WIDTH / 2, y + 16 * (number // 2)
        colour, name = COLOURS[number], f"{track.subject}: {track.name}"
        parts.append(f'<path d="M{x} {line - 4}h18" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{x + 24}" y="{line}" {_TEXT}>{escape(name[:48])}</text>')
    return parts
