"""The audit page: dated, verdicts on top, self-contained, and the same in its JSON."""

from __future__ import annotations

import json
import re
from datetime import date

import jsonschema
import pytest

from hounsfield.cli.schemas import command_schema
from hounsfield.core.errors import UsageError
from hounsfield.evaluation.audit import AuditSection, AuditTable, write_audit

CLEAR = AuditSection("leaks", "Does the test data leak?", "clear", ("Nothing was found.", "Method of leaks."))
FOUND = AuditSection(
    "bias",
    "For whom does it fail?",
    "found",
    ("Women are missed.", "More of it.", "Method of bias."),
    (AuditTable("Gaps & more", ("group", "gap"), (("F", "0.2"), ("M", "<b>0</b>")), frozenset({0})),),
    {"Gap by group.": '<svg viewBox="0 0 590 80"></svg>'},
    {"gap": {"value": 0.2, "ci95": [0.1, 0.3]}},
)


@pytest.fixture
def written(tmp_path):
    page = write_audit(
        [CLEAR, FOUND], tmp_path / "a", title="Model <1>", about={"data": "made"}, made_on=date(2026, 1, 2)
    )
    return page.read_text("utf-8"), json.loads((tmp_path / "a" / "audit.json").read_text("utf-8"))


def test_json_fits_the_schema_and_keeps_the_order(written):
    _, record = written
    jsonschema.Draft202012Validator(command_schema("audit")).validate(record)
    assert [one["key"] for one in record["sections"]] == ["leaks", "bias"]
    assert record["made_on"] == "2026-01-02"
    assert record["sections"][1]["tables"][0]["marked"] == [0]
    assert record["sections"][1]["record"]["gap"]["value"] == 0.2


def test_the_worst_verdict_stands_first(written):
    page, _ = written
    assert page.index('href="#bias"') < page.index('href="#leaks"')
    assert "Audit of 2026-01-02" in page
    assert page.count("Women are missed.") == 2


def test_the_page_escapes_what_it_shows_and_loads_nothing(written):
    page, _ = written
    assert "Model &lt;1&gt;" in page
    assert "&lt;b&gt;0" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert '<figure class="wide"><svg' in page


def test_the_day_is_todays_unless_stated(tmp_path):
    write_audit([CLEAR], tmp_path, title="t")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", json.loads((tmp_path / "audit.json").read_text())["made_on"])


def test_a_section_must_say_something():
    with pytest.raises(UsageError, match="section x of an audit says nothing"):
        AuditSection("x", "X?", "clear", ())
