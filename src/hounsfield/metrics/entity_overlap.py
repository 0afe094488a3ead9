"""Overlap of what two reports state: entities with labels and relations, as a graph such as RadGraph's gives them.

Set arithmetic over what the caller gives; finding entities in a text is not done here. What is in an item decides the
figure: words and label alone compare entities, with relation they compare what is said of them.
Source of the kind of figure: Jain 2021, NeurIPS Datasets and Benchmarks (RadGraph); Yu 2023, Patterns 4:100802.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._weighted import percentile_interval, resampled

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from hounsfield.metrics._bootstrap import Interval

# The words of an entity, its label, and its relation ("" where it has none or none is compared).
Item = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Overlap:
    """shared: items that both have; by `partial_overlap` the sum of credits, 0 to 1 each. n_truth, n_predicted: items.

    All figures are nan where both reports are empty; precision is nan without predicted items, recall without true.
    """

    shared: float
    n_truth: int
    n_predicted: int

    @property
    def precision(self) -> float:
        """Share of the predicted items that are true."""
        return self.shared / self.n_predicted if self.n_predicted else float("nan")

    @property
    def recall(self) -> float:
        """Share of the true items that were predicted."""
        return self.shared / self.n_truth if self.n_truth else float("nan")

    @property
    def f1(self) -> float:
        """Twice the shared over the items of both sides."""
        both = self.n_truth + self.n_predicted
        return 2 * self.shared / both if both else float("nan")


def exact_overlap(truth: Collection[Item], predicted: Collection[Item]) -> Overlap:
    """Items are shared if words, label and relation are equal, character by character. An item counts once."""
    true, said = set(truth), set(predicted)
    return Overlap(float(len(true & said)), len(true), len(said))


def partial_overlap(truth: Collection[Item], predicted: Collection[Item]) -> Overlap:
    """Items of one label and relation share by their words: the credit is the Dice of the two sets of words.

    Each item is paired with at most one, so that the sum of credits is largest: "left pleural effusion" and "pleural
    effusion" of one label earn 4/5. Equal items earn 1.
    """
    from scipy.optimize import linear_sum_assignment

    true, said = sorted(set(truth)), sorted(set(predicted))
    credit = np.array([[_credit(one, other) for other in said] for one in true]).reshape(len(true), len(said))
    rows, columns = linear_sum_assignment(credit, maximize=True)
    return Overlap(float(credit[rows, columns].sum()), len(true), len(said))


def entity_overlap(
    truth: Sequence[Collection[Item]],
    predicted: Sequence[Collection[Item]],
    groups: Sequence[Any],
    *,
    rng: np.random.Generator,
    rule: Callable[[Collection[Item], Collection[Item]], Overlap] = exact_overlap,
    n_resamples: int = 1000,
) -> dict[str, Interval]:
    """Precision, recall and F1 over all reports, with 95 % intervals by resampling patients.

    truth, predicted: the items of each report. groups: the patient of each report. rule: `exact_overlap` or
    `partial_overlap`. Also "f1-per-report": the mean of the reports' own F1, over those where either side has an item.
    Raises RefusedInput for lengths that differ or no report.
    """
    if not truth or not len(truth) == len(predicted) == len(groups):
        raise RefusedInput(
            f"{len(truth)} true reports, {len(predicted)} predicted and {len(groups)} groups; one each is needed."
        )
    found = [rule(true, said) for true, said in zip(truth, predicted, strict=True)]
    counts = np.array([(one.shared, one.n_truth, one.n_predicted) for one in found], dtype=np.float64)
    own = np.array([one.f1 for one in found])
    known = np.isfinite(own)

    def figures(weights: Any) -> list[float]:
        shared, n_truth, n_predicted = weights @ counts
        of_reports = float(weights[known].sum())
        mean = float(weights[known] @ own[known]) / of_reports if of_reports else float("nan")
        pooled = Overlap(float(shared), int(n_truth), int(n_predicted))
        return [pooled.precision, pooled.recall, pooled.f1, mean]

    names = ("precision", "recall", "f1", "f1-per-report")
    drawn = resampled(figures, groups, rng=rng, n_resamples=n_resamples)
    values = figures(np.ones(len(truth)))
    return {
        name: percentile_interval(value, column)
        for name, value, column in zip(names, values, drawn.T, strict=True)
    }


def _credit(one: Item, other: Item) -> float:
    if one[1:] != other[1:]:
        return 0.0
    if one == other:
        return 1.0
    words, others = set(one[0].split()), set(other[0].split())
    return 2 * len(words & others) / (len(words) + len(others)) if words or others else 0.0
