"""`hounsfield train`: a model from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli._terminal import TerminalProgress, print_json

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a YAML file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for checkpoints, bundle and page.")] = Path(
        "runs"
    ),
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoint in the folder.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print where bundle and page lie as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")] = False,
) -> None:
    """Train a model from a recipe; evaluates it and writes its bundle."""
    from hounsfield.training import train as train_recipe

    progress = TerminalProgress(quiet=quiet or as_json)
    result = train_recipe(recipe, out / recipe.stem, progress=progress, resume=resume)
    progress.clear()
    if as_json:
        print_json({"bundle": str(result.bundle), "evaluation": str(result.page)})
    elif not quiet:
        print(f"Bundle: {result.bundle}")
        print(f"Evaluation: {result.page}")
        print("Research use only. Not a medical device.")
