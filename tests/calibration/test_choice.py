import numpy as np
import pytest

from hounsfield.calibration import (
    BETA_ONE_VS_REST,
    BETA_PER_LABEL,
    CALIBRATORS,
    EXCLUSIVE_CALIBRATORS,
    IDENTITY,
    ISOTONIC_ONE_VS_REST,
    ISOTONIC_PER_LABEL,
    PLATT_PER_LABEL,
    SIGMOID,
    TEMPERATURE,
    apply_temperature,
    calibrate_per_label,
    choose_calibrator,
    fit_beta_one_vs_rest,
    fit_beta_per_label,
    fit_isotonic_one_vs_rest,
    fit_isotonic_per_label,
    fit_temperature,
    sigmoid,
    softmax,
)
from hounsfield.core.errors import UsageError
from hounsfield.zoo import Calibrator


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


def test_what_no_temperature_mends_gets_more_parameters_where_cases_suffice():
    """A class whose probability is stated too high by a constant factor: no temperature turns that back."""
    logits, labels, groups = sample(1.0, 3000)
    moved = logits + np.array([1.5, 0.0, 0.0])
    choice = choose_calibrator(moved, labels, groups)
    assert choice.name in {BETA_ONE_VS_REST, ISOTONIC_ONE_VS_REST}
    assert choice.log_loss[choice.name] < choice.log_loss[TEMPERATURE] - 0.05
    assert choice.apply(moved).sum(axis=1) == pytest.approx(1.0)
    few = choose_calibrator(moved[:600], labels[:600], groups[:600])
    assert ISOTONIC_ONE_VS_REST not in few.log_loss, "steps need a thousand cases"


def test_labels_alone_get_the_calibrator_that_mends_them():
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(4000, 2)) * 2
    groups = rng.integers(0, 300, 4000)
    line = rng.random((4000, 2)) < sigmoid(logits * 0.4 - 1)
    choice = calibrate_per_label(logits, line, groups)
    assert choice.name == PLATT_PER_LABEL
    assert "300 tuning groups left out in 20 parts" in choice.reason
    stairs = rng.random((4000, 2)) < np.where(logits > 1, 0.9, np.where(logits > 0, 0.2, 0.1))
    assert calibrate_per_label(logits, stairs, groups).name == ISOTONIC_PER_LABEL
    right = rng.random((4000, 2)) < sigmoid(logits)
    chosen = calibrate_per_label(logits, right, groups)
    assert chosen.log_loss[chosen.name] == pytest.approx(chosen.log_loss[SIGMOID], abs=2e-3)


def test_label_that_one_group_alone_holds_keeps_the_line():
    logits = np.random.default_rng(0).normal(size=(30, 1))
    truth = np.arange(30)[:, None] < 5
    choice = calibrate_per_label(logits, truth, ["holder"] * 5 + [f"p{k}" for k in range(25)])
    assert choice.name == PLATT_PER_LABEL
    assert "Too few cases to leave some out" in choice.reason


@pytest.mark.parametrize("name", [BETA_PER_LABEL, ISOTONIC_PER_LABEL, BETA_ONE_VS_REST, ISOTONIC_ONE_VS_REST])
def test_parameters_survive_the_card(name):
    """Parameters are numbers or flat lists of them, so that JSON and the card's schema hold them unchanged."""
    logits, labels, _ = sample(1.5, 1500)
    truth = labels if name in EXCLUSIVE_CALIBRATORS else labels[:, None] == np.arange(3)
    fit = {
        BETA_PER_LABEL: fit_beta_per_label,
        ISOTONIC_PER_LABEL: fit_isotonic_per_label,
        BETA_ONE_VS_REST: fit_beta_one_vs_rest,
        ISOTONIC_ONE_VS_REST: fit_isotonic_one_vs_rest,
    }[name]
    parameters = fit(logits, truth)
    stored = Calibrator(name=name, parameters=parameters, fitted_on="tuning").model_dump_json()
    read = Calibrator.model_validate_json(stored).parameters
    said = CALIBRATORS[name](logits, **read)
    assert said == pytest.approx(CALIBRATORS[name](logits, **parameters))
    assert ((said > 0) & (said < 1)).all(), "no certainty from cases that agree"


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        (BETA_PER_LABEL, {"a": [1.0], "b": [1.0], "c": [0.0]}, "3 labels need as many a, b and c"),
        (
            ISOTONIC_PER_LABEL,
            {"scores": [0.0, 1.0], "probabilities": [0.1, 0.2], "corners": [1, 1, 1]},
            "3 labels need as many numbers of corners, which sum to 2 scores",
        ),
    ],
)
def test_damaged_parameters_of_labels_are_refused(name, parameters, message):
    with pytest.raises(UsageError, match=message):
        CALIBRATORS[name](np.zeros((2, 3)), **parameters)


STEPS = {"scores": [-8, 8] * 3, "probabilities": [0.1, 0.9] * 3, "corners": [2, 2, 2]}
PARAMETERS = {
    TEMPERATURE: {"temperature": 1.3},
    PLATT_PER_LABEL: {"slopes": [1, 2, 1], "offsets": [0, 0.5, 0]},
    BETA_PER_LABEL: {"a": [1, 2, 1], "b": [1, 1, 0.5], "c": [0, 0.1, 0]},
    BETA_ONE_VS_REST: {"a": [1, 1, 1], "b": [1, 1, 0.5], "c": [0, 0.1, 0]},
    ISOTONIC_PER_LABEL: STEPS,
    ISOTONIC_ONE_VS_REST: STEPS,
}


@pytest.mark.parametrize("name", sorted(CALIBRATORS))
def test_every_calibrator_gives_probabilities(name):
    said = CALIBRATORS[name]([[3.0, 1.0, -2.0]], **PARAMETERS.get(name, {}))
    assert ((said > 0) & (said < 1)).all()
    assert (np.argsort(said) == [[2, 1, 0]]).all()
    if name in EXCLUSIVE_CALIBRATORS:  # labels that stand alone need not sum to 1
        assert said.sum() == pytest.approx(1)


def test_report_has_words_for_every_calibrator():
    from hounsfield.reports.card import CALIBRATORS as WORDS

    assert set(CALIBRATORS) <= set(WORDS)
