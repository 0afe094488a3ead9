"""Two windows compared by exchanging patients: by hand, exact without a change, and able to find one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, ks_2samp

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    Windows,
    auroc,
    auroc_test,
    calibration_tests,
    category_test,
    delong,
    distribution_test,
    mean_test,
    observed_to_expected,
    vector_test,
)

LEVEL = 0.05


def windows_of(n_patients, n_each=1):
    patients = np.repeat(np.arange(2 * n_patients), n_each)
    return patients, Windows.of(patients, patients >= n_patients)


def test_a_patient_in_both_windows_is_refused():
    with pytest.raises(RefusedInput, match="stands in both windows"):
        Windows.of(["a", "b", "a"], [False, False, True])


def test_an_empty_window_is_refused():
    with pytest.raises(RefusedInput, match="holds no case"):
        Windows.of(["a", "b"], [False, False])


def test_four_cases_by_hand():
    # Reference 1, 2 and window 3, 4: the gap is 1 in this and in the mirrored dealing, 2 of the 6 there are.
    windows = Windows.of(list("abcd"), [False, False, True, True])
    found = distribution_test(
        np.array([1.0, 2.0, 3.0, 4.0]), windows, rng=np.random.default_rng(0), n_permutations=6000
    )
    assert found.statistic == pytest.approx(1.0 * np.sqrt(2 * 2 / 4))
    assert found.p == pytest.approx(2 / 6, abs=0.02)


def test_gap_and_p_are_those_of_scipy_for_independent_cases():
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(size=160) + np.repeat([0.0, 0.35], 80), 1)
    _, windows = windows_of(80)
    peer = ks_2samp(values[:80], values[80:])
    found = distribution_test(values, windows, rng=rng)
    assert found.statistic / np.sqrt(40) == pytest.approx(peer.statistic)
    assert found.p < 0.05
    assert ks_2samp(values[:80], values[80:], method="exact").pvalue < 0.12  # ties: scipy's p is not exact


def test_category_statistic_by_hand():
    # 3 of 4 against 1 of 4: G = 2 x (3 ln 1.5 + 1 ln 0.5) x 2.
    _, windows = windows_of(4)
    found = category_test(np.array(list("aaabbbba")), windows, rng=np.random.default_rng(0))
    assert found.statistic == pytest.approx(4 * (3 * np.log(1.5) + np.log(0.5)))


def test_a_category_that_never_occurred_is_found():
    _, windows = windows_of(60)
    values = np.array(["A"] * 60 + ["A"] * 50 + ["new"] * 10)
    assert category_test(values, windows, rng=np.random.default_rng(0)).p < 0.01


def test_area_statistic_is_delongs():
    rng = np.random.default_rng(5)
    truth = rng.random(200) < 0.4
    score = np.round(rng.normal(size=200) + truth * np.repeat([1.5, 0.4], 100), 1)
    _, windows = windows_of(100)
    found = auroc_test(truth, score, windows, rng=rng, n_permutations=999)
    sides = [delong(truth[part], score[part]) for part in (slice(0, 100), slice(100, 200))]
    expected = (sides[0].auroc[0] - sides[1].auroc[0]) / np.sqrt(
        sides[0].covariance[0, 0] + sides[1].covariance[0, 0]
    )
    assert found.statistic == pytest.approx(abs(expected))
    assert auroc(truth[:100], score[:100]) > auroc(truth[100:], score[100:])
    assert found.p < 0.01


def test_vectors_that_differ_only_in_how_features_go_together_are_found():
    rng = np.random.default_rng(2)
    first = rng.normal(size=(150, 2))
    second = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 150)
    patients, windows = windows_of(150)
    values = np.concatenate([first, second])
    assert vector_test(values, windows, rng=rng, n_permutations=499).p < 0.01
    assert distribution_test(values[:, 0], windows, rng=rng).p > 0.05
    assert len(patients) == 300


def test_features_that_never_vary_tell_nothing():
    _, windows = windows_of(10)
    assert vector_test(np.ones((20, 3)), windows, rng=np.random.default_rng(0)).p == 1.0


def test_wrong_level_and_wrong_spread_are_told_apart():
    rng = np.random.default_rng(4)
    logit = rng.normal(-1, 1.5, 3000)
    truth = rng.random(3000) < 1 / (1 + np.exp(-logit))
    _, windows = windows_of(1500)

    def tested(later):
        said = np.where(np.arange(3000) >= 1500, later, logit)
        both = calibration_tests(truth, 1 / (1 + np.exp(-said)), windows, rng=rng, n_permutations=499)
        return [one.p < 0.01 for one in both]

    assert tested(logit) == [False, False]
    assert tested(logit + 0.5)[0]
    assert tested(np.mean(logit) + 2 * (logit - np.mean(logit)))[1]


def test_observed_to_expected_by_hand():
    ratio = observed_to_expected(np.array([1, 0, 1, 0]), np.array([0.5, 0.5, 0.25, 0.25]), list("aabb"))
    assert ratio.value == pytest.approx(2 / 1.5)
    # residuals by patient: 1 - 4/3, 1 - 2/3; error sqrt(1/9 + 1/9) / 1.5
    assert ratio.high - ratio.value == pytest.approx(1.959964 * np.sqrt(2 / 9) / 1.5, rel=1e-4)
    assert np.isnan(observed_to_expected(np.array([1]), np.array([0.0]), ["a"]).value)


def null_alarms(test, n_runs):
    """How often a test at LEVEL speaks of windows without a change, three alike cases a patient."""
    n_alarms = 0
    for run in range(n_runs):
        rng = np.random.default_rng((11, run))
        patients, windows = windows_of(30, 3)
        own = np.repeat(rng.normal(size=60), 3) + 0.3 * rng.normal(size=len(patients))
        n_alarms += test(own, windows, rng) <= LEVEL
    return n_alarms


TESTS = {
    "distribution": lambda own, windows, rng: distribution_test(own, windows, rng=rng, n_permutations=199).p,
    "category": lambda own, windows, rng: (
        category_test(np.digitize(own, [-1, 0.5]), windows, rng=rng, n_permutations=199).p
    ),
    "mean": lambda own, windows, rng: mean_test(own, windows, rng=rng, n_permutations=199).p,
    "area": lambda own, windows, rng: (
        auroc_test(rng.random(len(own)) < 1 / (1 + np.exp(-own)), own, windows, rng=rng, n_permutations=199).p
    ),
    "calibration": lambda own, windows, rng: (
        calibration_tests(
            rng.random(len(own)) < 1 / (1 + np.exp(-own)),
            1 / (1 + np.exp(-own)),
            windows,
            rng=rng,
            n_permutations=199,
        )[0].p
    ),
    "vectors": lambda own, windows, rng: (
        vector_test(np.stack([own, own**2], axis=1), windows, rng=rng, n_permutations=199).p
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TESTS))
def test_level_is_held_on_windows_without_a_change(name):
    n_runs = 1000
    low, high = binom.interval(0.999, n_runs, LEVEL)
    assert low <= null_alarms(TESTS[name], n_runs) <= high


@pytest.mark.slow
def test_counting_alike_cases_as_independent_would_break_the_level():
    def naive(own, windows, rng):
        del windows
        apart = Windows.of(np.arange(len(own)), np.arange(len(own)) >= len(own) // 2)
        return distribution_test(own, apart, rng=rng, n_permutations=199).p

    assert null_alarms(naive, 200) > binom.interval(0.999, 200, LEVEL)[1]
