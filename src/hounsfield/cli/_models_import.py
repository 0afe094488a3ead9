"""`hounsfield models import | pack | rm`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hounsfield.cli._models_list import record
from hounsfield.cli._terminal import print_json
from hounsfield.core.errors import UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_RESEARCH_USE = "Research use only. Not a medical device."
_LARGEST_CARD_BYTES = 2**22
_AsJson = Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")]


@app.command("import")
def import_command(
    path: Annotated[
        Path, typer.Argument(help="File or folder of a model: a bundle, nnU-Net, MONAI, weights, ...")
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the model here; made from the file's if not given.")
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", help="Its format, where the content does not tell it.")
    ] = None,
    card: Annotated[
        Path | None, typer.Option(help="JSON of what you know of it: licence, intended_use, data, ...")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE, an option of the format; repeatable.")
    ] = None,
    replace: Annotated[bool, typer.Option(help="Replace an installed model of that name.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Install a model of others or a packed bundle; nothing in it is run."""
    from hounsfield.zoo.find_bundle import user_models
    from hounsfield.zoo.installed import install_model
    from hounsfield.zoo.model_formats import ImportRequest

    request = ImportRequest(path, user_models(), name, card_facts(card), format_options(option or []))
    made = install_model(request, format_name=format_name, replace_old=replace)
    if as_json:
        print_json({"notice": _RESEARCH_USE, "models": [record(made)]})
        return
    print(f"Installed {made.name} in {made.folder}.")
    print(f"Read a study with it: hounsfield read STUDY --model {made.name}")
    print(_RESEARCH_USE)


@app.command("pack")
def pack(
    name: Annotated[str, typer.Argument(help="Name of an installed model.")],
    out: Annotated[Path, typer.Argument(help="Zip file to write; must not exist.")],
    key: Annotated[Path | None, typer.Option(help="Private key: sign it first.")] = None,
    as_json: _AsJson = False,
) -> None:
    """Pack a model into one file that `hounsfield models import` takes on another machine."""
    from hounsfield.zoo import find_bundle, verify_bundle
    from hounsfield.zoo.installed import look_at
    from hounsfield.zoo.model_formats import source_digest
    from hounsfield.zoo.packing import pack_bundle

    if out.exists() or not out.absolute().parent.is_dir():
        raise UsageError(
            f"{out} exists already, or its folder does not: name a new file in a folder that is there"
        )
    bundle = verify_bundle(find_bundle(name))
    if key is not None:
        from hounsfield.zoo.signature import sign_bundle

        sign_bundle(bundle, key)
    pack_bundle(bundle, out)
    if as_json:
        made = {"path": str(out), "bytes": out.stat().st_size, "sha256": source_digest(out)}
        print_json({"notice": _RESEARCH_USE, "models": [record(look_at(bundle.folder))], "packed": made})
        return
    print(
        f"Packed {bundle.name} {bundle.version}: {out}, {out.stat().st_size / 1e6:.1f} MB, SHA-256 {source_digest(out)}"
    )


@app.command("rm")
def remove(
    name: Annotated[str, typer.Argument(help="Name of an installed model.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove an installed model; those that ship with the package stay."""
    from hounsfield.zoo.installed import removable, remove_model

    folder = removable(name)
    if not yes and not typer.confirm(f"Remove {name} from {folder}?"):
        raise typer.Exit(0)
    print(f"Removed {remove_model(name)}.")


def card_facts(card: Path | None) -> dict[str, Any]:
    """What a file of JSON states of a model, {} without one. Raises UsageError."""
    if card is None:
        return {}
    if not card.is_file() or card.stat().st_size > _LARGEST_CARD_BYTES:
        raise UsageError(f"{card} is no file of at most {_LARGEST_CARD_BYTES} bytes")
    try:
        facts = json.loads(card.read_bytes())
    except ValueError as error:
        raise UsageError(f"{card} is no JSON ({error})") from error
    if not isinstance(facts, dict):
        raise UsageError(
            f'{card} must hold a JSON object of the card\'s fields, such as {{"licence": "MIT"}}'
        )
    return facts


def format_options(texts: list[str]) -> dict[str, str]:
    """Options of a format from texts NAME=VALUE. Raises UsageError."""
    options = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageError(f"--option {text!r} is not NAME=VALUE")
        options[key] = value
    return options
