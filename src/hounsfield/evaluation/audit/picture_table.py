"""A folder of pictures with a table: the label, the group, and the columns that say how each picture was made."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import StudyError, UsageError
from hounsfield.datasets import Case, open_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

IMAGE_COLUMNS, GROUP_COLUMNS = ("image", "file"), ("group_id", "group", "patient_id", "patient")
# A column of more distinct numbers than this is cut into thirds.
MOST_NUMBERS = 12
THIRDS = ("lowest third", "middle third", "highest third")


@dataclass(frozen=True, slots=True)
class PictureColumns:
    """How the table names its columns. image, group: None for the usual names. only: labels to keep, () for all."""

    label: str
    image: str | None = None
    group: str | None = None
    acquisition: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PictureTable:
    """n pictures. label, groups: (n,). columns: values (n,) by name, `unstated` where blank, numbers in thirds."""

    cases: tuple[Case, ...]
    label_name: str
    label: NDArray[np.str_]
    groups: tuple[str, ...]
    columns: Mapping[str, NDArray[np.str_]]


def read_picture_table(root: Path, columns: PictureColumns, *, table: str = "labels.csv") -> PictureTable:
    """The pictures of `root/table`. `label` may be COLUMN=VALUE: that value against all others.

    Raises UsageError naming a column that is absent, and what `datasets` raises for absent files.
    """
    name, equals, value = columns.label.partition("=")
    path = root / table
    if not path.is_file():
        raise UsageError(f"there is no table {table} in the folder {root.name!r}; name it with --table")
    with path.open(newline="", encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    if not rows:
        raise StudyError(f"{table} holds a header and no picture.")
    image = _named(rows[0], columns.image, IMAGE_COLUMNS, table, "--image-column")
    group = _named(rows[0], columns.group, GROUP_COLUMNS, table, "--group-column")
    for own in (name, *columns.acquisition):
        _named(rows[0], own, (), table, "--column or --label")
    wanted = columns.only or tuple(sorted({row[name] for row in rows}))
    kept = [row for row in rows if row[name] in wanted]
    named = {"image": image, "label": name, "group": group}
    dataset = open_dataset("csv-table", root, {"classes": wanted, "table": table, "columns": named})
    label = np.array([row[name] for row in kept])
    if equals:
        label = np.where(label == value, value, f"not {value}")
    if np.unique(label).size < 2:
        raise UsageError(
            f"column {name!r} of {table} has one value among the pictures kept: nothing can be told apart"
        )
    values = {own: _as_groups([row[own] for row in kept]) for own in columns.acquisition}
    return PictureTable(dataset.cases, columns.label, label, dataset.groups, values)


def _named(row: Mapping[str, str], stated: str | None, usual: Sequence[str], table: str, option: str) -> str:
    for name in (stated,) if stated else usual:
        if name in row:
            return name
    wanted = repr(stated) if stated else " or ".join(map(repr, usual))
    raise UsageError(
        f"{table} has no column {wanted}; it has {', '.join(list(row)[:20])}. Name one with {option}."
    )


def _as_groups(cells: Sequence[str]) -> NDArray[np.str_]:
    """Words as they are; many numbers as thirds; blank as `unstated`."""
    values = np.array([cell.strip() or "unstated" for cell in cells])
    stated = values != "unstated"
    if np.unique(values[stated]).size <= MOST_NUMBERS:
        return values
    try:
        numbers = values[stated].astype(np.float64)
    except ValueError:
        return values
    edges = np.quantile(numbers, [1 / 3, 2 / 3])
    found = values.astype("<U16")
    found[stated] = np.array(THIRDS)[np.searchsorted(edges, numbers, side="left")]
    return found
