"""Make the local environment `.venv` with this project in it; `make` calls this when something changed.

Needs nothing but Python 3.11 or newer. Repeating it is quick: what is installed stays.

    python3 install/environment.py --extras all,dev
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
# Older ones download the wheels themselves in a dry run: gigabytes, only to look at their names.
OLDEST_PIP = "pip>=23.3"


class CannotInstall(Exception):
    """A step failed; the message says which, and what to do."""


def check_python(version: tuple[int, ...], *, can_make_environments: bool) -> None:
    """Raise CannotInstall if this Python is too old, or was shipped without what venv needs."""
    if version[:2] < OLDEST_PYTHON:
        found = ".".join(str(part) for part in version[:3])
        raise CannotInstall(
            f"Python {found} is too old: Hounsfield needs 3.11 or newer. "
            "Name a newer one: make demo PYTHON=python3.12"
        )
    if not can_make_environments:
        raise CannotInstall(
            "this Python cannot make environments: its module ensurepip is missing. "
            "On Debian and Ubuntu: apt-get install python3-venv. Elsewhere name another Python: "
            "make demo PYTHON=/path/to/python3"
        )


def run_logged(command: Sequence[str], log: Path, what: str) -> str:
    """Run `command`, its output going to `log` and its newest line to a terminal; returns its last line."""
    print(f"- {what}", flush=True)
    live = sys.stdout.isatty()
    started_s = time.monotonic()
    tail: list[str] = []
    with (
        log.open("a", encoding="utf-8") as sink,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
    ):
        for line in process.stdout or ():
            sink.write(line)
            tail = [*tail[-14:], line.rstrip()]
            if live:
                passed_s = time.monotonic() - started_s
                print(f"\r\x1b[K  {passed_s:4.0f} s  {line.strip()[:90]}", end="", flush=True)
    if live:
        print("\r\x1b[K", end="")
    if process.returncode != 0:
        raise CannotInstall("\n".join([f"this step failed: {what}", *tail, f"The whole output is in {log}."]))
    return tail[-1] if tail else ""


def make_environment(folder: Path, extras: str) -> None:
    """Create `folder` if it is not there, and install the project with `extras` in it, editable."""
    python = folder / "bin" / "python"
    if not python.exists():
        check_python(sys.version_info[:3], can_make_environments=find_spec("ensurepip") is not None)
        print(f"- environment {folder.name} with Python {sys.version.split()[0]}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    log = folder / "install.log"
    log.write_text("", encoding="utf-8")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    run_logged([*pip, "--upgrade", OLDEST_PIP], log, "pip that can look before it downloads")
    torch = ROOT / "install" / "torch_for_this_machine.py"
    taken = run_logged([sys.executable, str(torch), str(python)], log, "torch for this machine")
    print(f"  {taken}")
    package = [*pip, "--constraint", str(ROOT / "constraints.txt"), "--editable", f"{ROOT}[{extras}]"]
    run_logged(package, log, f"hounsfield[{extras}] in the tested versions of constraints.txt")


def main(arguments: Sequence[str]) -> int:
    """Make the environment; 0 done, 1 with the reason printed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=ROOT / ".venv", help="where the environment lies")
    parser.add_argument("--extras", default="all", help="extras of pyproject.toml, separated by commas")
    options = parser.parse_args(arguments)
    try:
        make_environment(options.folder, options.extras)
    except (CannotInstall, subprocess.CalledProcessError) as error:
        print(f"Not installed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
