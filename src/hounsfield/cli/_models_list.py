"""`hounsfield models list | info | verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hounsfield.cli._terminal import print_json, print_tables, table, with_whole_names
from hounsfield.cli.exit_codes import ExitCode
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from hounsfield.zoo.installed import InstalledModel
    from hounsfield.zoo.model_card import ModelCard

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_RESEARCH_USE = "Research use only. Not a medical device."
_AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.command("list")
def list_models(as_json: _AsJson = False) -> None:
    """List the installed models, each verified."""
    from hounsfield.zoo.installed import installed_models

    found = installed_models()
    if as_json:
        print_json({"notice": _RESEARCH_USE, "models": [record(one) for one in found]})
        return
    if not found:
        print("No model is installed. Install one with `hounsfield models import FILE --name NAME`.")
        return
    rows = [
        [
            one.name,
            one.bundle.version if one.bundle else "",
            _kind(one.bundle.card) if one.bundle else "",
            "shipped" if one.is_shipped else "installed",
            f"{one.n_bytes / 1e6:.1f}",
            _kept_short(one.bundle.card.licence, 40) if one.bundle else "",
            one.bundle.digest[:12] if one.bundle else f"DAMAGED: {one.problem}",
            one.signature.state if one.bundle else "",
        ]
        for one in found
    ]
    columns = ["model", "version", "answers", "from", "MB", "licence", "verified, SHA-256", "signature"]
    print_tables(with_whole_names(table("", columns, rows)))
    print(_RESEARCH_USE)


@app.command("info")
def info(
    name: Annotated[str, typer.Argument(help="Name of an installed model.")], as_json: _AsJson = False
) -> None:
    """Show the card of a model: what it is for, what it is worth, where it came from."""
    from hounsfield.cli._models_card import print_card
    from hounsfield.core.errors import ModelError
    from hounsfield.zoo import find_bundle
    from hounsfield.zoo.installed import look_at

    found = look_at(find_bundle(name))
    if found.bundle is None:
        raise ModelError(found.problem)
    if as_json:
        card = found.bundle.card.model_dump(mode="json")
        print_json({"notice": _RESEARCH_USE, "digest": found.bundle.digest, "card": card})
        return
    print_card(found, found.bundle)


@app.command("verify")
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Installed models; all if none is named.")] = None,
    as_json: _AsJson = False,
) -> None:
    """Compare every file of a model with the SHA-256 that its card states."""
    from hounsfield.zoo import find_bundle
    from hounsfield.zoo.installed import installed_models, look_at

    found = [look_at(find_bundle(name)) for name in names] if names else installed_models()
    if not found:
        raise UsageError("no model is installed, so there is nothing to verify")
    if as_json:
        told = [{**record(one), "files": _files(one)} for one in found]
        print_json({"notice": _RESEARCH_USE, "models": told})
    else:
        for one in found:
            _print_verified(one)
    raise typer.Exit(ExitCode.DONE if all(map(_is_right, found)) else ExitCode.MODEL_OR_DATA_MISSING)


def _is_right(one: InstalledModel) -> bool:
    """Whole, and its signature is right; unsigned is right only where none is required."""
    from hounsfield.zoo.signature import signatures_required

    state = one.signature.state
    return one.bundle is not None and state != "wrong" and (state == "trusted" or not signatures_required())


def _files(one: InstalledModel) -> list[dict[str, str]]:
    from hounsfield.zoo.installed import file_states

    return [
        {"name": file.name, "stated": file.stated, "found": file.found} for file in file_states(one.folder)
    ]


def _print_verified(one: InstalledModel) -> None:
    from hounsfield.zoo.installed import file_states

    print(f"{one.name}: {'whole' if one.bundle else 'NOT WHOLE'}, {one.folder}")
    rows = [
        [file.name, file.found[:16] or "missing", "as stated" if file.is_right else f"stated {file.stated}"]
        for file in file_states(one.folder)
    ]
    if rows:
        print_tables(table("", ["file", "SHA-256", ""], rows))
    if one.bundle is None:
        print(one.problem)
    else:
        print(f"Digest of the bundle: {one.bundle.digest}")
        print(f"Signature: {signature_text(one)}")


def signature_text(one: InstalledModel) -> str:
    """The state of a signature in words."""
    found = one.signature
    if found.state == "trusted":
        return f"right, by {found.signer or 'a trusted key'} ({found.public_key})"
    return f"{found.state}: {found.reason}" if found.reason else found.state


def record(one: InstalledModel) -> dict[str, Any]:
    """An installed model as JSON."""
    card = one.bundle.card if one.bundle else None
    return {
        "name": one.name,
        "folder": str(one.folder),
        "from": "shipped" if one.is_shipped else "installed",
        "bytes": one.n_bytes,
        "verified": one.bundle is not None,
        "problem": one.problem,
        "version": card.version if card else None,
        "title": card.title if card else None,
        "task": card.task if card else None,
        "modality": card.modality if card else None,
        "licence": card.licence if card else None,
        "evidence": card.evidence_level if card else None,
        "digest": one.bundle.digest if one.bundle else None,
        "signature": {
            "state": one.signature.state,
            "key": one.signature.public_key,
            "signer": one.signature.signer,
        },
    }


def _kind(card: ModelCard) -> str:
    what = (
        f"{len(card.classes)} labels of voxels"
        if card.outputs == "voxels"
        else f"{len(card.classes)} classes"
    )
    return f"{card.modality}: {what}"


def _kept_short(text: str, n: int) -> str:
    return text if len(text) <= n else f"{text[: n - 3]}..."
