"""All figures of one evaluation, each with a 95 % interval from resampling whole groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.metrics import (
    Interval,
    auroc,
    brier,
    calibration_bins,
    calibration_error_if_perfect,
    cluster_bootstrap,
    expected_calibration_error,
    sensitivity,
    specificity,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Statistic = Callable[[NDArray[np.intp]], float]


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What was said of n cases, beside the truth.

    classes: names. names, groups: of the cases. labels: (n,) true class. probabilities: (n, c) after the
    calibrator; uncalibrated: (n, c) before it. dice: (n,) of the outlines, or None. present_from: locked
    threshold of each class.
    """

    classes: tuple[str, ...]
    names: tuple[str, ...]
    groups: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    uncalibrated: NDArray[np.float64]
    dice: NDArray[np.float64] | None = None
    present_from: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_cases, shape = len(self.labels), (len(self.labels), len(self.classes))
        if n_cases == 0 or len(self.names) != n_cases or len(self.groups) != n_cases:
            raise UsageError(
                f"{n_cases} labels, {len(self.names)} names and {len(self.groups)} groups do not fit"
            )
        if self.probabilities.shape != shape or self.uncalibrated.shape != shape:
            raise UsageError(f"probabilities must have shape {shape}, not {self.probabilities.shape}")


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure: over all classes, and for each class where it has one."""

    overall: Interval | None
    by_class: dict[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Figures by name, the confusion matrix (truth in rows), and how many cases and groups they rest on."""

    classes: tuple[str, ...]
    n_cases: int
    n_groups: int
    figures: dict[str, Measured]
    confusion: NDArray[np.int64]
    calibration: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The record of `evaluation.json`."""
        return {
            "classes": list(self.classes),
            "n_cases": self.n_cases,
            "n_groups": self.n_groups,
            "interval": "95 %, cluster bootstrap over groups, percentiles",
            "figures": {
                name: {
                    "overall": item.overall.to_json() if item.overall else None,
                    "by_class": {own: interval.to_json() for own, interval in item.by_class.items()},
                }
                for name, item in self.figures.items()
            },
            "confusion": self.confusion.tolist(),
            "calibration": self.calibration,
        }


def evaluate(predictions: Predictions, *, seed: int = 0, n_resamples: int = 1000) -> Evaluation:
    """Discrimination, calibration and overlap of `predictions`, with intervals clustered by group.

    The same seed gives the same intervals.
    """
    said, labels = predictions.probabilities, predictions.labels
    chosen = said.argmax(axis=1)
    right, sure = chosen == labels, said.max(axis=1)
    n_classes = len(predictions.classes)
    confusion = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(confusion, (labels, chosen), 1)
    overall, by_class = _statistics(predictions)

    def interval(statistic: Statistic) -> Interval:
        rng = np.random.default_rng(seed)
        return cluster_bootstrap(statistic, predictions.groups, rng=rng, n_resamples=n_resamples)

    names = list(dict.fromkeys([*overall, *by_class]))
    figures = {
        name: Measured(
            interval(overall[name]) if name in overall else None,
            {own: interval(statistic) for own, statistic in by_class.get(name, {}).items()},
        )
        for name in names
    }
    bins = calibration_bins(right, sure)
    calibration = {
        "kind": "probability of the most likely class, ten bins of equal width",
        "bins": [{"stated": b.stated, "observed": b.observed, "n_cases": b.n_cases} for b in bins],
        "error_if_perfect": calibration_error_if_perfect(sure, rng=np.random.default_rng(seed)).to_json(),
    }
    n_groups = len(set(predictions.groups))
    return Evaluation(predictions.classes, len(labels), n_groups, figures, confusion, calibration)


def _statistics(predictions: Predictions) -> tuple[dict[str, Statistic], dict[str, dict[str, Statistic]]]:
    """Functions of case indices: figures over all classes, and figures of each class."""
    said, labels = predictions.probabilities, predictions.labels
    n_classes = len(predictions.classes)
    overall: dict[str, Statistic] = {
        "auroc": lambda i: float(np.mean([auroc(labels[i] == k, said[i, k]) for k in range(n_classes)])),
        "accuracy": lambda i: float((said[i].argmax(axis=1) == labels[i]).mean()),
        "ece": lambda i: _ece(labels[i], said[i]),
        "ece-uncalibrated": lambda i: _ece(labels[i], predictions.uncalibrated[i]),
        "brier": lambda i: float(sum(brier(labels[i] == k, said[i, k]) for k in range(n_classes))),
    }
    by_class: dict[str, dict[str, Statistic]] = {"auroc": {}, "brier": {}}
    for k, name in enumerate(predictions.classes):
        by_class["auroc"][name] = lambda i, k=k: auroc(labels[i] == k, said[i, k])  # type: ignore[misc]  # default binds k now
        by_class["brier"][name] = lambda i, k=k: brier(labels[i] == k, said[i, k])  # type: ignore[misc]  # default binds k now
    for name, limit in predictions.present_from.items():
        k = predictions.classes.index(name)
        called = said[:, k] >= limit
        by_class.setdefault("sensitivity", {})[name] = lambda i, k=k, c=called: sensitivity(
            labels[i] == k, c[i]
        )  # type: ignore[misc]  # as above
        by_class.setdefault("specificity", {})[name] = lambda i, k=k, c=called: specificity(
            labels[i] == k, c[i]
        )  # type: ignore[misc]  # as above
    if predictions.dice is not None:
        overlap = predictions.dice
        overall["dice"] = lambda i: _mean(overlap[i])
        by_class["dice"] = {
            name: lambda i, k=k: _mean(overlap[i][labels[i] == k])  # type: ignore[misc]  # as above
            for k, name in enumerate(predictions.classes)
        }
    return overall, by_class


def _ece(labels: NDArray[np.int64], said: NDArray[np.float64]) -> float:
    return float(expected_calibration_error(said.argmax(axis=1) == labels, said.max(axis=1)))


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else float("nan")
