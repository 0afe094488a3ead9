"""Probabilities for another population."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.calibration import at_priors, estimated_priors, softmax
from hounsfield.core.errors import UsageError
from hounsfield.metrics import at_prevalence

share = st.floats(0.01, 0.99)


@given(share, share, share)
def test_going_there_and_back_changes_nothing(p, here, there):
    pair, own, other = (np.array([1 - one, one]) for one in (p, here, there))
    moved = at_priors(pair, fitted=own, target=other)
    assert at_priors(moved, fitted=other, target=own) == pytest.approx(pair, rel=1e-6)
    assert (moved[1] >= p) == (there >= here) or moved[1] == pytest.approx(p)


def test_two_classes_are_one_label():
    pair = np.array([[0.3, 0.7]])
    moved = at_priors(pair, fitted=np.array([0.5, 0.5]), target=np.array([0.9, 0.1]))
    assert moved[0, 1] == pytest.approx(at_prevalence(0.7, calibrated_at=0.5, used_at=0.1))
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
    with pytest.raises(UsageError, match="sum to 1"):
        at_priors(np.array([[0.5, 0.5]]), fitted=np.array([0.5, 0.6]), target=np.array([0.5, 0.5]))
    with pytest.raises(UsageError, match="do not fit"):
        at_priors(np.array([[0.5, 0.5]]), fitted=np.full(3, 1 / 3), target=np.full(3, 1 / 3))
