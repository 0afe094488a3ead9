"""Charts of one label: precision and recall, decision curve, reliability, and figures by group as a forest."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.evaluation.charts import COLOURS, frame, round_ticks
from hounsfield.metrics import net_benefit, precision_recall_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hounsfield.metrics import Interval

# A curve of ten thousand points is drawn by as many as the eye can tell apart.
MOST_POINTS = 240
_SIDE, _LEFT, _TOP = 260, 46, 14  # of charts.frame
_ROW, _NAME, _PLOT, _TEXT = 21, 150, 250, 190
_SMALLEST_SPAN = 0.05


def thinned(curve: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """The arrays of a curve at MOST_POINTS places that are even along the curve, ends kept."""
    if curve[0].size <= MOST_POINTS:
        return list(curve)
    steps = sum(np.abs(np.diff(part)) for part in curve[:2])
    along = np.concatenate([[0.0], np.cumsum(steps)])
    kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], MOST_POINTS)).clip(0, along.size - 1))
    return [part[kept] for part in curve]


def precision_recall_chart(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> str:
    """Precision against recall; dashed: what calling everybody gives."""
    recall, precision, _ = precision_recall_curve(truth, probability)
    prevalence = float(truth.mean())
    chance = f'<path class="chance" d="M{_x(0)} {_y(prevalence)}H{_x(1)}"/>'
    recall, precision = thinned([recall, precision])
    return frame(chance + _line(recall, precision, COLOURS[0]), "sensitivity (recall)", "PPV (precision)")


def reliability_chart(truth: NDArray[np.bool_], probability: NDArray[np.float64], n_bins: int) -> str:
    """Observed against stated in bins of equal count, on axes cut to where the probabilities lie."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, n_bins) if part.size]
    stated = np.array([probability[part].mean() for part in parts])
    observed = np.array([truth[part].mean() for part in parts])
    limit = _axis_end(max(float(stated.max()), float(observed.max())))
    dots = "".join(
        f'<circle cx="{_x(a / limit)}" cy="{_y(b / limit)}" r="4" fill="{COLOURS[0]}"/>'
        for a, b in zip(stated, observed, strict=True)
    )
    body = f'<path class="chance" d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}"/>{dots}'
    body += _line(stated / limit, observed / limit, COLOURS[0])
    return _scaled(frame(body, "stated probability", "observed share"), limit, limit)


def decision_chart(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> str:
    """Net benefit against the threshold, of the model and of acting on all; 0 is acting on nobody."""
    prevalence = float(truth.mean())
    last = _axis_end(min(4 * prevalence, 0.8))
    limits = np.linspace(last / 100, last * 0.99, 99)
    model, everybody = net_benefit(truth, probability, limits)
    top = _axis_end(max(prevalence, float(model.max())))
    body = _line(limits / last, np.clip(everybody / top, 0, 1), COLOURS[5], dashed=True)
    body += _line(limits / last, np.clip(model / top, 0, 1), COLOURS[0])
    return _scaled(frame(body, "threshold probability", "net benefit"), last, top)


def forest_chart(
    rows: Sequence[tuple[str, str, Interval | None]], title: str, *, middle: float | None = None
) -> str:
    """One row a group: name, count, and the figure with its interval on one axis; None where it is withheld.

    middle: where the dashed line stands; at the first row's figure, which is then drawn darker, if None.
    """
    known = [interval for _, _, interval in rows if interval is not None and np.isfinite(interval.low)]
    low = min((interval.low for interval in known), default=0.0)
    high = max((interval.high for interval in known), default=1.0)
    if middle is not None and np.isfinite(middle):
        low, high = min(low, middle), max(high, middle)
    span = max(high - low, _SMALLEST_SPAN)
    if high <= 1.0 < low + 1.05 * span:
        low = 1.0 - span  # a share has no values above 1
    low, high = low - 0.05 * span, low + 1.05 * span

    def x(value: float) -> float:
        return round(_NAME + _PLOT * (value - low) / (high - low), 1)

    parts = []
    for number, (name, count, interval) in enumerate(rows):
        y = 20 + number * _ROW
        parts.append(
            f'<text x="0" y="{y + 4}">{escape(name)} <tspan fill="#5b6770">{escape(count)}</tspan></text>'
        )
        if interval is None or not np.isfinite(interval.low):
            parts.append(f'<text x="{_NAME + _PLOT + 12}" y="{y + 4}" fill="#5b6770">too few cases</text>')
            continue
        colour = COLOURS[0] if number or middle is not None else "#17202a"
        parts.append(
            f'<path d="M{x(interval.low)} {y}H{x(interval.high)}" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(f'<circle cx="{x(interval.value)}" cy="{y}" r="4" fill="{colour}"/>')
        said = f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"
        parts.append(f'<text x="{_NAME + _PLOT + 12}" y="{y + 4}">{said}</text>')
    bottom = 20 + len(rows) * _ROW
    if middle is None and rows and rows[0][2] is not None:
        middle = rows[0][2].value
    if middle is not None and np.isfinite(middle):
        parts.insert(0, f'<path class="chance" d="M{x(middle)} 8V{bottom - 8}"/>')
    ticks = round_ticks(low, high)
    parts += [
        f'<text x="{x(tick)}" y="{bottom + 8}" text-anchor="middle">{tick:.6g}</text>' for tick in ticks
    ]
    parts.insert(0, f'<path class="grid" d="{"".join(f"M{x(tick)} 8V{bottom - 8}" for tick in ticks)}"/>')
    size = f"0 0 {_NAME + _PLOT + _TEXT} {bottom + 14}"
    return f'<svg viewBox="{size}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _axis_end(largest: float) -> float:
    """The end of an axis that holds `largest` and whose quarters are short numbers."""
    return next(
        end
        for end in (0.004, 0.008, 0.02, 0.04, 0.08, 0.2, 0.4, 0.6, 0.8, 1.0)
        if largest <= end or end == 1.0
    )


def _scaled(chart: str, x_end: float, y_end: float) -> str:
    """The chart with other numbers at its ticks of 0, 0.25, 0.5, 0.75 and 1."""
    for own in (0.25, 0.5, 0.75, 1):
        below = f'<text x="{_x(own)}" y="{_y(0) + 15}" text-anchor="middle">'
        beside = f'<text x="{_LEFT - 6}" y="{_y(own) + 4}" text-anchor="end">'
        chart = chart.replace(f"{below}{own:g}<", f"{below}{own * x_end:g}<")
        chart = chart.replace(f"{beside}{own:g}<", f"{beside}{own * y_end:g}<")
    return chart


def _line(x: NDArray[Any], y: NDArray[Any], colour: str, *, dashed: bool = False) -> str:
    points = " ".join(f"{_x(a)},{_y(b)}" for a, b in zip(x, y, strict=True))
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'


def _x(value: float) -> float:
    return round(_LEFT + _SIDE * float(value), 1)


def _y(value: float) -> float:
    return round(_TOP + _SIDE * (1 - float(value)), 1)
