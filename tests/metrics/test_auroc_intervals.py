"""Areas with intervals and tests: published figures, brute force, real predictions, and the resampling of patients."""

from __future__ import annotations

import csv
import gzip
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    auroc,
    auroc_resamples,
    average_precision,
    cluster_bootstrap,
    delong,
    percentile_interval,
    placements,
    sort_score,
)


@pytest.fixture(scope="module")
def asah(real_data):
    """The table of pROC: outcome, and three scores of which higher means worse."""
    folder = real_data / "statistics_references"
    with (folder / "asah.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    published = json.loads((folder / "references.json").read_text("utf-8"))["delong_asah"]
    truth = np.array([row["outcome"] == "Poor" for row in rows])
    scores = {name: np.array([float(row[name]) for row in rows]) for name in ("wfns", "s100b", "ndka")}
    return truth, scores, np.array([row["gender"] == "Female" for row in rows]), published


@pytest.mark.real_data
def test_areas_and_covariances_are_those_of_proc(asah):
    truth, scores, _, published = asah
    names = list(scores)
    found = delong(truth, np.stack([scores[name] for name in names]))
    for index, name in enumerate(names):
        assert found.auroc[index] == pytest.approx(published["auc"][name], abs=1e-12)
        assert found.covariance[index, index] == pytest.approx(published["variance"][name], abs=1e-12)
    for pair, covariance in published["covariance"].items():
        one, two = (names.index(name) for name in pair.split(","))
        assert found.covariance[one, two] == pytest.approx(covariance, abs=1e-12)
    interval = found.interval(names.index("ndka"))
    assert (interval.low, interval.high) == pytest.approx(published["ci95_ndka"], abs=1e-9)


@pytest.mark.real_data
def test_paired_and_unpaired_tests_are_those_of_proc(asah):
    truth, scores, _, published = asah
    for pair, expected in published["paired"].items():
        one, two = pair.split("-")
        found = delong(truth, np.stack([scores[one], scores[two]])).paired()
        assert found.statistic == pytest.approx(expected["z"], abs=1e-9)
        assert found.p == pytest.approx(expected["p"], abs=1e-9)
        assert (found.difference.low, found.difference.high) == pytest.approx(expected["ci"], abs=1e-9)
    for pair, expected in published["unpaired"].items():
        one, two = (delong(truth, scores[name]) for name in pair.split(","))
        found = one.unpaired(two)
        assert found.statistic == pytest.approx(expected["D"], abs=1e-9)
        assert found.p == pytest.approx(expected["p"], abs=1e-6)


@pytest.mark.real_data
def test_women_alone(asah):
    truth, scores, is_female, published = asah
    found = delong(truth[is_female], scores["ndka"][is_female]).interval()
    assert found.value == pytest.approx(published["auc_ndka_female"], abs=1e-9)
    assert (found.low, found.high) == pytest.approx(published["ci95_ndka_female"], abs=1e-9)


CASES = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 6)), min_size=8, max_size=30)


@given(CASES)
def test_placements_are_those_of_counting_pairs(cases):
    truth = np.array([case[0] for case in cases])
    scores = np.array([case[1:] for case in cases], dtype=float).T
    if min(truth.sum(), (~truth).sum()) < 2:
        return
    of_positives, of_negatives = placements(truth, scores)
    wins = scores[:, truth, None] - scores[:, None, ~truth]
    kernel = (wins > 0) + 0.5 * (wins == 0)
    np.testing.assert_allclose(of_positives, kernel.mean(axis=2))
    np.testing.assert_allclose(of_negatives, kernel.mean(axis=1))
    assert delong(truth, scores).auroc == pytest.approx([auroc(truth, score) for score in scores])


def test_equal_scores_do_not_differ_and_one_case_is_no_variance():
    truth, score = np.array([0, 0, 1, 1, 0, 1]), np.array([0.1, 0.4, 0.3, 0.8, 0.2, 0.9])
    same = delong(truth, np.stack([score, 2 * score])).paired()
    assert (same.difference.value, same.p) == (0.0, 1.0)
    with pytest.raises(RefusedInput, match="1 positive and 3 negative"):
        delong(np.array([1, 0, 0, 0]), np.arange(4))


def test_interval_covers_the_truth_as_often_as_it_says():
    """Normal scores one standard deviation apart have the area 0.7602; 400 samples of 60 and 40."""
    rng = np.random.default_rng(5)
    truth = np.arange(100) < 40
    covered = 0
    for _ in range(400):
        found = delong(truth, rng.standard_normal(100) + truth).interval()
        covered += found.low <= 0.760250 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_resamples_are_areas_of_the_cases_drawn():
    rng = np.random.default_rng(2)
    truths, scores = rng.random((2, 60)) < 0.4, rng.integers(0, 9, (2, 60)) / 8
    scores[1] = rng.random(60)  # one with ties, one without
    patients = rng.integers(0, 20, 60)
    found = auroc_resamples(truths, scores, patients, rng=np.random.default_rng(3), n_resamples=40)
    rng, names = np.random.default_rng(3), np.unique(patients)
    for areas in found:
        drawn = names[rng.integers(0, len(names), len(names))]
        cases = np.concatenate([np.flatnonzero(patients == patient) for patient in drawn])
        expected = [auroc(truth[cases], score[cases]) for truth, score in zip(truths, scores, strict=True)]
        np.testing.assert_allclose(areas, expected)


def test_resample_without_a_class_is_undefined_and_counted():
    truth, score = np.array([True, False, False]), np.array([0.9, 0.1, 0.2])
    found = auroc_resamples([truth], [score], [1, 2, 3], rng=np.random.default_rng(1), n_resamples=200)[:, 0]
    interval = percentile_interval(1.0, found)
    assert interval.n_undefined == np.isnan(found).sum() > 0
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_patients_are_resampled_as_the_plain_way_does():
    rng = np.random.default_rng(8)
    patients = np.repeat(np.arange(60), 5)
    severity = np.repeat(rng.standard_normal(60), 5)
    truth = severity + rng.standard_normal(300) > 0.3
    score = severity + rng.standard_normal(300)
    plain = cluster_bootstrap(
        lambda i: auroc(truth[i], score[i]), patients, rng=np.random.default_rng(1), n_resamples=600
    )
    quick = percentile_interval(
        auroc(truth, score),
        auroc_resamples([truth], [score], patients, rng=np.random.default_rng(2), n_resamples=600)[:, 0],
    )
    assert (quick.low, quick.high) == pytest.approx((plain.low, plain.high), abs=0.02)
    independent = delong(truth, score).interval()
    assert quick.high - quick.low > 1.2 * (independent.high - independent.low)


@pytest.fixture(scope="module")
def films(real_data):
    """Truth and the four networks' scores by label, and the patients."""
    folder = real_data / "chexnet_predictions"
    with gzip.open(folder / "predictions.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with gzip.open(folder / "predictions_models_bcd.csv.gz", "rt", encoding="utf-8") as file:
        others = list(csv.DictReader(file))
    labels = [name for name in rows[0] if f"prob_{name}" in rows[0]]
    assert len(labels) == 14
    truths = {name: np.array([row[name] in {"1", "1.0"} for row in rows]) for name in labels}
    scores = {
        name: np.array(
            [
                [float(row[f"prob_{name}"]) for row in rows],
                *([float(row[f"{model}_{name}"]) for row in others] for model in "BCD"),
            ]
        )
        for name in labels
    }
    return truths, scores, np.array([row["patient_id"] for row in rows])


@pytest.mark.real_data
def test_real_films_give_the_tables_beside_them_and_scikit_learn(films, real_data):
    from sklearn.metrics import average_precision_score, roc_auc_score

    truths, scores, _ = films
    with (real_data / "chexnet_predictions/delong_shared.csv").open(encoding="utf-8") as file:
        table = {row["label"]: row for row in csv.DictReader(file)}
    for name, truth in truths.items():
        found = delong(truth, scores[name])
        assert found.auroc[0] == pytest.approx(roc_auc_score(truth, scores[name][0]), abs=1e-12)
        assert average_precision(truth, scores[name][0]) == pytest.approx(
            average_precision_score(truth, scores[name][0]), abs=1e-12
        )
        row = table[name]
        stated = [float(row[f"auc_{model}"]) for model in "ABCD"]
        assert list(found.auroc) == pytest.approx(stated, abs=1e-8)
        for other, model in enumerate("BCD", 1):
            assert found.paired(0, other).p == pytest.approx(float(row[f"p_A_vs_{model}"]), rel=1e-6)


@pytest.mark.real_data
def test_patients_make_the_interval_wider_than_films(films):
    """The README beside the data states 0.0039 by DeLong and 0.0053 by patients, for effusion."""
    truths, scores, patients = films
    by_film = float(np.sqrt(delong(truths["Effusion"], scores["Effusion"][0]).covariance[0, 0]))
    resamples = auroc_resamples(
        [truths["Effusion"]], scores["Effusion"][:1], patients, rng=np.random.default_rng(1), n_resamples=500
    )
    assert by_film == pytest.approx(0.0039, abs=0.0001)
    assert resamples.std() == pytest.approx(0.0053, abs=0.0005)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=30))
def test_weighted_figures_are_those_of_repeated_cases(cases):
    truth, score, times = (np.array(values) for values in zip(*cases, strict=True))
    repeated = np.repeat(np.arange(truth.size), times)
    if not truth[repeated].any() or truth[repeated].all():
        return
    for values in (score, score + np.arange(truth.size) / 100):  # with ties and without
        made = sort_score(truth, values)
        assert made.auroc(times.astype(float)) == pytest.approx(auroc(truth[repeated], values[repeated]))
        assert made.average_precision(times.astype(float)) == pytest.approx(
            average_precision(truth[repeated], values[repeated])
        )
