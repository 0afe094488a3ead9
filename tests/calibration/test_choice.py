import numpy as np
import pytest

from hounsfield.calibration import (
    CALIBRATORS,
    IDENTITY,
    PLATT_PER_LABEL,
    SIGMOID,
    TEMPERATURE,
    apply_temperature,
    choose_calibrator,
    fit_temperature,
    softmax,
)
from hounsfield.core.errors import UsageError


def sample(true_temperature, n, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 3)) * 3
    labels = np.array([rng.choice(3, p=row) for row in softmax(logits / true_temperature)])
    return logits, labels, rng.integers(0, 20, n)


def test_a_network_that_is_too_sure_gets_the_temperature_of_all_cases():
    logits, labels, groups = sample(2.5, 2000)
    choice = choose_calibrator(logits, labels, groups)
    assert choice.name == TEMPERATURE
    assert choice.parameters == {"temperature": fit_temperature(logits, labels)}
    assert choice.apply(logits) == pytest.approx(apply_temperature(logits, **choice.parameters))
    assert "each of 20 tuning groups" in choice.reason


def test_groups_that_disagree_keep_the_softmax():
    """Two groups, one sure and right, one sure and mostly wrong: what fits one harms the other."""
    logits = np.tile([2.0, 0.0], (20, 1))
    labels = np.array([0] * 10 + [1] * 6 + [0] * 4)
    choice = choose_calibrator(logits, labels, ["a"] * 10 + ["b"] * 10)
    assert choice.name == IDENTITY
    assert choice.parameters == {}
    assert choice.apply(logits) == pytest.approx(softmax(logits))
    # By hand: 14 of 20 at -log(e2 / (e2 + 1)) = 0.1269, 6 at 2.1269.
    assert choice.log_loss[IDENTITY] == pytest.approx((14 * 0.126928 + 6 * 2.126928) / 20, abs=1e-5)
    assert choice.log_loss[TEMPERATURE] > choice.log_loss[IDENTITY]
    assert "identity 0.727" in choice.reason


def test_one_group_keeps_the_temperature_and_says_so():
    logits, labels, _ = sample(1.0, 50)
    choice = choose_calibrator(logits, labels, ["only"] * 50)
    assert choice.name == TEMPERATURE
    assert "One tuning group" in choice.reason


def test_groups_must_fit_the_cases():
    with pytest.raises(UsageError, match="do not fit"):
        choose_calibrator(np.zeros((3, 2)), np.zeros(3), ["a"])


PARAMETERS = {
    TEMPERATURE: {"temperature": 1.3},
    PLATT_PER_LABEL: {"slopes": [1, 2, 1], "offsets": [0, 0.5, 0]},
}


@pytest.mark.parametrize("name", sorted(CALIBRATORS))
def test_every_calibrator_gives_probabilities(name):
    said = CALIBRATORS[name]([[3.0, 1.0, -2.0]], **PARAMETERS.get(name, {}))
    assert ((said > 0) & (said < 1)).all()
    assert (np.argsort(said) == [[2, 1, 0]]).all()
    if name not in {SIGMOID, PLATT_PER_LABEL}:  # labels that stand alone need not sum to 1
        assert said.sum() == pytest.approx(1)
