"""Calibrators of one label: recover a planted distortion, agree with scikit-learn, refuse what cannot be fitted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from hounsfield.calibration import (
    apply_beta,
    apply_isotonic,
    apply_platt,
    fit_beta,
    fit_isotonic,
    fit_platt,
)
from hounsfield.core.errors import UsageError


def drawn(n, slope=1.0, intercept=0.0, seed=0):
    """Logits, and truth that occurs at the rate of expit(slope * logit + intercept)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, n)
    return logits, rng.random(n) < expit(slope * logits + intercept)


def test_platt_finds_a_planted_slope_and_intercept():
    found = fit_platt(*drawn(60_000, slope=0.5, intercept=-1.0))
    assert found["slope"] == pytest.approx(0.5, abs=0.02)
    assert found["intercept"] == pytest.approx(-1.0, abs=0.03)


def test_platt_is_the_logistic_regression_on_softened_targets():
    """scikit-learn knows no soft targets, but weighs cases: each case counts as both kinds, by its target."""
    logits, truth = drawn(300, seed=4)
    target = np.where(truth, (truth.sum() + 1) / (truth.sum() + 2), 1 / ((~truth).sum() + 2))
    doubled = np.concatenate([logits, logits])[:, None]
    kinds = np.repeat([1, 0], logits.size)
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000)
    model.fit(doubled, kinds, sample_weight=np.concatenate([target, 1 - target]))
    found = fit_platt(logits, truth)
    assert found["slope"] == pytest.approx(model.coef_[0, 0], abs=1e-5)
    assert found["intercept"] == pytest.approx(model.intercept_[0], abs=1e-5)


def test_platt_stays_finite_where_the_label_is_parted_without_fault():
    found = fit_platt(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([False, False, True, True]))
    probability = apply_platt(np.array([-2.5, 2.5]), **found)
    assert 0 < found["slope"] < 10
    assert probability == pytest.approx([0.25, 0.75], abs=0.01)  # (n + 1) / (n + 2) with n = 2


def test_platt_refuses_a_score_that_says_the_opposite():
    logits, truth = drawn(500)
    with pytest.raises(UsageError, match="check that score and label belong together"):
        fit_platt(-logits, truth)


def test_beta_finds_a_distortion_that_no_slope_of_the_logit_mends():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.001, 0.999, 60_000)
    truth = rng.random(p.size) < expit(0.4 * np.log(p) - 2.0 * np.log1p(-p) + 0.3)
    found = fit_beta(p, truth)
    assert [found[k] for k in "abc"] == pytest.approx([0.4, 2.0, 0.3], abs=0.06)


def test_beta_of_calibrated_probabilities_is_the_identity():
    rng = np.random.default_rng(2)
    p = rng.uniform(0, 1, 40_000)
    found = fit_beta(p, rng.random(p.size) < p)
    assert apply_beta(np.array([0.05, 0.5, 0.95]), **found) == pytest.approx([0.05, 0.5, 0.95], abs=0.015)


def test_beta_takes_certain_probabilities_but_no_logits():
    found = fit_beta(np.array([0.0, 0.2, 0.4, 0.9, 1.0, 0.3]), np.array([0, 1, 0, 1, 1, 0], bool))
    assert np.isfinite(apply_beta(np.array([0.0, 1.0]), **found)).all()
    with pytest.raises(UsageError, match="for logits take Platt scaling"):
        fit_beta(np.array([-3.0, 2.0]), np.array([False, True]))


@pytest.mark.parametrize("n", [2, 37, 2000])
def test_isotonic_equals_scikit_learn(n):
    rng = np.random.default_rng(n)
    scores = np.round(rng.normal(size=n), 2)  # with ties
    truth = rng.random(n) < expit(scores)
    truth[:2] = [True, False]
    found = fit_isotonic(scores, truth)
    peer = IsotonicRegression(out_of_bounds="clip").fit(scores, truth)
    asked = np.linspace(-4, 4, 501)
    assert apply_isotonic(asked, **found) == pytest.approx(peer.predict(asked), abs=1e-12)


def test_calibrators_keep_the_order_of_the_cases():
    logits, truth = drawn(400, slope=0.3, seed=7)
    order = np.sort(logits)
    assert (np.diff(apply_platt(order, **fit_platt(logits, truth))) >= 0).all()
    assert (np.diff(apply_beta(expit(order), **fit_beta(expit(logits), truth))) >= 0).all()
    assert (np.diff(apply_isotonic(order, **fit_isotonic(logits, truth))) >= 0).all()


@given(st.integers(0, 10_000))
def test_calibration_never_raises_the_log_loss_of_the_cases_it_was_fitted_on(seed):
    logits, truth = drawn(60, slope=0.5, intercept=0.7, seed=seed)
    if truth.all() or not truth.any():
        return

    def loss(p):
        return -np.log(np.where(truth, p, 1 - p).clip(1e-12)).mean()

    fitted = apply_beta(expit(logits), **fit_beta(expit(logits), truth))
    assert loss(fitted) <= loss(expit(logits)) + 1e-6
    assert loss(apply_isotonic(logits, **fit_isotonic(logits, truth))) <= loss(expit(logits)) + 1e-9


@pytest.mark.parametrize("fit", [fit_platt, fit_beta, fit_isotonic])
def test_a_label_that_all_cases_have_cannot_be_calibrated(fit):
    with pytest.raises(UsageError, match="3 of 3 cases have the label"):
        fit(np.array([0.1, 0.2, 0.3]), np.ones(3, bool))
    with pytest.raises(UsageError, match="1 scores are not finite"):
        fit(np.array([0.1, np.nan]), np.array([True, False]))
    with pytest.raises(UsageError, match="do not fit"):
        fit(np.array([0.1, 0.2]), np.array([True]))


def test_damaged_parameters_are_refused():
    with pytest.raises(UsageError, match="slope"):
        apply_platt(0.0, slope=-1.0, intercept=0.0)
    with pytest.raises(UsageError, match="must not be below 0"):
        apply_beta(0.5, a=-1.0, b=1.0, c=0.0)
    with pytest.raises(UsageError, match="must rise"):
        apply_isotonic(0.5, scores=(0.0, 1.0), probabilities=(0.6, 0.4))
    with pytest.raises(UsageError, match="do not fit"):
        apply_isotonic(0.5, scores=(0.0, 1.0), probabilities=(0.6,))


def test_the_logit_of_a_half_moves_by_the_intercept_alone():
    assert logit(apply_platt(0.0, slope=3.0, intercept=0.25)) == pytest.approx(0.25)
