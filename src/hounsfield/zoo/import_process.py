"""Import in a process of its own, with bounded memory and time: a fault in a parser ends the child, and not the program.

Nothing in a file is run by reading it (foreign_weights); this is the second wall. Request and answer are JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hounsfield.core import errors
from hounsfield.zoo.bundle import verify_bundle
from hounsfield.zoo.model_formats import ImportRequest, import_model

if TYPE_CHECKING:
    from hounsfield.zoo.bundle import Bundle

DEFAULT_TIMEOUT_S = 1800.0
_MEMORY_LIMIT_BYTES = 32 * 1024**3
_TELLABLE = ("ModelError", "MissingModel", "UsageError", "ResultError")


def import_in_process(
    request: ImportRequest, *, format_name: str | None = None, timeout_s: float = DEFAULT_TIMEOUT_S
) -> Bundle:
    """As `import_model`, in a process of its own. facts must be plain JSON.

    Raises what `import_model` raises, and ModelError where the process was given up or ended by what it read.
    """
    asked = {
        "path": str(request.path),
        "parent": str(request.parent),
        "name": request.name,
        "facts": dict(request.facts),
        "options": dict(request.options),
        "format": format_name,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hounsfield.zoo.import_process"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise errors.ModelError(
            f"{request.path.name} was not imported within {timeout_s:g} s and was given up; it is no ordinary model"
        ) from None
    answer = _answer(done.stdout)
    if answer is None:
        raise errors.ModelError(
            f"{request.path.name} ended the process that imported it (status {done.returncode}): it is damaged, or needs "
            f"more than {_MEMORY_LIMIT_BYTES // 1024**3} GiB. Get the file again."
        )
    if "error" in answer:
        raise getattr(errors, answer["error"])(answer["text"])
    return verify_bundle(Path(answer["folder"]))


def _answer(printed: str) -> dict[str, str] | None:
    """The last line that the child printed, if it is an answer."""
    lines = printed.strip().splitlines()
    try:
        answer: Any = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _child(asked: dict[str, Any]) -> dict[str, str]:
    _limit_memory()
    request = ImportRequest(
        Path(asked["path"]), Path(asked["parent"]), asked["name"], asked["facts"], asked["options"]
    )
    try:
        return {"folder": str(import_model(request, format_name=asked["format"]).folder)}
    except errors.HounsfieldError as error:
        kind = type(error).__name__
        return {"error": kind if kind in _TELLABLE else "ModelError", "text": str(error)}
    except OSError as error:
        text = f"the model cannot be read or written ({error.strerror or error}). Make room, or look at the folder's rights."
        return {"error": "ResultError", "text": text}


def _limit_memory() -> None:
    try:
        import resource
    except ModuleNotFoundError:
        return  # this system has no such limits
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT_BYTES, _MEMORY_LIMIT_BYTES))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_child(json.load(sys.stdin))) + "\n")
