"""Tables of predictions: what is read, what is refused and how it is told, and the figures that come out."""

from __future__ import annotations

import csv
import gzip
import json
import lzma

import jsonschema
import numpy as np
import pytest
from tests.cli.test_command import hu

from hounsfield.cli.schemas import command_schema
from hounsfield.core.errors import StudyError, UsageError
from hounsfield.evaluation import (
    Columns,
    PredictionTable,
    Use,
    evaluate_table,
    read_prediction_table,
    read_probabilities,
    table_record,
    write_table_evaluation,
)
from hounsfield.evaluation.bands import banded, in_order
from hounsfield.metrics import auroc, delong

LABELS = "case_id,patient_id,sex,nodule,mass\na,1,F,1,0\nb,1,F,0,\nc,2,M,0,1\n"
PREDICTIONS = "case_id,mass,nodule\nc,0.9,0.2\na,0.1,0.8\nb,0.3,0.4\n"


@pytest.fixture
def tables(tmp_path):
    def write(predictions=PREDICTIONS, labels=LABELS):
        (tmp_path / "p.csv").write_text(predictions, encoding="utf-8")
        (tmp_path / "l.csv").write_text(labels, encoding="utf-8")
        return tmp_path / "p.csv", tmp_path / "l.csv"

    return write


def test_cases_are_put_side_by_side_by_name(tables):
    table = read_prediction_table(*tables(), Columns(groups=("sex",)))
    assert table.labels == ("mass", "nodule")
    assert table.cases.tolist() == ["c", "a", "b"]
    assert table.patients.tolist() == ["2", "1", "1"]
    assert table.truth.tolist() == [[True, False, False], [False, True, False]]
    assert table.known.tolist() == [[True, True, False], [True, True, True]]
    assert table.probability.tolist() == [[0.9, 0.1, 0.3], [0.2, 0.8, 0.4]]
    assert table.groups["sex"].tolist() == ["M", "F", "F"]


@pytest.mark.parametrize(("ending", "pack"), [("csv.gz", gzip.compress), ("csv.xz", lzma.compress)])
def test_one_compressed_table_with_prefix_holds_both(tmp_path, ending, pack):
    path = tmp_path / f"both.{ending}"
    path.write_bytes(pack(b"image,who,nodule,prob_nodule\nx,7,1,0.5\ny,8,0,0.25\n"))
    table = read_prediction_table(path, None, Columns("image", "who", "prob_"))
    assert (table.labels, table.patients.tolist()) == (("nodule",), ["7", "8"])
    assert table.probability.tolist() == [[0.5, 0.25]]


def test_without_a_patient_each_case_is_its_own_and_that_is_told(tables):
    table = read_prediction_table(*tables(labels="case_id,nodule,mass\na,1,0\nb,0,1\nc,0,1\nd,1,1\n"))
    assert not table.has_patients
    assert table.patients.tolist() == table.cases.tolist()
    assert table.left_out == ("1 cases have labels and no prediction",)


@pytest.mark.parametrize(
    ("predictions", "labels", "columns", "error", "says"),
    [
        (PREDICTIONS, LABELS, Columns(case="case"), UsageError, "no column 'case'. Did you mean 'case_id'"),
        (PREDICTIONS, LABELS, Columns(patient="person"), UsageError, "no column 'person'"),
        (PREDICTIONS, LABELS, Columns(probability_prefix="p_"), UsageError, "no label has both"),
        (PREDICTIONS.replace("0.9", "1.9"), LABELS, None, StudyError, "p.csv line 2, column 'mass': '1.9' is no prob"),
        (PREDICTIONS.replace("0.9", "high"), LABELS, None, StudyError, "'high' is no probability"),
        (PREDICTIONS, LABELS.replace("a,1,F,1", "a,1,F,5"), None, StudyError, "l.csv line 2, column 'nodule': '5' is no"),
        (PREDICTIONS + "a,0.2,0.2\n", LABELS, None, StudyError, "names the case 'a' twice"),
        (PREDICTIONS + "z,0.2,0.2\n", LABELS, None, StudyError, "the case 'z', which l.csv does not hold"),
        (PREDICTIONS + "z,0.2\n", LABELS, None, StudyError, "p.csv line 5 has 2 cells and the header 3"),
        ("case_id,mass\n", LABELS, None, StudyError, "no case"),
        ("", LABELS, None, StudyError, "0 columns"),
        ("case_id,mass,mass\na,1,1\n", LABELS, None, StudyError, "two columns of one name"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_place_and_remedy(
    tables, predictions, labels, columns, error, says
):
    with pytest.raises(error) as told:
        read_prediction_table(*tables(predictions, labels), columns)
    assert says in str(told.value)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "p.csv.gz").write_bytes(b"not packed")
    with pytest.raises(StudyError, match=r"p\.csv\.gz is no table"):
        read_prediction_table(tmp_path / "p.csv.gz")
    with pytest.raises(UsageError, match="there is no table"):
        read_prediction_table(tmp_path / "absent.csv")


def test_hostile_table_that_unpacks_without_end_is_refused(tmp_path):
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress(b"a" * (3 << 20)))
    with pytest.raises(StudyError, match="characters a line"):
        read_prediction_table(path)


def test_ages_become_bands_and_names_stay():
    ages = np.array([str(age) for age in range(5, 95)] + ["unstated"])
    bands = banded(ages)
    assert bands[[0, 12, 13, 69, 70, -1]].tolist() == [
        "below 18", "below 18", "18 to 39", "60 to 74", "75 and above", "unstated",
    ]  # fmt: skip
    assert in_order(set(bands.tolist())) == [
        "below 18", "18 to 39", "40 to 59", "60 to 74", "75 and above", "unstated",
    ]  # fmt: skip
    assert banded(np.array(["PA", "AP"])).tolist() == ["PA", "AP"]
    many = banded(np.array([f"site {n}" for n in range(40)] + ["site 0"] * 9))
    assert (many[0], "other" in many) == ("site 0", True)


def drawn(n_patients=120, films=3):
    rng = np.random.default_rng(11)
    patients = np.repeat([f"p{n}" for n in range(n_patients)], films)
    severity = np.repeat(rng.standard_normal(n_patients), films)
    n = patients.size
    truth = np.stack([severity + rng.standard_normal(n) > 0.8, np.arange(n) < 4])
    logit = 1.2 * severity - 1.0 + 0.8 * rng.standard_normal(n)
    probability = np.stack([1 / (1 + np.exp(-logit)), rng.random(n)])
    sex = np.where(np.repeat(rng.random(n_patients), films) < 0.5, "F", "M")
    return PredictionTable(
        np.array([f"film{k}" for k in range(n)]),
        patients,
        True,
        ("effusion", "hernia"),
        truth,
        np.ones_like(truth),
        probability,
        {"sex": sex},
    )


@pytest.fixture(scope="module")
def evaluated():
    table = drawn()
    worse = np.clip(
        0.7 * table.probability + 0.3 * np.random.default_rng(1).random(table.probability.shape), 0, 1
    )
    return evaluate_table(
        table, uses={"effusion": Use(0.4)}, others={"other": worse}, n_resamples=300, seed=4
    )


def test_figures_are_those_of_the_metrics(evaluated):
    table, one = evaluated.table, evaluated.labels[0]
    truth, probability = table.truth[0], table.probability[0]
    assert one.figures["auroc"].value == pytest.approx(auroc(truth, probability), abs=1e-12)
    assert one.figures["brier"].value == pytest.approx(np.mean((probability - truth) ** 2))
    called = probability >= 0.4
    assert one.figures["sensitivity"].value == pytest.approx(called[truth].mean())
    assert one.figures["ppv"].value == pytest.approx(truth[called].mean())
    women = table.groups["sex"] == "F"
    of_women = one.by_group["sex"]["F"]
    assert (of_women.n, of_women.n_positive) == (women.sum(), truth[women].sum())
    assert of_women.figures["auroc"].value == pytest.approx(auroc(truth[women], probability[women]))
    assert evaluated.macro["auroc"].value == one.figures["auroc"].value  # the other label has none


def test_every_figure_has_an_interval_around_it(evaluated):
    for name, interval in evaluated.labels[0].figures.items():
        assert interval.low <= interval.value <= interval.high, name
        assert interval.low < interval.high, name


def test_label_with_few_positives_is_withheld_with_the_reason(evaluated):
    hernia = evaluated.labels[1]
    assert hernia.figures == {}
    assert hernia.withheld.startswith("4 positive and 356 negative cases; 10 of each are needed")


def test_patients_widen_the_interval(evaluated):
    figures = evaluated.labels[0].figures
    by_patient, by_film = (figures[name].high - figures[name].low for name in ("auroc", "auroc_delong"))
    assert by_patient > 1.04 * by_film


def test_comparison_is_paired_and_adjusted(evaluated):
    (one,) = evaluated.comparisons
    table = evaluated.table
    assert one.difference.value > 0
    assert one.p <= one.p_adjusted
    assert (
        one.difference.high - one.difference.low
        < evaluated.labels[0].figures["auroc"].high - evaluated.labels[0].figures["auroc"].low
    )
    assert delong(table.truth[0], table.probability[0]).auroc[0] == evaluated.labels[0].figures["auroc"].value


def test_same_seed_gives_the_same_record_and_another_does_not(evaluated):
    table = evaluated.table
    records = [
        json.dumps(table_record(evaluate_table(table, n_resamples=100, seed=seed), "t")) for seed in (1, 1, 2)
    ]
    assert records[0] == records[1] != records[2]


def test_threshold_of_no_label_is_refused():
    with pytest.raises(
        UsageError, match="threshold or prevalence for oedema, but no such label: effusion, hernia"
    ):
        evaluate_table(drawn(40), uses={"oedema": Use(0.5)})


def test_page_shows_every_label_and_stands_alone(evaluated, tmp_path):
    from PIL import Image

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for case in evaluated.table.cases[:360]:
        Image.new("L", (8, 8), 99).save(pictures / f"{case}.png")
    page = write_table_evaluation(evaluated, tmp_path / "out", title="<b>Mine</b>", images=pictures)
    text = page.read_text("utf-8")
    assert "&lt;b&gt;Mine" in text
    assert "Research use only. Not a medical device." in text
    assert text.count("data:image/png") == 8
    assert "4 positive and 356 negative cases" in text
    assert "http" not in text.replace("http://www.w3.org", "")
    record = json.loads((tmp_path / "out/evaluation.json").read_text("utf-8"))
    assert record["labels"]["effusion"]["auroc"]["ci95"][0] < record["labels"]["effusion"]["auroc"]["value"]
    assert record["labels"]["effusion"]["at_thresholds"][0]["sensitivity"]["ci95"]
    assert record["n_patients"] == 120


def write_tables(folder, table):
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["case_id", "patient_id", "sex", *table.labels])
        rows.writerows(
            zip(table.cases, table.patients, table.groups["sex"], *table.truth.astype(int), strict=True)
        )
    for name in ("mine", "other"):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["case_id", *table.labels])
            rows.writerows(zip(table.cases, *table.probability, strict=True))


def test_command_writes_page_and_prints_the_record(tmp_path, monkeypatch, capsys):
    write_tables(tmp_path, drawn(60))
    words = ["evaluate", "--predictions", tmp_path / "mine.csv", "--labels", tmp_path / "labels.csv"]
    words += [
        "--out",
        tmp_path / "out",
        "--resamples",
        "100",
        "--group",
        "sex",
        "--threshold",
        "effusion=0.3",
    ]
    words += ["--compare", f"twin={tmp_path / 'other.csv'}"]
    code, printed, _ = hu(monkeypatch, capsys, *words, "--json")
    assert code == 0
    record = json.loads(printed)
    assert record == json.loads((tmp_path / "out/evaluation.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(command_schema("evaluate")).validate(record)
    assert record["comparisons"][0]["p_holm"] == 1.0
    code, printed, _ = hu(monkeypatch, capsys, *words)
    assert code == 0
    assert "effusion" in printed
    assert "evaluation.html" in printed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--threshold", "effusion"], "LABEL=VALUE"),
        (["--threshold", "effusion=2"], "LABEL=VALUE"),
        (["--compare", "other"], "NAME=TABLE"),
        (["--images", "no-such-folder"], "no folder"),
    ],
)
def test_wrong_words_are_named(tmp_path, monkeypatch, capsys, words, says):
    write_tables(tmp_path, drawn(20))
    plain = ["evaluate", "--predictions", tmp_path / "mine.csv", "--labels", tmp_path / "labels.csv"]
    code, _, err = hu(monkeypatch, capsys, *plain, "--out", tmp_path / "out", *words)
    assert code == 2
    assert says in err


@pytest.mark.real_data
@pytest.mark.slow
def test_real_films_of_four_networks(real_data):
    """Areas to 1e-12 of scikit-learn, and what the README beside the data says of patients and of the view."""
    from sklearn.metrics import roc_auc_score

    folder = real_data / "chexnet_predictions"
    columns = Columns("image", "patient_id", "prob_", ("sex", "view", "age"))
    table = read_prediction_table(folder / "predictions.csv.gz", None, columns)
    other = Columns("image", probability_prefix="D_")
    worse = {"D": read_probabilities(folder / "predictions_models_bcd.csv.gz", table, other)}
    found = evaluate_table(table, others=worse, n_resamples=200)
    assert (len(table.cases), found.n_patients, len(table.labels)) == (16081, 4331, 14)
    for k, one in enumerate(found.labels):
        expected = roc_auc_score(table.truth[k], table.probability[k])
        assert one.figures["auroc"].value == pytest.approx(expected, abs=1e-12)
    assert found.macro["auroc"].value == pytest.approx(0.839088, abs=1e-6)
    effusion = next(one for one in found.labels if one.label == "Effusion")
    assert effusion.figures["auroc"].low == pytest.approx(0.8733, abs=0.004)
    assert effusion.figures["auroc"].high == pytest.approx(0.8941, abs=0.004)
    by_view = effusion.by_group["view"]
    assert by_view["AP"].figures["auroc"].value == pytest.approx(0.8391, abs=5e-5)
    assert by_view["PA"].figures["auroc"].value == pytest.approx(0.9074, abs=5e-5)
    assert effusion.by_group["sex"]["F"].n == 7045
    # By DeLong, which takes films as independent, D differs for 12 labels; the README names the other two.
    alike = {one.label for one in found.comparisons if one.p_delong >= 0.05}
    assert alike == {"Consolidation", "Pneumonia"}
