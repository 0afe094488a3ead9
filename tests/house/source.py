"""The project's own source, parsed once, for the tests that read it as text."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "hounsfield"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of src: where it lies, its text and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The path below src/hounsfield, as people write it: `core/grid.py`."""
        return self.path.relative_to(SRC).as_posix()

    @property
    def package(self) -> str:
        """The package it belongs to, "" for files of hounsfield itself."""
        return self.name.split("/")[0] if "/" in self.name else ""

    def functions(self) -> list[tuple[str, Function]]:
        """Every function and method with its dotted name; functions inside functions too."""
        return _functions(self.tree, "")

    def classes(self) -> list[tuple[str, ast.ClassDef]]:
        """Every class at the top level or inside another class."""
        return _classes(self.tree, "")


def _functions(node: ast.AST, prefix: str) -> list[tuple[str, Function]]:
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            name = f"{prefix}{child.name}"
            if isinstance(child, Function):
                found.append((name, child))
            inner = f"{name}.<locals>." if isinstance(child, Function) else f"{name}."
            found += _functions(child, inner)
        else:
            found += _functions(child, prefix)
    return found


def _classes(node: ast.AST, prefix: str) -> list[tuple[str, ast.ClassDef]]:
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            found.append((f"{prefix}{child.name}", child))
            found += _classes(child, f"{prefix}{child.name}.")
    return found


@cache
def modules() -> tuple[Module, ...]:
    """All modules of src/hounsfield, sorted by path."""
    paths = sorted(path for path in SRC.rglob("*.py") if "__pycache__" not in path.parts)
    return tuple(Module(path, text, ast.parse(text)) for path in paths for text in [path.read_text("utf-8")])


def is_public(dotted: str) -> bool:
    """Whether others can call it by name: no part begins with an underscore, none is inside a function."""
    return not any(part.startswith(("_", "<")) for part in dotted.split("."))


def body_lines(function: Function) -> int:
    """Lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    return (function.end_lineno or 0) - body[0].lineno + 1


def parameters(function: Function) -> list[ast.arg]:
    """Every parameter but self and cls."""
    signature = function.args
    every = [*signature.posonlyargs, *signature.args, *signature.kwonlyargs]
    every += [extra for extra in (signature.vararg, signature.kwarg) if extra is not None]
    return [parameter for parameter in every if parameter.arg not in {"self", "cls"}]


@cache
def tracked_files() -> tuple[Path, ...]:
    """Files that belong to the repository: those git knows or would offer to add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def tracked_texts() -> dict[Path, str]:
    """The text files among them; pictures, weights and other bytes are left out."""
    texts = {}
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content[:8192]:
            try:
                texts[path] = content.decode("utf-8")
            except UnicodeDecodeError:
                continue
    return texts
