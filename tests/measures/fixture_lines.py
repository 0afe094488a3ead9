"""Reads the fixtures beside this file (one JSON object a line: `id`, `in`, `out`) and puts them to the rules.

A file of `evaluations` holds, for each block of fixtures, the rules it tests and the function that
turns an `in` into something to compare with the `out`.
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib import import_module
from pathlib import Path

from hounsfield.core.errors import RefusedInput

FOLDER = Path(__file__).parent


def fixture_lines(key: str) -> list[dict]:
    """The lines of one block ("B1a"), or of a whole section where it has no letters ("B21")."""
    name = key.rstrip("abcdefghi")
    text = (FOLDER / "fixtures" / f"{name}.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    return [record for record in records if record.get("id", "").startswith(f"{key}.")]


def all_lines() -> list[dict]:
    """Every fixture of every block."""
    paths = sorted((FOLDER / "fixtures").glob("B*.jsonl"), key=lambda path: int(path.stem[1:]))
    records = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [record for record in records if "id" in record]


def key_of(line: dict) -> str:
    """The block of a line: "B1a" of "B1a.3"."""
    return line["id"].split(".")[0]


@cache
def evaluations() -> dict[str, tuple]:
    """Block -> (identifiers of the rules it tests, function of `in`), from the files of `evaluations`."""
    found = {}
    for path in sorted((FOLDER / "evaluations").glob("b*.py")):
        found |= import_module(f"tests.measures.evaluations.{path.stem}").EVALUATIONS
    return found


def passes(line: dict) -> bool:
    """Whether the rule answers the fixture as it stands there."""
    _, evaluate = evaluations()[key_of(line)]
    expected = line["out"]
    if isinstance(expected, dict) and "refuse" in expected:
        try:
            evaluate(line["in"])
        except RefusedInput:
            return True
        return False
    return agrees(evaluate(line["in"]), expected)


def agrees(found, expected) -> bool:
    """Numbers within 1e-4 of themselves (1e-6 near zero), all else exactly; `found` may hold more keys."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and agrees(found[key], one) for key, one in expected.items()
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(agrees, found, expected))
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        return found == expected and type(found) is type(expected)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return is_number and math.isclose(found, expected, rel_tol=1e-4, abs_tol=1e-6)
