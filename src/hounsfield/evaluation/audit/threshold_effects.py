"""How the gap between two groups moves with the threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.evaluation.audit.group_figures import (
    LabelCases,
    drawn_sums,
    interval_record,
    sum_by_patient,
)
from hounsfield.evaluation.charts import COLOURS, frame
from hounsfield.metrics import Interval, percentile_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.evaluation.audit.groups import Group

# The gap is given at thresholds that call these shares of all cases positive; the chart has a finer grid.
CALLED_SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
_CHART_SHARES = np.linspace(0.01, 0.6, 60)
_LAST_SHARE = 0.6
MOST_CURVES = len(COLOURS)


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdEffect:
    """One label and column. missed, caught: the groups of the highest and lowest false-negative rate at the threshold
    of the audit; gap: the difference of their rates, by share of all cases called positive. curves: rates by value, at
    the shares of the chart.
    """

    label: str
    column: str
    missed: str
    caught: str
    gap: Mapping[float, tuple[float, Interval]]
    curves: Mapping[str, NDArray[np.float64]]

    def to_json(self) -> dict[str, Any]:
        """The gap by share and threshold."""
        return {
            "label": self.label,
            "column": self.column,
            "missed": self.missed,
            "caught": self.caught,
            "gap": [
                {"called_share": share, "threshold": threshold, **interval_record(interval)}
                for share, (threshold, interval) in self.gap.items()
            ],
        }

    def chart(self) -> str:
        """False-negative rate of each group against the share of all cases that is called positive."""
        parts = []
        for number, (value, rates) in enumerate(list(self.curves.items())[:MOST_CURVES]):
            points = " ".join(
                f"{_x(share / _LAST_SHARE)},{_y(rate)}"
                for share, rate in zip(_CHART_SHARES, rates, strict=True)
                if np.isfinite(rate)
            )
            colour = COLOURS[number]
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
            parts.append(
                f'<text x="{_x(0.97)}" y="{_y(0.95 - 0.06 * number)}" text-anchor="end" fill="{colour}">{_escaped(value)}</text>'
            )
        drawn = frame("".join(parts), "share of all cases called positive", "false-negative rate")
        # The horizontal axis ends at 0.6, where little is missed in any group.
        for tick in (0.25, 0.5, 0.75, 1):
            drawn = drawn.replace(
                f'text-anchor="middle">{tick:g}<', f'text-anchor="middle">{tick * _LAST_SHARE:g}<', 1
            )
        return drawn


def threshold_effect(
    cases: LabelCases,
    groups: Sequence[Group],
    rates: Mapping[str, float],
    *,
    rng: np.random.Generator,
    n_resamples: int,
) -> ThresholdEffect:
    """groups: of one column, at least two, each with enough positives. rates: their false-negative rates by value."""
    missed, caught = max(rates, key=lambda value: rates[value]), min(rates, key=lambda value: rates[value])
    by_value = {one.value: one.members for one in groups}
    limits = [float(np.quantile(cases.probability, 1 - share, method="higher")) for share in CALLED_SHARES]
    columns = []
    for value in (missed, caught):
        positive = cases.truth & by_value[value]
        columns += [positive, *(positive & (cases.probability < limit) for limit in limits)]
    by_patient = sum_by_patient(np.stack(columns, axis=1).astype(np.float64), cases.patient)
    draws = drawn_sums(by_patient, rng=rng, n_resamples=n_resamples)
    totals, resamples = _gaps(by_patient.sum(axis=0)), _gaps(draws)
    gap = {
        share: (limit, percentile_interval(float(totals[at]), resamples[:, at]))
        for at, (share, limit) in enumerate(zip(CALLED_SHARES, limits, strict=True))
    }
    curves = {value: _curve(cases, by_value[value]) for value in rates}
    return ThresholdEffect(cases.name, groups[0].column, missed, caught, gap, curves)


def _gaps(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Difference of the two groups' rates at each threshold, from the sums of both: positives, then missed ones."""
    first, second = np.split(sums, 2, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(first[..., 1:] / first[..., :1] - second[..., 1:] / second[..., :1])


def _curve(cases: LabelCases, members: NDArray[np.bool_]) -> NDArray[np.float64]:
    limits = np.quantile(cases.probability, 1 - _CHART_SHARES, method="higher")
    return np.array([np.mean(cases.probability[members & cases.truth] < limit) for limit in limits])


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)


def _x(value: float) -> float:
    return round(46 + 260 * float(value), 1)


def _y(value: float) -> float:
    return round(14 + 260 * (1 - float(value)), 1)
