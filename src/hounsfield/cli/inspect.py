"""`hounsfield inspect`: studies and series, their geometry and conditions, who accepts them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hounsfield.cli._terminal import TerminalProgress, parse_stated, print_json, print_tables, table
from hounsfield.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.pipeline import SeriesSummary

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_LONGEST_KEY = 16


@app.command()
def inspect(
    path: Annotated[
        Path, typer.Argument(help="DICOM folder, zip or file, DICOMweb address, NIfTI, NRRD, PNG, ...")
    ],
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="FILE=MODALITY:UNIT for a file that states neither, e.g. PET=PT:SUVbw."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")] = False,
) -> None:
    """Show studies and series, and which applications take them."""
    from hounsfield.pipeline import inspect as inspect_path

    progress = TerminalProgress(quiet=quiet or as_json)
    found = inspect_path(path, progress=progress, stated=parse_stated(state or []))
    progress.clear()
    if as_json:
        print_json(found.to_json())
    else:
        for number, (study, summaries) in enumerate(found.studies, 1):
            print(f"Study {number}: {study.study_instance_uid or study.key}")
            heads = ["no.", "series", "modality", "body part", "geometry", "unit", "accepted by"]
            print_tables(
                table("", heads, [[str(n), *_row(summary)] for n, summary in enumerate(summaries, 1)])
            )
            reasons = _reasons(summaries)
            if reasons:
                print_tables(table("", ["series", "not accepted by", "why"], reasons))
            conditions = [
                [c.severity, c.code, c.text]
                for c in (*study.conditions, *(c for s in summaries for c in s.series.conditions))
            ]
            if conditions:
                print_tables(table("", ["severity", "condition", "text"], conditions))
        if found.refused:
            rows = [[c.code, c.text] for c in found.refused]
            print_tables(table("Files that could not be read", ["code", "what and what to do"], rows))
    if not found.studies:
        raise typer.Exit(ExitCode.DAMAGED if found.refused else ExitCode.REFUSED)


def _row(summary: SeriesSummary) -> list[str]:
    series, grid = summary.series, summary.series.grid
    geometry = "none"
    if grid is not None:
        geometry = " x ".join(str(n) for n in reversed(grid.shape))
        if grid.has_millimetres:
            spacing = " x ".join(f"{mm:.3g}" for mm in reversed(grid.spacing_mm))
            geometry += f"\n{spacing} mm, {grid.plane}"
    return [
        series.description or _short(series.key),
        series.modality or series.kind,
        str(series.tags.get("BodyPartExamined") or "not stated"),
        geometry,
        series.unit or "unstated",
        ", ".join(summary.accepted_by) or "none",
    ]


def _short(key: str) -> str:
    """A UID by its end, which is what tells two of them apart; a file name whole."""
    is_uid = key.replace(".", "").isdigit() and len(key) > _LONGEST_KEY
    return f"…{key[-_LONGEST_KEY:]}" if is_uid else key


def _reasons(summaries: Sequence[SeriesSummary]) -> list[list[str]]:
    """Series by number, applications, and the reason that they share."""
    rows = []
    for number, summary in enumerate(summaries, 1):
        names: dict[str, list[str]] = {}
        for name, verdict in summary.verdicts.items():
            if not verdict.is_taken:
                names.setdefault(verdict.reasons[0].text, []).append(name)
        rows += [[str(number), ", ".join(those), text] for text, those in names.items()]
    return rows
