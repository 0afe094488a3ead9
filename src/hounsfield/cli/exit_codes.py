"""The one table of exit codes; docs/reference/exit-codes.md shows it."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hounsfield.core.errors import HounsfieldError
    from hounsfield.pipeline import ArchiveSummary, Run


class ExitCode(IntEnum):
    """What the status of the command means."""

    DONE = 0
    USAGE = 2
    REFUSED = 3
    PARTIAL = 4
    DAMAGED = 5
    MODEL_OR_DATA_MISSING = 6
    STUDIES_FAILED = 7
    INTERNAL = 70


def of_error(error: HounsfieldError) -> ExitCode:
    """The exit code of an error that ended the command."""
    # Not above: it would bring numpy into `hounsfield --help`.
    from hounsfield.core import errors

    # Searched in order: a subclass must stand before its parent.
    of_kind: tuple[tuple[type[HounsfieldError], ExitCode], ...] = (
        (errors.UsageError, ExitCode.USAGE),
        (errors.RecipeError, ExitCode.USAGE),
        (errors.RefusedInput, ExitCode.REFUSED),
        (errors.StudyError, ExitCode.DAMAGED),
        (errors.ModelError, ExitCode.MODEL_OR_DATA_MISSING),
        (errors.ResultError, ExitCode.PARTIAL),
        (errors.Cancelled, ExitCode.PARTIAL),
    )
    return next((code for kind, code in of_kind if isinstance(error, kind)), ExitCode.INTERNAL)


def of_run(run: Run) -> ExitCode:
    """Done if one reading is complete; else partial, a missing model, damage, or refused."""
    code = _of_statuses(reading.status for reading in run.readings)
    if code is not ExitCode.REFUSED:
        return code
    codes = {condition.code for reading in run.readings for condition in reading.conditions}
    if "model-missing" in codes:
        return ExitCode.MODEL_OR_DATA_MISSING
    if not run.readings and not run.not_taken and run.refused:
        return ExitCode.DAMAGED
    return ExitCode.REFUSED


def of_archive(summary: ArchiveSummary) -> ExitCode:
    """A failed study counts first; otherwise as for a single one."""
    if summary.n_failed:
        return ExitCode.STUDIES_FAILED
    return _of_statuses(status for _, status in summary.readings)


def _of_statuses(statuses: Iterable[str]) -> ExitCode:
    found = set(statuses)
    if "complete" in found:
        return ExitCode.DONE
    return ExitCode.PARTIAL if "partial" in found else ExitCode.REFUSED
