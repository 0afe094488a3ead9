"""`hu read -a lesion_growth`: a folder with all studies of a patient, read together and not study by study."""

from __future__ import annotations

import json

import pytest
from tests.applications.growth_studies import write_head
from tests.cli.test_command import hu

from hounsfield.cli.exit_codes import ExitCode


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("visits")
    write_head(folder, visit_days=(0, 200), seed=31)
    return folder


def test_visits_are_read_together_into_one_result(visits, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    code, said, _ = hu(monkeypatch, capsys, "read", visits, "-a", "lesion_growth", "--out", out)
    assert code == 0
    assert "Growth of lesions over time (lesion_growth): complete" in said
    (record,) = json.loads((out / "readings.json").read_text("utf-8"))["readings"]
    assert [trend["name"] for trend in record["trends"]] == ["sum-of-diameters", "volume"]


def test_archive_reads_study_by_study_and_says_how_to_compare(visits, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    code, said, _ = hu(monkeypatch, capsys, "read", visits, "--out", out, "--workers", "1")
    assert code in {ExitCode.DONE, ExitCode.REFUSED}
    assert "-a lesion_growth" in said
    code, _, error = hu(monkeypatch, capsys, "read", visits, "-a", "lesion_growth", "--out", out)
    assert (code, "another folder" in error) == (ExitCode.USAGE, True)


def test_it_is_asked_for_alone(visits, tmp_path, monkeypatch, capsys):
    words = ("read", visits, "-a", "lesion_growth", "-a", "lung_ct", "--out", tmp_path / "out")
    code, _, error = hu(monkeypatch, capsys, *words)
    assert (code, "ask for it alone" in error) == (ExitCode.USAGE, True)


def test_inspection_says_that_a_visit_alone_is_not_enough(visits, monkeypatch, capsys):
    code, said, _ = hu(monkeypatch, capsys, "inspect", visits / "dicom" / "day-0-flair", "--json")
    assert code == 0
    (series,) = json.loads(said)["studies"][0]["series"]
    assert [reason["code"] for reason in series["not_accepted_by"]["lesion_growth"]] == ["no-region-given"]
    code, said, _ = hu(monkeypatch, capsys, "inspect", visits, "--json")
    accepted = [s["accepted_by"] for study in json.loads(said)["studies"] for s in study["series"]]
    assert sum("lesion_growth" in names for names in accepted) == 2
