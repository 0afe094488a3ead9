"""A folder with one table: a row a picture, a column of 0 and 1 a finding; a picture may show several or none."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hounsfield.core.errors import StudyError
from hounsfield.datasets._dataset import Case, Dataset
from hounsfield.datasets._registry import dataset_adapter
from hounsfield.datasets._table import check_files, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NOTHING = "none"  # the stratum of pictures that show none of the findings


@dataset_adapter("csv-findings")
def read_csv_findings(
    root: Path,
    *,
    classes: Sequence[str],
    table: str = "labels.csv",
    columns: dict[str, str] | None = None,
    where: Mapping[str, str] | None = None,
    held_out: Mapping[str, str] | None = None,
) -> Dataset:
    """The cases of `root/table`; files are named in it relative to `root`; each finding stands alone.

    classes: findings, in the order of the network's outputs; each is a column of 0 and 1, of that name unless
    `columns` says another (as it does for `image` and `group`). where: keep rows with these values alone; others are
    counted. held_out: rows with these values, and all of their groups, always belong to the test part. Raises
    MissingModel if the folder, table or a file is absent, StudyError naming the row of what is neither 0 nor 1.
    """
    names = {"image": "image", "group": "group", **{name: name for name in classes}, **(columns or {})}
    where, held_out = dict(where or {}), dict(held_out or {})
    asked = {column: column for column in (*where, *held_out)}
    rows = read_rows(root, table, {**names, **asked})
    kept = [(line, row) for line, row in enumerate(rows, start=2) if _has(row, where)]
    shown = [tuple(name for name in classes if _is_set(row, names[name], table, line)) for line, row in kept]
    how_often = Counter(name for own in shown for name in own)
    cases = tuple(
        Case(
            row[names["image"]],
            root / row[names["image"]],
            # The rarest finding, so that a split deals out rare ones evenly.
            min(own, key=lambda name: (how_often[name], name), default=NOTHING),
            row[names["group"]],
            findings=own,
            held_out=bool(held_out) and _has(row, held_out),
        )
        for (_, row), own in zip(kept, shown, strict=True)
    )
    check_files(cases)
    return Dataset(cases, tuple(classes), len(rows) - len(kept), exclusive=False)


def _has(row: Mapping[str, str], values: Mapping[str, str]) -> bool:
    return all(row[column] == str(value) for column, value in values.items())


def _is_set(row: Mapping[str, str], column: str, table: str, line: int) -> bool:
    if row[column] not in {"0", "1"}:
        raise StudyError(
            f"{table} line {line} says {row[column]!r} for {column}; give 0 or 1, or leave the row out by `where`"
        )
    return row[column] == "1"
