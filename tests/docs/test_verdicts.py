"""The page of files read: every file at hand finds an answer, and the page says what it was."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def program():
    return runpy.run_path(str(ROOT / "docs" / "verdicts.py"))


def test_a_file_that_ends_in_no_answer_is_a_fault(program, tmp_path, monkeypatch):
    """The page cannot be green by swallowing what went wrong."""

    def failing(_path):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setitem(program["judge"].__globals__, "read_studies", failing)
    [row] = program["judge"](tmp_path, "a.dcm")
    assert row.verdict == "fault"
    assert "ZeroDivisionError: division by zero (test_verdicts.py:" in row.reason


def test_rows_of_one_kind_are_one_row(program):
    rows = [program["Verdict"](f"a/{k}.dcm", "read", "CT, unit HU", f"{k} x 2") for k in range(3)]
    page = program["page"]({"Files": rows})
    assert "| `a/0.dcm`, `a/1.dcm`, `a/2.dcm` | read | 0 x 2, 1 x 2, 2 x 2; CT, unit HU |" in page
    assert "3 read." in page


@pytest.mark.slow
@pytest.mark.real_data
def test_every_file_is_read_or_refused_as_the_page_says(program, real_data):
    rows = program["all_rows"](real_data)
    faults = [row for found in rows.values() for row in found if row.verdict == program["NOT_ANSWERED"]]
    assert faults == []
    written = (ROOT / "docs" / "reference" / "files-read.md").read_text(encoding="utf-8")
    assert program["page"](rows) == written, "run docs/verdicts.py and look at what changed"
