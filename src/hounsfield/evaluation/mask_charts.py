"""Charts of outlines: differences against means (Bland-Altman), and the values of every case by structure."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.evaluation.charts import COLOURS, round_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hounsfield.metrics import Interval

_HEIGHT, _LEFT, _TOP = 230, 54, 12
_ROW, _NAME, _PLOT = 26, 150, 420


def bland_altman_chart(
    mean: NDArray[np.float64],
    difference: NDArray[np.float64],
    limits: Sequence[Interval],
    *,
    titles: tuple[str, str],
    width: int = 300,
) -> str:
    """A point a case: difference against the mean of both.

    limits: lower limit of agreement, bias, upper limit, each with its interval, which is shaded. titles: of the axes x and
    y. width: of the plot, beside a height of 230.
    """
    x_low, x_high = _padded(mean, [])
    ends = [end for one in limits for end in (one.value, one.low, one.high)]
    y_low, y_high = _padded(difference, [*ends, 0.0])

    def x(value: float) -> float:
        return round(_LEFT + width * (value - x_low) / (x_high - x_low), 1)

    def y(value: float) -> float:
        return round(_TOP + _HEIGHT * (1 - (value - y_low) / (y_high - y_low)), 1)

    bottom, right = _TOP + _HEIGHT, _LEFT + width
    parts = []
    for tick in round_ticks(y_low, y_high):
        parts.append(f'<path class="grid" d="M{_LEFT} {y(tick)}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(tick) + 4}" text-anchor="end">{_said(tick)}</text>')
    for tick in round_ticks(x_low, x_high):
        parts.append(f'<path class="grid" d="M{x(tick)} {_TOP}V{bottom}"/>')
        parts.append(f'<text x="{x(tick)}" y="{bottom + 15}" text-anchor="middle">{_said(tick)}</text>')
    for one, colour in zip(limits, (COLOURS[1], "#17202a", COLOURS[1]), strict=True):
        if not np.isfinite(one.value):
            continue
        if np.isfinite(one.low):
            height = round(y(one.low) - y(one.high), 1)
            parts.append(
                f'<rect x="{_LEFT}" y="{y(one.high)}" width="{width}" height="{height}" fill="{colour}" fill-opacity="0.12"/>'
            )
        parts.append(f'<path d="M{_LEFT} {y(one.value)}H{right}" stroke="{colour}" stroke-dasharray="5 3"/>')
    parts += [
        f'<circle cx="{x(a)}" cy="{y(b)}" r="3.2" fill="{COLOURS[0]}" fill-opacity="0.65"/>'
        for a, b in zip(mean, difference, strict=True)
    ]
    middle = _TOP + _HEIGHT / 2
    below, beside = (escape(title) for title in titles)
    parts.append(f'<text x="{_LEFT + width / 2}" y="{bottom + 33}" text-anchor="middle">{below}</text>')
    parts.append(f'<text transform="translate(11 {middle}) rotate(-90)" text-anchor="middle">{beside}</text>')
    size = f"0 0 {_LEFT + width + 12} {bottom + 42}"
    return f'<svg viewBox="{size}" role="img" aria-label="Bland-Altman plot">{"".join(parts)}</svg>'


def strip_chart(rows: Sequence[tuple[str, NDArray[np.float64]]], title: str) -> str:
    """Every case of each structure as a dot on an axis from 0 to 1, its median as a bar."""
    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        at = _NAME + _PLOT * tick
        parts.append(f'<path class="grid" d="M{at} 6V{len(rows) * _ROW + 10}"/>')
        parts.append(f'<text x="{at}" y="{len(rows) * _ROW + 24}" text-anchor="middle">{tick:g}</text>')
    for number, (name, values) in enumerate(rows):
        y = 18 + number * _ROW
        parts.append(f'<text x="0" y="{y + 4}">{escape(_shortened(name))}</text>')
        # Dots of equal values stand apart by their number, the same way each time.
        shifts = (np.arange(values.size) * 7 % 11 - 5) * 0.9
        parts += [
            f'<circle cx="{_NAME + _PLOT * value:.1f}" cy="{y + shift:.1f}" r="2.8" fill="{COLOURS[0]}" fill-opacity="0.5"/>'
            for value, shift in zip(values, shifts, strict=True)
        ]
        if values.size:
            at = round(_NAME + _PLOT * float(np.median(values)), 1)
            parts.append(f'<path d="M{at} {y - 9}V{y + 9}" stroke="#17202a" stroke-width="2.5"/>')
    bottom = len(rows) * _ROW + 42
    parts.append(
        f'<text x="{_NAME + _PLOT / 2}" y="{bottom - 4}" text-anchor="middle">{escape(title)}</text>'
    )
    return f'<svg viewBox="0 0 {_NAME + _PLOT + 16} {bottom}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _shortened(name: str) -> str:
    return name if len(name) <= 22 else name[:21] + "\u2026"


def _padded(values: NDArray[np.float64], others: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis that holds all finite values with some room."""
    every = np.concatenate([values, np.array(others, dtype=np.float64)])
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
    room = 0.06 * (high - low) or max(abs(high) * 0.1, 1.0)
    return low - room, high + room


def _said(value: float) -> str:
    return f"{value:.6g}".replace("-", "\u2212") if abs(value) > 1e-12 else "0"
