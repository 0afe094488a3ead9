"""Thresholds chosen on tuning data: the rule, the file, and that the same patients are refused."""

from __future__ import annotations

import csv
import json
from hashlib import sha256

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cli.test_command import hu

from hounsfield.cli.schemas import command_schema
from hounsfield.core.errors import RefusedInput, StudyError, UsageError
from hounsfield.evaluation import (
    PredictionTable,
    ThresholdRule,
    Use,
    choose_thresholds,
    evaluate_table,
    read_thresholds,
)
from hounsfield.metrics import predictive_values


def table_of(truth, probability):
    truth, names = np.array([truth], dtype=bool), np.array([f"c{k}" for k in range(len(truth))])
    return PredictionTable(
        names, names, True, ("nodule",), truth, np.ones_like(truth), np.array([probability])
    )


# Twenty positives at 0.05, 0.10 ... 1.00, twenty negatives 0.025 below each.
STEPS = [0.05 * k for k in range(1, 21)]
LADDER = table_of([True] * 20 + [False] * 20, STEPS + [step - 0.025 for step in STEPS])


@pytest.mark.parametrize(
    ("rule", "threshold", "found", "cleared"),
    [
        (ThresholdRule("sensitivity", 0.95), 0.10, 0.95, 0.10),
        (ThresholdRule("sensitivity", 1.0), 0.05, 1.0, 0.05),
        (ThresholdRule("specificity", 0.9), 0.90, 0.15, 0.9),
        (ThresholdRule("youden"), 1.00, 0.05, 1.0),
    ],
)
def test_thresholds_by_hand(rule, threshold, found, cleared):
    chosen, withheld = choose_thresholds(LADDER, rule)
    one = chosen["nodule"]
    assert one.threshold == pytest.approx(threshold)
    assert one.counts.sensitivity.value == pytest.approx(found)
    assert one.counts.specificity.value == pytest.approx(cleared)
    assert withheld == {}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.95, 1.0]), st.booleans())
def test_threshold_reaches_its_share_and_the_next_one_does_not(seed, share, coarse):
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(60) < 25)
    said = np.clip(rng.normal(0.4 + 0.2 * truth, 0.2), 0, 1)
    own = table_of(truth, np.round(said, 1) if coarse else said)
    values = np.unique(own.probability)
    chosen, _ = choose_thresholds(own, ThresholdRule("sensitivity", share))
    at = chosen["nodule"].threshold
    assert chosen["nodule"].counts.sensitivity.value >= share - 1e-12
    for higher in values[values > at]:
        assert (own.probability[0][truth] >= higher).mean() < share
    chosen, withheld = choose_thresholds(own, ThresholdRule("specificity", share))
    if withheld:
        assert (own.probability[0][~truth] < values[-1]).mean() < share
        return
    at = chosen["nodule"].threshold
    assert chosen["nodule"].counts.specificity.value >= share - 1e-12
    for lower in values[values < at]:
        assert (own.probability[0][~truth] < lower).mean() < share


@pytest.mark.parametrize("share", [0.0, 1.1, None])
def test_share_that_is_none_is_refused(share):
    with pytest.raises(UsageError, match=r"--sensitivity .* is no share above 0"):
        ThresholdRule("sensitivity", share)


def test_predictive_values_in_use_follow_bayes_and_have_intervals():
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.4
    own = table_of(truth, np.clip(rng.normal(0.35 + 0.3 * truth, 0.15), 0, 1))
    figures = evaluate_table(own, uses={"nodule": Use(0.5, 0.02)}, n_resamples=200).labels[0].figures
    expected = predictive_values(
        sensitivity=figures["sensitivity"].value,
        specificity=figures["specificity"].value,
        prevalence=0.02,
    )
    assert figures["ppv_at_prevalence"].value == pytest.approx(expected.positive)
    assert figures["npv_at_prevalence"].value == pytest.approx(expected.negative)
    assert figures["ppv_at_prevalence"].value < figures["ppv"].value / 3
    for name in ("ppv_at_prevalence", "npv_at_prevalence"):
        assert figures[name].low < figures[name].value < figures[name].high


def test_prevalence_without_threshold_is_refused():
    with pytest.raises(UsageError, match=r"need a threshold, and nodule has none\. Lock one"):
        evaluate_table(LADDER, uses={"nodule": Use(None, 0.1)})


def write(folder, first, n_patients=60, *, patients=True, name=""):
    """Two films of each patient, from number `first`."""
    rng = np.random.default_rng(first)
    folder.mkdir(exist_ok=True)
    rows = [["case_id", *(["patient_id"] if patients else []), "nodule"]], [["case_id", "nodule"]]
    for film in range(2 * n_patients):
        patient = first + film // 2
        truth = int(rng.random() < 0.4)
        case = f"{name}film-{patient}-{film % 2}"
        rows[0].append([case, *([f"Doe {patient}"] if patients else []), truth])
        rows[1].append([case, round(float(np.clip(rng.normal(0.3 + 0.3 * truth, 0.2), 0, 1)), 4)])
    for file, own in zip(("l.csv", "p.csv"), rows, strict=True):
        with (folder / file).open("w", newline="", encoding="utf-8") as opened:
            csv.writer(opened).writerows(own)
    return ["evaluate", "--predictions", folder / "p.csv", "--labels", folder / "l.csv"]


@pytest.fixture
def locked(tmp_path, monkeypatch, capsys):
    """A file of thresholds from patients 0 to 59, and the words that made it."""
    words = write(tmp_path / "tune", 0)
    path = tmp_path / "thresholds.json"
    code, printed, err = hu(
        monkeypatch, capsys, *words, "--lock-thresholds", path, "--sensitivity", 0.95, "--json"
    )
    assert code == 0, err
    return path, words, json.loads(printed)


def test_file_says_what_it_came_from_and_names_nobody(locked, tmp_path):
    path, _, record = locked
    jsonschema.Draft202012Validator(command_schema("evaluate")).validate(record)
    assert record == json.loads(path.read_text("utf-8"))
    assert record["rule"] == "sensitivity of at least 0.95"
    assert record["data"]["sha256"]["p.csv"] == sha256((tmp_path / "tune/p.csv").read_bytes()).hexdigest()
    assert (record["data"]["n_cases"], record["data"]["n_patients"]) == (120, 60)
    assert len(record["data"]["patients"]) == 60
    assert "Doe" not in path.read_text("utf-8")
    assert "film-" not in path.read_text("utf-8")
    assert record["thresholds"]["nodule"]["sensitivity"]["value"] >= 0.95


def test_locked_thresholds_are_applied_to_other_patients(locked, tmp_path, monkeypatch, capsys):
    path, _, record = locked
    words = [*write(tmp_path / "test", 1000), "--out", tmp_path / "out", "--resamples", 100, "--json"]
    code, printed, err = hu(monkeypatch, capsys, *words, "--thresholds", path, "--prevalence", "nodule=0.02")
    assert code == 0, err
    found = json.loads(printed)
    jsonschema.Draft202012Validator(command_schema("evaluate")).validate(found)
    nodule = found["labels"]["nodule"]
    assert nodule["threshold"] == record["thresholds"]["nodule"]["threshold"]
    assert nodule["prevalence_of_use"] == 0.02
    assert nodule["ppv_at_prevalence"]["ci95"][0] < nodule["ppv_at_prevalence"]["value"]
    page = (tmp_path / "out/evaluation.html").read_text("utf-8")
    assert "locked on other data" in page
    assert "at a prevalence of 0.02" in page


@pytest.mark.parametrize(
    ("first", "patients", "says"),
    [
        (0, True, "on p.csv itself (equal SHA-256)"),
        (59, True, "1 of 60 patients in p.csv are among those"),
        (59, False, "2 of 120 cases in p.csv are among those"),
    ],
)
def test_same_data_and_same_patients_are_refused(
    locked, tmp_path, monkeypatch, capsys, first, patients, says
):
    path, _, _ = locked
    words = write(tmp_path / "again", first, patients=patients)
    code, _, err = hu(monkeypatch, capsys, *words, "--thresholds", path, "--out", tmp_path / "out")
    assert code == 3
    assert says in err
    assert "Judge them on other patients" in err
    assert "Doe" not in err


def test_patient_with_films_of_other_names_is_known_again(locked, tmp_path, monkeypatch, capsys):
    path, _, _ = locked
    words = write(tmp_path / "again", 59, name="other-")
    code, _, err = hu(monkeypatch, capsys, *words, "--thresholds", path, "--out", tmp_path / "out")
    assert (code, "1 of 60 patients" in err) == (3, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--lock-thresholds", "t.json"], "needs one of --sensitivity, --specificity and --youden"),
        (["--lock-thresholds", "t.json", "--youden", "--sensitivity", "0.9"], "give one of"),
        (["--lock-thresholds", "t.json", "--youden", "--threshold", "nodule=0.5"], "only chooses thresholds"),
        (["--lock-thresholds", "t.json", "--youden", "--task", "regression"], "not for --task regression"),
        (["--sensitivity", "0.9"], "name their file with --lock-thresholds"),
        (["--lock-thresholds", "t.json", "--sensitivity", "95"], "no share above 0 and up to 1"),
        (["--thresholds", "absent.json"], "no file absent.json of thresholds"),
        (["--prevalence", "nodule=0.1"], "nodule has none"),
        (["--prevalence", "nodule=2"], "--prevalence nodule=2 is not of the form LABEL=VALUE"),
    ],
)
def test_wrong_words_are_named(tmp_path, monkeypatch, capsys, words, says):
    plain = [*write(tmp_path / "x", 0), "--out", tmp_path / "out"]
    code, _, err = hu(monkeypatch, capsys, *plain, *words)
    assert (code, says in err) == (2, True), err


def test_threshold_that_is_stated_twice_or_of_another_label_is_refused(locked, tmp_path, monkeypatch, capsys):
    path, _, _ = locked
    words = [*write(tmp_path / "test", 1000), "--out", tmp_path / "out", "--thresholds"]
    code, _, err = hu(monkeypatch, capsys, *words, path, "--threshold", "nodule=0.4")
    assert (code, "nodule has a threshold by --threshold and in thresholds.json" in err) == (2, True)
    path.write_text(path.read_text("utf-8").replace('"nodule"', '"mass"'), encoding="utf-8")
    code, _, err = hu(monkeypatch, capsys, *words, path)
    assert (code, "the thresholds are of mass, the predictions of nodule" in err) == (2, True)


def test_file_that_is_none_is_refused(tmp_path):
    for number, text in enumerate(["no json", "[]", '{"form": "labels"}', '{"thresholds": {"a": 1}}']):
        path = tmp_path / f"{number}.json"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(StudyError, match="holds no thresholds as --lock-thresholds writes them"):
            read_thresholds(path)


def test_data_with_too_few_of_every_label_lock_nothing(tmp_path, monkeypatch, capsys):
    words = write(tmp_path / "few", 0, n_patients=6)
    code, _, err = hu(monkeypatch, capsys, *words, "--lock-thresholds", tmp_path / "t.json", "--youden")
    assert (code, "no threshold can be chosen (nodule:" in err) == (2, True)
    assert not (tmp_path / "t.json").exists()


def test_refusal_is_of_the_narrow_kind(locked, tmp_path):
    from hounsfield.evaluation import read_prediction_table, thresholds_for

    path, _, _ = locked
    own = read_prediction_table(tmp_path / "tune/p.csv", tmp_path / "tune/l.csv")
    with pytest.raises(RefusedInput):
        thresholds_for(own, read_thresholds(path), tmp_path / "tune/p.csv")
