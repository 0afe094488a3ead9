"""How work in progress is reported, and how it is asked to stop."""

from __future__ import annotations

from typing import Protocol

from hounsfield.core.errors import Cancelled


class Progress(Protocol):
    """Passed in by whoever wants to see progress; never global."""

    def report(self, stage: str, done: float) -> None:
        """Say that `stage` is `done` (0 to 1)."""

    def should_stop(self) -> bool:
        """Whether the work should end at the next convenient place."""


class Silent:
    """Reports nothing and never stops."""

    def report(self, stage: str, done: float) -> None:
        """Ignore the report."""

    def should_stop(self) -> bool:
        """Never."""
        return False


def step(progress: Progress, stage: str, done: float) -> None:
    """Report and raise Cancelled if the caller asked to stop."""
    progress.report(stage, done)
    if progress.should_stop():
        raise Cancelled(f"stopped at {stage!r} as asked")
