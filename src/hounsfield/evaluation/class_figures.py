"""All figures of one evaluation, each with a 95 % interval from resampling whole groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.evaluation.document import figure_record
from hounsfield.metrics import (
    Interval,
    auroc,
    brier,
    calibration_bins,
    calibration_error_if_perfect,
    cluster_bootstrap,
    cohen_kappa,
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
    calibrator; uncalibrated: (n, c) before it, or None. dice: (n,) of the outlines, or None. present_from: locked
    threshold of each class.
    """

    classes: tuple[str, ...]
    names: tuple[str, ...]
    groups: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    uncalibrated: NDArray[np.float64] | None = None
    dice: NDArray[np.float64] | None = None
    present_from: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_cases, shape = len(self.labels), (len(self.labels), len(self.classes))
        if n_cases == 0 or len(self.names) != n_cases or len(self.groups) != n_cases:
            raise UsageError(
                f"{n_cases} labels, {len(self.names)} names and {len(self.groups)} groups do not fit"
            )
        for said in (self.probabilities, self.uncalibrated):
            if said is not None and said.shape != shape:
                raise UsageError(f"probabilities must have shape {shape}, not {said.shape}")

    def only(self, kept: NDArray[np.bool_]) -> Predictions:
        """The cases in `kept` (n,)."""
        indices = np.flatnonzero(kept)
        return Predictions(
            self.classes,
            tuple(self.names[i] for i in indices),
            tuple(self.groups[i] for i in indices),
            self.labels[indices],
            self.probabilities[indices],
            None if self.uncalibrated is None else self.uncalibrated[indices],
            None if self.dice is None else self.dice[indices],
            self.present_from,
        )


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
        """The part `classes` of evaluation.json."""
        return {
            "names": list(self.classes),
            "figures": {
                name: {
                    "overall": figure_record(item.overall) if item.overall else None,
                    "by_class": {own: figure_record(interval) for own, interval in item.by_class.items()},
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
        "error_if_perfect": figure_record(
            calibration_error_if_perfect(sure, rng=np.random.default_rng(seed))
        ),
    }
    n_groups = len(set(predictions.groups))
    return Evaluation(predictions.classes, len(labels), n_groups, figures, confusion, calibration)


def _statistics(predictions: Predictions) -> tuple[dict[str, Statistic], dict[str, dict[str, Statistic]]]:
    """Functions of case indices: figures over all classes, and figures of each class."""
    said, labels = predictions.probabilities, predictions.labels
    n_classes = len(predictions.classes)
    chosen, before = said.argmax(axis=1), predictions.uncalibrated
    overall: dict[str, Statistic] = {
        "auroc": lambda i: float(np.mean([auroc(labels[i] == k, said[i, k]) for k in range(n_classes)])),
        "accuracy": lambda i: float((chosen[i] == labels[i]).mean()),
        "kappa": lambda i: _kappa(labels[i], chosen[i], n_classes),
        "ece": lambda i: _ece(labels[i], said[i]),
        "brier": lambda i: float(sum(brier(labels[i] == k, said[i, k]) for k in range(n_classes))),
    }
    if before is not None:
        overall["ece-uncalibrated"] = lambda i: _ece(labels[i], before[i])
    by_class: dict[str, dict[str, Statistic]] = {"auroc": {}, "brier": {}, "recall": {}, "precision": {}}
    for k, name in enumerate(predictions.classes):
        by_class["auroc"][name] = lambda i, k=k: auroc(labels[i] == k, said[i, k])  # type: ignore[misc]  # default binds k now
        by_class["brier"][name] = lambda i, k=k: brier(labels[i] == k, said[i, k])  # type: ignore[misc]  # as above
        by_class["recall"][name] = lambda i, k=k: _mean((chosen[i] == k)[labels[i] == k])  # type: ignore[misc]  # as above
        by_class["precision"][name] = lambda i, k=k: _mean((labels[i] == k)[chosen[i] == k])  # type: ignore[misc]  # as above
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


def _kappa(labels: NDArray[np.int64], chosen: NDArray[np.int64], n_classes: int) -> float:
    counts = np.bincount(labels * n_classes + chosen, minlength=n_classes**2).reshape(n_classes, n_classes)
    return cohen_kappa(counts).value


def _ece(labels: NDArray[np.int64], said: NDArray[np.float64]) -> float:
    return float(expected_calibration_error(said.argmax(axis=1) == labels, said.max(axis=1)))


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if defined.size else float("nan")
