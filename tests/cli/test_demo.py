"""`hounsfield demo`: what a newcomer sees first is true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.test_command import hu
from tests.cli.test_json_output import check

# Largest |measured - true| / true, or points for percentages, at the size that the demo has by default.
TOLERANCE = {"volume": 0.03, "mean-density": 0.03, "perc15": 0.03, "suv-max": 0.12}
POINTS = {"laa-950": 0.5, "laa-910": 1.0}


@pytest.mark.slow
def test_demo_prints_measured_near_true_and_leaves_reports(tmp_path, monkeypatch, capsys):
    out = tmp_path / "demo"
    code, printed, _ = hu(monkeypatch, capsys, "demo", "--out", out, "--json")
    assert code == 0
    check("demo", printed)
    document = json.loads(printed)
    seen = {row["measurement"] for row in document["compared"]}
    assert set(TOLERANCE) | set(POINTS) <= seen
    for row in document["compared"]:
        error = abs(row["measured"] - row["true"])
        if row["measurement"] in TOLERANCE:
            assert error <= TOLERANCE[row["measurement"]] * abs(row["true"]), row
        if row["measurement"] in POINTS:
            assert error <= POINTS[row["measurement"]], row
    for page in document["pages"].values():
        assert "Research use only" in Path(page).read_text(encoding="utf-8")
    refused = json.loads((out / "results" / "real-ct-and-mr" / "readings.json").read_text())["readings"]
    assert {reading["status"] for reading in refused} == {"refused"}


@pytest.mark.slow
def test_demo_twice_in_one_folder_and_for_people(tmp_path, monkeypatch, capsys):
    words = ("demo", "--out", tmp_path / "demo", "--slices", "40", "--matrix", "128")
    for _ in range(2):
        code, out, _ = hu(monkeypatch, capsys, *words)
        assert code == 0
    for words_shown in (
        "measured",
        "true",
        "left-lung",
        "suv-max",
        "hounsfield read PATH --out OUT",
        "Research use only",
    ):
        assert words_shown in out
    assert "refusal" in out
