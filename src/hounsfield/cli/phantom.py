"""`hounsfield phantom`: synthetic DICOM studies with known truth, and the trouble that users rehearse."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hounsfield.cli._terminal import TerminalProgress, print_json
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from hounsfield.phantoms import PhantomCard

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def phantom(
    kind: Annotated[str | None, typer.Argument(help="Which phantom: see --list.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write (dicom/, truth/, truth.json).")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Name the phantoms; with a KIND, its parameters.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Equal seeds and options give equal bytes.")] = 1,
    chosen: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the phantom; repeatable."),
    ] = None,
    slices: Annotated[int | None, typer.Option(help="Short for --set n_slices=...")] = None,
    matrix: Annotated[int | None, typer.Option(help="Short for --set matrix_px=...")] = None,
    emphysema: Annotated[float | None, typer.Option(help="Short for --set emphysema_fraction=...")] = None,
    regions: Annotated[str | None, typer.Option(help="Short for --set regions=...")] = None,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the truth (or the list) as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Write a synthetic DICOM study with known truth."""
    from hounsfield.phantoms import Trouble, phantom_kinds, write_phantom

    if listed:
        _print_kinds(
            [one.card for one in ([phantom_kinds.get(kind)] if kind else phantom_kinds)], as_json=as_json
        )
        return
    if kind is None or out is None:
        raise UsageError(
            "name a phantom and a folder: hounsfield phantom KIND --out FOLDER (--list names them)"
        )
    trouble = Trouble(
        tilt_deg=tilt_deg,
        oblique_deg=oblique_deg,
        flip=flip,
        shuffle=shuffle,
        duplicate=duplicate,
        compression=compression,
        enhanced=enhanced,
    )
    short = {
        "seed": seed,
        "n_slices": slices,
        "matrix_px": matrix,
        "emphysema_fraction": emphysema,
        "regions": regions,
    }
    parameters = {name: value for name, value in short.items() if value is not None}
    parameters |= _parameters(chosen or [])
    progress = TerminalProgress(quiet=quiet or as_json)
    made = write_phantom(kind, out, gap=gap, trouble=trouble, progress=progress, **parameters)
    progress.clear()
    if as_json:
        print_json(made.truth)
    elif not quiet:
        n_files = sum(1 for _ in (out / "dicom").rglob("*.dcm"))
        files = "1 file" if n_files == 1 else f"{n_files} files"
        print(
            f"{made.kind} phantom, seed {parameters['seed']}: {files} in {out / 'dicom'}, truth in {out / 'truth.json'}"
        )
        print(f"Read it with: hounsfield read {out} --out {out}-results")


def _parameters(chosen: list[str]) -> dict[str, Any]:
    """`NAME=VALUE` as typed values: what JSON understands (numbers, true, lists), else text."""
    parameters: dict[str, Any] = {}
    for one in chosen:
        name, equals, text = one.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {one} is not of the form NAME=VALUE, such as --set n_slices=60")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        parameters[name] = tuple(value) if isinstance(value, list) else value
    return parameters


def _print_kinds(cards: list[PhantomCard], *, as_json: bool) -> None:
    if as_json:
        print_json({"phantoms": [_record(card) for card in cards]})
        return
    for card in cards:
        print(f"{card.name}{f' ({card.also})' if card.also else ''}\n    {card.summary}")
        if len(cards) == 1:
            for name, value in _record(card)["parameters"].items():
                print(f"    --set {name}={json.dumps(value)}")
            for name, values in card.options.items():
                print(f"    --set {name}={' or '.join(values)}")
    if len(cards) > 1:
        print("\nhounsfield phantom KIND --list names the parameters of one.")


def _record(card: PhantomCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "also": card.also,
        "summary": card.summary,
        "parameters": asdict(card.parameters()),
        "options": {name: list(values) for name, values in card.options.items()},
        "troubles": sorted(card.troubles),
        "sources": list(card.sources),
    }
