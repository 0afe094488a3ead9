"""`hounsfield models`: which models there are, what they are worth, getting them, checking, signing and passing them on.

One file for a few commands beside this one (_models_list.py and its like); what they do is in `zoo`.
"""

from __future__ import annotations

import typer

from hounsfield.cli._models_list import app as listing
from hounsfield.cli._models_pack import app as packing

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="List, get, verify, sign and pack models.",
)
for one in (listing, packing):
    app.add_typer(one)
