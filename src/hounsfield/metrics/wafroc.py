"""Area under the weighted alternative free-response curve: lesions found, against normal cases marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


def wafroc(
    lesion_rating: NDArray[Any],
    lesion_case: NDArray[Any],
    normal_rating: NDArray[Any],
    *,
    lesion_weight: NDArray[Any] | None = None,
) -> float:
    """Chance that a lesion is rated above the highest mark on a normal case, ties half, each case counting once.

    lesion_rating: (n_lesions,), -inf for a lesion without a mark. lesion_case: (n_lesions,), which diseased case it
    belongs to. normal_rating: (n_normal,), highest rating on each normal case, -inf without a mark; marks beside
    lesions on diseased cases do not count. lesion_weight: (n_lesions,), summing to 1 in each case; equal if None.
    nan without lesions or normal cases. Raises RefusedInput if the weights of a case do not sum to 1.
    Source: Chakraborty and Zhai 2016, Med Phys 43:1946.
    """
    rated = np.asarray(lesion_rating, dtype=np.float64)
    _, case, n_lesions = np.unique(np.asarray(lesion_case), return_inverse=True, return_counts=True)
    weight = 1.0 / n_lesions[case] if lesion_weight is None else np.asarray(lesion_weight, dtype=np.float64)
    if rated.size and not np.allclose(np.bincount(case, weight), 1.0):
        raise RefusedInput("the weights of the lesions of a case must sum to 1.")
    normal = np.sort(np.asarray(normal_rating, dtype=np.float64))
    if not rated.size or not normal.size:
        return float("nan")
    below, not_above = (np.searchsorted(normal, rated, side=side) for side in ("left", "right"))
    won = (below + not_above) / (2.0 * normal.size)
    return float((weight * won).sum() / n_lesions.size)
