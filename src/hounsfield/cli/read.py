"""`hounsfield read`: every study below a path, read by every application that takes it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hounsfield.cli._archive import read_many
from hounsfield.cli._terminal import (
    TerminalProgress,
    parse_prevalence,
    parse_stated,
    print_json,
    print_tables,
    table,
)
from hounsfield.cli.exit_codes import of_run
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from hounsfield.core import Finding, Reading
    from hounsfield.pipeline import Run

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def complete_application(incomplete: str) -> list[str]:
    """Names of applications that begin with what was typed."""
    from hounsfield.core import applications

    return [name for name in applications.names() if name.startswith(incomplete)]


def complete_map(incomplete: str) -> list[str]:
    """Names of maps that begin with what was typed."""
    from hounsfield.explain import explanations

    return [name for name in explanations.names() if name.startswith(incomplete)]


@app.command()
def read(
    path: Annotated[
        Path,
        typer.Argument(
            help="DICOM folder, zip, file or address, NIfTI, NRRD, PNG, ...; with --out an archive of many."
        ),
    ],
    application: Annotated[
        list[str] | None,
        typer.Option(
            "--application",
            "-a",
            help="Only this application (may be repeated).",
            autocompletion=complete_application,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model", "-m", help="Only this installed model (may be repeated); see `hounsfield models list`."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for reports, DICOM results, masks and JSON.")
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="FILE=MODALITY:UNIT for a file that states neither, e.g. PET=PT:SUVbw."),
    ] = None,
    runtime: Annotated[
        str,
        typer.Option(
            help="What runs models: torch (32 bits), auto (the fastest that gives its numbers), onnxruntime, openvino."
        ),
    ] = "torch",
    prevalence: Annotated[
        list[str] | None,
        typer.Option(
            "--prevalence",
            help="FINDING=SHARE at your site, for which probabilities are corrected too, e.g. glioma=0.2.",
        ),
    ] = None,
    explain: Annotated[
        list[str] | None,
        typer.Option(
            "--explain",
            help="Maps by name (repeatable), e.g. lrp; the two that did best in the model's tests if none is named.",
            autocompletion=complete_map,
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Archive: processes; by cores and memory if not given.")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="Archive: a Dask scheduler instead, e.g. tcp://host:8786.")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=1.0, help="Archive: most seconds for one study.")] = 3600.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the readings as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Read studies: findings, measurements, report and DICOM results."""
    from hounsfield.pipeline import ArchiveRequest, Engine, holds_many, over_visits, run

    if out is None and (workers is not None or engine is not None):
        raise UsageError(
            "--workers and --engine are for an archive, whose results need a folder: give --out too"
        )
    started_s = time.monotonic()
    asked = [*(application or []), *(f"bundle-{name}" for name in model or [])]
    progress = TerminalProgress(quiet=quiet or as_json)
    stated, shares = parse_stated(state or []), parse_prevalence(prevalence or [])
    together = over_visits(asked)
    if together:
        _check_together(together, asked, out, is_shared=workers is not None or engine is not None)
    if out is not None and not together and (engine is not None or holds_many(path, out)):
        request = ArchiveRequest(
            str(path),
            str(out),
            tuple(asked) if asked else None,
            stated,
            tuple(str(folder) for folder in model_folders()),
            runtime=runtime,
            prevalence=shares,
            explain=tuple(explain or ()),
        )
        read_many(request, Engine(workers, engine, time_limit), progress, as_json=as_json, quiet=quiet)
    done = run(
        path,
        applications=asked or None,
        out=out,
        stated=stated,
        prevalence=shares,
        progress=progress,
        model_folders=model_folders(),
        runtime=runtime,
        explain=explain or (),
    )
    progress.clear()
    if as_json:
        print_json(done.to_json())
    elif not quiet:
        print_run(done)
        print(f"{len(done.readings)} reading(s) in {time.monotonic() - started_s:.1f} s.")
        if done.out is not None:
            print(f"Results: {done.out / 'index.html'}")
        print("Research use only. Not a medical device.")
    raise typer.Exit(of_run(done))


def _check_together(
    together: tuple[str, ...], asked: list[str], out: Path | None, *, is_shared: bool
) -> None:
    """An application over several studies reads all of a patient in one go: it is no task of an archive."""
    from hounsfield.pipeline import JOURNAL_NAME

    name = together[0]
    if is_shared or len(together) < len(asked):
        raise UsageError(
            f"{name} reads all studies of a patient together: ask for it alone, without --workers and --engine"
        )
    if out is not None and (out / JOURNAL_NAME).exists():
        raise UsageError(
            f"{out} holds the results of an archive, which are kept study by study. Give {name} another folder with --out."
        )


def model_folders() -> list[Path]:
    """The folder of bundles that HOUNSFIELD_MODELS names, if any."""
    folder = os.environ.get("HOUNSFIELD_MODELS")
    return [Path(folder)] if folder else []


def print_run(done: Run) -> None:
    """A table for each reading; what was not read, and why."""
    for reading in done.readings:
        _print_reading(reading)
    if not done.readings:
        print("No application took any series:")
        rows = [
            [verdict.application, verdict.series.description or verdict.series.key, reason.text]
            for verdict in done.not_taken
            for reason in verdict.reasons
        ]
        print_tables(table("", ["application", "series", "why not"], rows))
    if done.refused:
        rows = [[c.code, c.text] for c in done.refused]
        print_tables(table("Files that could not be read", ["code", "what and what to do"], rows))


def _probability(finding: Finding) -> str:
    if finding.probability is None:
        return ""
    if finding.at_prevalence is None:
        return f"{finding.probability:.3f}"
    return f"{finding.probability:.3f}; {finding.at_prevalence:.3f} at prevalence {finding.prevalence:g}"


def _print_reading(reading: Reading) -> None:
    name = next((ref.files[0] for ref in reading.inputs[:1] if len(ref.files) == 1), "")
    print(f"{reading.title} ({reading.application}): {reading.status}{f', {name}' if name else ''}")
    findings = [
        [
            finding.concept.meaning,
            finding.presence,
            _probability(finding),
            finding.reason,
        ]
        for finding in reading.findings
    ]
    if findings:
        print_tables(table("", ["finding", "presence", "probability", "reason"], findings))
    measurements = [
        [m.name, f"{m.value:.4g}", m.unit_sign, ", ".join(m.regions), f"{m.rule} {m.rule_version}"]
        for m in reading.all_measurements()
    ]
    if measurements:
        print_tables(table("", ["measurement", "value", "unit", "regions", "rule"], measurements))
    conditions = [[c.severity, c.code, c.text] for c in reading.conditions]
    if conditions:
        print_tables(table("", ["severity", "condition", "text"], conditions))
