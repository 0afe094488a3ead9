"""Everything public says what it is; every package says what to read first and what it offers."""

from __future__ import annotations

import ast
import re
from importlib import import_module

import pytest
from tests.house.source import SRC, is_public, modules

PACKAGES = sorted(path.parent.name for path in SRC.glob("*/__init__.py"))


def test_every_module_has_a_docstring():
    assert not [module.name for module in modules() if not ast.get_docstring(module.tree)]


def test_every_public_class_has_a_docstring():
    found = [
        f"{module.name}:{node.lineno} {name}"
        for module in modules()
        for name, node in module.classes()
        if is_public(name) and not ast.get_docstring(node)
    ]
    assert not found, found


def test_every_public_function_has_a_docstring():
    found = [
        f"{module.name}:{node.lineno} {name}"
        for module in modules()
        for name, node in module.functions()
        if is_public(name) and not ast.get_docstring(node)
    ]
    assert not found, found


@pytest.mark.parametrize("package", PACKAGES)
def test_package_begins_with_what_is_here(package):
    docstring = (
        ast.get_docstring(ast.parse((SRC / package / "__init__.py").read_text(encoding="utf-8"))) or ""
    )
    assert len(docstring) > 40, f"{package}: say what is here, what is not, and which file to read first"
    assert len(docstring.splitlines()) <= 10, f"{package}: at most ten lines"


def _order(name: str) -> tuple[int, list[tuple[int, str]]]:
    """CONSTANTS, then Classes, then functions, each by the alphabet, numbers by size: as ruff sorts them."""
    parts = [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, parts)


@pytest.mark.parametrize("package", ["", *PACKAGES])
def test_public_names_are_listed_and_sorted(package):
    path = SRC / package / "__init__.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = import_module(f"hounsfield.{package}" if package else "hounsfield")
    listed = list(getattr(module, "__all__", []))
    bound = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module not in {"__future__", "typing"}
        for alias in node.names
    }
    assert listed == sorted(listed, key=_order)
    assert bound <= set(listed), f"imported but not listed: {bound - set(listed)}"
    assert all(hasattr(module, name) for name in listed), "a listed name is not there"
