"""Decisions among several classes, and of several labels at once.

Averages over classes: macro gives every class one vote, weighted as many as it has cases, micro pools the decisions. A
class for which a figure is undefined makes the macro average nan: dropping it would hide it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics.decisions import DecisionCounts, count_decisions
from hounsfield.metrics.wilson import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hounsfield.metrics._bootstrap import Interval

Average = Literal["macro", "micro", "weighted"]


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionMatrix:
    """Counts (k, k): rows are the true class, columns the class decided for."""

    counts: NDArray[np.int64]

    @property
    def n(self) -> int:
        """All cases."""
        return int(self.counts.sum())

    @property
    def n_of_class(self) -> NDArray[np.int64]:
        """Cases of each true class, (k,)."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def accuracy(self) -> Interval:
        """Share of right decisions, with Wilson's interval. Raises RefusedInput without cases."""
        return wilson_interval(int(np.trace(self.counts)), self.n)

    @property
    def balanced_accuracy(self) -> float:
        """Mean sensitivity of the classes; nan where a class has no case."""
        return self.average(lambda own: own.sensitivity.value)

    @property
    def mcc(self) -> float:
        """Correlation of decision and truth for k classes (Gorodkin 2004, Comput Biol Chem 28:367); nan without variation."""
        true, called = self.n_of_class.astype(float), self.counts.sum(axis=0).astype(float)
        spread = (self.n**2 - (called**2).sum()) * (self.n**2 - (true**2).sum())
        return (
            float((np.trace(self.counts) * self.n - true @ called) / math.sqrt(spread))
            if spread
            else math.nan
        )

    def of_class(self, index: int) -> DecisionCounts:
        """The four counts of one class against the rest; every figure of a decision follows from them."""
        hits = int(self.counts[index, index])
        called, true = int(self.counts[:, index].sum()), int(self.counts[index].sum())
        return DecisionCounts(hits, called - hits, self.n - called - true + hits, true - hits)

    def average(self, figure: Callable[[DecisionCounts], float], how: Average = "macro") -> float:
        """A figure of each class, such as `lambda own: own.f1`, averaged over classes."""
        classes = [self.of_class(index) for index in range(len(self.counts))]
        return _averaged(classes, figure, how)


def confusion_matrix(truth: NDArray[Any], decision: NDArray[Any], *, n_classes: int) -> ConfusionMatrix:
    """truth, decision: classes (n,), whole numbers from 0 to below n_classes. Raises RefusedInput for others."""
    true, called = np.asarray(truth), np.asarray(decision)
    for name, values in (("truth", true), ("decision", called)):
        if values.ndim != 1 or values.size != true.size or values.dtype.kind not in "iub":
            raise RefusedInput(
                f"{name} must hold whole numbers, one a case; found {values.dtype} {values.shape}."
            )
        if values.size and not 0 <= int(values.min()) <= int(values.max()) < n_classes:
            raise RefusedInput(
                f"{name} holds {values.min()} to {values.max()}; classes are 0 to {n_classes - 1}."
            )
    place = true.astype(np.int64) * n_classes + called.astype(np.int64)
    return ConfusionMatrix(np.bincount(place, minlength=n_classes**2).reshape(n_classes, n_classes))


@dataclass(frozen=True, slots=True)
class LabelDecisions:
    """Decisions of k labels of which a case may have any number.

    exact_match: share of cases with every label right (Wilson). hamming: share of labels that are wrong. labels: counts
    of each.
    """

    exact_match: Interval
    hamming: float
    labels: tuple[DecisionCounts, ...]

    def average(self, figure: Callable[[DecisionCounts], float], how: Average = "macro") -> float:
        """A figure of each label, such as `lambda own: own.f1`, averaged over labels."""
        return _averaged(list(self.labels), figure, how)


def label_decisions(truth: NDArray[Any], decision: NDArray[Any]) -> LabelDecisions:
    """truth, decision: bool (n, k). Raises RefusedInput for other shapes or none."""
    true, called = np.asarray(truth, dtype=bool), np.asarray(decision, dtype=bool)
    if true.ndim != 2 or true.shape != called.shape or not true.size:
        raise RefusedInput(f"shapes {true.shape} and {called.shape}; both must be (cases, labels).")
    right = true == called
    labels = tuple(count_decisions(true[:, k], called[:, k]) for k in range(true.shape[1]))
    return LabelDecisions(
        wilson_interval(int(right.all(axis=1).sum()), len(right)), float((~right).mean()), labels
    )


def _averaged(
    classes: list[DecisionCounts], figure: Callable[[DecisionCounts], float], how: Average
) -> float:
    if how == "micro":
        return figure(
            DecisionCounts(
                sum(own.true_positive for own in classes),
                sum(own.false_positive for own in classes),
                sum(own.true_negative for own in classes),
                sum(own.false_negative for own in classes),
            )
        )
    values = np.array([figure(own) for own in classes], dtype=np.float64)
    if how == "macro":
        return float(values.mean())
    if how != "weighted":
        raise RefusedInput(f"no average is called {how!r}; give 'macro', 'micro' or 'weighted'.")
    cases = np.array([own.n_positive for own in classes], dtype=np.float64)
    present = cases > 0
    return float(values[present] @ cases[present] / cases.sum()) if present.any() else math.nan
