"""`hu measure RULE --course`: every visit of a patient, from a list of visits or a reading, with its chart."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from tests.cli.test_command import hu
from tests.cli.test_json_output import check

from hounsfield.cli.exit_codes import ExitCode
from hounsfield.core import Reading
from hounsfield.measures import volume_trend


def visit(day, *diameters_mm, **more):
    targets = [
        {"name": f"t{n}", "organ": "liver", "diameter_mm": mm} for n, mm in enumerate(diameters_mm, start=1)
    ]
    return {"day": day, "targets": targets, **more}


VISITS = [visit(0, 60, 40), visit(60, 40, 28), visit(120, 50, 34), visit(180, 52, 36, n_new_lesions=1)]


@pytest.fixture
def written(tmp_path):
    def written(record):
        path = tmp_path / "course.json"
        path.write_text(json.dumps(record))
        return path

    return written


def test_response_of_every_visit_is_told_and_drawn(written, tmp_path, monkeypatch, capsys):
    """100, 68 (-32 %: PR), 84 (+24 % of the nadir 68, 16 mm: PD), then a new lesion."""
    chart = tmp_path / "chart.svg"
    code, said, _ = hu(
        monkeypatch, capsys, "measure", "recist-1.1", "--course", written(VISITS), "--chart", chart
    )
    assert code == 0
    rows = [line.split() for line in said.splitlines() if line[:1].isdigit()]
    assert [(row[0], row[-5]) for row in rows[1:]] == [("60", "PR"), ("120", "PD"), ("180", "PD")]
    drawn = ET.fromstring(chart.read_text("utf-8"))
    texts = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    assert {"baseline", "PR", "PD", "Partial response: 30 % below baseline"} <= set(texts)


def test_json_holds_outcomes_and_curves(written, monkeypatch, capsys):
    code, printed, _ = hu(
        monkeypatch, capsys, "measure", "irecist-2017", "--course", written(VISITS), "--json"
    )
    assert code == 0
    check("measure", printed)
    record = json.loads(printed)
    assert [one["irecist"] for one in record["course"]] == [None, "iPR", "iUPD", "iCPD"]
    (total,) = [curve for curve in record["trend"]["curves"] if curve["label"] == "Sum of targets"]
    assert total["points"] == [[0, 100], [60, 68], [120, 84], [180, 88]]


def test_doubling_times_of_a_course(written, tmp_path, monkeypatch, capsys):
    """500 to 1000 mm3 in 200 days doubles in 200; the chart is a PNG."""
    visits = [
        {"day": 0, "lesions": [{"name": "a", "volume_mm3": 500}, {"name": "b", "volume_mm3": 300}]},
        {"day": 200, "lesions": [{"name": "a", "volume_mm3": 1000}, {"name": "b", "volume_mm3": 290}]},
    ]
    chart = tmp_path / "chart.png"
    code, said, _ = hu(monkeypatch, capsys, "measure", "vdt", "--course", written(visits), "--chart", chart)
    assert code == 0
    assert "200" in said
    assert "within measurement error" in " ".join(said.split())
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_trend_of_a_reading_is_shown_as_it_is(written, monkeypatch, capsys):
    trend = volume_trend({"Lesion 1": [(0, 500.0), (200, 1000.0)]})
    from hounsfield.core import Finding
    from hounsfield.core.code import LESION

    reading = Reading.complete(findings=[Finding("lesion-1", LESION, "present", "Seen.")], trends=[trend])
    code, printed, _ = hu(
        monkeypatch, capsys, "measure", "vdt", "--course", written(reading.to_json()), "--json"
    )
    assert code == 0
    assert json.loads(printed)["trend"] == trend.to_json()


@pytest.mark.parametrize(
    ("words", "record", "code", "message"),
    [
        (("lvef-ase-2015",), VISITS, ExitCode.USAGE, "is not one of a course"),
        (("recist-1.1", "baseline_mm=5"), VISITS, ExitCode.USAGE, "leave out KEY=VALUE"),
        (("recist-1.1",), [], ExitCode.USAGE, "JSON list of visits"),
        (("recist-1.1",), [{"day": 0}], ExitCode.USAGE, "missing: targets"),
        (("recist-1.1",), [visit(0, 5)], ExitCode.REFUSED, "at least 10 mm"),
        (("recist-1.1",), {"trends": []}, ExitCode.DAMAGED, "holds no trend"),
        (("vdt",), [{"day": 5, "lesions": []}, {"day": 1, "lesions": []}], ExitCode.USAGE, "must rise"),
    ],
)
def test_mistakes_are_named(words, record, code, message, written, monkeypatch, capsys):
    found, _, error = hu(monkeypatch, capsys, "measure", *words, "--course", written(record))
    assert message in " ".join(error.split())
    assert found == code


def test_other_endings_and_a_chart_without_course_are_refused(written, tmp_path, monkeypatch, capsys):
    words = ("measure", "recist-1.1", "--course", written(VISITS), "--chart", tmp_path / "chart.pdf")
    code, _, error = hu(monkeypatch, capsys, *words)
    assert (code, ".svg or .png" in error) == (ExitCode.USAGE, True)
    code, _, error = hu(monkeypatch, capsys, "measure", "recist-1.1", "target=CR", "--chart", "x.svg")
    assert (code, "give --course" in error) == (ExitCode.USAGE, True)
