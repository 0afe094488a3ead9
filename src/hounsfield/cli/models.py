"""`hounsfield models`: which models there are, what they are worth, and how they come and go.

One file for each pair of commands beside this one (_models_list.py, _models_import.py, _models_export.py).
"""

from __future__ import annotations

import typer

from hounsfield.cli._models_export import app as leaving
from hounsfield.cli._models_import import app as coming
from hounsfield.cli._models_list import app as looking
from hounsfield.cli._models_pull import app as pulling
from hounsfield.cli._models_sign import app as signing

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Models: find, get, look at, verify, import, sign, pack, export and remove them.",
)
for one in (looking, pulling, coming, signing, leaving):
    app.registered_commands.extend(one.registered_commands)
