"""`hounsfield models search` and `pull`: models of the catalogue."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hounsfield.cli._terminal import TerminalProgress, print_json, print_tables, table, with_whole_names
from hounsfield.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from hounsfield.zoo.catalogue import Entry
    from hounsfield.zoo.pull import Pulled, PullRequest

app = typer.Typer(add_completion=False, rich_markup_mode=None)
_RESEARCH_USE = "Research use only. Not a medical device."
_AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
_GATES = {"none": "", "accept": "terms to accept", "publisher": "from its page only"}


@app.command("search")
def search(
    words: Annotated[list[str] | None, typer.Argument(help="Words that an entry must hold.")] = None,
    area: Annotated[str | None, typer.Option(help="abdomen, body, bone, brain, breast, chest, ...")] = None,
    modality: Annotated[str | None, typer.Option(help="CT, MR, CR, MG or US.")] = None,
    task: Annotated[str | None, typer.Option(help="segmentation, classification, detection, ...")] = None,
    licence: Annotated[
        str | None, typer.Option(help="Part of its name, or 'commercial' where that is allowed.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Look for public models in the catalogue; nothing is fetched."""
    from hounsfield.zoo import installed_bundles
    from hounsfield.zoo.catalogue import search_catalogue

    found = search_catalogue(words or (), area=area, modality=modality, task=task, licence=licence)
    installed = installed_bundles()
    if as_json:
        print_json(
            {"notice": _RESEARCH_USE, "entries": [_record(one, one.name in installed) for one in found]}
        )
        return
    if not found:
        print("No entry of the catalogue fits. `hu models search` without words shows them all.")
        return
    rows = [
        [one.name, ", ".join(one.modality), one.title, _terms(one, one.name in installed)] for one in found
    ]
    print_tables(with_whole_names(table("", ["model", "reads", "what it does", "terms"], rows)))
    print(f"{len(found)} found. Get one: hu models pull NAME")
    print(
        "What they are worth is not known here: read the evidence in the catalogue, and judge them on your data."
    )


@app.command("pull")
def pull_command(
    name: Annotated[str, typer.Argument(help="Name in the catalogue, or an https address.")],
    as_name: Annotated[str | None, typer.Option("--name", help="Name of the model here.")] = None,
    accept_licence: Annotated[
        list[str] | None, typer.Option(help="Model whose terms you accept; repeatable.")
    ] = None,
    sha256: Annotated[str, typer.Option(help="Its SHA-256, where you know it from its publisher.")] = "",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Fetch what has no SHA-256 without asking.")
    ] = False,
    anew: Annotated[
        bool, typer.Option(help="Forget the recorded file: it changed, and you know why.")
    ] = False,
    only_fetch: Annotated[bool, typer.Option(help="Keep the file; do not import it.")] = False,
    replace: Annotated[bool, typer.Option(help="Replace an installed model of that name.")] = False,
    as_json: _AsJson = False,
) -> None:
    """Fetch a model, verified and gone on with where it stopped, and install it."""
    from hounsfield.zoo.pull import forget, pull

    request = _request(name, as_name, sha256, tuple(accept_licence or ()))
    if anew:
        forget(request.parent, request.urls[0])
    progress = TerminalProgress()
    # Terms are never accepted by --yes: that is what --accept-licence is for.
    got = pull(request, lambda about, question: (yes and about == "no digest") or _ask(question), progress)
    progress.clear()
    bundle = None if only_fetch else _installed(request, got, replace)
    document: dict[str, Any] = {
        "name": request.name,
        "url": got.main.url,
        "sha256": got.main.sha256,
        "bytes": got.main.size_bytes,
        "pinned_by": got.pinned_by,
        "path": None if bundle else str(got.path),
    }
    if as_json:
        print_json({"notice": _RESEARCH_USE, "pulled": document, "models": [bundle] if bundle else []})
    else:
        _print(document, bundle)
    if bundle is None and not only_fetch:
        raise typer.Exit(ExitCode.PARTIAL)


def _terms(one: Entry, is_installed: bool) -> str:
    """Licence and what stands in the way, in few words."""
    name = one.licence.name
    short = (
        "licence not stated" if name.startswith("Not stated") else name.partition(" (")[0].partition(":")[0]
    )
    notes = [
        _GATES[one.licence.gate],
        "" if one.importer else "no importer yet",
        "installed" if is_installed else "",
    ]
    return "; ".join(filter(None, (short, *notes)))


def _ask(question: str) -> bool:
    return typer.confirm(question, err=True)


def _request(name: str, as_name: str | None, sha256: str, accepted: tuple[str, ...]) -> PullRequest:
    from hounsfield.core.errors import UsageError
    from hounsfield.zoo.catalogue import find_entry
    from hounsfield.zoo.find_bundle import user_models
    from hounsfield.zoo.model_formats import ImportRequest
    from hounsfield.zoo.pull import PullRequest, file_name

    sha256 = sha256.lower()
    if sha256 and (len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef")):
        raise UsageError(f"--sha256 {sha256!r} is no SHA-256: 64 hexadecimal digits")
    if "://" in name:
        made = ImportRequest(Path(file_name(name)), user_models(), as_name).bundle_name()
        return PullRequest(made, (name,), user_models(), None, sha256, accepted)
    entry = find_entry(name)
    return PullRequest(as_name or entry.name, entry.urls, user_models(), entry, sha256, accepted)


def _installed(request: PullRequest, got: Pulled, replace: bool) -> dict[str, Any] | None:
    """The installed model as JSON; None where nothing here imports its format: the file is then kept."""
    from hounsfield.cli._models_list import record
    from hounsfield.zoo.installed import install_model
    from hounsfield.zoo.model_formats import ImportRequest, detected_formats, model_formats

    entry = request.entry
    known = (
        (entry.importer,) if entry and entry.importer in model_formats.names() else detected_formats(got.path)
    )
    if len(known) != 1:
        return None
    # What the catalogue knows of it goes into the card; a bundle of this project brings its own.
    is_own = known[0] == "hounsfield"
    facts = {} if entry is None or is_own else _facts(entry)
    asked = ImportRequest(got.path, request.parent, None if is_own else request.name, facts)
    made = install_model(asked, format_name=known[0], replace_old=replace)
    shutil.rmtree(request.parent / ".downloads" / request.name, ignore_errors=True)
    return record(made)


def _facts(entry: Entry) -> dict[str, Any]:
    """What the catalogue knows for the card. A licence that nobody stated stays unstated there, so that it is not passed on."""
    facts = {"title": entry.title, "evidence_level": entry.evidence}
    return facts | ({"licence": entry.licence.name} if entry.licence.is_stated else {})


def _print(document: dict[str, Any], bundle: dict[str, Any] | None) -> None:
    print(f"Fetched {document['url']}: {document['bytes']} bytes, SHA-256 {document['sha256']}")
    told = {
        "publisher": "It is the file that was stated.",
        "first download": "It is the same file as at the first download.",
        "nobody": "Nobody stated its SHA-256; it was recorded now.",
    }
    print(told[document["pinned_by"]])
    if bundle is None:
        print(f"It lies in {document['path']}. `hu models import` takes it once a format here knows it.")
    else:
        print(f"Installed {bundle['name']} in {bundle['folder']}.")
        print(f"Read a study with it: hounsfield read STUDY --model {bundle['name']}")
    print(_RESEARCH_USE)


def _record(one: Entry, is_installed: bool) -> dict[str, Any]:
    return {**one.model_dump(mode="json"), "installed": is_installed}
