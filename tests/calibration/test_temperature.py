import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.calibration import apply_temperature, fit_temperature, softmax
from hounsfield.core.errors import UsageError


def sample(true_temperature, n=4000):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, 3)) * 3
    chances = softmax(logits / true_temperature)
    labels = np.array([rng.choice(3, p=row) for row in chances])
    return logits, labels


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_comes_back(true_temperature):
    logits, labels = sample(true_temperature)
    assert fit_temperature(logits, labels) == pytest.approx(true_temperature, rel=0.08)


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=6), st.floats(0.1, 10))
def test_probabilities_sum_to_one_and_keep_their_order(logits, temperature):
    said = apply_temperature(np.array(logits), temperature)
    assert said.sum() == pytest.approx(1)
    assert said[int(np.argmax(logits))] == pytest.approx(said.max())


def test_softmax_by_hand():
    assert softmax(np.array([np.log(3.0), 0.0])) == pytest.approx([0.75, 0.25])


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(UsageError, match="give one label a row"):
        fit_temperature(np.zeros((3, 2)), np.zeros(2))
    with pytest.raises(UsageError, match="must be above 0"):
        apply_temperature(np.zeros(2), 0.0)
