"""Uncertainty split into what is open and what is not known."""

import numpy as np
import pytest

from hounsfield.calibration import risk_coverage, uncertainty_of
from hounsfield.core.errors import UsageError


def test_answers_that_agree_on_a_coin_leave_one_bit_open_and_know_it():
    found = uncertainty_of(np.full((5, 2), 0.5))
    assert found.total == pytest.approx(1.0)
    assert found.expected == pytest.approx(1.0)
    assert found.disagreement == pytest.approx(0.0)


def test_answers_that_are_sure_of_opposite_things_disagree_by_one_bit():
    found = uncertainty_of(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert found.mean == pytest.approx([0.5, 0.5])
    assert found.total == pytest.approx(1.0)
    assert found.expected == pytest.approx(0.0)
    assert found.disagreement == pytest.approx(1.0)
    assert found.spread == pytest.approx([np.sqrt(0.5)] * 2)


def test_maps_keep_their_shape():
    answers = np.random.default_rng(0).dirichlet([1, 1, 1], size=(4, 6, 7))
    found = uncertainty_of(answers)
    assert found.total.shape == (6, 7)
    assert (found.disagreement >= 0).all()
    assert found.total == pytest.approx(found.expected + found.disagreement)


def test_one_answer_cannot_disagree_and_logits_are_refused():
    with pytest.raises(UsageError, match="too few to disagree"):
        uncertainty_of(np.array([[0.5, 0.5]]))
    with pytest.raises(UsageError, match="sum to 1"):
        uncertainty_of(np.array([[2.0, -1.0], [0.5, 0.5]]))


def test_a_useful_uncertainty_lowers_the_risk_of_what_is_kept():
    shares, risk = risk_coverage(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]))
    assert shares.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk == pytest.approx([0, 0, 1 / 3, 0.5])


def test_cases_of_equal_uncertainty_stay_together_in_any_order():
    unsure, loss = np.array([0.5, 0.5, 0.5, 0.1]), np.array([1, 0, 0, 0])
    orders = [[0, 1, 2, 3], [2, 1, 0, 3], [3, 2, 1, 0]]
    found = [risk_coverage(unsure[o], loss[o])[1].tolist() for o in orders]
    assert found[0] == found[1] == found[2] == [0.0, 0.25, 0.25, 0.25]
    with pytest.raises(UsageError, match="do not fit"):
        risk_coverage(unsure, loss[:2])
