"""Values of a group column as few names: numbers (age) become bands, words stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

# Ages: children, and adults in bands of roughly twenty years.
AGE_LIMITS = (18.0, 40.0, 60.0, 75.0)
AGE_NAMES = ("below 18", "18 to 39", "40 to 59", "60 to 74", "75 and above")
# More distinct words than this are names, not groups.
MOST_GROUPS = 24


def in_order(names: Iterable[str]) -> list[str]:
    """Bands of age from young to old, other names by alphabet, `other` and `unstated` last."""
    place = {name: number for number, name in enumerate(AGE_NAMES)}
    return sorted(names, key=lambda name: (name in {"other", "unstated"}, place.get(name, 0), name))


def banded(values: NDArray[np.str_]) -> NDArray[np.str_]:
    """The group of each case, (n,). Columns of more than MOST_GROUPS numbers become bands of age; of words the most
    frequent stay and the rest is `other`; `unstated` stays.
    """
    stated = values[values != "unstated"]
    names, counts = np.unique(stated, return_counts=True)
    if names.size <= MOST_GROUPS:
        return values
    try:
        names.astype(np.float64)
    except ValueError:
        kept = names[np.argsort(-counts, kind="stable")[: MOST_GROUPS - 1]]
        return np.where(np.isin(values, kept) | (values == "unstated"), values, "other")
    numbers = np.where(values == "unstated", "nan", values).astype(np.float64)
    band = np.array(AGE_NAMES)[np.searchsorted(AGE_LIMITS, numbers, side="right").clip(0, len(AGE_NAMES) - 1)]
    return np.where(values == "unstated", values, band)
