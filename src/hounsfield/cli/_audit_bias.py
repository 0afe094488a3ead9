"""`hounsfield audit bias`."""

from __future__ import annotations

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def bias() -> None:
    """Judge predictions by group: gaps with intervals, calibration, thresholds, what would change."""
