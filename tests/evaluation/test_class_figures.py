"""Classes that exclude each other: figures by hand, and the page of a model with outlines and guard."""

import json

import jsonschema
import numpy as np
import pytest

from hounsfield.cli.schemas import command_schema
from hounsfield.core.errors import UsageError
from hounsfield.evaluation import (
    OUTLINE,
    About,
    Foreign,
    Guarded,
    Outlines,
    Predictions,
    Scale,
    evaluate,
    evaluate_model,
    overlap_of,
    write_model_evaluation,
)
from hounsfield.metrics import Interval

ABOUT = About(
    "Test <model>", "What was judged.", "What was done.", {"name": "m", "version": "1", "digest": "0"}
)


def predictions(**changes):
    """Four groups of five cases of each class; every fifth case is said to be the other class."""
    labels = np.tile(np.repeat([0, 1], 5), 4)
    right = np.tile([True, True, True, True, False], 8)
    first = np.where((labels == 0) == right, 0.8, 0.2)
    said = np.stack([first, 1 - first], axis=1)
    values = {
        "classes": ("one", "two"),
        "names": tuple(map(str, range(40))),
        "groups": tuple(np.repeat(list("abcd"), 10).tolist()),
        "labels": labels,
        "probabilities": said,
        "uncalibrated": np.where(said > 0.5, 1.0, 0.0),
        "dice": np.where(right, 0.9, np.nan),
        "present_from": {"one": 0.5},
    }
    return Predictions(**(values | changes))


def test_figures_by_hand():
    found = evaluate(predictions(), n_resamples=50)
    figures = found.figures
    assert found.confusion.tolist() == [[16, 4], [4, 16]]
    assert figures["accuracy"].overall.value == pytest.approx(0.8)
    assert figures["ece"].overall.value == pytest.approx(0)
    assert figures["ece-uncalibrated"].overall.value == pytest.approx(0.2)
    # 16 of 20 score 0.8 and 4 score 0.2, mirrored in the other class: 0.64 won, 0.32 tied.
    assert figures["auroc"].by_class["one"].value == pytest.approx(0.64 + 0.32 / 2)
    assert figures["sensitivity"].by_class["one"].value == pytest.approx(0.8)
    assert figures["specificity"].by_class["one"].value == pytest.approx(0.8)
    assert figures["brier"].overall.value == pytest.approx(2 * (0.8 * 0.04 + 0.2 * 0.64))
    assert figures["dice"].overall.value == pytest.approx(0.9)
    assert (found.n_cases, found.n_groups) == (40, 4)


def test_the_same_seed_gives_the_same_intervals():
    assert (
        evaluate(predictions(), n_resamples=50).to_json() == evaluate(predictions(), n_resamples=50).to_json()
    )


def test_kappa_recall_and_precision_by_hand():
    figures = evaluate(predictions(), n_resamples=50).figures
    # 32 of 40 agree, half would by chance.
    assert figures["kappa"].overall.value == pytest.approx((0.8 - 0.5) / 0.5)
    assert figures["recall"].by_class["one"].value == pytest.approx(0.8)
    assert figures["precision"].by_class["two"].value == pytest.approx(0.8)


def test_kappa_is_that_of_scikit_learn():
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(3)
    said = rng.dirichlet([1, 1, 1], size=90)
    labels = rng.integers(0, 3, 90)
    given = Predictions(("a", "b", "c"), *[tuple(map(str, range(90)))] * 2, labels, said)
    expected = cohen_kappa_score(labels, said.argmax(axis=1))
    found = evaluate(given, n_resamples=20)
    assert found.figures["kappa"].overall.value == pytest.approx(expected, abs=1e-12)
    assert "ece-uncalibrated" not in found.figures


def test_some_of_the_cases_keep_all_that_belongs_to_them():
    given = predictions()
    some = given.only(np.arange(40) < 10)
    assert (len(some.labels), set(some.groups), some.names[-1]) == (10, {"a"}, "9")
    assert evaluate(some, n_resamples=20).confusion.tolist() == [[4, 1], [1, 4]]


def test_page_and_file_hold_the_figures_and_nothing_from_outside(tmp_path):
    given = predictions()
    mask = np.zeros((16, 16), dtype=bool)
    mask[4:9, 4:9] = True
    scale = Scale((1.0, 1.0), "px", 1.0, "px", 2.0)
    rows = [
        overlap_of(mask, np.roll(mask, k % 3, axis=0), scale, case=name, patient=group, structure=OUTLINE)
        for k, (name, group) in enumerate(zip(given.names, given.groups, strict=True))
    ]
    picture = np.random.default_rng(0).random((1, 16, 16))
    found = evaluate_model(
        given,
        outlines=Outlines(tuple(rows), scale, lambda *_: (picture, mask[None], mask[None], (1.0, 1.0))),
        guarded=Guarded(np.arange(40) == 3, (Foreign("foreign & strange", 10, Interval(0.9, 0.6, 0.98)),)),
        n_resamples=50,
    )
    page = write_model_evaluation(found, ABOUT, tmp_path / "new").read_text()
    record = json.loads((tmp_path / "new/evaluation.json").read_text())
    jsonschema.Draft202012Validator(command_schema("evaluate")).validate(record)
    assert record["classes"]["figures"]["accuracy"]["overall"]["value"] == pytest.approx(0.8)
    assert record["guard"]["n_refused"] == 1
    assert record["guard"]["foreign"][0]["refused"]["ci95"] == [0.6, 0.98]
    without = record["guard"]["figures_without_refused"]["accuracy"]["overall"]["value"]
    assert without == pytest.approx(31 / 39)
    assert record["masks"]["structures"]["outline"]["n_cases"] == 40
    assert record["labels"]["one"]["threshold"] == 0.5
    assert "Test &lt;model&gt;" in page
    assert "foreign &amp; strange" in page
    assert "95 % interval 0.800 to 0.800" in page
    assert page.count("data:image/png;base64,") == 4
    assert "Research use only. Not a medical device." in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_class_that_does_not_occur_is_told_as_null(tmp_path):
    found = evaluate_model(predictions(labels=np.zeros(40, dtype=int)), n_resamples=20)
    page = write_model_evaluation(found, ABOUT, tmp_path).read_text()
    record = json.loads((tmp_path / "evaluation.json").read_text())
    assert record["classes"]["figures"]["auroc"]["overall"]["value"] is None
    assert "0 positive and 40 negative cases; 10 of each are needed" in page


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="do not fit"):
        predictions(names=("one",))
    with pytest.raises(UsageError, match=r"must have shape \(40, 2\)"):
        predictions(probabilities=np.zeros((40, 3)))
