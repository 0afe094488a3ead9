"""What `--json` prints fits the schema that is published for the command."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from referencing import Registry, Resource
from tests.cli.test_command import hu
from tests.tiny_dicom import write_ct_series
from tests.training.blobs import recipe_words, write_blobs

from hounsfield.cli._group import COMMANDS
from hounsfield.cli.schemas import command_schema
from hounsfield.results import schema


def check(command: str, printed: str) -> None:
    reading = schema()
    known = Registry().with_resource(reading["$id"], Resource.from_contents(reading))
    validator = jsonschema.Draft202012Validator(command_schema(command), registry=known)
    validator.validate(json.loads(printed))


def test_read_and_inspect_fit_their_schemas(tmp_path, monkeypatch, capsys):
    write_ct_series(tmp_path, 6)
    (tmp_path / "cut.dcm").write_bytes((tmp_path / "0000.dcm").read_bytes()[:300])
    for command in ("read", "inspect"):
        _, printed, _ = hu(monkeypatch, capsys, command, tmp_path, "--json")
        assert json.loads(printed)["refused"]
        check(command, printed)


def test_convert_fits_its_schema(tmp_path, monkeypatch, capsys):
    write_ct_series(tmp_path / "in", 3)
    words = ("convert", tmp_path / "in", "--out", tmp_path / "out", "--json")
    check("convert", hu(monkeypatch, capsys, *words)[1])


def test_archive_fits_the_schema_of_read(tmp_path, monkeypatch, capsys):
    for name in ("one", "two"):
        write_ct_series(tmp_path / "in" / name, 3, name=name)
    words = ("read", tmp_path / "in", "--out", tmp_path / "out", "--workers", 1, "--json", "-a", "lung_ct")
    _, printed, _ = hu(monkeypatch, capsys, *words)
    assert [study["state"] for study in json.loads(printed)["studies"]] == ["done", "done"]
    check("read", printed)


@pytest.mark.parametrize("command", ["apps", "doctor"])
def test_lists_fit_their_schemas(command, monkeypatch, capsys):
    check(command, hu(monkeypatch, capsys, command, "--json")[1])


def test_phantom_fits_its_schema(tmp_path, monkeypatch, capsys):
    words = ("phantom", "chest-ct", "--out", tmp_path / "p", "--slices", "8", "--matrix", "64", "--json")
    check("phantom", hu(monkeypatch, capsys, *words)[1])


def test_train_fits_its_schema_and_names_what_it_made(tmp_path, monkeypatch, capsys):
    write_blobs(tmp_path / "data")
    recipe = tmp_path / "blobs.yaml"
    recipe.write_text(yaml.safe_dump(recipe_words(tmp_path / "data", epochs=1)))
    code, printed, _ = hu(monkeypatch, capsys, "train", recipe, "--out", tmp_path / "runs", "--json")
    assert code == 0
    check("train", printed)
    made = json.loads(printed)
    assert (Path(made["bundle"]) / "hounsfield.json").is_file()
    assert Path(made["evaluation"]).is_file()


def test_every_command_has_a_schema_and_every_schema_says_what_it_is():
    for command in COMMANDS:
        document = command_schema(command)
        jsonschema.Draft202012Validator.check_schema(document)
        assert document["title"]


def test_a_command_that_does_not_exist_has_no_schema():
    with pytest.raises(KeyError):
        command_schema("nonsense")
