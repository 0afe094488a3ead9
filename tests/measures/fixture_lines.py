"""Reads the fixture blocks beside this file: one JSON object a line, `id`, `in`, `out`."""

from __future__ import annotations

import json
from pathlib import Path


def fixture_lines(key: str) -> list[dict]:
    """The lines whose id begins with `key` and a point."""
    name = key.rstrip("abcdefghi")
    text = (Path(__file__).parent / "fixtures" / f"{name}.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    return [record for record in records if record.get("id", "").startswith(f"{key}.")]
