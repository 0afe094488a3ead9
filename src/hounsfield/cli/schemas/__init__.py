"""The published JSON schemas (draft 2020-12) of what each command prints with `--json`.

One file a command; `read` prints what `results` publishes. Begin with inspect.schema.json.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

__all__ = ["command_schema"]


def command_schema(command: str) -> dict[str, Any]:
    """The schema of `hounsfield COMMAND --json`; raises KeyError for a command without one."""
    if command == "read":
        from hounsfield.results import readings_schema

        return readings_schema()
    path = files("hounsfield.cli.schemas").joinpath(f"{command}.schema.json")
    if not path.is_file():
        raise KeyError(command)
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded
