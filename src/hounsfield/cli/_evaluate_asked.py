"""What a user asked of `hounsfield evaluate`, and how its answer is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.cli._terminal import TerminalProgress, print_json, print_tables, table
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hounsfield.evaluation import Columns

    # Title, heads and rows of a table.
    Shown = tuple[str, Sequence[str], Sequence[Sequence[str]]]

_SHAPES = {
    "--threshold": "LABEL=VALUE with a value from 0 to 1",
    "--prevalence": "LABEL=VALUE with a value from 0 to 1",
    "--column": "ROLE=NAME",
    "--name": "NUMBER=NAME",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command, by their names there."""

    model: str | None
    data: Path | None
    predictions: Path | None
    labels: Path | None
    masks: Path | None
    candidates: Path | None
    truth: Path | None
    out: Path
    task: str
    part: str
    adapter: str
    column: Sequence[str] | None
    case_column: str | None
    patient_column: str | None
    label_column: str | None
    probability_prefix: str
    group: Sequence[str] | None
    threshold: Sequence[str] | None
    thresholds: Path | None
    prevalence: Sequence[str] | None
    lock_thresholds: Path | None
    sensitivity: float | None
    specificity: float | None
    youden: bool
    compare: Sequence[str] | None
    tolerance_mm: float
    name: Sequence[str] | None
    missing_as_empty: bool
    ignored: Path | None
    series: Path | None
    patients: Path | None
    images: Path | None
    title: str | None
    resamples: int
    seed: int
    as_json: bool
    quiet: bool

    @property
    def columns(self) -> Columns:
        """How the tables name their columns."""
        from hounsfield.evaluation import Columns

        return Columns(
            self.case_column, self.patient_column, self.probability_prefix, tuple(self.group or ())
        )

    @property
    def progress(self) -> TerminalProgress:
        """Shown where a person watches."""
        return TerminalProgress(quiet=self.quiet or self.as_json)


@dataclass(frozen=True, slots=True)
class Told:
    """What a form made: the record, the tables for the terminal (title, heads, rows), and the last lines."""

    record: Mapping[str, Any]
    tables: tuple[Shown, ...]
    lines: tuple[str, ...]


def finish(told: Told, *, as_json: bool, quiet: bool) -> None:
    """Print the record as JSON, or the tables and lines."""
    if as_json:
        print_json(told.record)
        return
    if not quiet:
        print_tables(*(table(*one) for one in told.tables))
    for line in told.lines:
        print(line)
    print("Research use only. Not a medical device.")


def cell_of(interval: Any, digits: int = 3) -> str:
    """A figure with its interval for the terminal."""
    from hounsfield.evaluation import cell

    return cell(interval, digits)


def pairs_of(option: str, stated: Sequence[str] | None) -> dict[str, str]:
    """KEY=VALUE, as often as given."""
    found = {}
    for one in stated or ():
        key, equals, value = one.rpartition("=")
        if not (equals and key and value):
            raise UsageError(f"{option} {one} is not of the form {_SHAPES[option]}")
        found[key] = value
    return found


def share_of(option: str, key: str, text: str) -> float:
    """A number from 0 to 1; raises UsageError naming the option otherwise."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise UsageError(f"{option} {key}={text} is not of the form {_SHAPES[option]}")
    return value


def thresholds_by_label(stated: Sequence[str] | None) -> dict[str, float]:
    """Thresholds from --threshold LABEL=VALUE, as often as given."""
    return {key: share_of("--threshold", key, text) for key, text in pairs_of("--threshold", stated).items()}
