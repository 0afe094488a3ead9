"""Finding bundles by name: order of folders, and what to do when there is none."""

from __future__ import annotations

import pytest
from tests.tiny_bundle import write_tiny_bundle

from hounsfield.core.errors import MissingModel
from hounsfield.zoo import default_search, find_bundle, installed_bundles, open_bundle, user_models


def test_earlier_folder_counts(tmp_path):
    first = write_tiny_bundle(tmp_path / "first")
    second = write_tiny_bundle(tmp_path / "second", evidence_level="other")
    places = (tmp_path / "first", tmp_path / "second")
    assert find_bundle("brain-tumour-mr", places) == first.folder
    assert find_bundle("brain-tumour-mr", places[::-1]) == second.folder
    assert installed_bundles(places) == {"brain-tumour-mr": first.folder}


def test_folders_without_a_card_or_with_another_name_are_no_bundles(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "Not a name").mkdir()
    (tmp_path / "Not a name" / "hounsfield.json").write_text("{}")
    assert installed_bundles([tmp_path, tmp_path / "absent"]) == {}


def test_missing_model_says_what_is_there_and_how_to_get_it(tmp_path):
    write_tiny_bundle(tmp_path)
    expected = r"no model named 'lung-nodule' .*installed: brain-tumour-mr.*hounsfield train"
    with pytest.raises(MissingModel, match=expected):
        find_bundle("lung-nodule", [tmp_path])


@pytest.mark.parametrize("name", ["../brain-tumour-mr", "a/b", "", "Brain"])
def test_names_are_never_paths(tmp_path, name):
    write_tiny_bundle(tmp_path)
    with pytest.raises(MissingModel, match="no model named"):
        find_bundle(name, [tmp_path / "brain-tumour-mr"])


def test_name_that_is_not_installed_is_missing_for_open_bundle():
    with pytest.raises(MissingModel, match="no model named 'no-such-model'"):
        open_bundle("no-such-model")


def test_default_search_names_existing_folders_only():
    assert all(folder.is_dir() and folder.name == "models" for folder in default_search())


@pytest.mark.parametrize(
    ("system", "settings", "expected"),
    [
        ("linux", {}, "/somebody/.local/share/hounsfield/models"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/hounsfield/models"),
        ("linux", {"XDG_DATA_HOME": "data"}, "/somebody/.local/share/hounsfield/models"),
        ("darwin", {}, "/somebody/Library/Application Support/hounsfield/models"),
        ("win32", {"LOCALAPPDATA": "/somebody/Local"}, "/somebody/Local/hounsfield/models"),
        ("win32", {"HOUNSFIELD_MODELS": "~/mine"}, "/somebody/mine"),
    ],
)
def test_models_of_a_user_lie_where_the_system_keeps_data(monkeypatch, system, settings, expected):
    for name in ("HOUNSFIELD_MODELS", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/somebody", **settings}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", system)
    assert user_models().as_posix() == expected
