"""reading.json: the reading itself, for programs; its schema is published with the package."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.results.writer import Context, result_writer

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Reading


@result_writer("reading_json")
def write_reading_json(context: Context, folder: Path) -> list[Path]:
    """Write `reading.json`: keys in a fixed order, numbers as computed, no NaN, a newline at the end."""
    path = folder / "reading.json"
    path.write_text(to_text(context.reading), encoding="utf-8", newline="\n")
    return [path]


def to_text(reading: Reading) -> str:
    """The text of `reading.json`. Raises ValueError for a number that is not finite."""
    record = reading.to_json()
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False, default=_plain_number) + "\n"


def _plain_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no form in reading.json")
