"""Interval of a proportion: how sure a count out of so many is."""

from __future__ import annotations

import math

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics._bootstrap import Interval

Z_95 = 1.959964  # two-sided 95 % of the normal distribution


def wilson_interval(k: int, n: int, *, z: float = Z_95) -> Interval:
    """The proportion k / n with its Wilson score interval, 95 % by default.

    For independent cases only: one count a patient, not a slice. Raises RefusedInput unless
    0 <= k <= n and n > 0. Source: Wilson 1927, J Am Stat Assoc 22:209.
    """
    if not (n > 0 and 0 <= k <= n):
        raise RefusedInput(f"{k} of {n} is no proportion; k of 0 to n and n above 0 are needed.")
    share, z2 = k / n, z * z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At both ends the limit is exact; rounding would leave 1e-17 of it.
    low = 0.0 if k == 0 else centre - half
    high = 1.0 if k == n else centre + half
    return Interval(share, low, high)
