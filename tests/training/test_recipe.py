from pathlib import Path

import pytest

pytest.importorskip("yaml")

from tests.training.blobs import recipe_words

from hounsfield.core.errors import MissingModel, RecipeError
from hounsfield.training import load_recipe, parse_recipe

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_that_ships_is_valid_and_names_no_folder_of_its_own(path, monkeypatch):
    recipe = load_recipe(path)
    assert recipe.name == path.stem.replace("_", "-")
    assert recipe.data.licence
    monkeypatch.delenv("HOUNSFIELD_DATA", raising=False)
    with pytest.raises(MissingModel, match="environment variable HOUNSFIELD_DATA"):
        _ = recipe.data_root
    monkeypatch.setenv("HOUNSFIELD_DATA", "there")
    assert recipe.data_root.parts[0] == "there"


@pytest.mark.parametrize(
    ("section", "wrong", "hint"),
    [
        ("optimisation", "epoch", "epochs"),
        ("data", "license", "licence"),
        ("guard", "component", "components"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(tmp_path, section, wrong, hint):
    words = recipe_words(tmp_path)
    words[section][wrong] = 1
    with pytest.raises(RecipeError, match=rf"{section}\.{wrong} is unknown; did you mean '{hint}'\?"):
        parse_recipe(words)


def test_an_impossible_value_is_named(tmp_path):
    words = recipe_words(tmp_path)
    words["optimisation"]["epochs"] = 0
    with pytest.raises(
        RecipeError, match=r"optimisation\.epochs: Input should be greater than or equal to 1"
    ):
        parse_recipe(words)


def test_files_that_are_no_recipe_are_told(tmp_path):
    with pytest.raises(RecipeError, match="there is no recipe"):
        load_recipe(tmp_path / "none.yaml")
    path = tmp_path / "x.yaml"
    path.write_text("a: [")
    with pytest.raises(RecipeError, match=r"x\.yaml is not YAML"):
        load_recipe(path)
    path.write_text("just words")
    with pytest.raises(RecipeError, match="holds no keys"):
        load_recipe(path)
