"""A folder with one table: a row a picture, with columns for file, mask, class and group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.datasets._dataset import Case, Dataset
from hounsfield.datasets._registry import dataset_adapter
from hounsfield.datasets._table import check_files, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    rows = read_rows(root, table, {role: names[role] for role in ("image", "label", "group")})
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
    check_files(cases)
    return Dataset(cases, tuple(classes), len(rows) - len(kept))
