"""`hu audit`: pages, JSON, and the summary in a bundle's card."""

from __future__ import annotations

import csv
import json

import jsonschema
import numpy as np
import pytest
from tests.cli.test_command import hu
from tests.evaluation.audit.made_pictures import write_pictures
from tests.evaluation.audit.made_predictions import made_table
from tests.tiny_bundle import write_tiny_bundle

from hounsfield.cli.schemas import command_schema
from hounsfield.zoo import open_bundle


@pytest.fixture
def predictions(tmp_path):
    table = made_table(3, n_patients=400, undercalled=1.4)
    path = tmp_path / "p.csv"
    with path.open("w", newline="", encoding="utf-8") as lines:
        rows = csv.writer(lines)
        rows.writerow(["case", "patient_id", "sex", "view", "nodule", "prob_nodule"])
        parts = (
            table.cases,
            table.patients,
            *table.groups.values(),
            table.truth[0].astype(int),
            table.probability[0],
        )
        rows.writerows(zip(*(part.tolist() for part in parts), strict=True))
    return path


def _words(predictions, out, *more):
    named = (
        "--predictions",
        predictions,
        "--probability-prefix",
        "prob_",
        "--group",
        "sex",
        "--group",
        "view",
    )
    return ("audit", "bias", *named, "--resamples", 100, "-o", out, *more)


def test_bias_prints_json_that_fits_its_schema_and_writes_the_page(
    predictions, tmp_path, monkeypatch, capsys
):
    code, printed, _ = hu(monkeypatch, capsys, *_words(predictions, tmp_path / "a", "--json"))
    assert code == 0
    record = json.loads(printed)
    jsonschema.Draft202012Validator(command_schema("audit")).validate(record)
    assert record["about"]["cases"] == "800 of 400 patients"
    assert [one["verdict"] for one in record["sections"] if one["key"] == "under-diagnosis"] == ["found"]
    assert json.loads((tmp_path / "a" / "audit.json").read_text("utf-8")) == record


def test_each_verdict_is_printed_with_its_answer(predictions, tmp_path, monkeypatch, capsys):
    code, printed, _ = hu(monkeypatch, capsys, *_words(predictions, tmp_path / "a", "--single"))
    assert code == 0
    assert "found    Is disease missed more often in some groups?\n         " in printed
    assert "audit.html" in printed


def test_a_threshold_of_no_label_is_a_wrong_use(predictions, tmp_path, monkeypatch, capsys):
    code, _, said = hu(monkeypatch, capsys, *_words(predictions, tmp_path / "a", "--threshold", "mass=0.5"))
    assert code == 2
    assert "a threshold for mass, but no such label: nodule" in said


def test_shortcuts_name_the_site(tmp_path, monkeypatch, capsys):
    write_pictures(tmp_path / "films", shortcut="site")
    words = (
        "audit",
        "shortcuts",
        tmp_path / "films",
        "--label",
        "finding",
        "--column",
        "site",
        "-o",
        tmp_path / "a",
    )
    code, printed, _ = hu(monkeypatch, capsys, *words, "--json")
    assert code == 0
    record = json.loads(printed)
    jsonschema.Draft202012Validator(command_schema("audit")).validate(record)
    assert {one["key"]: one["verdict"] for one in record["sections"]}["shortcut-columns"] == "found"
    assert record["about"]["pictures"] == "120 pictures of 60 groups in films/labels.csv"


def test_features_of_a_bundle_are_probed_and_its_card_takes_the_summary(tmp_path, monkeypatch, capsys):
    before = open_bundle(write_tiny_bundle(tmp_path).folder)
    write_pictures(tmp_path / "films", shortcut="site", n=60)
    words = (
        "audit",
        "shortcuts",
        tmp_path / "films",
        "--label",
        "finding",
        "--column",
        "site",
        "-o",
        tmp_path / "a",
    )
    folder = before.folder
    for _ in range(2):  # an audit of the same data replaces the one before
        code, printed, _ = hu(monkeypatch, capsys, *words, "--model", folder, "--into-card", folder)
        assert code == 0
    assert "Card:" in printed
    after = open_bundle(folder)
    (summary,) = after.card.audits
    assert summary.kind == "shortcuts"
    assert summary.data.startswith("60 pictures of 30 groups in films/labels.csv, label finding")
    assert [one.question for one in summary.notes][1] == "Could a model take the acquisition for the disease?"
    assert after.digest != before.digest
    assert all(np.array_equal(one, after.weights()[key]) for key, one in before.weights().items())
    text = (folder / "docs" / "README.md").read_text("utf-8")
    assert "## Audits" in text
    assert f"Audit of shortcuts, {summary.made_on}" in text
