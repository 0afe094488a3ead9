import numpy as np
import pytest

from hounsfield.calibration import Guard, fit_guard, threshold_for
from hounsfield.core.errors import ModelError, UsageError


def known(n, seed):
    """Features that vary in two directions of ten, with a little noise in all."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)) @ np.eye(2, 10) * 3 + rng.normal(size=(n, 10)) * 0.1


def test_known_pictures_lie_about_one_away():
    guard = fit_guard(known(400, 0), n_components=2)
    assert np.sqrt(np.mean(guard.distance(known(400, 1)) ** 2)) == pytest.approx(1, rel=0.1)


def test_extreme_in_a_known_direction_and_different_in_an_unknown_one_are_both_far():
    guard = fit_guard(known(400, 0), n_components=2)
    limit = threshold_for(guard.distance(known(400, 1)), false_refusals=0.05)
    extreme, strange = np.zeros((2, 10))
    extreme[0], strange[7] = 30, 2
    assert (guard.distance(np.stack([extreme, strange])) > limit).all()
    assert (guard.distance(known(400, 2)) > limit).mean() == pytest.approx(0.05, abs=0.03)


def test_arrays_and_back_give_the_same_distances():
    guard = fit_guard(known(50, 0), n_components=4)
    again = Guard.from_arrays(guard.to_arrays())
    np.testing.assert_array_equal(again.distance(known(5, 1)), guard.distance(known(5, 1)))


def test_what_does_not_fit_is_named():
    guard = fit_guard(known(50, 0), n_components=4)
    with pytest.raises(ModelError, match="knows 10 features, the network gives 9"):
        guard.distance(np.zeros((1, 9)))
    with pytest.raises(ModelError, match="get the bundle again"):
        Guard.from_arrays({"mean": np.zeros(2)})
    with pytest.raises(UsageError, match="two pictures or more"):
        fit_guard(np.zeros((1, 3)), n_components=1)
    with pytest.raises(UsageError, match="tuning part is empty"):
        threshold_for(np.array([]), false_refusals=0.1)


def test_threshold_is_one_of_the_distances_and_exceeded_by_the_share():
    distances = np.arange(100.0)
    assert (distances > threshold_for(distances, false_refusals=0.05)).sum() <= 5
