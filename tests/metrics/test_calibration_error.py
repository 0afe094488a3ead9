"""Calibration error: bins by hand, chance taken off, and what the Brier score is made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import brier_parts, calibration_error, expected_calibration_error


def test_two_bins_by_hand():
    probability = np.array([0.1, 0.3, 0.6, 1.0])
    truth = np.array([False, True, True, True])
    for spacing in ("equal count", "equal width"):
        found = calibration_error(truth, probability, n_bins=2, spacing=spacing)
        # 0.2 against 0.5, 0.8 against 1
        assert found.plain == pytest.approx(0.25)
        assert found.root_mean_square == pytest.approx(np.sqrt((0.3**2 + 0.2**2) / 2))
        # chance: 0.5 * 0.5 / 1 in the first bin, none in the second: more than all there is
        assert found.debiased == 0.0
        assert (found.n_bins, found.spacing) == (2, spacing)


def test_bins_of_equal_width_are_those_of_the_registered_metric():
    rng = np.random.default_rng(0)
    probability = rng.random(500)
    truth = rng.random(500) < probability
    ours = calibration_error(truth, probability, n_bins=10, spacing="equal width").plain
    assert ours == pytest.approx(expected_calibration_error(truth, probability), abs=1e-12)


def test_a_calibrated_model_has_a_plain_error_by_chance_and_no_debiased_one():
    plain, debiased = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        probability = rng.random(300)
        found = calibration_error(rng.random(300) < probability, probability)
        plain.append(found.root_mean_square)
        debiased.append(found.debiased)
    assert np.mean(plain) > 0.08
    assert np.mean(np.array(debiased) == 0) > 0.3
    assert np.mean(debiased) < np.mean(plain) / 2


def test_the_debiased_error_finds_a_known_distance():
    """Everything is stated 0.1 too high: the error is 0.1 whatever the number of cases."""
    found = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        probability = rng.uniform(0.2, 0.9, 400)
        found.append(calibration_error(rng.random(400) < probability - 0.1, probability).debiased ** 2)
    assert np.sqrt(np.mean(found)) == pytest.approx(0.1, abs=0.006)


def test_equal_probabilities_stay_in_one_bin():
    probability = np.repeat([0.2, 0.7], [90, 10])
    truth = np.arange(100) % 5 == 0
    assert calibration_error(truth, probability, n_bins=10).n_bins == 2


@given(st.integers(0, 1000))
def test_the_parts_of_the_brier_score_add_up(seed):
    rng = np.random.default_rng(seed)
    probability = np.round(rng.random(80), 1)  # few levels: binned means are the probabilities themselves
    truth = rng.random(80) < probability
    parts = brier_parts(truth, probability, n_bins=80)
    assert parts.score == pytest.approx(np.mean((probability - truth) ** 2), abs=1e-9)
    assert parts.score == pytest.approx(parts.reliability - parts.resolution + parts.uncertainty)


def test_stating_the_prevalence_has_no_skill():
    truth = np.arange(100) < 30
    parts = brier_parts(truth, np.full(100, 0.3))
    assert parts.skill == pytest.approx(0.0)
    assert brier_parts(truth, truth.astype(float)).skill == pytest.approx(1.0)
    assert np.isnan(brier_parts(np.ones(5, bool), np.full(5, 0.9)).skill)


def test_what_is_no_probability_is_refused():
    with pytest.raises(RefusedInput, match="0 to 1 is needed"):
        calibration_error([True], [1.2])
    with pytest.raises(RefusedInput, match="do not fit"):
        calibration_error([True, False], [0.2])
