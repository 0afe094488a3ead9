"""What adapters of one table share: reading it, and saying which column or file is absent."""

from __future__ import annotations

import csv
from difflib import get_close_matches
from typing import TYPE_CHECKING

from hounsfield.core.errors import MissingModel, StudyError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hounsfield.datasets._dataset import Case


def read_rows(root: Path, table: str, columns: dict[str, str]) -> list[dict[str, str]]:
    """The rows of `root/table`, by column. columns: the role of each column that must be there, and its name.

    Raises MissingModel if the table is absent, StudyError if a column is.
    """
    path = root / table
    if not path.is_file():
        raise MissingModel(
            f"there is no table {table} in the data folder {root.name!r}; get the data, or set the "
            "environment variable of the recipe's root to the folder that holds them"
        )
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        found = list(reader.fieldnames or ())
        for role, name in columns.items():
            if name not in found:
                near = get_close_matches(name, found, n=1, cutoff=0.5)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise StudyError(
                    f"{table} has no column {name!r} for the {role}; it has {', '.join(found)}.{hint} "
                    "Name the column under `columns` in the recipe."
                )
        return list(reader)


def check_files(cases: Iterable[Case]) -> None:
    """Raise MissingModel, with the first three names, if files of these cases are absent."""
    missing = [
        path.name
        for case in cases
        for path in (case.image_path, case.mask_path)
        if path is not None and not path.is_file()
    ]
    if missing:
        shown = ", ".join(missing[:3])
        raise MissingModel(f"{len(missing)} files named in the table are absent (first: {shown}); copy them")
