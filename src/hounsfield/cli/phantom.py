"""`hounsfield phantom`: synthetic DICOM studies with known truth, and the trouble that users rehearse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hounsfield.cli._terminal import TerminalProgress, print_json
from hounsfield.core.errors import UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def phantom(
    kind: Annotated[str, typer.Argument(help="chest-ct or fdg-pet.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write (dicom/, truth/, truth.json).")],
    seed: Annotated[int, typer.Option(help="Equal seeds and options give equal bytes.")] = 1,
    slices: Annotated[int | None, typer.Option(help="Number of slices (chest-ct).")] = None,
    matrix: Annotated[int | None, typer.Option(help="Pixels per row and column (chest-ct).")] = None,
    emphysema: Annotated[
        float | None, typer.Option(help="Part of the lung below -950 HU, 0 to 0.4 (chest-ct).")
    ] = None,
    regions: Annotated[
        str | None, typer.Option(help="Write the spheres too, as seg or rtstruct (fdg-pet).")
    ] = None,
    tilt_deg: Annotated[float, typer.Option(help="Trouble: gantry tilt.")] = 0.0,
    oblique_deg: Annotated[float, typer.Option(help="Trouble: oblique slices.")] = 0.0,
    gap: Annotated[
        bool, typer.Option("--gap", help="Trouble: two slices in the middle are missing.")
    ] = False,
    flip: Annotated[bool, typer.Option("--flip", help="Trouble: negative direction cosines.")] = False,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Trouble: file order says nothing.")] = False,
    duplicate: Annotated[bool, typer.Option("--duplicate", help="Trouble: one slice twice.")] = False,
    compression: Annotated[str | None, typer.Option(help="Trouble: jpeg-ls, rle or jpeg-2000.")] = None,
    enhanced: Annotated[bool, typer.Option("--enhanced", help="Trouble: one multi-frame object.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the truth as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Write a synthetic DICOM study with known truth."""
    from hounsfield.phantoms import Trouble, write_phantom

    chosen = {
        name: value
        for name, value in (
            ("n_slices", slices),
            ("matrix_px", matrix),
            ("emphysema_fraction", emphysema),
            ("regions", regions),
        )
        if value is not None
    }
    trouble: dict[str, Any] = {
        "tilt_deg": tilt_deg,
        "oblique_deg": oblique_deg,
        "flip": flip,
        "shuffle": shuffle,
        "duplicate": duplicate,
        "compression": compression,
        "enhanced": enhanced,
    }
    if kind not in {"chest-ct", "fdg-pet"}:
        raise UsageError(f"there is no phantom {kind!r}: chest-ct and fdg-pet can be made")
    progress = TerminalProgress(quiet=quiet or as_json)
    made = write_phantom(
        kind, out, gap=gap, trouble=Trouble(**trouble), progress=progress, seed=seed, **chosen
    )
    progress.clear()
    if as_json:
        print_json(made.truth)
    elif not quiet:
        print(
            f"{kind} phantom, seed {seed}: {made.grid.shape[0]} slices in {out / 'dicom'}, truth in {out / 'truth.json'}"
        )
        print(f"Read it with: hounsfield read {out} --out {out}-results")
