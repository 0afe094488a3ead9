"""The pages of README and docs, cut into the blocks that the tests run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_BLOCK = re.compile(
    r"^```(?P<kind>[\w-]*)[^\n]*\n(?P<text>.*?)^```\s*$|^<!-- setup\n(?P<setup>.*?)-->",
    re.DOTALL | re.MULTILINE,
)
SLOW = "<!-- slow -->"


@dataclass(frozen=True)
class Block:
    """One fenced block: its kind ("python", "console", "sh", ...), its text and its line in the page."""

    kind: str
    text: str
    line: int

    def commands(self) -> list[tuple[str, str]]:
        """Pairs of command and expected output of a console block; lines ending in `\\` are joined."""
        found: list[tuple[str, str]] = []
        for line in self.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                found.append((re.sub(r"\s+", " ", line[2:]).strip(), ""))
            elif found:
                command, output = found[-1]
                found[-1] = (command, f"{output}{line}\n")
        return found


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order; a comment `<!-- setup ... -->` is a console block unseen."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            match["kind"] if match["setup"] is None else "console",
            match["text"] if match["setup"] is None else match["setup"],
            text[: match.start()].count("\n") + 1,
        )
        for match in _BLOCK.finditer(text)
    ]


def is_slow(page: Path) -> bool:
    """Whether the page says that running it takes long."""
    return SLOW in page.read_text(encoding="utf-8")


def matches(expected: str, actual: str) -> bool:
    """Whether the lines of `expected` appear in `actual` in this order; `...` stands for anything."""
    lines = [re.sub(r"\s+", " ", line).strip() for line in expected.splitlines() if line.strip()]
    parts = [r"[^\n]*".join(re.escape(part) for part in line.split("...")) for line in lines if line != "..."]
    squeezed = "\n".join(re.sub(r"[^\S\n]+", " ", line).strip() for line in actual.splitlines())
    return (
        re.search(r"^[^\n]*" + r".*?".join(parts), squeezed, re.DOTALL | re.MULTILINE) is not None
        if parts
        else True
    )
