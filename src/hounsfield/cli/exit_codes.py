"""The one table of exit codes; docs/reference/exit-codes.md shows it."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from hounsfield.core.errors import (
    Cancelled,
    HounsfieldError,
    ModelError,
    RecipeError,
    RefusedInput,
    ResultError,
    StudyError,
    UsageError,
)

if TYPE_CHECKING:
    from hounsfield.pipeline import Run


class ExitCode(IntEnum):
    """What the status of the command means."""

    DONE = 0
    USAGE = 2
    REFUSED = 3
    PARTIAL = 4
    DAMAGED = 5
    MODEL_OR_DATA_MISSING = 6
    INTERNAL = 70


# Searched in order: a subclass must stand before its parent.
_OF_ERROR: tuple[tuple[type[HounsfieldError], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (RecipeError, ExitCode.USAGE),
    (RefusedInput, ExitCode.REFUSED),
    (StudyError, ExitCode.DAMAGED),
    (ModelError, ExitCode.MODEL_OR_DATA_MISSING),
    (ResultError, ExitCode.PARTIAL),
    (Cancelled, ExitCode.PARTIAL),
)


def of_error(error: HounsfieldError) -> ExitCode:
    """The exit code of an error that ended the command."""
    return next((code for kind, code in _OF_ERROR if isinstance(error, kind)), ExitCode.INTERNAL)


def of_run(run: Run) -> ExitCode:
    """Done if one reading is complete; else partial, a missing model, damage, or refused."""
    statuses = {reading.status for reading in run.readings}
    codes = {condition.code for reading in run.readings for condition in reading.conditions}
    if "complete" in statuses:
        return ExitCode.DONE
    if "partial" in statuses:
        return ExitCode.PARTIAL
    if "model-missing" in codes:
        return ExitCode.MODEL_OR_DATA_MISSING
    if not run.readings and not run.not_taken and run.refused:
        return ExitCode.DAMAGED
    return ExitCode.REFUSED
