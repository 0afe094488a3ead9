"""Sigmoids for labels that stand alone, brought to observed frequencies."""

import numpy as np
import pytest

from hounsfield.calibration import (
    apply_platt_per_label,
    fit_platt,
    fit_platt_per_label,
    sigmoid,
)
from hounsfield.core.errors import UsageError


def test_sigmoid_by_hand_and_without_overflow():
    np.testing.assert_allclose(sigmoid([0.0, np.log(3.0), -np.log(3.0)]), [0.5, 0.75, 0.25])
    np.testing.assert_array_equal(sigmoid([1e4, -1e4]), [1.0, 0.0])


def test_fit_finds_the_line_that_made_the_data():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 2))
    truth = rng.random((20_000, 2)) < sigmoid(logits * [2.0, 0.5] + [-1.0, 0.3])
    slopes, offsets = fit_platt_per_label(logits, truth)
    np.testing.assert_allclose(slopes, [2.0, 0.5], rtol=0.08)
    np.testing.assert_allclose(offsets, [-1.0, 0.3], atol=0.06)


def test_few_cases_never_make_it_certain():
    slopes, offsets = fit_platt_per_label(np.array([[-1.0], [1.0]]), np.array([[False], [True]]))
    said = apply_platt_per_label(np.array([[-1.0], [1.0]]), slopes, offsets)
    # Platt's targets for one case of each kind: 1/3 and 2/3.
    np.testing.assert_allclose(said[:, 0], [1 / 3, 2 / 3], atol=1e-3)


def test_order_of_cases_stays_even_where_the_label_runs_backwards():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(200, 1))
    slopes, offsets = fit_platt_per_label(logits, logits < 0)
    assert 0 < slopes[0] < 0.01
    said = apply_platt_per_label(logits, slopes, offsets)
    assert (np.argsort(said[:, 0]) == np.argsort(logits[:, 0])).all()
    # Told apart by nothing, every case gets the share of the label.
    np.testing.assert_allclose(said, (logits < 0).mean(), atol=0.02)


def test_line_of_each_label_is_that_of_one_label():
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(300, 2))
    truth = rng.random((300, 2)) < sigmoid(logits - 0.5)
    slopes, offsets = fit_platt_per_label(logits, truth)
    for k in range(2):
        assert fit_platt(logits[:, k], truth[:, k]) == {"slope": slopes[k], "intercept": offsets[k]}


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match=r"2 labels need as many slopes above 0"):
        apply_platt_per_label(np.zeros((3, 2)), [1.0], [0.0])
    with pytest.raises(UsageError, match="give one truth a logit"):
        fit_platt_per_label(np.zeros((3, 2)), np.zeros((3, 1), dtype=bool))
