"""The command itself: names of the subcommands without importing them, and errors as exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from hounsfield import __version__
from hounsfield.cli.exit_codes import ExitCode, of_error

RESEARCH_USE = "Research use only. Not a medical device."

# Set by the completion of a shell, for either name of the command.
_COMPLETES = {"_HOUNSFIELD_COMPLETE", "_HU_COMPLETE"}
# The help of the whole command must not import pydicom or torch, so the one-line helps stand here.
COMMANDS = {
    "read": "Read studies: findings, measurements, report and DICOM results.",
    "inspect": "Show studies and series, and which applications take them.",
    "convert": "Convert DICOM series to NIfTI, and NIfTI volumes to DICOM series.",
    "apps": "List the applications and what they ask for.",
    "models": "Models: find, get, look at, verify, import, sign, pack and remove them.",
    "explain": "Maps that say where a model looked, and how far each may be believed.",
    "measure": "Compute a clinical rule from numbers and explain it.",
    "train": "Train a model from a recipe.",
    "evaluate": "Judge a model or its predictions: figures with intervals, and a page.",
    "audit": "Audit a model: for whom it fails, what it learned instead, drift, leaks.",
    "phantom": "Write a synthetic DICOM study with known truth.",
    "demo": "Read phantoms and a real image; print measured beside true.",
    "doctor": "Say what is installed, what is missing, and how to get it.",
}


class LazyGroup(TyperGroup):
    """Imports the file of a command only when that command is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of a first day with the program."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        if _only_listing(ctx):
            return _listed(cmd_name)
        command = get_command(import_module(f"hounsfield.cli.{cmd_name}").app)
        command.name = cmd_name
        return command


def _only_listing(ctx: Any) -> bool:
    """Whether the group's own help (or completion of a command's name) is being made."""
    return (
        getattr(ctx, "invoked_subcommand", None) is None
        and not getattr(ctx, "_protected_args", None)
        and ("--help" in sys.argv[1:2] or len(sys.argv) == 1 or bool(_COMPLETES & set(os.environ)))
    )


def _listed(name: str) -> Any:
    """A command that only shows its name and one line of help."""
    shown = typer.Typer(add_completion=False)
    shown.command(name, help=COMMANDS[name])(_nothing)
    return get_command(shown)


def _nothing() -> None:
    """Stand for a command in the list of commands."""


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=f"Hounsfield: from the DICOM of a scanner to a report with its evidence. {RESEARCH_USE}",
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"hounsfield {__version__}. {RESEARCH_USE}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Options of the whole command."""
    del version


def main() -> None:
    """Run the command; errors of ours become one line and an exit code, never a traceback."""
    try:
        # By the name that was typed, because shells ask for completion by it.
        app(prog_name="hu" if Path(sys.argv[0]).stem == "hu" else "hounsfield")
    except KeyboardInterrupt:
        print("hounsfield: stopped; what was finished is kept.", file=sys.stderr)
        sys.exit(ExitCode.PARTIAL)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.DONE)
    except Exception as error:  # noqa: BLE001  the last line of defence: no traceback reaches a user
        sys.exit(_tell(error))


def _tell(error: Exception) -> ExitCode:
    # Not above: it would bring numpy into `hounsfield --help`.
    from hounsfield.core.errors import HounsfieldError

    if isinstance(error, HounsfieldError):
        print(f"hounsfield: {error}", file=sys.stderr)
        return of_error(error)
    if os.environ.get("HOUNSFIELD_TRACEBACK"):
        traceback.print_exception(error)
    print(
        f"hounsfield: internal error: {type(error).__name__}: {error}. Please report it; "
        "HOUNSFIELD_TRACEBACK=1 prints where it happened.",
        file=sys.stderr,
    )
    return ExitCode.INTERNAL
