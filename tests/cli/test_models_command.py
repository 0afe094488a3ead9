"""`hounsfield models`: a model comes, is seen, is verified, is packed and goes."""

import json

import jsonschema
import pytest
from tests.cli.test_command import hu
from tests.tiny_bundle import write_tiny_bundle

from hounsfield.cli.schemas import command_schema
from hounsfield.zoo import find_bundle


@pytest.fixture
def ask(monkeypatch, capsys, tmp_path):
    """The command with a models folder of its own: exit code, JSON."""
    monkeypatch.setenv("HOUNSFIELD_MODELS", str(tmp_path / "installed"))

    def command(*words):
        code, printed, said = hu(monkeypatch, capsys, "models", *words)
        if "--json" not in words:
            return code, printed + said
        document = json.loads(printed)
        jsonschema.Draft202012Validator(command_schema("models")).validate(document)
        return code, document

    return command


@pytest.fixture
def packed(tmp_path, ask):
    """A packed bundle named `tiny`."""
    made = write_tiny_bundle(tmp_path / "made", name="tiny")
    ask("import", made.folder)
    ask("pack", "tiny", tmp_path / "tiny.zip")
    ask("rm", "tiny", "--yes")
    return tmp_path / "tiny.zip"


def test_a_model_comes_and_goes(ask, packed, tmp_path):
    code, made = ask("import", packed, "--json")
    assert (code, made["models"][0]["name"]) == (0, "tiny")
    assert find_bundle("tiny") == tmp_path / "installed" / "tiny"
    names = [one["name"] for one in ask("list", "--json")[1]["models"]]
    assert "tiny" in names
    assert ask("info", "tiny", "--json")[1]["card"]["name"] == "tiny"
    assert "none: the model does not notice" in ask("info", "tiny")[1]
    assert ask("rm", "tiny", "--yes")[0] == 0
    assert not (tmp_path / "installed" / "tiny").exists()


def test_an_installed_name_is_not_overwritten_unless_asked(ask, packed, tmp_path):
    other = write_tiny_bundle(tmp_path / "other", name="tiny", version="0.2.0")
    for _ in range(2):  # the same one again changes nothing
        assert ask("import", packed, "--name", "tiny")[0] == 0
    code, said = ask("import", other.folder)
    assert code == 2
    assert "--replace" in said
    code, made = ask("import", other.folder, "--replace", "--json")
    assert (code, made["models"][0]["version"]) == (0, "0.2.0")


def test_a_damaged_file_is_told_by_name(ask, packed, tmp_path):
    ask("import", packed)
    (tmp_path / "installed" / "tiny" / "LICENSE").write_text("mine")
    code, found = ask("verify", "tiny", "--json")
    assert code == 6
    assert "LICENSE was altered" in found["models"][0]["problem"]
    assert ask("info", "tiny")[0] == 6
    assert "DAMAGED" in ask("list")[1]


def test_packing_states_the_digest_and_overwrites_nothing(ask, packed, tmp_path):
    ask("import", packed)
    code, found = ask("pack", "tiny", tmp_path / "again.zip", "--json")
    assert code == 0
    assert found["packed"]["bytes"] == (tmp_path / "again.zip").stat().st_size
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()
    assert ask("pack", "tiny", tmp_path / "again.zip")[0] == 2


def test_what_ships_is_not_removed(ask):
    code, said = ask("rm", "brain-tumour-mr", "--yes")
    assert code == 2
    assert "ships with this package" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("info", "no-such-model"), "no model named 'no-such-model'"),
        (("import", "no-such-file"), "does not exist"),
        (("import", "{zip}", "--option", "folds"), "not NAME=VALUE"),
        (("import", "{zip}", "--option", "folds=1"), "takes no option folds"),
        (("import", "{zip}", "--format", "nnunett"), "nnunett"),
        (("import", "{zip}", "--card", "no-such.json"), "is no file"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(ask, packed, words, said):
    code, printed = ask(*(word.replace("{zip}", str(packed)) for word in words))
    assert code in {2, 6}
    assert said in printed
