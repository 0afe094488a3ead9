"""Findings that stand alone, and a network that outlines nothing, through the same path as classes with outlines."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("yaml")

from PIL import Image  # noqa: E402 - torch must be there first
from tests.training.blobs import recipe_words, shape_mask, write_blobs  # noqa: E402

from hounsfield.calibration import CALIBRATORS, EXCLUSIVE_CALIBRATORS  # noqa: E402
from hounsfield.core.errors import RecipeError  # noqa: E402
from hounsfield.inference import load_model  # noqa: E402
from hounsfield.metrics import auroc  # noqa: E402
from hounsfield.training import load_recipe, parse_recipe, recalibrate, train  # noqa: E402
from hounsfield.training.train import prepare_data  # noqa: E402
from hounsfield.zoo import open_bundle  # noqa: E402

ROOT = Path(__file__).parents[2]
FINDINGS = ("disc", "square")
SMALL = {"name": "densenet", "options": {"depth": [3, 3], "growth": 8}}


def write_findings(root, *, n=160):
    """Pictures with a disc, a square, both or neither, two to a group."""
    rng = np.random.default_rng(0)
    root.mkdir()
    with (root / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "group", *FINDINGS])
        for number in range(n):
            grey = rng.normal(60, 8, size=(32, 32))
            has = rng.random(2) < 0.4
            for name, own, column in zip(FINDINGS, has, (9, 22), strict=True):
                grey += own * shape_mask(name, (int(rng.integers(9, 22)), column), 5) * 120.0
            Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(root / f"{number:03d}.png")
            table.writerow([f"{number:03d}.png", f"g{number // 2:02d}", *has.astype(int)])


def words(root, **changes):
    own = recipe_words(root, epochs=10)
    own["data"].update(adapter="csv-findings", options={"classes": list(FINDINGS)})
    codes = {name: own["card"]["codes"][name] for name in FINDINGS}
    own["card"]["codes"] = codes
    own["augmentation"] = {"flip": False, "rotation_deg": 0.0, "erase": 0.0, "scale": 0.05, "shift": 0.02}
    return {**own, "network": SMALL, "loss": {"balance": True}, **changes}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("findings") / "data"
    write_findings(root)
    out = tmp_path_factory.mktemp("run")
    return train(parse_recipe(words(root)), out), root, out


def test_bundle_says_each_finding_on_its_own(trained):
    result, root, _ = trained
    model = load_model(result.bundle)
    assert model.bundle.card.outputs == "independent"
    assert [one.label for one in result.evaluation.labels] == list(FINDINGS)
    assert result.evaluation.macro["auroc"].value > 0.85  # chance is 0.5
    prediction = model.run(np.asarray(Image.open(root / "000.png"), dtype=np.float32))
    assert prediction.mask is None
    assert prediction.probabilities.shape == (2,)
    assert ((prediction.probabilities > 0) & (prediction.probabilities < 1)).all()
    assert prediction.calibrator in CALIBRATORS
    assert prediction.calibrator not in EXCLUSIVE_CALIBRATORS
    shares = model.bundle.card.calibrator.shares
    assert set(shares) == set(FINDINGS)
    assert all(0 < share < 1 for share in shares.values())


def test_card_page_and_files_for_others_agree(trained):
    result, _, out = trained
    card = open_bundle(result.bundle).card
    record = json.loads((out / "evaluation/evaluation.json").read_text())
    assert card.figure("auroc").value == pytest.approx(record["macro"]["auroc"]["value"], abs=1e-6)
    assert set(card.figure("auroc").by_class) == set(FINDINGS)
    assert card.figure("sensitivity of disc at its threshold") is not None
    config = json.loads((result.bundle / "configs/metadata.json").read_text())
    assert set(config["network_data_format"]["outputs"]) == {"class_logits"}
    assert result.page.is_file()


def test_recalibrating_decides_the_same(trained):
    result, root, _ = trained
    before = open_bundle(result.bundle)
    after, choice, _ = recalibrate(parse_recipe(words(root)), before)
    assert choice.name == before.card.calibrator.name
    for name, values in before.card.calibrator.parameters.items():
        assert choice.parameters[name] == pytest.approx(values, rel=1e-2, abs=1e-3)
    assert after.card.figure("auroc").value == pytest.approx(before.card.figure("auroc").value, abs=1e-3)


def test_network_without_outlines_learns_classes_that_exclude_each_other(tmp_path):
    write_blobs(tmp_path / "data")
    own = recipe_words(tmp_path / "data", epochs=2)
    own["network"] = SMALL
    result = train(parse_recipe(own), tmp_path / "run")
    assert "dice" not in result.evaluation.figures
    assert load_model(result.bundle).run(np.eye(40)).mask is None


def test_network_that_outlines_needs_outlines(trained, tmp_path):
    _, root, _ = trained
    own = words(root, network=recipe_words(root)["network"])
    with pytest.raises(
        RecipeError, match=r"cases have no outline \(first: .*choose one that outlines nothing"
    ):
        train(parse_recipe(own), tmp_path)


def test_balance_is_for_labels_that_stand_alone(tmp_path):
    write_blobs(tmp_path / "data")
    own = {**recipe_words(tmp_path / "data"), "loss": {"balance": True}}
    with pytest.raises(RecipeError, match="these classes exclude each other"):
        train(parse_recipe(own), tmp_path / "run")


def test_finding_that_no_training_picture_shows_is_refused(tmp_path):
    root = tmp_path / "data"
    write_findings(root)
    table = (root / "labels.csv").read_text().splitlines()
    (root / "labels.csv").write_text(
        "\n".join([table[0], *(",".join([*row.split(",")[:3], "0"]) for row in table[1:])]) + "\n"
    )
    with pytest.raises(RecipeError, match="label number 2 is on no training picture"):
        train(parse_recipe(words(root)), tmp_path / "run")


@pytest.mark.real_data
def test_films_with_a_box_are_tested_and_no_patient_stands_on_two_sides(real_data, monkeypatch):
    monkeypatch.setenv("HOUNSFIELD_DATA", str(real_data))
    dataset, split = prepare_data(load_recipe(ROOT / "recipes/chest_films_nih.yaml"))
    assert sum(case.held_out for case in dataset.cases) == 32
    sides = {}
    for case, part in zip(dataset.cases, split.parts, strict=True):
        assert part == "test" or not case.held_out
        sides.setdefault(case.group, set()).add(part)
    assert [group for group, own in sides.items() if len(own) > 1] == []


@pytest.mark.real_data
@pytest.mark.slow
def test_a_narrow_densenet_tells_edema_on_films(real_data, monkeypatch, tmp_path):
    """The recipe that made the judged network, narrowed until one core trains it in two minutes."""
    monkeypatch.setenv("HOUNSFIELD_DATA", str(real_data))
    own = load_recipe(ROOT / "recipes/chest_films_nih.yaml").model_dump(mode="json")
    own["network"]["options"] = {"depth": [3, 6, 6], "growth": 12}
    own["picture"]["size"] = 128
    own["optimisation"].update(epochs=30, precision="32", accelerator="cpu", learning_rate=0.003)
    recipe = parse_recipe(own)
    result = train(recipe, tmp_path)
    found = {one.label: one.figures["auroc"] for one in result.evaluation.labels}
    assert found["edema"].low > 0.6  # chance is 0.5
    dataset, split = prepare_data(recipe)
    model = load_model(result.bundle)
    indices = split.indices("test")
    said = np.stack([model.run(dataset.cases[index].picture()).probabilities for index in indices])
    again = auroc(dataset.truth[indices][:, 2], said[:, 2])
    assert again == pytest.approx(found["edema"].value, abs=0.02)
