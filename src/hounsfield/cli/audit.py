"""`hounsfield audit`: for whom a model fails, what it learned instead, whether it drifts, whether its test data leaked.

One file a command beside this one (_audit_bias.py and its like); each answers with sections of one page.
"""

from __future__ import annotations

import typer

from hounsfield.cli._audit_bias import app as bias
from hounsfield.cli._audit_drift import app as drift
from hounsfield.cli._audit_leaks import app as leaks
from hounsfield.cli._audit_shortcuts import app as shortcuts

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Audit a model: for whom it fails, what it learned instead, whether it drifts or its test data leaked.",
)
for one in (bias, shortcuts, drift, leaks):
    app.add_typer(one)
