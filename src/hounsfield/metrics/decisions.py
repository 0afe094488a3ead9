"""Everything that follows from the four counts of a decision, each with its interval.

Intervals: Wilson for proportions; the logarithm's normal approximation for likelihood ratios (Simel 1991,
J Clin Epidemiol 44:763); none of its own for F1, kappa and MCC, which are resampled by patient where an
interval is shown. Cases count as independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval
from hounsfield.metrics._checks import require_between
from hounsfield.metrics.wilson import Z_95, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNDEFINED = Interval(math.nan, math.nan, math.nan, 1)


@dataclass(frozen=True, slots=True)
class DecisionCounts:
    """True and false decisions, counted. All figures are nan where their denominator is zero."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    def __post_init__(self) -> None:
        if min(self.true_positive, self.false_positive, self.true_negative, self.false_negative) < 0:
            raise RefusedInput(f"{self} holds a negative count; counts of cases are 0 or more.")

    @property
    def n(self) -> int:
        """All cases."""
        return self.true_positive + self.false_positive + self.true_negative + self.false_negative

    @property
    def n_positive(self) -> int:
        """Cases that are positive."""
        return self.true_positive + self.false_negative

    @property
    def n_called(self) -> int:
        """Cases that were called positive."""
        return self.true_positive + self.false_positive

    @property
    def sensitivity(self) -> Interval:
        """Share of the positives that were called so."""
        return _share(self.true_positive, self.n_positive)

    @property
    def specificity(self) -> Interval:
        """Share of the negatives that were called so."""
        return _share(self.true_negative, self.n - self.n_positive)

    @property
    def ppv(self) -> Interval:
        """Share of those called positive that are, at the prevalence of these cases."""
        return _share(self.true_positive, self.n_called)

    @property
    def npv(self) -> Interval:
        """Share of those called negative that are, at the prevalence of these cases."""
        return _share(self.true_negative, self.n - self.n_called)

    @property
    def accuracy(self) -> Interval:
        """Share of right decisions; says little where one class is rare."""
        return _share(self.true_positive + self.true_negative, self.n)

    @property
    def youden(self) -> Interval:
        """Sensitivity + specificity - 1; the interval is that of a difference of two shares.

        Sources: Youden 1950, Cancer 3:32; Newcombe 1998, Stat Med 17:873 (method 10, by Wilson's limits).
        """
        hits, alarms = self.sensitivity, _share(self.false_positive, self.n - self.n_positive)
        value = hits.value - alarms.value
        return Interval(
            value,
            value - math.hypot(hits.value - hits.low, alarms.high - alarms.value),
            value + math.hypot(hits.high - hits.value, alarms.value - alarms.low),
            hits.n_undefined or alarms.n_undefined,
        )

    @property
    def balanced_accuracy(self) -> Interval:
        """Mean of sensitivity and specificity, with the interval of youden."""
        own = self.youden
        return Interval((own.value + 1) / 2, (own.low + 1) / 2, (own.high + 1) / 2, own.n_undefined)

    def at_prevalence(self, prevalence: float) -> tuple[Interval, Interval]:
        """PPV and NPV where the prevalence is another than that of these cases, taken as known.

        The likelihood ratios with their intervals times the odds before (on the scale of logits, Mercaldo 2007, Stat Med
        26:2170). Raises RefusedInput unless prevalence lies between 0 and 1.
        """
        require_between("prevalence", prevalence, 0.0, 1.0)
        odds = prevalence / (1 - prevalence)
        called, cleared = self.likelihood_ratio_positive, self.likelihood_ratio_negative
        return _of_odds(called, odds), _of_odds(_inverse(cleared), 1 / odds)

    @property
    def likelihood_ratio_positive(self) -> Interval:
        """How much more often a positive than a negative case is called positive."""
        return _ratio(self.true_positive, self.n_positive, self.false_positive, self.n - self.n_positive)

    @property
    def likelihood_ratio_negative(self) -> Interval:
        """How much more often a positive than a negative case is called negative."""
        return _ratio(self.false_negative, self.n_positive, self.true_negative, self.n - self.n_positive)

    @property
    def f1(self) -> float:
        """Harmonic mean of sensitivity and PPV (van Rijsbergen 1979)."""
        denominator = self.n_positive + self.n_called
        return 2 * self.true_positive / denominator if denominator else math.nan

    @property
    def kappa(self) -> float:
        """Agreement beyond chance (Cohen 1960, Educ Psychol Meas 20:37)."""
        if not self.n:
            return math.nan
        observed = (self.true_positive + self.true_negative) / self.n
        negative, cleared = self.n - self.n_positive, self.n - self.n_called
        by_chance = (self.n_positive * self.n_called + negative * cleared) / self.n**2
        return (observed - by_chance) / (1.0 - by_chance) if by_chance < 1.0 else math.nan

    @property
    def mcc(self) -> float:
        """Correlation of decision and truth (Matthews 1975, Biochim Biophys Acta 405:442)."""
        sides = (self.n_positive, self.n_called, self.n - self.n_positive, self.n - self.n_called)
        if not all(sides):
            return math.nan
        cross = self.true_positive * self.true_negative - self.false_positive * self.false_negative
        return cross / math.sqrt(math.prod(sides))


def _of_odds(ratio: Interval, odds: float) -> Interval:
    """Probability after a likelihood ratio, from the odds before."""
    value, low, high = (_probability(odds * own) for own in (ratio.value, ratio.low, ratio.high))
    return Interval(value, low, high, ratio.n_undefined)


def _probability(odds: float) -> float:
    return 1.0 if math.isinf(odds) else odds / (1 + odds)


def _inverse(ratio: Interval) -> Interval:
    """One over a ratio; its limits change places."""
    value, high, low = (1 / own if own else math.inf for own in (ratio.value, ratio.low, ratio.high))
    return Interval(value, low, high, ratio.n_undefined)


def count_decisions(truth: NDArray[Any], decision: NDArray[Any]) -> DecisionCounts:
    """The four counts. truth, decision: bool (n,)."""
    positive, called = np.asarray(truth, dtype=bool), np.asarray(decision, dtype=bool)
    return DecisionCounts(
        int((positive & called).sum()),
        int((~positive & called).sum()),
        int((~positive & ~called).sum()),
        int((positive & ~called).sum()),
    )


def _share(k: int, n: int) -> Interval:
    return wilson_interval(k, n) if n else _UNDEFINED


def _ratio(hits: int, n_hits: int, alarms: int, n_alarms: int) -> Interval:
    """(hits / n_hits) / (alarms / n_alarms) with its interval on the scale of logarithms."""
    if not (n_hits and n_alarms and alarms):
        return _UNDEFINED
    value = (hits / n_hits) / (alarms / n_alarms)
    if not hits:
        return Interval(0.0, 0.0, math.nan)
    error = math.sqrt(1 / hits - 1 / n_hits + 1 / alarms - 1 / n_alarms)
    return Interval(value, value * math.exp(-Z_95 * error), value * math.exp(Z_95 * error))
