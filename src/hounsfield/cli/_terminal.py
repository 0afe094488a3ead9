"""What commands share in printing: progress on standard error, JSON on standard output, tables."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table


class TerminalProgress:
    """Shows the stage of work that takes longer than a second; silent where nobody watches."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._is_shown = not quiet and sys.stderr.isatty()
        self._started_s = self._last_s = time.monotonic()
        self._width = 0

    def report(self, stage: str, done: float) -> None:
        """Rewrite the line at most five times a second."""
        now_s = time.monotonic()
        if not self._is_shown or now_s - self._started_s < 1.0 or now_s - self._last_s < 0.2:
            return
        self._last_s = now_s
        line = f"{stage} {done:4.0%} ({now_s - self._started_s:.0f} s)"
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def should_stop(self) -> bool:
        """Ctrl-C stops; there is no other way to ask."""
        return False

    def clear(self) -> None:
        """Remove the line."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document, indented, without NaN."""
    print(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A plain table; what comes from files is never read as markup."""
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title or None, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def with_whole_names(made: Table) -> Table:
    """The table with a first column that is never folded: names are there to be copied."""
    made.columns[0].no_wrap = True
    return made


def print_tables(*tables: Table) -> None:
    """Print tables as wide as the terminal, 100 columns where there is none."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    for one in tables:
        console.print(one)
        console.print()


def parse_prevalence(texts: Sequence[str]) -> dict[str, float]:
    """`FINDING=SHARE`, as often as given; the share as a number between 0 and 1."""
    stated = {}
    for text in texts:
        name, _, share = text.partition("=")
        try:
            stated[name] = float(share)
        except ValueError:
            stated[name] = -1.0
        if not name or not 0.0 < stated[name] < 1.0:
            raise UsageError(
                f"--prevalence {text!r} is not FINDING=SHARE with a share between 0 and 1, for instance glioma=0.2"
            )
    return stated


def parse_stated(texts: Sequence[str]) -> dict[str, tuple[str, str]]:
    """`FILE=MODALITY:UNIT`, as often as given; FILE is the name without its ending."""
    stated = {}
    for text in texts:
        name, _, rest = text.partition("=")
        modality, _, unit = rest.partition(":")
        if not (name and modality and unit):
            raise UsageError(f"--state {text!r} is not FILE=MODALITY:UNIT, for instance PET=PT:SUVbw")
        stated[Path(name).name.removesuffix(".gz").removesuffix(".nii")] = (modality, unit)
    return stated
