"""What is resampled of a label: each figure as a function of the weights of its cases.

A resample of patients is a weight for each case, so that all figures share the draws and differences are paired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.evaluation.bands import banded, in_order
from hounsfield.metrics import predictive_values, sort_score, why_withheld

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from hounsfield.evaluation.prediction_table import PredictionTable

    Statistic = Callable[[NDArray[np.float64]], float]

# Thresholds are shown at which these shares of all cases are called positive.
CALLED_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
DECISIONS = ("sensitivity", "specificity", "ppv", "npv")
FEWEST_CASES = 10  # of either kind, as `why_withheld` has it for rankings: what the pages tell
N_BINS = 10


@dataclass(frozen=True, slots=True)
class Use:
    """How a label is used. threshold: locked on other data. prevalence: where it will be used, for PPV and NPV there."""

    threshold: float | None = None
    prevalence: float | None = None


NO_USE = Use()


class Plan:
    """The statistics to resample, each on its own cases, in one list."""

    def __init__(self) -> None:
        self.keys: list[tuple[str, ...]] = []
        self._parts: list[tuple[Statistic, NDArray[np.intp]]] = []

    def add(self, key: tuple[str, ...], statistic: Statistic, cases: NDArray[np.intp]) -> None:
        """A statistic of the weights of `cases`."""
        self.keys.append(key)
        self._parts.append((statistic, cases))

    def values(self, weights: NDArray[np.float64]) -> list[float]:
        """Every statistic, for these weights of all cases."""
        return [statistic(weights[cases]) for statistic, cases in self._parts]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some cases of one label: their numbers in the table, truth and probability."""

    cases: NDArray[np.intp]
    truth: NDArray[np.bool_]
    probability: NDArray[np.float64]

    @property
    def too_few(self) -> str:
        """Why no figure is given, "" where there are enough cases."""
        n_positive = int(self.truth.sum())
        n_negative = self.truth.size - n_positive
        return why_withheld("ranking", n_positive=n_positive, n_negative=n_negative) or ""


def parts_of(table: PredictionTable, k: int) -> dict[tuple[str, str], Part]:
    """The cases of label k whose truth is known: all of them, and those of each group, by column and value."""
    cases = np.flatnonzero(table.known[k])
    chosen = {("all", ""): cases}
    for column, values in table.groups.items():
        bands = banded(values)
        for value in in_order(set(bands.tolist())):
            chosen[column, value] = cases[bands[cases] == value]
    return {key: Part(own, table.truth[k][own], table.probability[k][own]) for key, own in chosen.items()}


def plan_label(plan: Plan, table: PredictionTable, k: int, use: Use) -> None:
    """Figures of the label over all cases and over each group, unless they are too few."""
    parts = parts_of(table, k)
    for key, part in parts.items():
        if not part.too_few:
            for name, statistic in _statistics(part, use).items():
                plan.add((table.labels[k], *key, name), statistic, part.cases)
    if not (part := parts["all", ""]).too_few:
        for limit in shown_thresholds(part.probability):
            for name, statistic in _decisions(part, limit).items():
                plan.add((table.labels[k], "at", repr(limit), name), statistic, part.cases)


def _statistics(part: Part, use: Use) -> dict[str, Statistic]:
    """Discrimination, calibration and decisions of some cases."""
    curve, true, said = (
        sort_score(part.truth, part.probability),
        part.truth.astype(np.float64),
        part.probability,
    )
    found: dict[str, Statistic] = {
        "auroc": curve.auroc,
        "average_precision": curve.average_precision,
        "brier": _mean((said - true) ** 2),
        "ece": _ece(true, said),
        "prevalence": _mean(true),
        "mean_probability": _mean(said),
    }
    if use.threshold is None:
        return found
    found |= _decisions(part, use.threshold)
    if use.prevalence is not None:
        found["ppv_at_prevalence"] = _predictive(found, use.prevalence, "positive")
        found["npv_at_prevalence"] = _predictive(found, use.prevalence, "negative")
    return found


def _predictive(decided: Mapping[str, Statistic], prevalence: float, side: str) -> Statistic:
    """PPV or NPV where `prevalence` of the cases are positive, from sensitivity and specificity on these."""

    def statistic(weights: NDArray[np.float64]) -> float:
        found, cleared = decided["sensitivity"](weights), decided["specificity"](weights)
        if not (np.isfinite(found) and np.isfinite(cleared)):
            return float("nan")
        values = predictive_values(
            sensitivity=min(1.0, found), specificity=min(1.0, cleared), prevalence=prevalence
        )
        value: float | None = getattr(values, side)
        return float("nan") if value is None else value

    return statistic


def _decisions(part: Part, threshold: float) -> dict[str, Statistic]:
    true, called = part.truth.astype(np.float64), (part.probability >= threshold).astype(np.float64)
    both = (
        _share(called, true),
        _share(1 - called, 1 - true),
        _share(true, called),
        _share(1 - true, 1 - called),
    )
    return dict(zip(DECISIONS, both, strict=True))


def shown_thresholds(probability: NDArray[np.float64]) -> list[float]:
    """Distinct probabilities at which CALLED_SHARES of the cases are called positive, rising."""
    return sorted({float(np.quantile(probability, 1 - share, method="higher")) for share in CALLED_SHARES})


def _mean(values: NDArray[np.float64]) -> Statistic:
    return lambda weights: (
        float(weights @ values) / total if (total := float(weights.sum())) else float("nan")
    )


def _share(values: NDArray[np.float64], among: NDArray[np.float64]) -> Statistic:
    """Mean of `values` over the cases in `among` (0 or 1)."""
    both = values * among
    return lambda weights: (
        float(weights @ both) / total if (total := float(weights @ among)) else float("nan")
    )


def _ece(truth: NDArray[np.float64], stated: NDArray[np.float64]) -> Statistic:
    """Expected calibration error over ten bins of equal count, which stay as the data cut them."""
    order = np.argsort(stated, kind="stable")
    bins = np.empty(stated.size, dtype=np.intp)
    bins[order] = np.arange(stated.size) * N_BINS // stated.size
    apart = stated - truth

    def statistic(weights: NDArray[np.float64]) -> float:
        sums = np.bincount(bins, weights * apart, minlength=N_BINS)
        total = float(weights.sum())
        return float(np.abs(sums).sum()) / total if total else float("nan")

    return statistic
