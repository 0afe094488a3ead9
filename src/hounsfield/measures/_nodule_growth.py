"""Growth of a nodule between two screens."""

from __future__ import annotations

from typing import Literal

from hounsfield.core.exact import exact

GROWTH_MM = exact("1.5")  # more than this within 12 months
WINDOW_MONTHS = 12

Growth = Literal["growing", "not_growing_within_12_months", "needs_interval_rule"]


def growth_over(prior_mm: float, current_mm: float, *, interval_months: float) -> Growth:
    """Whether the mean diameter grew by more than 1.5 mm within 12 months.

    More than that over a longer interval leaves open what happened within 12 months: the reader
    decides. The 2 mm3 that Lung-RADS prints beside it lie below what can be repeated.
    """
    if exact(current_mm) - exact(prior_mm) <= GROWTH_MM:
        return "not_growing_within_12_months"
    return "growing" if exact(interval_months) <= WINDOW_MONTHS else "needs_interval_rule"
