"""Import in a process of its own: its errors come back as they are, and what ends it ends nothing else."""

import json

import pytest
from tests.tiny_bundle import write_tiny_bundle

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo import import_process
from hounsfield.zoo.import_process import import_in_process
from hounsfield.zoo.model_formats import ImportRequest


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("made"))


def test_the_same_bundle_comes_out(bundle, tmp_path):
    assert import_in_process(ImportRequest(bundle.folder, tmp_path)).digest == bundle.digest


def test_errors_keep_their_kind_and_words(bundle, tmp_path):
    with pytest.raises(UsageError, match="takes no option folds"):
        import_in_process(ImportRequest(bundle.folder, tmp_path, options={"folds": "1"}))
    (tmp_path / "notes.txt").write_text("no model")
    with pytest.raises(ModelError, match=r"notes\.txt is of no known format"):
        import_in_process(ImportRequest(tmp_path / "notes.txt", tmp_path))


def test_a_process_that_takes_too_long_is_given_up(bundle, tmp_path):
    with pytest.raises(ModelError, match=r"not imported within 0\.01 s"):
        import_in_process(ImportRequest(bundle.folder, tmp_path), timeout_s=0.01)


@pytest.mark.parametrize("printed", ["", "Killed", "[1]", json.dumps("text")])
def test_a_process_that_ends_without_an_answer_is_told(bundle, tmp_path, monkeypatch, printed):
    class Ended:
        stdout, returncode = printed, -9

    monkeypatch.setattr(import_process.subprocess, "run", lambda *_, **__: Ended)
    with pytest.raises(ModelError, match=r"ended the process that imported it \(status -9\)"):
        import_in_process(ImportRequest(bundle.folder, tmp_path))
