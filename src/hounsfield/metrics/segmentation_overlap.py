"""What the four counts of two masks say: the measures of Taha and Hanbury 2015 that need no distances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class OverlapCounts:
    """Voxels in both masks, in the prediction alone, in the truth alone, and in neither."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    def __post_init__(self) -> None:
        if min(self.true_positive, self.false_positive, self.false_negative, self.true_negative) < 0:
            raise RefusedInput(f"{self} holds a negative count; counts of voxels are 0 or more.")

    @property
    def dice(self) -> float:
        """Twice the overlap over the sum of both sizes (eq. 6); both empty: nan, one: 0."""
        total = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / total if total else math.nan


def count_overlap(truth: NDArray[Any], prediction: NDArray[Any]) -> OverlapCounts:
    """The four counts of two bool masks of one shape; raises RefusedInput if the shapes differ."""
    first, second = np.asarray(truth, dtype=np.bool_), np.asarray(prediction, dtype=np.bool_)
    if first.shape != second.shape:
        raise RefusedInput(
            f"the masks have shapes {first.shape} and {second.shape}; they must lie on one grid."
        )
    n_first, n_second, shared = (int(np.count_nonzero(mask)) for mask in (first, second, first & second))
    return OverlapCounts(
        true_positive=shared,
        false_positive=n_second - shared,
        false_negative=n_first - shared,
        true_negative=first.size - n_first - n_second + shared,
    )
