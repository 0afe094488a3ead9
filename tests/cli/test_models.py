"""`hu models`: signatures and damage as a user sees them, and the card in the terminal."""

from __future__ import annotations

import json

import pytest
from tests.cli.test_command import hu
from tests.cli.test_json_output import check
from tests.tiny_bundle import write_tiny_bundle


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of models with one that is whole and one that is not."""
    monkeypatch.setenv("HOUNSFIELD_MODELS", str(tmp_path / "own"))
    write_tiny_bundle(tmp_path / "own", name="tiny-model", calibrated=True, guarded=True)
    write_tiny_bundle(tmp_path / "own", name="altered-model")
    (tmp_path / "own" / "altered-model" / "LICENSE").write_text("mine")
    return tmp_path / "own"


def said(monkeypatch, capsys, *words):
    return hu(monkeypatch, capsys, "models", *words)


def asked(monkeypatch, capsys, *words):
    """The JSON of a command, which fits its schema."""
    code, printed, _ = said(monkeypatch, capsys, *words, "--json")
    check("models", printed)
    return code, json.loads(printed)


def test_info_shows_the_card(own, monkeypatch, capsys):
    code, printed, _ = said(monkeypatch, capsys, "info", "tiny-model")
    assert code == 0
    for word in (
        "Research use only",
        "Not for       patients",
        "No figure was measured",
        "Guard",
        "temperature",
    ):
        assert word in printed


def test_info_of_the_shipped_model_shows_figures_with_intervals(own, monkeypatch, capsys):
    _, printed, _ = said(monkeypatch, capsys, "info", "brain-tumour-mr")
    assert "0.980 (0.964 to 0.993)" in printed
    assert "hold the true class for 90% of patients" in printed


def test_verify_names_the_file_that_differs(own, monkeypatch, capsys):
    code, document = asked(monkeypatch, capsys, "verify", "altered-model", "tiny-model")
    assert code == 6
    wrong = [
        (model["name"], file["name"])
        for model in document["models"]
        for file in model["files"]
        if file["stated"] != file["found"]
    ]
    assert wrong == [("altered-model", "LICENSE")]
    code, printed, _ = said(monkeypatch, capsys, "verify", "tiny-model")
    assert code == 0
    assert "tiny-model: whole" in printed
    assert said(monkeypatch, capsys, "verify")[0] == 6


def test_signing_is_seen_by_verify(own, tmp_path, monkeypatch, capsys):
    _, made = asked(monkeypatch, capsys, "key", tmp_path / "key", "--name", "Ward 3")
    monkeypatch.setenv("HOUNSFIELD_TRUSTED_KEYS", str(tmp_path / "key.pub"))
    monkeypatch.setenv("HOUNSFIELD_REQUIRE_SIGNATURES", "1")
    assert said(monkeypatch, capsys, "verify", "tiny-model")[0] == 6
    asked(monkeypatch, capsys, "sign", "tiny-model", "--key", tmp_path / "key")
    code, document = asked(monkeypatch, capsys, "verify", "tiny-model")
    assert code == 0
    assert document["models"][0]["signature"] == {
        "state": "trusted",
        "key": made["key"]["key"],
        "signer": "Ward 3",
    }


def test_packing_signs_where_a_key_is_given(own, tmp_path, monkeypatch, capsys):
    said(monkeypatch, capsys, "key", tmp_path / "key")
    asked(monkeypatch, capsys, "pack", "tiny-model", tmp_path / "a.zip", "--key", tmp_path / "key")
    asked(monkeypatch, capsys, "pack", "tiny-model", tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert (own / "tiny-model" / "hounsfield.sig").is_file()


def test_search_finds_in_the_catalogue_and_fits_its_schema(own, monkeypatch, capsys):
    _, document = asked(monkeypatch, capsys, "search", "brain", "--modality", "mr")
    names = {entry["name"] for entry in document["entries"]}
    assert {"hd-bet", "meshnet-18"} <= names
    code, printed, _ = said(monkeypatch, capsys, "search", "hd-bet")
    assert code == 0
    assert "1 found" in printed
    assert "No entry" in said(monkeypatch, capsys, "search", "no such word")[1]
