"""`hounsfield models list | info | verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hounsfield.cli._terminal import print_json, print_tables, table
from hounsfield.cli.exit_codes import ExitCode
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from hounsfield.zoo.installed import InstalledModel
    from hounsfield.zoo.model_card import Estimate, ModelCard

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
        ]
        for one in found
    ]
    columns = ["model", "version", "answers", "from", "MB", "licence", "verified, SHA-256"]
    print_tables(table("", columns, rows))
    print(_RESEARCH_USE)


@app.command("info")
def info(
    name: Annotated[str, typer.Argument(help="Name of an installed model.")], as_json: _AsJson = False
) -> None:
    """Show the card of a model: what it is for, what it is worth, where it came from."""
    from hounsfield.zoo import find_bundle, open_bundle

    bundle = open_bundle(find_bundle(name))
    if as_json:
        print_json(
            {"notice": _RESEARCH_USE, "digest": bundle.digest, "card": bundle.card.model_dump(mode="json")}
        )
        return
    print_tables(table(bundle.card.title, ["", ""], _facts(bundle.card, bundle.digest)))
    figures = [
        [figure.name, _estimate(figure), figure.part, f"{figure.n} in {figure.n_groups} groups"]
        for figure in bundle.card.metrics
    ]
    if figures:
        print_tables(table("Figures", ["figure", "value (95 % interval)", "part", "cases"], figures))
    print(_RESEARCH_USE)


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
        print_json({"notice": _RESEARCH_USE, "models": [record(one) for one in found]})
    else:
        rows = [[one.name, "as its card says" if one.bundle else one.problem] for one in found]
        print_tables(table("", ["model", "files"], rows))
    raise typer.Exit(ExitCode.DONE if all(one.bundle for one in found) else ExitCode.MODEL_OR_DATA_MISSING)


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
    }


def _kind(card: ModelCard) -> str:
    what = (
        f"{len(card.classes)} labels of voxels"
        if card.outputs == "voxels"
        else f"{len(card.classes)} classes"
    )
    return f"{card.modality}: {what}"


def _facts(card: ModelCard, digest: str) -> list[list[str]]:
    names = ", ".join(card.class_names)
    rows = [
        ["name", f"{card.name} {card.version}"],
        ["task", f"{card.task}; {card.modality}"],
        ["intended use", card.intended_use],
        ["not for", " ".join(card.not_for)],
        ["evidence", card.evidence_level],
        ["licence", card.licence],
        ["labels" if card.outputs == "voxels" else "classes", _kept_short(names, 300)],
        ["network", card.network.name],
        ["calibrator", card.calibrator.name if card.calibrator else "none: scores are no probabilities"],
        ["guard", card.guard.method if card.guard else "none: foreign images are not noticed"],
        ["data", "; ".join(source.name for source in card.data) or "not stated"],
        ["shortcuts", " ".join(card.known_shortcuts) or "none was looked for"],
        ["SHA-256", digest],
    ]
    if card.origin is not None:
        said = f"{card.origin.source} ({card.origin.format}), SHA-256 {card.origin.source_sha256}"
        rows.append(["imported from", said])
        rows.append(["not stated there", ", ".join(card.origin.unstated) or "nothing"])
    return rows


def _estimate(found: Estimate) -> str:
    return f"{found.value:.3f} ({found.low95:.3f} to {found.high95:.3f})"


def _kept_short(text: str, n: int) -> str:
    return text if len(text) <= n else f"{text[: n - 3]}..."
