"""`hu models`: what its commands print, fits its schema, and what it refuses."""

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
    code, printed, errors = hu(monkeypatch, capsys, "models", *words)
    return code, printed, errors


def asked(monkeypatch, capsys, *words):
    """The JSON of a command, which fits its schema."""
    code, printed, _ = said(monkeypatch, capsys, *words, "--json")
    check("models", printed)
    return code, json.loads(printed)


def test_list_tells_which_are_whole_and_which_ship(own, monkeypatch, capsys):
    _, document = asked(monkeypatch, capsys, "list")
    found = {model["name"]: model for model in document["models"]}
    assert document["folder"] == str(own)
    assert found["tiny-model"]["verified"]
    assert not found["tiny-model"]["shipped"]
    assert found["brain-tumour-mr"]["shipped"]
    assert not found["altered-model"]["verified"]
    assert "LICENSE was altered" in found["altered-model"]["problem"]
    assert found["altered-model"]["licence"] is None
    code, printed, _ = said(monkeypatch, capsys, "list")
    assert code == 0
    assert "LICENSE was altered" in printed


def test_info_shows_the_card(own, monkeypatch, capsys):
    _, document = asked(monkeypatch, capsys, "info", "tiny-model")
    assert document["card"]["guard"]["method"] == "mahalanobis-residual"
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


def test_info_of_an_altered_model_is_an_error(own, monkeypatch, capsys):
    code, _, errors = said(monkeypatch, capsys, "info", "altered-model")
    assert code == 6
    assert "LICENSE was altered" in errors


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
    assert said(monkeypatch, capsys, "verify", "--all")[0] == 6


def test_verify_needs_names_or_all(own, monkeypatch, capsys):
    assert said(monkeypatch, capsys, "verify")[0] == 2
    assert said(monkeypatch, capsys, "verify", "tiny-model", "--all")[0] == 2


def test_signing_is_seen_by_verify(own, tmp_path, monkeypatch, capsys):
    _, made = asked(monkeypatch, capsys, "key", tmp_path / "key", "--name", "Ward 3")
    monkeypatch.setenv("HOUNSFIELD_TRUSTED_KEYS", str(tmp_path / "key.pub"))
    monkeypatch.setenv("HOUNSFIELD_REQUIRE_SIGNATURES", "1")
    assert said(monkeypatch, capsys, "verify", "tiny-model")[0] == 6
    asked(monkeypatch, capsys, "sign", "tiny-model", "--key", tmp_path / "key")
    code, document = asked(monkeypatch, capsys, "verify", "tiny-model")
    assert code == 0
    assert document["models"][0]["signature"] == {"state": "trusted", "key": made["key"], "signer": "Ward 3"}


def test_pack_signs_and_says_what_it_wrote(own, tmp_path, monkeypatch, capsys):
    asked(monkeypatch, capsys, "key", tmp_path / "key")
    _, first = asked(monkeypatch, capsys, "pack", "tiny-model", tmp_path / "a.zip", "--key", tmp_path / "key")
    _, second = asked(monkeypatch, capsys, "pack", own / "tiny-model", tmp_path / "b.zip")
    assert first["sha256"] == second["sha256"]
    assert first["key"]


def test_rm_asks_first_and_leaves_what_ships(own, monkeypatch, capsys):
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert said(monkeypatch, capsys, "rm", "tiny-model")[0] == 4
    assert (own / "tiny-model").is_dir()
    code, errors = said(monkeypatch, capsys, "rm", "brain-tumour-mr", "--yes")[::2]
    assert code == 2
    assert "ships with this package" in errors
    _, document = asked(monkeypatch, capsys, "rm", "tiny-model", "--yes")
    assert document["removed"] == "tiny-model"
    assert not (own / "tiny-model").exists()
    assert said(monkeypatch, capsys, "rm", "tiny-model", "--yes")[0] == 6


def test_an_installed_model_is_found_by_name_by_other_commands(own, monkeypatch, capsys):
    _, printed, _ = hu(monkeypatch, capsys, "doctor", "--json")
    assert "tiny-model" in json.loads(printed)["models"]
