"""`hu evaluate MODEL DATA`: a bundle run over a table, a folder or a recipe's data, and what does not fit."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

pytest.importorskip("torch")

from PIL import Image
from tests.cli.test_command import hu
from tests.tiny_bundle import CLASSES, head_slice, write_tiny_bundle

from hounsfield.cli.schemas import command_schema
from hounsfield.inference import load_model
from hounsfield.metrics import dice

ROOT = Path(__file__).parents[2]
N_EACH = 4


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    # Beyond the middle distance of twelve slices, half as far again: some of these slices are refused.
    return write_tiny_bundle(
        tmp_path_factory.mktemp("models"), calibrated=True, guarded=True, quantile=0.1
    ).folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve slices with a round outline, one slice without contrast, and one of a class that the model lacks."""
    root = tmp_path_factory.mktemp("data")
    y, x = np.mgrid[:96, :80]
    mask = (y - 38) ** 2 + (x - 48) ** 2 < 81
    rows = []
    for number in range(3 * N_EACH):
        picture = head_slice(number).clip(0, 255).astype(np.uint8)
        Image.fromarray(picture).save(root / f"{number}.png")
        Image.fromarray(mask).save(root / f"{number}_mask.png")
        rows.append([f"{number}.png", f"{number}_mask.png", CLASSES[number % 3], f"g{number // 2}"])
    Image.fromarray(np.full((96, 80), 7, np.uint8)).save(root / "flat.png")
    rows += [["flat.png", "", "glioma", "g9"], ["0.png", "", "none", "g9"]]
    with (root / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["file", "mask", "label", "group"], *rows])
    return root


def judged(monkeypatch, capsys, out, *words):
    code, printed, err = hu(
        monkeypatch, capsys, "evaluate", *words, "--out", out, "--resamples", 100, "--json"
    )
    assert code == 0, err
    record = json.loads(printed)
    jsonschema.Draft202012Validator(command_schema("evaluate")).validate(record)
    assert record == json.loads((out / "evaluation.json").read_text("utf-8"))
    return record


def test_table_of_paths_is_judged_as_reading_runs_the_model(bundle, data, tmp_path, monkeypatch, capsys):
    record = judged(monkeypatch, capsys, tmp_path, bundle, data / "labels.csv", "--column", "image=file")
    model = load_model(bundle)
    runs = [model.run(np.asarray(Image.open(data / f"{k}.png"), dtype=np.float32)) for k in range(12)]
    said = np.stack([run.probabilities for run in runs])
    right = float((said.argmax(axis=1) == np.arange(12) % 3).mean())
    assert record["n_cases"] == 12
    assert record["classes"]["figures"]["accuracy"]["overall"]["value"] == pytest.approx(right)
    truth = np.asarray(Image.open(data / "0_mask.png")) > 0
    overlap = np.mean([dice(truth, run.mask >= 0.5) for run in runs])
    assert record["masks"]["structures"]["outline"]["dice"]["value"] == pytest.approx(overlap)
    n_refused = sum(run.is_foreign for run in runs)
    assert record["guard"]["n_refused"] == n_refused
    assert record["model"]["digest"] == model.digest
    assert record["left_out"][0] == "1 rows of the data have labels that the model does not know"
    assert record["left_out"][1].startswith("1 pictures without contrast could not be read")
    page = (tmp_path / "evaluation.html").read_text("utf-8")
    assert "Input guard" in page
    assert page.count("data:image/png") >= 4  # the worst outlines


def test_groups_come_from_the_table_that_names_the_cases(bundle, data, tmp_path, monkeypatch, capsys):
    rows = (data / "labels.csv").read_text("utf-8").splitlines()[:-2]
    text = [f"{row},{'plane' if k == 0 else 'axial' if k % 2 else ''}" for k, row in enumerate(rows)]
    (data / "planes.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    words = (bundle, data / "planes.csv", "--column", "image=file", "--group")
    groups = judged(monkeypatch, capsys, tmp_path, *words, "plane")["labels"]["glioma"]["by_group"]["plane"]
    assert {name: one["n"] for name, one in groups.items()} == {"axial": 6, "unstated": 6}
    code, _, err = hu(monkeypatch, capsys, "evaluate", *words, "sex", "--out", tmp_path)
    assert (code, "planes.csv has no column 'sex'" in err) == (2, True)


def test_model_without_calibrator_guard_and_outlines_is_judged_and_told(data, tmp_path, monkeypatch, capsys):
    plain = write_tiny_bundle(tmp_path / "models").folder
    rows = [row.split(",") for row in (data / "labels.csv").read_text("utf-8").splitlines()[:-2]]
    with (data / "plain.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[row[0], row[2], row[3]] for row in rows])
    record = judged(monkeypatch, capsys, tmp_path / "o", plain, data / "plain.csv", "--column", "image=file")
    assert not {"guard", "masks"} & set(record)
    assert "ece-uncalibrated" not in record["classes"]["figures"]
    assert "has no calibrator" in (tmp_path / "o/evaluation.html").read_text("utf-8")


def test_predictions_are_left_for_other_commands(bundle, data, tmp_path, monkeypatch, capsys):
    record = judged(monkeypatch, capsys, tmp_path / "a", bundle, data, "--column", "image=file")
    table = tmp_path / "a/predictions.csv"
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert sum(int(row["refused"]) for row in rows) == record["guard"]["n_refused"]
    words = ("--predictions", table, "--task", "classes", "--probability-prefix", "prob_")
    again = judged(monkeypatch, capsys, tmp_path / "b", *words)
    for name in ("auroc", "accuracy", "kappa", "brier"):
        assert again["classes"]["figures"][name] == record["classes"]["figures"][name]


def test_a_folder_is_read_by_the_adapter(bundle, data, tmp_path, monkeypatch, capsys):
    record = judged(monkeypatch, capsys, tmp_path, bundle, data, "--column", "image=file")
    assert record["n_cases"] == 12


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["no-such-model", "DATA"], 6, "no model named 'no-such-model'"),
        (["BUNDLE"], 2, "MODEL DATA needs DATA"),
        (["BUNDLE", "nowhere"], 2, "there are no data at nowhere"),
        (["BUNDLE", "nowhere.yaml"], 2, "there is no recipe nowhere.yaml"),
        (["BUNDLE", "DATA"], 5, "no column 'image'"),
        (["BUNDLE", "DATA", "--column", "picture=file"], 2, "is for none of image, label, group, mask"),
        (["BUNDLE", "DATA", "--column", "image"], 2, "not of the form ROLE=NAME"),
        (["BUNDLE", "DATA", "--column", "image=file", "--part", "tune"], 2, "--part goes with a recipe"),
        (["BUNDLE", "DATA", "--labels", "l.csv"], 2, "--labels does not go with MODEL DATA"),
        (["BUNDLE", "DATA", "--predictions", "p.csv"], 2, "give one of them"),
        ([], 2, "give something to judge"),
    ],
)
def test_what_does_not_fit_is_named(bundle, data, tmp_path, monkeypatch, capsys, words, code, says):
    words = [{"BUNDLE": bundle, "DATA": data}.get(word, word) for word in words]
    found, _, err = hu(monkeypatch, capsys, "evaluate", *words, "--out", tmp_path)
    assert (found, says in err) == (code, True), err


def test_data_of_other_classes_are_refused(bundle, data, tmp_path, monkeypatch, capsys):
    text = (data / "labels.csv").read_text("utf-8").replace("pituitary", "metastasis")
    (data / "other.csv").write_text(text, encoding="utf-8")
    words = (bundle, data / "other.csv", "--column", "image=file", "--out", tmp_path)
    code, _, err = hu(monkeypatch, capsys, "evaluate", *words)
    assert code == 2
    assert "other.csv holds no case of pituitary" in err
    assert "tells apart from glioma, meningioma" in err


def test_recipe_of_another_split_is_told_and_of_other_classes_refused(
    bundle, data, tmp_path, monkeypatch, capsys
):
    import yaml
    from tests.training.blobs import recipe_words, write_blobs

    write_blobs(tmp_path / "blobs", n_groups=5, per_group=2)
    words = recipe_words(tmp_path / "blobs")
    (tmp_path / "blobs.yaml").write_text(yaml.safe_dump(words), encoding="utf-8")
    code, _, err = hu(
        monkeypatch, capsys, "evaluate", bundle, tmp_path / "blobs.yaml", "--out", tmp_path / "o"
    )
    assert code == 2
    assert "is labelled disc, square, cross" in err
    labels = tmp_path / "blobs/labels.csv"
    text = labels.read_text("utf-8")
    for blob, own in zip(("disc", "square", "cross"), CLASSES, strict=True):
        text = text.replace(f",{blob},", f",{own},").replace(f",{blob}-", f",{own}-")
    labels.write_text(text, encoding="utf-8")
    words["data"]["options"]["classes"] = list(CLASSES)
    words["card"]["codes"] = dict(zip(CLASSES, words["card"]["codes"].values(), strict=True))
    (tmp_path / "blobs.yaml").write_text(yaml.safe_dump(words), encoding="utf-8")
    record = judged(monkeypatch, capsys, tmp_path / "o", bundle, tmp_path / "blobs.yaml")
    assert record["model"]["data"] == "blobs, test part"
    assert "splits its data otherwise" in (tmp_path / "o/evaluation.html").read_text("utf-8")


@pytest.mark.real_data
@pytest.mark.slow
def test_shipped_model_reaches_the_figures_of_its_card(real_data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOUNSFIELD_DATA", str(real_data))
    recipe = ROOT / "recipes/brain_tumour_mr.yaml"
    record = judged(monkeypatch, capsys, tmp_path, "brain-tumour-mr", recipe)
    card = json.loads((ROOT / "models/brain-tumour-mr/hounsfield.json").read_text("utf-8"))
    figures = record["classes"]["figures"]
    for one in card["metrics"]:
        name, _, rest = one["name"].partition(" of ")
        own = figures[name]
        found = own["by_class"][rest.split()[0]] if rest else own["overall"]
        # The card's outlines were judged on the network's square of 192 pixels, these on the slices' own.
        near = 5e-3 if name == "dice" else 1e-3
        assert found["value"] == pytest.approx(one["value"], abs=near), one["name"]
        if name == "precision":
            # Few groups hold what is called meningioma: the quantile of resamples lies at a jump, here or there by chance.
            assert found["ci95"][0] <= one["value"] <= found["ci95"][1]
            continue
        assert found["ci95"] == pytest.approx([one["low95"], one["high95"]], abs=0.05), one["name"]
        for label, by_class in one["by_class"].items():
            assert own["by_class"][label]["value"] == pytest.approx(by_class["value"], abs=near), label
    rate = card["guard"]["false_refusal_rate"]
    # The card counts the whole way through the application, which also refuses a slice on which nothing is outlined.
    refused = round(record["guard"]["share"]["value"] * rate["n"])
    assert refused == round(rate["refused_fraction"] * rate["n"]) - 1
    assert "splits its data otherwise" not in (tmp_path / "evaluation.html").read_text("utf-8")
