"""Charts drawn as SVG by hand: they print sharply and need no plotting library."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

COLOURS = ("#0b5cad", "#c4501b", "#2f7d4f", "#7b4fa3", "#8a6d00", "#4a5560")
_SIDE, _LEFT, _TOP = 260, 46, 14


def frame(body: str, x_title: str, y_title: str, *, ticks: Sequence[float] = (0, 0.25, 0.5, 0.75, 1)) -> str:
    """A square chart with both axes from 0 to 1 around `body`, which is drawn in its own coordinates."""
    lines = []
    for tick in ticks:
        x, y = _x(tick), _y(tick)
        lines.append(f'<path class="grid" d="M{x} {_TOP}V{_y(0)}M{_LEFT} {y}H{_x(1)}"/>')
        lines.append(f'<text x="{x}" y="{_y(0) + 15}" text-anchor="middle">{tick:g}</text>')
        lines.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    middle = _TOP + _SIDE / 2
    lines.append(f'<text x="{_x(0.5)}" y="{_y(0) + 34}" text-anchor="middle">{escape(x_title)}</text>')
    lines.append(
        f'<text transform="translate(12 {middle}) rotate(-90)" text-anchor="middle">{escape(y_title)}</text>'
    )
    size = f"0 0 {_LEFT + _SIDE + 14} {_TOP + _SIDE + 42}"
    label = escape(f"{y_title} against {x_title}")
    return f'<svg viewBox="{size}" role="img" aria-label="{label}">{"".join(lines)}{body}</svg>'


def roc_chart(curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> str:
    """One curve a class: (1 - specificity, sensitivity) from (0, 0) to (1, 1)."""
    parts = [f'<path class="chance" d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}"/>']
    for index, (name, (false_alarms, sensitivity)) in enumerate(curves.items()):
        points = " ".join(f"{_x(a)},{_y(b)}" for a, b in zip(false_alarms, sensitivity, strict=True))
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        y = _y(0.06 + 0.07 * (len(curves) - 1 - index))
        parts.append(f'<text x="{_x(0.97)}" y="{y}" text-anchor="end" fill="{colour}">{escape(name)}</text>')
    return frame("".join(parts), "1 - specificity", "sensitivity")


def calibration_chart(bins: Sequence[Mapping[str, Any]]) -> str:
    """Stated against observed probability; the area of a dot is the number of cases."""
    parts = [f'<path class="chance" d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}"/>']
    largest = max((item["n_cases"] for item in bins), default=1)
    for item in bins:
        radius = 3 + 11 * (item["n_cases"] / largest) ** 0.5
        x, y = _x(item["stated"]), _y(item["observed"])
        parts.append(f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" fill="{COLOURS[0]}" fill-opacity="0.6"/>')
        # Below the dot, but above it near the axis, whose own numbers stand below.
        label_y = y - radius - 4 if item["observed"] < 0.1 else y + radius + 12
        parts.append(f'<text x="{x}" y="{label_y:.1f}" text-anchor="middle">{item["n_cases"]}</text>')
    return frame("".join(parts), "stated probability", "share that was right")


def histogram(values: NDArray[np.float64], title: str) -> str:
    """Ten bars over 0 to 1, their heights as shares of all values, the counts above them."""
    counts, _ = np.histogram(values[np.isfinite(values)], bins=10, range=(0, 1))
    total = max(1, int(counts.sum()))
    bars = []
    for index, count in enumerate(counts.tolist()):
        x, y = _x(index / 10), _y(count / total)
        bars.append(
            f'<rect x="{x + 1}" y="{y}" width="{_SIDE / 10 - 2}" height="{_y(0) - y}" fill="{COLOURS[0]}"/>'
        )
        if count:
            bars.append(f'<text x="{x + _SIDE / 20}" y="{y - 4}" text-anchor="middle">{count}</text>')
    return frame("".join(bars), title, "share of cases")


def round_ticks(low: float, high: float) -> list[float]:
    """Round numbers between both ends, three to six of them as a rule."""
    step = 10.0 ** np.floor(np.log10(high - low))
    step = next(
        step * factor for factor in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0) if (high - low) / (step * factor) <= 6
    )
    first = np.ceil(low / step)
    return [float(step * k) for k in np.arange(first, np.floor(high / step) + 1)]


def _x(value: float) -> float:
    return round(_LEFT + _SIDE * float(value), 1)


def _y(value: float) -> float:
    return round(_TOP + _SIDE * (1 - float(value)), 1)
