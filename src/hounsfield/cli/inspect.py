"""`hounsfield inspect`: studies and series, their geometry and conditions, who accepts them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hounsfield.cli._terminal import TerminalProgress, parse_stated, print_json, print_tables, table
from hounsfield.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from hounsfield.pipeline import SeriesSummary

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="DICOM folder, zip or file, NIfTI, PNG or JPEG.")],
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
            print_tables(
                table(
                    "",
                    [
                        "series",
                        "modality",
                        "body part",
                        "geometry",
                        "unit",
                        "accepted by",
                        "not accepted by, and why",
                    ],
                    [_row(summary) for summary in summaries],
                )
            )
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
        geometry = "x".join(str(n) for n in reversed(grid.shape))
        if grid.has_millimetres:
            spacing = " x ".join(f"{mm:.3g}" for mm in reversed(grid.spacing_mm))
            geometry += f" voxels of {spacing} mm, {grid.plane}"
    refusals = [
        f"{name}: {verdict.reasons[0].text}"
        for name, verdict in summary.verdicts.items()
        if not verdict.is_taken
    ]
    return [
        series.description or series.key,
        series.modality or series.kind,
        str(series.tags.get("BodyPartExamined") or "not stated"),
        geometry,
        series.unit or "unstated",
        ", ".join(summary.accepted_by) or "none",
        "\n".join(refusals),
    ]
