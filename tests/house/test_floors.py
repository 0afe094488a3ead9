"""The floors of ARCHITECTURE.md: imports go down only, and the page shows what is enforced."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.house.source import ROOT, modules

PURE = {"core", "imaging", "metrics", "measures", "calibration", "radiomics"}
# What a pure floor may not import: files, clock, network, processes, global randomness, deep learning.
IMPURE = {
    *("asyncio", "ctypes", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random"),
    *("requests", "secrets", "shutil", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time"),
    *("torch", "urllib", "pydicom", "highdicom"),
}
# Calls that read the clock, the disk or hidden state, whatever was imported.
IMPURE_CALLS = {"open", "input", "now", "today", "utcnow", "seed", "default_rng", "getenv"}
# Floors that are made of torch; above and beside them it is imported inside functions.
MADE_OF_TORCH = {"networks", "inference", "explain", "training", "evaluation", "federation"}


def imported(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and top package of every import in `tree`, those for type checking left out."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name.split(".")[0]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.lineno, (node.module or "").split(".")[0]))
        else:
            found += imported(node)
    return found


def test_imports_go_down_only():
    program = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([program, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout


def test_architecture_page_shows_the_floors_that_are_enforced():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    enforced = [{name.strip(" ()") for name in layer.split("|")} for layer in layers]
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").replace("\\|", "/")
    rows = re.findall(r"^\|\s*\d[a-z]?\s*\|([^|]*)\|", page, flags=re.MULTILINE)
    shown = [set(re.findall(r"`\(?(\w+)\)?`", row)) for row in rows]
    assert shown == enforced


def test_pure_floors_import_nothing_impure():
    found = [
        f"{module.name}:{line} imports {name}"
        for module in modules()
        if module.package in PURE
        for line, name in imported(module.tree)
        if name in IMPURE
    ]
    assert not found, found


def test_pure_floors_call_neither_clock_nor_disk_nor_hidden_state():
    found = []
    for module in modules():
        if module.package not in PURE:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                if name in IMPURE_CALLS or "np.random." in ast.unparse(node.func):
                    found.append(f"{module.name}:{node.lineno} calls {ast.unparse(node.func)}")
    assert not found, found


def test_torch_is_imported_at_the_top_only_on_floors_made_of_it():
    found = []
    for module in modules():
        top = ast.Module([node for node in module.tree.body if not isinstance(node, ast.FunctionDef)], [])
        if module.package not in MADE_OF_TORCH or module.path.name == "__init__.py":
            found += [f"{module.name}:{line}" for line, name in imported(top) if name == "torch"]
    assert not found, found
