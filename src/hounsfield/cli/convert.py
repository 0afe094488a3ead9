"""`hounsfield convert`: DICOM to NIfTI and back, with every departure from the plain case told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hounsfield.cli._terminal import TerminalProgress, print_json, print_tables, table
from hounsfield.cli.exit_codes import ExitCode
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from hounsfield.pipeline import Conversion

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def convert(
    path: Annotated[Path, typer.Argument(help="DICOM folder, zip or file; or NIfTI, to write DICOM.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the converted series.")],
    modality: Annotated[
        str | None, typer.Option(help="NIfTI to DICOM: CT (in HU), MR or PT; the file does not say.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="NIfTI to DICOM: SUVbw or Bq/ml, for PT.")] = None,
    like: Annotated[
        Path | None, typer.Option(help="NIfTI to DICOM: a study to take patient and study from.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Convert DICOM series to NIfTI, and NIfTI volumes to DICOM series."""
    from hounsfield.pipeline import AsDicom
    from hounsfield.pipeline import convert as convert_path

    if modality is None and (unit is not None or like is not None):
        raise UsageError("--unit and --like are for writing DICOM: give --modality too")
    as_dicom = None if modality is None else AsDicom(modality, unit, like)
    progress = TerminalProgress(quiet=quiet or as_json)
    done = convert_path(path, out, as_dicom=as_dicom, progress=progress)
    progress.clear()
    if as_json:
        print_json(done.to_json())
    elif not quiet:
        _print(done)
        print("Research use only. Not a medical device.")
    if not any(one.path for one in done.converted):
        raise typer.Exit(ExitCode.REFUSED if done.converted else ExitCode.DAMAGED)


def _print(done: Conversion) -> None:
    rows = [
        [one.description or one.series, one.path.name if one.path else "not converted", one.reason]
        for one in done.converted
    ]
    print_tables(table("", ["series", "written", "why not"], rows))
    told = [
        [one.description or one.series, c.severity, c.code, c.text]
        for one in done.converted
        for c in one.conditions
    ]
    if told:
        print_tables(table("", ["series", "severity", "condition", "text"], told))
    if done.refused:
        rows = [[c.code, c.text] for c in done.refused]
        print_tables(table("Files that could not be read", ["code", "what and what to do"], rows))
