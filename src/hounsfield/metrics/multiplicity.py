"""Many tests at once: p values that keep the chance of any false alarm at the stated level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


def holm(p: NDArray[Any]) -> NDArray[np.float64]:
    """Adjusted p values (n,) by Holm's step-down method, in the order given; nan stays and is not counted.

    Holds for tests that depend on each other in any way. Raises RefusedInput for a p outside 0 to 1.
    Source: Holm 1979, Scand J Stat 6:65.
    """
    stated = np.asarray(p, dtype=np.float64)
    tested = np.flatnonzero(np.isfinite(stated))
    if ((stated[tested] < 0) | (stated[tested] > 1)).any():
        raise RefusedInput("a p value lies between 0 and 1.")
    order = tested[np.argsort(stated[tested], kind="stable")]
    left = np.arange(order.size, 0, -1)
    adjusted = np.full(stated.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(stated[order] * left), 1.0)
    return adjusted
