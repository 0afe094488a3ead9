"""`hu measure`: any rule from numbers or a reading, with its explanation; every mistake is named."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.cli.test_command import hu
from tests.cli.test_json_output import check

from hounsfield.cli.exit_codes import ExitCode
from hounsfield.core import Finding, Grid, Measurement, Reading, Region
from hounsfield.core.code import LESION, PERC15, VOLUME
from hounsfield.measures import measures


def test_number_and_class_with_their_evidence(monkeypatch, capsys):
    code, said, _ = hu(monkeypatch, capsys, "measure", "lvef-ase-2015", "edv_ml=120", "esv_ml=60", "sex=F")
    assert code == 0
    assert "mildly" in said
    assert "+-10" in said
    assert "unverified" in said
    assert "Research use only. Not a medical device." in said


def test_explanation_fills_the_inputs_in(monkeypatch, capsys):
    words = ("measure", "lvef-ase-2015", "edv_ml=120", "esv_ml=60", "sex=F", "--explain")
    _, said, _ = hu(monkeypatch, capsys, *words)
    assert "EF = 100 x (120 - 60) / 120 = 50 %" in said
    assert "Lang 2015" in said
    assert "refuses: contrast echo" in said


def test_explanation_without_inputs_says_what_they_are(monkeypatch, capsys):
    code, said, _ = hu(monkeypatch, capsys, "measure", "vdt", "--explain")
    assert code == 0
    assert "v1_mm3" in said
    assert "VDT = t ln 2" in said


@pytest.mark.parametrize(
    "words",
    [
        ("--list",),
        ("lvef-ase-2015", "edv_ml=120", "esv_ml=60"),
        ("recist-1.1", "baseline_mm=100", "nadir_mm=40", "current_mm=48"),
        ("agatston-1990", "kvp=120", "slice_increment_mm=3", 'lesions=[{"area_mm2": 5, "max_hu": 210}]'),
        ("dawn", "age_years=70", "nihss=5", "core_ml=10"),
    ],
)
def test_json_fits_its_schema(words, monkeypatch, capsys):
    code, printed, _ = hu(monkeypatch, capsys, "measure", *words, "--json")
    assert code == 0
    check("measure", printed)


def test_list_names_every_rule(monkeypatch, capsys):
    _, printed, _ = hu(monkeypatch, capsys, "measure", "--list", "--json")
    named = {rule["name"] for rule in json.loads(printed)["rules"]}
    assert {rule.card.name for rule in measures} <= named
    assert {"recist-1.1", "rano-2.0-2023", "lung-rads-2022"} <= named
    _, said, _ = hu(monkeypatch, capsys, "measure")
    assert "recist-1.1" in said


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("recist",), ExitCode.USAGE, "Did you mean recist-1.1"),
        (("lvef-ase-2015", "edv_ml=120"), ExitCode.USAGE, "missing: esv_ml (end-systolic volume, in mL)"),
        (("lvef-ase-2015", "120"), ExitCode.USAGE, "is not KEY=VALUE"),
        (("lvef-ase-2015", "edv_ml=1", "edv_ml=2"), ExitCode.USAGE, "edv_ml is given twice"),
        (("lvef-ase-2015", "edv_ml=x", "esv_ml=1"), ExitCode.USAGE, "in mL) is 'x'"),
        (("lvef-ase-2015", "edv_ml=50", "esv_ml=60"), ExitCode.REFUSED, "phases seem exchanged"),
        (("lvef-ase-2015", "edv_ml=-5", "esv_ml=60"), ExitCode.REFUSED, "edv_ml is -5 mL"),
        (("laa950",), ExitCode.USAGE, "run the application that measures it"),
        (("vdt", "--from", "no-such.json"), ExitCode.USAGE, "no-such.json cannot be read"),
    ],
)
def test_mistakes_are_named_with_the_remedy(words, code, message, monkeypatch, capsys):
    found, said, error = hu(monkeypatch, capsys, "measure", *words)
    assert found == code
    assert said == ""
    assert message in error


@pytest.fixture
def reading_json(tmp_path):
    """Two lesions with volumes, one as part of a finding, and a figure by perc15."""
    regions = [
        Region(name, LESION, Grid((1, 1, 1)), mask=np.ones((1, 1, 1), dtype=bool))
        for name in ("first", "second")
    ]

    def measured(name, value, unit, region, *, rule="region-volume", quantity=VOLUME):
        return Measurement(name, quantity, value, unit, rule=rule, rule_version="1.0.0", regions=(region,))

    reading = Reading.complete(
        regions=regions,
        measurements=[
            measured("volume", 0.1, "ml", "first"),
            measured("perc15", -920.0, "[hnsf'U]", "first", rule="perc15", quantity=PERC15),
        ],
        findings=[
            Finding(
                "lesion", LESION, "present", "Seen.", measurements=(measured("volume", 0.3, "ml", "second"),)
            )
        ],
    )
    path = tmp_path / "reading.json"
    path.write_text(json.dumps(reading.to_json()))
    return path


def answer(monkeypatch, capsys, *words):
    code, printed, error = hu(monkeypatch, capsys, "measure", *words, "--json")
    assert code == 0, error
    check("measure", printed)
    return json.loads(printed)


def test_inputs_come_from_a_reading_by_name_and_unit(reading_json, monkeypatch, capsys):
    """Volume in ml fits volume_mm3 as well: 0.3 ml is 300 mm3, large for Fleischner."""
    words = ("fleischner-2017", "type=solid", "risk=low", "multiple=no", "--from", reading_json)
    made = answer(monkeypatch, capsys, *words, "--region", "second")
    assert made["inputs"]["volume_mm3"] == 300
    assert made["outcome"]["categories"][0]["value"].startswith("consider CT 3 mo")


def test_measurements_are_picked_by_name_and_region(reading_json, monkeypatch, capsys):
    words = ("vdt", "v1_mm3=@volume:first", "v2_mm3=@volume:second", "days=100", "--from", reading_json)
    assert answer(monkeypatch, capsys, *words)["outcome"]["measurements"][0]["value"] == pytest.approx(200)


def test_figure_of_an_image_rule_is_taken_from_the_reading(reading_json, monkeypatch, capsys):
    made = answer(monkeypatch, capsys, "perc15", "--from", reading_json, "--region", "first")
    [measured] = made["outcome"]["measurements"]
    assert (measured["value"], measured["regions"]) == (-920, ["first"])


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ("fleischner-2017", "type=solid", "risk=low", "multiple=no"),
            ExitCode.USAGE,
            "volume_mm3= one of @volume:first, @volume:second",
        ),
        (
            ("vdt", "v1_mm3=@diameter", "v2_mm3=1", "days=90"),
            ExitCode.USAGE,
            "no measurement 'diameter'. It has",
        ),
        (("vdt", "days=@perc15", "v1_mm3=20", "v2_mm3=30"), ExitCode.REFUSED, "is in HU"),
        (("perc15", "--region", "second"), ExitCode.REFUSED, "no figure of second by rule perc15"),
    ],
)
def test_what_does_not_fit_is_named(words, code, message, reading_json, monkeypatch, capsys):
    found, _, error = hu(monkeypatch, capsys, "measure", *words, "--from", reading_json)
    assert found == code
    assert message in error


@pytest.mark.parametrize("text", ["no json", "{}", '{"findings": [], "measurements": [{}]}', "[]"])
def test_other_files_are_no_reading(text, tmp_path, monkeypatch, capsys):
    path = tmp_path / "reading.json"
    path.write_text(text)
    code, _, error = hu(monkeypatch, capsys, "measure", "perc15", "--from", path)
    assert code == ExitCode.DAMAGED
    assert "is no reading.json of this program" in error
