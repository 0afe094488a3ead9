"""Tables of classes that exclude each other, and of continuous values: figures, pages, and what is refused."""

from __future__ import annotations

import csv
import json

import jsonschema
import numpy as np
import pytest
from tests.cli.test_command import hu

from hounsfield.cli.schemas import command_schema
from hounsfield.core.errors import StudyError, UsageError
from hounsfield.evaluation import (
    Columns,
    evaluate_values,
    read_class_table,
    read_value_table,
)

CLASSES = ("benign", "malignant", "none")


def write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def classes(tmp_path):
    """120 cases of 60 patients, three classes, the probabilities with three digits."""
    rng = np.random.default_rng(8)
    labels = rng.integers(0, 3, 120)
    said = rng.dirichlet([1, 1, 1], size=120) + 0.8 * np.eye(3)[labels]
    said = np.round(said / said.sum(axis=1, keepdims=True), 3)
    names = [f"c{k}" for k in range(120)]
    write(tmp_path / "p.csv", ["case_id", *CLASSES], [[n, *row] for n, row in zip(names, said, strict=True)])
    rows = [[n, f"P{k // 2}", "FM"[k // 2 % 2], CLASSES[labels[k]] if k else ""] for k, n in enumerate(names)]
    write(tmp_path / "l.csv", ["case_id", "patient_id", "sex", "label"], rows)
    return tmp_path, labels[1:], said[1:]


def test_classes_are_judged_together_and_each_alone(classes, monkeypatch, capsys):
    from sklearn.metrics import cohen_kappa_score, confusion_matrix, roc_auc_score

    folder, labels, said = classes
    words = ["evaluate", "--predictions", folder / "p.csv", "--labels", folder / "l.csv", "--task", "classes"]
    words += ["--group", "sex", "--threshold", "malignant=0.4", "--prevalence", "malignant=0.05"]
    words += ["--resamples", 100, "--out", folder / "out", "--json"]
    code, printed, err = hu(monkeypatch, capsys, *words)
    assert code == 0, err
    record = json.loads(printed)
    jsonschema.Draft202012Validator(command_schema("evaluate")).validate(record)
    assert record == json.loads((folder / "out/evaluation.json").read_text("utf-8"))
    assert record["left_out"] == ["1 cases without a true class"]
    assert record["n_patients"] == 60
    chosen = said.argmax(axis=1)
    assert record["classes"]["confusion"] == confusion_matrix(labels, chosen).tolist()
    figures = record["classes"]["figures"]
    assert figures["kappa"]["overall"]["value"] == pytest.approx(cohen_kappa_score(labels, chosen), abs=1e-9)
    for k, name in enumerate(CLASSES):
        area = roc_auc_score(labels == k, said[:, k])
        assert record["labels"][name]["auroc"]["value"] == pytest.approx(area, abs=1e-9)
    assert record["labels"]["malignant"]["ppv_at_prevalence"]["value"]
    assert set(record["labels"]["none"]["by_group"]["sex"]) == {"F", "M"}
    assert "guard" not in record
    assert "Confusion matrix" in (folder / "out/evaluation.html").read_text("utf-8")


def test_one_table_with_prefix_holds_classes_and_truth(tmp_path):
    rows = [["a", "x", 0.7, 0.3], ["b", "y", 0.2, 0.8]]
    path = write(tmp_path / "both.csv", ["image", "diagnosis", "p_x", "p_y"], rows)
    found = read_class_table(path, None, Columns(probability_prefix="p_"))
    assert found.predictions.classes == ("x", "y")
    assert found.predictions.labels.tolist() == [0, 1]
    assert not found.table.has_patients


@pytest.mark.parametrize(
    ("said", "true", "column", "error", "says"),
    [
        ("c,x,y\na,0.7,0.1\n", "c,label\na,x\n", None, StudyError, "p.csv line 2: the probabilities of the classes sum to 0.8"),
        ("c,x,y\na,0.7,0.3\n", "c,label\na,z\n", None, StudyError, "l.csv line 2, column 'label': 'z' is no class of p.csv"),
        ("c,x,y\na,0.7,0.3\n", "c,kind\na,x\n", None, UsageError, "no column label, class, diagnosis for the true class"),
        ("c,x,y\na,0.7,0.3\n", "c,kind\na,x\n", "kin", UsageError, "no column 'kin'. Did you mean 'kind'?"),
        ("c,x\na,1\n", "c,label\na,x\n", None, UsageError, "probabilities of 1 classes"),
        ("c,x,y\na,0.7,0.3\n", "c,label\nb,x\n", None, StudyError, "names the case 'a', which l.csv does not hold"),
    ],
)  # fmt: skip
def test_classes_that_do_not_fit_are_refused(tmp_path, said, true, column, error, says):
    (tmp_path / "p.csv").write_text(said, encoding="utf-8")
    (tmp_path / "l.csv").write_text(true, encoding="utf-8")
    with pytest.raises(error) as told:
        read_class_table(tmp_path / "p.csv", tmp_path / "l.csv", Columns(), label_column=column)
    assert says in str(told.value)


@pytest.fixture
def values(tmp_path):
    """80 volumes of 40 patients, measured and predicted with a bias of 2; two are blank."""
    rng = np.random.default_rng(1)
    truth = rng.normal(100, 20, 80).round(3)
    said = (truth + 2 + np.repeat(rng.normal(0, 3, 40), 2) + rng.normal(0, 2, 80)).round(3)
    cells = [["" if k < 2 else value, 5 if k < 4 else ""] for k, value in enumerate(truth)]
    rows = [[f"c{k}", f"P{k // 2}", *row] for k, row in enumerate(cells)]
    write(tmp_path / "l.csv", ["case_id", "patient_id", "volume_ml", "age"], rows)
    write(tmp_path / "p.csv", ["case_id", "volume_ml", "age"], [[f"c{k}", v, 5] for k, v in enumerate(said)])
    return tmp_path, truth[2:], said[2:]


def test_agreement_is_that_of_the_cases(values):
    folder, truth, said = values
    table = read_value_table(folder / "p.csv", folder / "l.csv", Columns())
    evaluation = evaluate_values(table, n_resamples=300, seed=3)
    volume, age = evaluation.quantities
    apart = said - truth
    figures = {name: interval.value for name, interval in volume.figures.items()}
    assert volume.n == 78
    assert figures["bias"] == pytest.approx(apart.mean())
    assert figures["mae"] == pytest.approx(np.abs(apart).mean())
    assert figures["rmse"] == pytest.approx(np.sqrt((apart**2).mean()))
    assert figures["limit_low"] == pytest.approx(apart.mean() - 1.959964 * apart.std(ddof=1))
    assert figures["correlation"] == pytest.approx(np.corrcoef(truth, said)[0, 1])
    moments = 2 * np.cov(truth, said, ddof=0)[0, 1]
    concordance = moments / (truth.var() + said.var() + (truth.mean() - said.mean()) ** 2)
    assert figures["concordance"] == pytest.approx(concordance)
    # Two-way mean squares of predicted and measured (Shrout and Fleiss 1979, case 2).
    both = np.stack([truth, said], axis=1)
    patients = 2 * both.mean(axis=1).var(ddof=1)
    methods = 78 * both.mean(axis=0).var(ddof=1)
    rest = (both.var() * 156 - 77 * patients - methods) / 77
    assert figures["icc"] == pytest.approx((patients - rest) / (patients + rest + 2 * (methods - rest) / 78))
    for name, interval in volume.figures.items():
        assert interval.low < interval.value < interval.high, name
    assert not age.figures
    assert age.withheld.startswith("4 cases; 10 are needed")
    alone = evaluate_values(read_value_table(folder / "p.csv", write(
        folder / "alone.csv", ["case_id", "volume_ml"], [[f"c{k + 2}", v] for k, v in enumerate(truth)]
        + [["c0", ""], ["c1", ""]],
    ), Columns()), n_resamples=300).quantities[0].figures["bias"]  # fmt: skip
    by_patient = volume.figures["bias"]
    assert by_patient.high - by_patient.low > 1.1 * (alone.high - alone.low)


def test_command_judges_values(values, monkeypatch, capsys):
    folder, _, _ = values
    words = ["evaluate", "--predictions", folder / "p.csv", "--labels", folder / "l.csv"]
    words += ["--task", "regression", "--resamples", 100, "--out", folder / "out"]
    code, printed, err = hu(monkeypatch, capsys, *words, "--json")
    assert code == 0, err
    record = json.loads(printed)
    jsonschema.Draft202012Validator(command_schema("evaluate")).validate(record)
    assert record == json.loads((folder / "out/evaluation.json").read_text("utf-8"))
    assert record["values"]["volume_ml"]["bias"]["ci95"][0] > 0
    page = (folder / "out/evaluation.html").read_text("utf-8")
    assert "Bland-Altman plot" in page
    assert "not given: 4 cases" in page
    code, printed, _ = hu(monkeypatch, capsys, *words)
    assert "volume_ml" in printed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--task", "ranks"], "--task ranks is none of labels, classes, regression"),
        (["--task", "regression", "--threshold", "volume_ml=0.5"], "--threshold does not go with --task regression"),
        (["--task", "regression", "--probability-prefix", "x_"], "no quantity has both a prediction"),
        (["--label-column", "age"], "--label-column goes with --task classes"),
        (["--task", "classes", "--compare", "a=b.csv"], "--compare is for labels"),
    ],
)  # fmt: skip
def test_wrong_words_are_named(values, monkeypatch, capsys, words, says):
    folder, _, _ = values
    plain = ["evaluate", "--predictions", folder / "p.csv", "--labels", folder / "l.csv"]
    code, _, err = hu(monkeypatch, capsys, *plain, "--out", folder / "out", *words)
    assert (code, says in err) == (2, True), err


def test_cell_that_is_no_number_is_named(values):
    folder, _, _ = values
    text = (folder / "l.csv").read_text("utf-8").splitlines()
    text[5] = "c4,P2,large,"
    (folder / "l.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"l\.csv line 6, column 'volume_ml': 'large' is no number"):
        read_value_table(folder / "p.csv", folder / "l.csv", Columns())
