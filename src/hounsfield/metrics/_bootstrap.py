"""Intervals by resampling whole groups, because slices of one patient are not independent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Interval:
    """A value on all cases, and the limits of its interval (of resamples, or of a formula).

    n_undefined: resamples on which the figure could not be computed (a class was absent) and which are
    left out of the interval.
    """

    value: float
    low: float
    high: float
    n_undefined: int = 0

    def to_json(self) -> dict[str, float | int | None]:
        """The four fields; a figure that is not a number is written as null."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {
            **{key: (round(value, 6) if np.isfinite(value) else None) for key, value in numbers.items()},
            "n_undefined": self.n_undefined,
        }


def cluster_bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    groups: Sequence[Any],
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Value and interval of `statistic(indices of cases)`, resampling groups with replacement.

    Source: Field and Welsh 2007, J R Stat Soc B 69:369 (the cluster bootstrap); percentile interval.
    """
    names, inverse = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(inverse == index) for index in range(len(names))]
    values = np.array(
        [
            statistic(np.concatenate([members[index] for index in rng.integers(0, len(names), len(names))]))
            for _ in range(n_resamples)
        ]
    )
    defined = values[np.isfinite(values)]
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) if defined.size else (np.nan, np.nan)
    return Interval(
        float(statistic(np.arange(len(inverse)))), float(low), float(high), int(values.size - defined.size)
    )
