"""The published JSON schemas (draft 2020-12) of `reading.json` and of `hu read --json`."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def schema() -> dict[str, Any]:
    """The schema of one `reading.json`: package data, `results/reading.schema.json`."""
    return _load("reading.schema.json")


def readings_schema() -> dict[str, Any]:
    """The schema of `{"readings": [...]}`, with that of one reading embedded: it needs no other file."""
    outer = _load("readings.schema.json")
    return {**outer, "$defs": {"reading": schema()}}


def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files("hounsfield.results").joinpath(name).read_text("utf-8"))
    return loaded
