"""Decisions and probabilities of several classes and labels: by hand and beside scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    brier,
    brier_parts,
    brier_several,
    calibration_error,
    classwise_calibration_error,
    confusion_matrix,
    expected_calibration_error,
    hand_till_auroc,
    label_decisions,
    log_loss,
    one_vs_rest_auroc,
    top_k_accuracy,
    top_label_calibration_error,
)


@pytest.fixture(scope="module")
def peer():
    return pytest.importorskip("sklearn.metrics")


@pytest.fixture(scope="module")
def cases():
    """Four classes of different frequency, probabilities with ties, decisions."""
    rng = np.random.default_rng(3)
    truth = rng.choice(4, 300, p=[0.5, 0.3, 0.15, 0.05])
    stated = rng.dirichlet(np.ones(4), 300) + 0.8 * np.eye(4)[truth] * rng.random((300, 1))
    stated = np.round(stated / stated.sum(axis=1, keepdims=True), 2)
    stated[:, 0] += 1 - stated.sum(axis=1)
    return truth, np.clip(stated, 0, 1)


@pytest.mark.peer
@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
def test_areas_of_several_classes_agree_with_scikit_learn(peer, cases, average):
    truth, stated = cases
    expected = peer.roc_auc_score(truth, stated, multi_class="ovr", average=average)
    assert one_vs_rest_auroc(truth, stated, average=average) == pytest.approx(expected, abs=1e-12)


@pytest.mark.peer
def test_pairwise_area_log_loss_and_top_classes_agree_with_scikit_learn(peer, cases):
    truth, stated = cases
    expected = peer.roc_auc_score(truth, stated, multi_class="ovo", average="macro")
    assert hand_till_auroc(truth, stated) == pytest.approx(expected, abs=1e-12)
    safe = np.clip(stated, 1e-3, 1)
    safe /= safe.sum(axis=1, keepdims=True)
    assert log_loss(truth, safe) == pytest.approx(peer.log_loss(truth, safe), abs=1e-12)
    untied = stated + np.arange(4) * 1e-9
    for k in (1, 2, 3):
        expected = peer.top_k_accuracy_score(truth, untied, k=k)
        assert top_k_accuracy(truth, untied, k=k).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.peer
@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
def test_averages_over_classes_agree_with_scikit_learn(peer, cases, average):
    truth, stated = cases
    called = stated.argmax(axis=1)
    found = confusion_matrix(truth, called, n_classes=4)
    np.testing.assert_array_equal(found.counts, peer.confusion_matrix(truth, called))
    for figure, theirs in (
        (lambda own: own.f1, peer.f1_score),
        (lambda own: own.sensitivity.value, peer.recall_score),
        (lambda own: own.ppv.value, peer.precision_score),
    ):
        assert found.average(figure, average) == pytest.approx(theirs(truth, called, average=average))
    assert found.mcc == pytest.approx(peer.matthews_corrcoef(truth, called))
    assert found.balanced_accuracy == pytest.approx(peer.balanced_accuracy_score(truth, called))
    assert found.accuracy.value == pytest.approx(peer.accuracy_score(truth, called))


@pytest.mark.peer
def test_labels_agree_with_scikit_learn(peer):
    rng = np.random.default_rng(5)
    truth, called = rng.random((80, 5)) < 0.4, rng.random((80, 5)) < 0.5
    found = label_decisions(truth, called)
    assert found.exact_match.value == pytest.approx(peer.accuracy_score(truth, called))
    assert found.hamming == pytest.approx(peer.hamming_loss(truth, called))
    for average in ("macro", "micro", "weighted"):
        expected = peer.f1_score(truth, called, average=average)
        assert found.average(lambda own: own.f1, average) == pytest.approx(expected)


def test_two_classes_give_the_figures_of_one():
    rng = np.random.default_rng(1)
    p = rng.random(60)
    truth = (rng.random(60) < p).astype(int)
    both = np.stack([1 - p, p], axis=1)
    assert brier_several(truth, both) == pytest.approx(2 * brier(truth, p))
    assert hand_till_auroc(truth, both) == pytest.approx(one_vs_rest_auroc(truth, both))
    right = (p > 0.5) == truth
    assert top_label_calibration_error(truth, both) == pytest.approx(
        expected_calibration_error(right, np.maximum(p, 1 - p))
    )


def test_class_without_cases_is_undefined_and_not_dropped():
    truth, stated = np.array([0, 1, 0]), np.array([[0.6, 0.4, 0.0], [0.2, 0.8, 0.0], [0.7, 0.3, 0.0]])
    assert math.isnan(one_vs_rest_auroc(truth, stated))
    assert math.isnan(hand_till_auroc(truth, stated))
    assert one_vs_rest_auroc(truth, stated, average="weighted") == 1.0
    assert math.isnan(confusion_matrix(truth, truth, n_classes=3).balanced_accuracy)
    assert math.isnan(confusion_matrix(np.zeros(3, int), np.zeros(3, int), n_classes=2).mcc)


def test_ties_do_not_help_the_model_among_the_likeliest():
    assert top_k_accuracy(np.array([0, 1]), np.full((2, 2), 0.5), k=1).value == 0.0
    assert top_k_accuracy(np.array([0, 1]), np.full((2, 2), 0.5), k=2).value == 1.0


@pytest.mark.parametrize(
    ("truth", "stated", "says"),
    [
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], "whole numbers of 0 to 1"),
        ([0.0, 1.0], [[0.5, 0.5], [0.5, 0.5]], "whole numbers"),
        ([0, 1], [[0.5, 0.4], [0.5, 0.5]], "sum to 1"),
        ([0, 1], [0.5, 0.5], "are needed"),
    ],
)
def test_what_are_no_probabilities_of_classes_is_refused(truth, stated, says):
    with pytest.raises(RefusedInput, match=says):
        log_loss(np.array(truth), np.array(stated))


def test_what_is_no_class_is_refused():
    with pytest.raises(RefusedInput, match="classes are 0 to 1"):
        confusion_matrix(np.array([0, 2]), np.array([0, 1]), n_classes=2)
    with pytest.raises(RefusedInput, match=r"\(cases, labels\)"):
        label_decisions(np.array([True]), np.array([True]))
    with pytest.raises(RefusedInput, match="no average"):
        confusion_matrix(np.array([0]), np.array([0]), n_classes=2).average(lambda own: own.f1, "mean")


def test_calibration_error_by_hand():
    """Two bins: (0.2, 0.4 -> 0, 1) lies 0.2 off, (0.7, 0.9 -> 1, 1) too; squared less 0.25 / 1 / 2."""
    found = calibration_error(np.array([0, 1, 1, 1]), np.array([0.2, 0.4, 0.7, 0.9]), n_bins=2)
    assert (found.n_bins, found.mean, found.largest) == (2, pytest.approx(0.2), pytest.approx(0.2))
    assert found.squared == pytest.approx(0.04)
    assert found.squared_debiased == pytest.approx(0.04 - 0.125)


@pytest.mark.peer
def test_bins_of_equal_count_are_those_of_scikit_learn():
    curve = pytest.importorskip("sklearn.calibration").calibration_curve
    rng = np.random.default_rng(2)
    p = rng.random(200)
    truth = rng.random(200) < p**2
    observed, stated = curve(truth, p, n_bins=10, strategy="quantile")
    found = calibration_error(truth, p, bins="count")
    assert found.n_bins == 10
    assert found.mean == pytest.approx(np.abs(observed - stated).mean(), abs=1e-12)
    assert calibration_error(truth, p).mean == pytest.approx(expected_calibration_error(truth, p))


def test_debiased_error_of_a_perfect_model_is_zero_on_average_and_the_plain_one_is_not():
    rng = np.random.default_rng(4)
    found = []
    for _ in range(300):
        p = rng.integers(0, 11, 300) / 10  # one probability a bin: no error within bins
        found.append(calibration_error(rng.random(300) < p, p, n_bins=10, bins="count"))
    debiased = np.array([own.squared_debiased for own in found])
    assert abs(debiased.mean()) < 3 * debiased.std() / math.sqrt(len(debiased))
    assert np.mean([own.squared for own in found]) > 0.003


def test_planted_error_is_found_by_both_bins():
    rng = np.random.default_rng(6)
    p = rng.uniform(0.1, 0.9, 20000)
    truth = rng.random(20000) < p + 0.1
    for bins in ("width", "count"):
        assert calibration_error(truth, p, bins=bins).squared_debiased == pytest.approx(0.01, abs=0.002)


@pytest.mark.peer
@pytest.mark.parametrize("n_bins", [None, 5])
def test_parts_of_the_brier_score_add_up(n_bins):
    rng = np.random.default_rng(7)
    p = np.round(rng.random(150), 2)
    truth = rng.random(150) < p**1.5
    found = brier_parts(truth, p, n_bins=n_bins)
    assert found.score == pytest.approx(brier(truth, p))
    assert found.calibration + found.refinement == pytest.approx(found.score)
    assert found.uncertainty - found.discrimination == pytest.approx(found.refinement)
    assert found.skill == pytest.approx(1 - found.score / (truth.mean() * (1 - truth.mean())))
    if n_bins is None:
        model = pytest.importorskip("sklearn.isotonic").IsotonicRegression()
        assert found.refinement == pytest.approx(((model.fit_transform(p, truth) - truth) ** 2).mean())


def test_skill_without_a_class_is_undefined():
    assert math.isnan(brier_parts(np.ones(4), np.full(4, 0.8)).skill)
    assert brier_parts(np.array([0, 1]), np.full(2, 0.5)).skill == 0.0
    with pytest.raises(RefusedInput, match="0 to 1 is needed"):
        brier_parts(np.array([0, 1]), np.array([20, 80]))


def test_mean_over_classes_of_the_calibration_error():
    rng = np.random.default_rng(8)
    stated = rng.dirichlet(np.ones(3), 100)
    truth = rng.integers(0, 3, 100)
    own = [expected_calibration_error(truth == k, stated[:, k]) for k in range(3)]
    assert classwise_calibration_error(truth, stated) == pytest.approx(np.mean(own))
