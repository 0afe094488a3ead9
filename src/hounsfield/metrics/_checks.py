"""What every figure of two columns asks first: equal lengths, finite numbers, a level that is a fraction."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RefusedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


def finite_pair(
    first: NDArray[Any], second: NDArray[Any], *, least: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as float64 (n,). Raises RefusedInput for other shapes, fewer than `least`, or what is no finite number."""
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.ndim != 1 or one.shape != two.shape:
        raise RefusedInput(f"shapes {one.shape} and {two.shape}; two columns of one length are needed.")
    if one.size < least:
        raise RefusedInput(f"{one.size} pairs of values; this figure needs at least {least}.")
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise RefusedInput("a value is missing or not finite; leave such cases out, and say how many.")
    return one, two


def two_sided(level: float) -> float:
    """Quantile of the normal distribution for a two-sided interval. Raises RefusedInput for what is no fraction."""
    if not 0.0 < level < 1.0:
        raise RefusedInput(f"the level is {level:g}; give a fraction between 0 and 1, such as 0.95.")
    return NormalDist().inv_cdf(0.5 + level / 2)


def require_between(name: str, value: float, low: float, high: float) -> None:
    """Raise RefusedInput unless low < value < high."""
    if not low < value < high:
        raise RefusedInput(f"{name} is {value:g}; a value between {low:g} and {high:g} is needed.")
