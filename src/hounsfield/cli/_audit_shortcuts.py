"""`hounsfield audit shortcuts`: what can be read off how pictures were made, and whether a model could live on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hounsfield.cli._audit_answer import Shown, answer
from hounsfield.cli._terminal import TerminalProgress

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def shortcuts(
    data: Annotated[Path, typer.Argument(help="Folder of pictures with a table, a row a picture.")],
    label: Annotated[
        str,
        typer.Option(
            metavar="COLUMN[=VALUE]", help="Column of the label; with a value, that against the rest."
        ),
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(help="Column of the acquisition, such as view, site or scanner; repeatable."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Keep pictures of this label only; repeatable.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Bundle (folder or name) whose features are probed too.")
    ] = None,
    table: Annotated[str, typer.Option(help="Name of the table in the folder.")] = "labels.csv",
    image_column: Annotated[
        str | None, typer.Option(help="Column that names the picture's file; else image or file.")
    ] = None,
    group_column: Annotated[
        str | None, typer.Option(help="Column of what must not be split; else group_id or patient_id.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for audit.html and audit.json.")] = Path(
        "audit-shortcuts"
    ),
    into_card: Annotated[
        Path | None, typer.Option(help="Write the dated summary into the card of this bundle.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal figures.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print audit.json.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no table.")] = False,
) -> None:
    """Probe pictures: is the label, or the acquisition, read off how they were made?"""
    from hounsfield.evaluation.audit import (
        PictureColumns,
        audit_shortcuts,
        read_picture_table,
        shortcut_sections,
    )

    columns = PictureColumns(label, image_column, group_column, tuple(column or ()), tuple(only or ()))
    pictures = read_picture_table(data, columns, table=table)
    features, model_text = _features(model)
    progress = TerminalProgress(quiet=quiet or as_json)
    audit = audit_shortcuts(pictures, features=features, seed=seed, progress=progress)
    progress.clear()
    counted = f"{len(pictures.cases)} pictures of {len(set(pictures.groups))} groups in {data.resolve().name}/{table}"
    about = {
        "pictures": counted,
        "label": f"{label} ({', '.join(only)})" if only else label,
        "columns": ", ".join(columns.acquisition) or "none",
    }
    if model_text:
        about["model"] = model_text
    answer(
        shortcut_sections(audit),
        out,
        title=title or f"Shortcuts in {data.resolve().name}",
        about=about,
        shown=Shown("shortcuts", f"{counted}, label {about['label']}", into_card, as_json, quiet),
    )


def _features(model: str | None) -> tuple[Callable[[Any], Any] | None, str]:
    """The features of a picture by the bundle, and its name, version and digest."""
    if model is None:
        return None, ""
    import numpy as np

    from hounsfield.inference.torch_model import load_model

    loaded = load_model(model)

    def features(picture: Any) -> Any:
        return np.asarray(loaded.run(picture).features, dtype=np.float64)

    return features, f"{loaded.name} {loaded.version}, SHA-256 {loaded.digest}"
