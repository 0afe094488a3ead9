"""Groups of cases: the values of each column, and the values of two columns together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import UsageError
from hounsfield.evaluation.bands import banded, in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hounsfield.evaluation.prediction_table import PredictionTable

# A rate is shown and tested from this many patients behind its denominator on: with fewer, the tests do not hold
# their level (tests/evaluation/audit/test_bias.py), and a figure could point at persons.
FEWEST_PATIENTS = 20
BETWEEN = ", "
ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Cases of one value of a column, or of one pair of values of two columns.

    column, value: as shown, parts joined by BETWEEN. members: bool (n,). others: bool (n,), what the group is compared
    with: the cases of the column's other values. is_mirror: the second of only two values, whose difference is that of
    the first with the sign turned; it is not tested twice.
    """

    column: str
    value: str
    members: NDArray[np.bool_]
    others: NDArray[np.bool_]
    is_mirror: bool = False

    @property
    def is_crossed(self) -> bool:
        """Whether two columns make the group."""
        return BETWEEN in self.column

    @property
    def spoken(self) -> str:
        """`sex F`, or `sex F and view PA`."""
        if not self.is_crossed:
            return f"{self.column} {self.value}"
        parts = zip(self.column.split(BETWEEN), self.value.split(BETWEEN), strict=True)
        return " and ".join(f"{column} {value}" for column, value in parts)


def groups_of(table: PredictionTable, *, crossed: bool = True) -> list[Group]:
    """All cases as the group ALL, every value of every column of `table.groups`, then the pairs of values of two columns.

    Numbers become bands of age (`bands.banded`); cases without a value are in no group. Raises UsageError if the table
    has no column of groups, or one of a single value.
    """
    if not table.groups:
        raise UsageError("no column of groups was named; name one, such as sex, with --group.")
    banded_columns = {column: banded(values) for column, values in table.groups.items()}
    everybody = np.ones(len(table.cases), dtype=np.bool_)
    made = [Group(ALL, ALL, everybody, ~everybody)]
    for column, values in banded_columns.items():
        own = _groups(column, values)
        if len(own) < 2:
            raise UsageError(
                f"column {column!r} has {len(own)} values, and a group needs others to be compared with; leave it out."
            )
        made += own
    if crossed:
        for (one, first), (other, second) in combinations(banded_columns.items(), 2):
            both = np.array(
                [
                    "unstated" if "unstated" in pair else BETWEEN.join(pair)
                    for pair in zip(first, second, strict=True)
                ]
            )
            made += _groups(f"{one}{BETWEEN}{other}", both)
    return made


def _groups(column: str, values: NDArray[np.str_]) -> list[Group]:
    stated = values != "unstated"
    names = _sorted(set(values[stated].tolist()))
    return [
        Group(column, name, values == name, stated & (values != name), len(names) == 2 and number == 1)
        for number, name in enumerate(names)
    ]


def _sorted(names: Sequence[str] | set[str]) -> list[str]:
    """Bands of age from young to old, in either part of a pair."""
    firsts = in_order({name.split(BETWEEN)[0] for name in names})
    seconds = in_order({name.split(BETWEEN)[-1] for name in names})
    return sorted(
        names, key=lambda name: (firsts.index(name.split(BETWEEN)[0]), seconds.index(name.split(BETWEEN)[-1]))
    )
