"""Figures of decisions and of probabilities: by hand, by published examples, and beside scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    DecisionCounts,
    average_precision,
    calibration_line,
    count_decisions,
    holm,
    net_benefit,
)

# Altman and Bland 1994, BMJ 308:1552: liver scan and pathology, 231 of 258 abnormal and 54 of 86 normal found.
LIVER = DecisionCounts(true_positive=231, false_positive=32, true_negative=54, false_negative=27)


def test_published_table_of_liver_scans():
    assert LIVER.sensitivity.value == pytest.approx(0.895, abs=5e-4)
    assert LIVER.specificity.value == pytest.approx(0.628, abs=5e-4)
    assert LIVER.ppv.value == pytest.approx(231 / 263)
    assert LIVER.npv.value == pytest.approx(54 / 81)
    assert LIVER.accuracy.value == pytest.approx(285 / 344)


def test_likelihood_ratios_by_hand():
    """(231/258) / (32/86) = 2.406; its logarithm has the error sqrt(1/231 - 1/258 + 1/32 - 1/86) = 0.1418."""
    ratio = LIVER.likelihood_ratio_positive
    assert ratio.value == pytest.approx(2.4062, abs=1e-4)
    error = math.sqrt(1 / 231 - 1 / 258 + 1 / 32 - 1 / 86)
    assert ratio.low == pytest.approx(2.4062 * math.exp(-1.959964 * error), abs=1e-3)
    assert LIVER.likelihood_ratio_negative.value == pytest.approx((27 / 258) / (54 / 86))


def test_youden_and_balanced_accuracy_have_the_published_interval_of_a_difference():
    """Newcombe 1998, Stat Med 17:873, table II: 56 of 70 less 48 of 80, method 10: 0.0524 to 0.3339."""
    found = DecisionCounts(true_positive=56, false_positive=48, true_negative=32, false_negative=14)
    assert found.youden.value == pytest.approx(0.2)
    assert (found.youden.low, found.youden.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert found.balanced_accuracy.value == pytest.approx((0.8 + 0.4) / 2)
    assert found.balanced_accuracy.high == pytest.approx(1.3339 / 2, abs=5e-5)


def test_predictive_values_elsewhere_follow_bayes_and_the_formula_of_logits():
    found_ppv, found_npv = LIVER.at_prevalence(0.25)
    assert found_ppv.value == pytest.approx(231 / 258 * 0.25 / (231 / 258 * 0.25 + 32 / 86 * 0.75))
    assert found_npv.value == pytest.approx(54 / 86 * 0.75 / (54 / 86 * 0.75 + 27 / 258 * 0.25))
    error = math.sqrt(231 / 258 / (27 / 258) / 258 + 32 / 86 / (54 / 86) / 86)
    logit = math.log(54 / 86 * 0.75 / (27 / 258 * 0.25))
    assert found_npv.low == pytest.approx(1 / (1 + math.exp(-(logit - 1.959964 * error))))
    assert found_npv.low < found_npv.value < found_npv.high
    assert LIVER.at_prevalence(258 / 344)[0].value == pytest.approx(LIVER.ppv.value)
    with pytest.raises(RefusedInput, match="prevalence is 25"):
        LIVER.at_prevalence(25)


def test_predictive_values_elsewhere_cover_as_often_as_they_say():
    """Sensitivity and specificity 0.8: at a prevalence of 0.1 the PPV is 4 / 13 and the NPV 36 / 37."""
    rng, truth, covered = np.random.default_rng(1), np.arange(200) < 80, np.zeros(2)
    for _ in range(400):
        called = rng.random(200) < np.where(truth, 0.8, 0.2)
        found = count_decisions(truth, called).at_prevalence(0.1)
        covered += [own.low <= true <= own.high for own, true in zip(found, (4 / 13, 36 / 37), strict=True)]
    assert (np.abs(covered / 400 - 0.95) < 0.03).all()


def test_what_has_no_denominator_is_undefined():
    nobody_called = DecisionCounts(0, 0, 5, 5)
    assert math.isnan(nobody_called.ppv.value)
    assert math.isnan(nobody_called.mcc)
    assert math.isnan(nobody_called.likelihood_ratio_positive.value)
    assert nobody_called.f1 == 0.0
    assert math.isnan(DecisionCounts(0, 1, 1, 0).youden.value)
    assert math.isnan(DecisionCounts(0, 0, 0, 0).kappa)
    with pytest.raises(RefusedInput, match="negative count"):
        DecisionCounts(-1, 0, 0, 0)


@pytest.fixture(scope="module")
def peer():
    return pytest.importorskip("sklearn.metrics")


PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


@pytest.mark.peer
@given(PAIRS)
def test_figures_agree_with_scikit_learn(peer, pairs):
    truth, called = (np.array(values) for values in zip(*pairs, strict=True))
    counts = count_decisions(truth, called)
    if (truth | called).any():
        assert counts.f1 == pytest.approx(peer.f1_score(truth, called))
    if 0 < truth.sum() < truth.size and 0 < called.sum() < called.size:
        assert counts.mcc == pytest.approx(peer.matthews_corrcoef(truth, called))
        assert counts.kappa == pytest.approx(peer.cohen_kappa_score(truth, called))


@pytest.mark.peer
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=1, max_size=40))
def test_average_precision_agrees_with_scikit_learn(peer, pairs):
    truth, score = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    if truth.any():
        assert average_precision(truth, score) == pytest.approx(peer.average_precision_score(truth, score))


def drawn(slope, intercept, n=40_000):
    """Cases whose true logit is `intercept + slope * stated logit`."""
    rng = np.random.default_rng(7)
    logit = rng.normal(-1.0, 1.5, n)
    chance = 1 / (1 + np.exp(-(intercept + slope * logit)))
    return rng.random(n) < chance, 1 / (1 + np.exp(-logit))


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.3), (1.4, -0.2)])
def test_calibration_line_finds_what_was_planted(slope, intercept):
    line = calibration_line(*drawn(slope, intercept))
    assert line.slope.low < slope < line.slope.high
    assert line.intercept.low < intercept < line.intercept.high
    assert line.slope.high - line.slope.low < 0.1
    if slope == 1.0:
        assert line.in_the_large.value == pytest.approx(0.0, abs=0.04)


def test_calibration_in_the_large_equates_what_is_stated_and_what_happened():
    truth, stated = drawn(1.0, 0.8)
    shift = calibration_line(truth, stated).in_the_large.value
    moved = 1 / (1 + np.exp(-(np.log(stated / (1 - stated)) + shift)))
    assert moved.mean() == pytest.approx(truth.mean(), abs=1e-8)


@pytest.mark.parametrize(
    ("truth", "stated", "says"),
    [
        ([1, 1], [0.2, 0.3], "positive and negative"),
        ([0, 1], [0.5, 0.5], "all probabilities are equal"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "without overlap"),
    ],
)
def test_calibration_line_that_cannot_be_fitted_is_refused(truth, stated, says):
    with pytest.raises(RefusedInput, match=says):
        calibration_line(np.array(truth), np.array(stated))


def test_net_benefit_by_hand():
    """At 0.2: 2 hits and 1 alarm of 5, so 2/5 - 1/5 * 0.25 = 0.35; on everybody 2/5 - 3/5 * 0.25 = 0.25."""
    truth, stated = np.array([1, 1, 0, 0, 0]), np.array([0.9, 0.2, 0.6, 0.1, 0.05])
    model, everybody = net_benefit(truth, stated, np.array([0.2]))
    assert model[0] == pytest.approx(0.35)
    assert everybody[0] == pytest.approx(0.25)
    with pytest.raises(RefusedInput, match="between 0 and 1"):
        net_benefit(truth, stated, np.array([1.0]))


def test_a_right_probability_is_never_worse_than_acting_on_all_or_none():
    truth, stated = drawn(1.0, 0.0)
    model, everybody = net_benefit(truth, stated, np.linspace(0.05, 0.95, 19))
    assert (model >= np.maximum(everybody, 0) - 0.003).all()


def test_holm_by_hand_and_in_any_order():
    """0.01 * 4, 0.02 * 3 = 0.06, 0.03 * 2 = 0.06, and 0.4; an undefined test is left out."""
    found = holm(np.array([0.4, 0.01, np.nan, 0.03, 0.02]))
    np.testing.assert_allclose(found, [0.4, 0.04, np.nan, 0.06, 0.06])
    with pytest.raises(RefusedInput, match="between 0 and 1"):
        holm(np.array([1.2]))


def test_films_of_one_patient_widen_the_calibration_line():
    truth, stated = drawn(1.0, 0.0, n=1000)
    alone = calibration_line(truth, stated).slope
    copied = calibration_line(np.repeat(truth, 4), np.repeat(stated, 4)).slope
    grouped = calibration_line(
        np.repeat(truth, 4), np.repeat(stated, 4), groups=np.repeat(np.arange(1000), 4)
    ).slope
    assert copied.high - copied.low == pytest.approx((alone.high - alone.low) / 2, rel=0.01)
    assert grouped.high - grouped.low == pytest.approx(alone.high - alone.low, rel=0.01)
