"""The model that ships: its figures on the test part, and that its split is what it says."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("yaml")

from pathlib import Path  # noqa: E402 - torch must be there first

import numpy as np  # noqa: E402

from hounsfield.inference import load_model  # noqa: E402
from hounsfield.metrics import auroc, dice  # noqa: E402
from hounsfield.training import load_recipe  # noqa: E402
from hounsfield.training.train import prepare_data  # noqa: E402

ROOT = Path(__file__).parents[2]


@pytest.fixture
def card():
    return load_model(ROOT / "models/brain-tumour-mr").bundle.card


def test_the_unlicensed_class_is_not_in_what_ships(card):
    assert card.class_names == ("glioma", "meningioma", "pituitary")
    assert all(source.licence.startswith("CC BY 4.0") for source in card.data)
    assert "not verified" in card.licence


def test_the_bundle_was_made_by_the_recipe_that_ships(card):
    # Texts of the card may be mended without training again; what decides the weights may not differ.
    recipe = load_recipe(ROOT / "recipes/brain_tumour_mr.yaml").model_dump(mode="json")
    for section in ("seed", "split", "picture", "network", "augmentation", "optimisation", "inference"):
        assert card.recipe[section] == recipe[section]
    assert card.recipe["data"]["options"] == recipe["data"]["options"]


@pytest.mark.real_data
def test_the_split_holds_no_group_on_two_sides_and_is_the_cards(card, real_data, monkeypatch):
    monkeypatch.setenv("HOUNSFIELD_DATA", str(real_data))
    dataset, split = prepare_data(load_recipe(ROOT / "recipes/brain_tumour_mr.yaml"))
    assert split.digest == card.split_digest
    sides = {}
    for group, part in zip(dataset.groups, split.parts, strict=True):
        sides.setdefault(group, set()).add(part)
    assert [group for group, own in sides.items() if len(own) > 1] == []
    assert {case.label for case in dataset.cases} == {"glioma", "meningioma", "pituitary"}


@pytest.mark.real_data
@pytest.mark.slow
def test_floor_figures_on_the_test_part(real_data, monkeypatch):
    monkeypatch.setenv("HOUNSFIELD_DATA", str(real_data))
    dataset, split = prepare_data(load_recipe(ROOT / "recipes/brain_tumour_mr.yaml"))
    model = load_model(ROOT / "models/brain-tumour-mr")
    cases = [dataset.cases[index] for index in split.indices("test")]
    labels = dataset.labels[split.indices("test")]
    runs = [model.run(case.picture()) for case in cases]
    said = np.stack([run.probabilities for run in runs])
    level = model.bundle.card.inference.mask_threshold
    overlap = [dice(case.mask(), run.mask >= level) for case, run in zip(cases, runs, strict=True)]
    macro = float(np.mean([auroc(labels == k, said[:, k]) for k in range(3)]))
    assert macro == pytest.approx(model.bundle.card.figure("auroc").value, abs=1e-3)
    assert np.mean(overlap) == pytest.approx(model.bundle.card.figure("dice").value, abs=5e-3)
    assert macro > 0.962  # a sketch of twelve minutes on other slices
    assert np.mean(overlap) > 0.69
    assert np.mean([run.is_foreign for run in runs]) <= 0.10
