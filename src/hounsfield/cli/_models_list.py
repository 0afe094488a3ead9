"""`hounsfield models list`, `info`, `verify` and `rm`: the models that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hounsfield.cli._terminal import print_json, print_tables, table
from hounsfield.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from hounsfield.zoo.installed import InstalledModel

app = typer.Typer(add_completion=False, rich_markup_mode=None)
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
_SHOWN_DIGEST = 12


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that are installed, each verified."""
    from hounsfield.zoo import models_folder
    from hounsfield.zoo.installed import installed_models

    found = installed_models()
    if as_json:
        print_json({"folder": str(models_folder()), "models": [record(model) for model in found]})
        return
    rows = [_row(model) for model in found]
    columns = ["model", "version", "task", "licence", "size", "digest", "whole?", "signature"]
    print_tables(table("", columns, rows))
    for model in found:
        if model.bundle is None:
            print(f"{model.name}: {model.problem}")
        else:
            print(f"{model.name}: {model.bundle.card.evidence_level}")
    print(f"Models of yours lie in {models_folder()}.")


def _row(model: InstalledModel) -> list[str]:
    kind = " (ships)" if model.shipped else ""
    if model.bundle is None:
        return [model.name + kind, "", "", "", size_text(model.size_bytes), "", "no", ""]
    card = model.bundle.card
    return [
        model.name + kind,
        card.version,
        f"{card.task}, {card.modality}",
        card.licence.split(". ")[0],
        size_text(model.size_bytes),
        model.bundle.digest[:_SHOWN_DIGEST],
        "yes",
        model.signature.state if model.signature else "",
    ]


@app.command()
def info(
    name: Annotated[str, typer.Argument(help="Name of an installed model.")], as_json: AsJson = False
) -> None:
    """Show a model's card: what it is for and not for, its figures with intervals, guard, licence, audits."""
    from hounsfield.cli._models_card import print_card
    from hounsfield.core.errors import ModelError
    from hounsfield.zoo.installed import installed_model

    model = installed_model(name)
    if model.bundle is None:
        raise ModelError(model.problem)
    if as_json:
        print_json({**record(model), "card": model.bundle.card.model_dump(mode="json")})
        return
    print_card(model, model.bundle)


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Names of installed models.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare every file of a model with its SHA-256, and check the signature."""
    from hounsfield.core.errors import UsageError
    from hounsfield.zoo.installed import file_states, installed_model, installed_models
    from hounsfield.zoo.signature import signatures_required

    if bool(names) == every:
        raise UsageError("name the models to verify, or give --all.")
    found = installed_models() if every else tuple(installed_model(name) for name in names or ())
    # A signature that does not fit is damage, whether or not one is required.
    is_bad = [
        model.bundle is None
        or (model.signature is not None and model.signature.state == "wrong")
        or (signatures_required() and model.signature is not None and model.signature.state != "trusted")
        for model in found
    ]
    if as_json:
        print_json(
            {
                "signatures_required": signatures_required(),
                "models": [
                    {
                        **record(model),
                        "files": [
                            {"name": file.name, "stated": file.stated, "found": file.found}
                            for file in file_states(model.folder)
                        ],
                    }
                    for model in found
                ],
            }
        )
    else:
        for model in found:
            _print_verified(model)
    if any(is_bad):
        raise typer.Exit(ExitCode.MODEL_OR_DATA_MISSING)


def _print_verified(model: InstalledModel) -> None:
    from hounsfield.zoo.installed import file_states

    states = file_states(model.folder)
    print(f"{model.name}: {'whole' if model.bundle else 'NOT WHOLE'}, {model.folder}")
    rows = [
        [file.name, file.found[:16] or "missing", "as stated" if file.is_right else f"stated {file.stated}"]
        for file in states
    ]
    if rows:
        print_tables(table("", ["file", "SHA-256", ""], rows))
    if model.problem:
        print(model.problem)
    if model.bundle is not None and model.signature is not None:
        print(f"Digest of the bundle: {model.bundle.digest}")
        print(f"Signature: {signature_text(model)}")


@app.command()
def rm(
    name: Annotated[str, typer.Argument(help="Name of a model that you installed.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a model that you installed; those that ship stay."""
    from hounsfield.core.errors import Cancelled
    from hounsfield.zoo import find_bundle
    from hounsfield.zoo.installed import check_removable, remove_model

    check_removable(name)
    if not yes and not typer.confirm(f"Delete {find_bundle(name)} and all in it?", err=True):
        raise Cancelled(f"{name} was not deleted")
    folder = remove_model(name)
    if as_json:
        print_json({"removed": name, "folder": str(folder)})
        return
    print(f"Deleted {folder}")


def record(model: InstalledModel) -> dict[str, Any]:
    """A model as all commands print it with --json; null for what is not known of one that is not whole."""
    bundle = model.bundle
    card = bundle.card if bundle else None
    signature = model.signature
    return {
        "name": model.name,
        "version": card.version if card else None,
        "title": card.title if card else None,
        "task": card.task if card else None,
        "modality": card.modality if card else None,
        "licence": card.licence if card else None,
        "evidence": card.evidence_level if card else None,
        "digest": bundle.digest if bundle else None,
        "size_bytes": model.size_bytes,
        "shipped": model.shipped,
        "folder": str(model.folder),
        "verified": bundle is not None,
        "problem": model.problem,
        "signature": {"state": signature.state, "key": signature.public_key, "signer": signature.signer}
        if signature
        else None,
    }


def signature_text(model: InstalledModel) -> str:
    """The state of a signature in words."""
    found = model.signature
    if found is None:
        return "not checked"
    if found.state == "trusted":
        return f"right, by {found.signer or 'a trusted key'} ({found.public_key})"
    return f"{found.state}: {found.reason}"


def size_text(size_bytes: int) -> str:
    """A size for people: 3.1 MB."""
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
