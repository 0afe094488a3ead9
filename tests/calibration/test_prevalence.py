"""Probabilities for another population."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.calibration import at_prevalence, at_priors, estimated_priors, softmax
from hounsfield.core.errors import UsageError

share = st.floats(0.01, 0.99)


def test_bayes_by_hand():
    """Sensitivity 0.9 and specificity 0.8: PPV 0.818 at one half, 0.333 at one tenth."""
    at_half = 0.5 * 0.9 / (0.5 * 0.9 + 0.5 * 0.2)
    at_tenth = 0.1 * 0.9 / (0.1 * 0.9 + 0.9 * 0.2)
    assert at_prevalence(at_half, fitted=0.5, target=0.1) == pytest.approx(at_tenth)


@given(st.floats(0.001, 0.999), share, share)
def test_going_there_and_back_changes_nothing(p, here, there):
    moved = at_prevalence(p, fitted=here, target=there)
    assert at_prevalence(moved, fitted=there, target=here) == pytest.approx(p, rel=1e-6)
    assert (moved >= p) == (there >= here) or moved == pytest.approx(p)


def test_two_classes_are_one_label():
    pair = np.array([[0.3, 0.7]])
    moved = at_priors(pair, fitted=np.array([0.5, 0.5]), target=np.array([0.9, 0.1]))
    assert moved[0, 1] == pytest.approx(at_prevalence(0.7, fitted=0.5, target=0.1))
    assert moved.sum() == pytest.approx(1.0)


def test_shares_of_an_unlabelled_population_are_found():
    rng = np.random.default_rng(0)
    centres = np.array([[2.0, 0, 0], [0, 2.0, 0], [0, 0, 2.0]])
    true = rng.choice(3, p=[0.7, 0.2, 0.1], size=20_000)
    seen = centres[true] + rng.normal(size=(true.size, 3))
    # Equal shares and equal Gaussians: the logits are 2 x the coordinates.
    found = estimated_priors(softmax(2 * seen), fitted=np.full(3, 1 / 3))
    assert found == pytest.approx([0.7, 0.2, 0.1], abs=0.015)


def test_shares_must_be_shares():
    with pytest.raises(UsageError, match="fitted prevalence is 0"):
        at_prevalence(0.5, fitted=0.0, target=0.1)
    with pytest.raises(UsageError, match="sum to 1"):
        at_priors(np.array([[0.5, 0.5]]), fitted=np.array([0.5, 0.6]), target=np.array([0.5, 0.5]))
    with pytest.raises(UsageError, match="do not fit"):
        at_priors(np.array([[0.5, 0.5]]), fitted=np.full(3, 1 / 3), target=np.full(3, 1 / 3))
