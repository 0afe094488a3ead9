"""What README and docs tell a reader to type works, and prints what they say it prints."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.docs.pages import PAGES, ROOT, Block, blocks, is_slow, matches

if TYPE_CHECKING:
    from pathlib import Path

RUN = {"python", "pycon", "console"}
SHOWN = {"", "text", "sh", "json", "yaml", "toml", "xml", "csv"}


def as_parameters(pages: list[Path]) -> list[Any]:
    return [
        pytest.param(
            page, id=page.relative_to(ROOT).as_posix(), marks=[pytest.mark.slow] if is_slow(page) else []
        )
        for page in pages
    ]


def run_console(block: Block, folder: Path) -> None:
    """Run every `$ command` of the block in `folder`; `hu` and `hounsfield` are those under test."""
    environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb", "OMP_NUM_THREADS": "1"}
    # Models that a page installs are not for the user who runs the tests.
    environment["HOUNSFIELD_MODELS"] = str(folder / "models-of-the-user")
    for command, expected in block.commands():
        words = shlex.split(command, comments=True)
        if words[0] in {"hu", "hounsfield"}:
            words[:1] = [sys.executable, "-m", "hounsfield"]
        elif words[0] == "python":
            words[:1] = [sys.executable]
        answer = subprocess.run(
            words, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=600
        )
        said = answer.stdout + answer.stderr
        wanted_status = int(found.group(1)) if (found := re.search(r"# exit status (\d+)", command)) else 0
        assert answer.returncode == wanted_status, f"line {block.line}: {command}\n{said}"
        assert matches(expected, said), f"line {block.line}: {command}\nprinted\n{said}\nnot\n{expected}"


def run_python(block: Block, names: dict[str, Any], page: Path) -> None:
    """Run a script block; the blocks of one page share their names."""
    code = compile("\n" * block.line + block.text, str(page), "exec")
    exec(code, names)


def run_pycon(block: Block, names: dict[str, Any], page: Path) -> None:
    """Run a `>>>` block as a doctest in the same names."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(block.text, names, page.name, str(page), block.line)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=flags)
    runner.run(test, out=said.append, clear_globs=False)
    names.update(test.globs)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


@pytest.mark.parametrize("page", as_parameters([p for p in PAGES if {b.kind for b in blocks(p)} & RUN]))
def test_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__page__"}
    for block in blocks(page):
        if block.kind == "console":
            run_console(block, tmp_path)
        elif block.kind == "python":
            run_python(block, names, page)
        elif block.kind == "pycon":
            run_pycon(block, names, page)


@pytest.mark.parametrize("page", as_parameters(PAGES))
def test_every_block_says_what_it_is(page):
    assert {block.kind for block in blocks(page)} <= RUN | SHOWN


@pytest.mark.parametrize("page", as_parameters(PAGES))
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert not [target for target in local if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", as_parameters(PAGES))
def test_make_targets_exist(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, flags=re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([\w-]+)[^`]*`|^(?:\$ )?make ([\w-]+)", text, flags=re.MULTILINE))
    assert {first or second for first, second in named} <= targets


@pytest.mark.parametrize("page", as_parameters(PAGES))
def test_files_named_in_a_page_exist(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:src|tests|docs|install|recipes|models|benchmarks)/[\w./-]*)`", text)
    assert not [name for name in named if not (ROOT / name).exists()]


def test_console_blocks_are_cut_into_commands():
    block = Block("console", "$ hu read x \\\n    --json\n{...\n\n$ ls\na\n", 1)
    assert block.commands() == [("hu read x --json", "{...\n\n"), ("ls", "a\n")]


@pytest.mark.parametrize(
    ("expected", "actual", "fits"),
    [
        ("left 3.1 mL", "table\n left   3.1 mL\n", True),
        ("a ... c", "a b c", True),
        ("one\n...\nthree", "one\ntwo\nthree", True),
        ("three\none", "one\ntwo\nthree", False),
        ("left 3.2 mL", "left 3.1 mL", False),
        ("", "anything", True),
    ],
)
def test_expected_output_is_compared_line_by_line(expected, actual, fits):
    assert matches(expected, actual) is fits
