import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.metrics import (
    auroc,
    brier,
    calibration_bins,
    calibration_error_if_perfect,
    cluster_bootstrap,
    dice,
    expected_calibration_error,
    roc_curve,
    sensitivity,
    specificity,
)


def test_auroc_by_hand():
    # Pairs (positive, negative): (0.8, 0.4) won, (0.8, 0.6) won, (0.6, 0.4) won, (0.6, 0.6) tied: 3.5 of 4.
    assert auroc(np.array([1, 1, 0, 0]), np.array([0.8, 0.6, 0.4, 0.6])) == pytest.approx(3.5 / 4)


def test_auroc_of_one_class_is_undefined():
    assert np.isnan(auroc(np.ones(3, dtype=bool), np.arange(3)))


@pytest.fixture(scope="module")
def ranking():
    return pytest.importorskip("sklearn.metrics")


@pytest.mark.peer
@given(pairs=st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=4, max_size=40))
def test_auroc_and_curve_agree_with_scikit_learn(ranking, pairs):
    truth, score = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]) / 10
    if truth.all() or not truth.any():
        return
    assert auroc(truth, score) == pytest.approx(ranking.roc_auc_score(truth, score))
    false_alarms, hits, _ = roc_curve(truth, score)
    assert np.trapezoid(hits, false_alarms) == pytest.approx(ranking.roc_auc_score(truth, score))
    assert brier(truth, score) == pytest.approx(ranking.brier_score_loss(truth, score))


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=30))
def test_auroc_turns_round_with_the_score(pairs):
    truth, score = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    if truth.any() and not truth.all():
        assert auroc(truth, score) + auroc(truth, -score) == pytest.approx(1)


def test_dice_by_hand_and_its_policy_on_empty_masks():
    one, two, none = np.array([1, 1, 0, 0]), np.array([0, 1, 1, 0]), np.zeros(4)
    assert dice(one, two) == pytest.approx(2 * 1 / 4)
    assert np.isnan(dice(none, none))
    assert dice(one, none) == 0
    assert dice(none, one) == 0


def test_brier_by_hand():
    assert brier(np.array([1, 0]), np.array([0.8, 0.4])) == pytest.approx((0.04 + 0.16) / 2)


def test_calibration_error_by_hand():
    # Bin 0.9: two cases stated 0.95, one true: |0.95 - 0.5|; bin 0.2: two stated 0.25, none true.
    truth, stated = np.array([1, 0, 0, 0]), np.array([0.95, 0.95, 0.25, 0.25])
    assert expected_calibration_error(truth, stated) == pytest.approx(0.5 * 0.45 + 0.5 * 0.25)
    assert [b.n_cases for b in calibration_bins(truth, stated)] == [2, 2]


def test_chance_alone_gives_a_perfect_model_an_error_that_falls_with_cases():
    # n cases stated 0.5: the error is |k / n - 0.5|, of mean sqrt(1 / (2 pi n)), median 0.6745 / (2 sqrt n).
    for n in (100, 10_000):
        found = calibration_error_if_perfect(np.full(n, 0.5), rng=np.random.default_rng(0))
        assert found.value == pytest.approx(0.6745 / (2 * n**0.5), rel=0.2)
        assert found.low < found.value < found.high
    sure = calibration_error_if_perfect(np.ones(50), rng=np.random.default_rng(0))
    assert (sure.low, sure.value, sure.high) == (0, 0, 0)


def test_a_probability_of_one_lies_in_the_last_bin():
    (only,) = calibration_bins(np.array([1]), np.array([1.0]))
    assert (only.stated, only.observed, only.n_cases) == (1.0, 1.0, 1)


def test_sensitivity_and_specificity_by_hand():
    truth, called = np.array([1, 1, 1, 0, 0]), np.array([1, 1, 0, 0, 1])
    assert sensitivity(truth, called) == pytest.approx(2 / 3)
    assert specificity(truth, called) == pytest.approx(1 / 2)


def test_groups_widen_the_interval():
    values = np.repeat(np.random.default_rng(0).normal(size=10), 20)
    clustered = cluster_bootstrap(
        lambda i: values[i].mean(), np.repeat(np.arange(10), 20), rng=np.random.default_rng(1)
    )
    single = cluster_bootstrap(lambda i: values[i].mean(), np.arange(200), rng=np.random.default_rng(1))
    assert clustered.value == pytest.approx(single.value) == pytest.approx(values.mean())
    assert clustered.high - clustered.low > 2 * (single.high - single.low)


def test_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(60):
        values = np.repeat(rng.normal(size=30), 3)
        found = cluster_bootstrap(
            lambda i, v=values: v[i].mean(), np.repeat(np.arange(30), 3), rng=rng, n_resamples=200
        )
        hits += found.low <= 0 <= found.high
    assert 48 <= hits <= 60


def test_resamples_without_a_class_are_counted():
    truth = np.array([1, 0, 0])
    found = cluster_bootstrap(lambda i: auroc(truth[i], truth[i]), range(3), rng=np.random.default_rng(0))
    assert found.n_undefined > 0
    assert found.value == 1
    assert found.to_json()["n_undefined"] == found.n_undefined
