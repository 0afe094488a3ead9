"""A folder with one table: a row a picture, with columns for file, mask, class and group."""

from __future__ import annotations

import csv
from difflib import get_close_matches
from typing import TYPE_CHECKING

from hounsfield.core.errors import MissingModel, StudyError
from hounsfield.datasets._dataset import Case, Dataset
from hounsfield.datasets._registry import dataset_adapter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataset_adapter("csv-table")
def read_csv_table(
    root: Path,
    *,
    classes: Sequence[str],
    table: str = "labels.csv",
    columns: dict[str, str] | None = None,
) -> Dataset:
    """The cases of `root/table`; files are named in it relative to `root`.

    classes: labels to keep, in the order of the network's outputs; rows of other labels are left out
    and counted. columns: the table's own names for `image`, `label`, `group` and `mask` where they
    differ. Raises MissingModel if the folder, table or a file is absent, StudyError if a column is.
    """
    names = {"image": "image", "label": "label", "group": "group", "mask": "mask", **(columns or {})}
    path = root / table
    if not path.is_file():
        raise MissingModel(
            f"there is no table {table} in the data folder {root.name!r}; get the data, or set the "
            "environment variable of the recipe's root to the folder that holds them"
        )
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        _check_columns(table, names, reader.fieldnames or ())
        rows = list(reader)
    kept = [row for row in rows if row[names["label"]] in classes]
    cases = tuple(
        Case(
            row[names["image"]],
            root / row[names["image"]],
            row[names["label"]],
            row[names["group"]],
            root / row[names["mask"]] if row.get(names["mask"]) else None,
        )
        for row in kept
    )
    _check_files(case for case in cases)
    return Dataset(cases, tuple(classes), len(rows) - len(kept))


def _check_columns(table: str, names: dict[str, str], found: Iterable[str]) -> None:
    found = list(found)
    for role in ("image", "label", "group"):
        if names[role] not in found:
            near = get_close_matches(names[role], found, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise StudyError(
                f"{table} has no column {names[role]!r} for the {role}; it has {', '.join(found)}.{hint} "
                "Name the column under `columns` in the recipe."
            )


def _check_files(cases: Iterable[Case]) -> None:
    missing = [
        path.name
        for case in cases
        for path in (case.image_path, case.mask_path)
        if path is not None and not path.is_file()
    ]
    if missing:
        shown = ", ".join(missing[:3])
        raise MissingModel(f"{len(missing)} files named in the table are absent (first: {shown}); copy them")
