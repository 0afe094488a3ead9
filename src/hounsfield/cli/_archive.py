"""`hounsfield read` of many studies: what it prints while and after it reads them."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import typer

from hounsfield.cli._terminal import TerminalProgress, print_tables, table
from hounsfield.cli.exit_codes import of_archive
from hounsfield.core.errors import Cancelled

if TYPE_CHECKING:
    from hounsfield.pipeline import ArchiveRequest, ArchiveSummary, Engine


def read_many(
    request: ArchiveRequest, engine: Engine, progress: TerminalProgress, *, as_json: bool, quiet: bool
) -> None:
    """Read the archive, print the summary and leave with its exit code."""
    from hounsfield.pipeline import read_archive

    started_s = time.monotonic()
    try:
        summary = read_archive(request, engine=engine, progress=progress)
    except KeyboardInterrupt as stop:
        progress.clear()
        raise Cancelled(
            "stopped as asked; what was finished is kept. Give the same command again and it goes on from here."
        ) from stop
    progress.clear()
    if as_json:
        for part in summary.document():
            sys.stdout.write(part)
    elif not quiet:
        _print_summary(summary)
        print(f"{summary.n_studies} studies in {time.monotonic() - started_s:.1f} s.")
        print(f"Results: {summary.out / 'index.html'}")
        print("Research use only. Not a medical device.")
    raise typer.Exit(of_archive(summary))


def _print_summary(summary: ArchiveSummary) -> None:
    rows = [
        [
            outcome.key,
            outcome.state,
            ", ".join(f"{r.application}: {r.status}" for r in outcome.readings) or "none",
            f"{outcome.duration_s:.1f}",
            outcome.reason,
        ]
        for outcome in summary.shown
    ]
    print_tables(table("", ["study", "state", "readings", "s", "why it failed"], rows))
    if summary.n_studies > len(rows):
        print(f"{summary.n_studies - len(rows)} more studies are listed in index.html and readings.json.")
    counts = [[application, status, str(n)] for (application, status), n in sorted(summary.readings.items())]
    if counts:
        print_tables(table("", ["application", "status", "readings"], counts))
    waiting = sorted(
        {
            verdict["application"]
            for outcome in summary.shown
            for verdict in outcome.not_taken
            if any(reason["code"] == "visits-missing" for reason in verdict["reasons"])
        }
    )
    if waiting:
        print(
            "All studies of a patient together, and not with the others, are read by "
            f"{' and by '.join(f'-a {name}' for name in waiting)}: ask for it alone, with another folder."
        )
    if summary.n_before:
        print(f"{summary.n_before} studies were done before and have not changed.")
    if summary.n_failed:
        print(f"{summary.n_failed} studies failed; the same command tries them again.")
