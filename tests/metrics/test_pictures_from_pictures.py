"""Likeness of pictures, distance of sets of pictures, and what they are worth for a task."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import linalg, ndimage

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    auroc,
    frechet_distance,
    frechet_infinity,
    kernel_distance,
    ms_ssim,
    nrmse,
    psnr,
    ssim,
    ssim_map,
    task_change,
)


def lung_like(rng, shape=(192, 192)):
    return ndimage.gaussian_filter(rng.standard_normal(shape), 3) * 3000 - 700


def test_errors_of_pictures_by_hand():
    truth = np.array([[0.0, 100.0], [200.0, 100.0]])
    picture = truth + 10.0
    assert psnr(truth, picture, data_range=1000.0) == pytest.approx(40.0)
    assert psnr(truth, truth, data_range=1000.0) == math.inf
    assert nrmse(truth, picture, by="range") == pytest.approx(0.05)
    assert nrmse(truth, picture, by="mean") == pytest.approx(0.1)
    assert nrmse(truth, picture) == pytest.approx(10 / math.sqrt(15000))


@pytest.mark.parametrize("shape", [(40, 30), (12, 20, 30)])
def test_similarity_is_one_for_equal_pictures_and_falls_with_noise(shape):
    rng = np.random.default_rng(1)
    truth = lung_like(rng, shape)
    noise = rng.standard_normal(shape)
    figures = [ssim(truth, truth + level * noise, data_range=1500.0) for level in (0.0, 20.0, 80.0)]
    assert figures[0] == pytest.approx(1.0)
    assert figures[0] > figures[1] > figures[2]


def test_similarity_of_flat_pictures_is_that_of_their_means():
    """Without structure only the luminance term is left: (2 a b + C1) / (a^2 + b^2 + C1)."""
    flat, brighter = np.full((20, 20), 100.0), np.full((20, 20), 150.0)
    c1 = (0.01 * 255) ** 2
    expected = (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)
    assert ssim(flat, brighter, data_range=255.0) == pytest.approx(expected)


def test_map_holds_whole_windows_only_and_shows_where_pictures_differ():
    truth = lung_like(np.random.default_rng(2), (40, 50))
    changed = truth.copy()
    changed[20:23, 25:28] += 400.0
    found = ssim_map(truth, changed, data_range=1500.0)
    assert found.shape == (30, 40)
    assert found[16, 21] < 0.8
    assert found[0, 0] == pytest.approx(1.0)


def test_all_scales_are_one_for_equal_pictures_and_see_a_lost_coarse_structure():
    rng = np.random.default_rng(3)
    truth = lung_like(rng)
    assert ms_ssim(truth, truth, data_range=1500.0) == pytest.approx(1.0)
    fine = ms_ssim(truth, truth + 60 * rng.standard_normal(truth.shape), data_range=1500.0)
    coarse = ms_ssim(truth, truth[::-1], data_range=1500.0)
    assert 0.9 < fine < 1.0
    assert coarse < 0.6
    assert ms_ssim(truth, -truth, data_range=1500.0) == 0.0


def test_odd_last_rows_are_left_out_of_the_halves():
    truth = lung_like(np.random.default_rng(3), (193, 201))
    assert ms_ssim(truth, truth, data_range=1500.0) == pytest.approx(1.0)


def test_smoothed_away_nodule_costs_almost_nothing():
    """Why these figures do not replace a task: a 4 mm nodule is gone and the similarity stays."""
    rng = np.random.default_rng(4)
    truth = lung_like(rng)
    y, x = np.mgrid[:192, :192]
    with_nodule = np.where((y - 90) ** 2 + (x - 100) ** 2 <= 4, 50.0, truth)
    assert ssim(with_nodule, truth, data_range=2000.0) > 0.98


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: psnr(np.zeros((2, 2)), np.zeros((2, 3)), data_range=1.0), "one shape"),
        (lambda: psnr(np.zeros(2), np.array([0.0, np.nan]), data_range=1.0), "not a finite number"),
        (lambda: psnr(np.zeros(2), np.ones(2), data_range=0.0), "largest less smallest"),
        (lambda: nrmse(np.zeros(2), np.ones(2)), "norm of the true picture is 0"),
        (lambda: ssim(np.zeros((9, 40)), np.zeros((9, 40)), data_range=1.0), "11 a side are needed"),
        (lambda: ms_ssim(np.zeros((170, 200)), np.zeros((170, 200)), data_range=1.0), "176 a side"),
    ],
)
def test_pictures_that_cannot_be_compared_are_refused(call, says):
    with pytest.raises(RefusedInput, match=says):
        call()


def sets(rng, n=400, shift=0.0, factor=1.0, n_features=6):
    return rng.standard_normal((n, n_features)), factor * rng.standard_normal((n, n_features)) + shift


def test_distance_of_known_distributions():
    """Normal with covariances 1 and 4 and means 3 apart in 6 features: 6 (9 + 1 + 4 - 2 * 2)."""
    first, second = sets(np.random.default_rng(0), 200_000, shift=3.0, factor=2.0)
    assert frechet_distance(first, second) == pytest.approx(6 * (9 + 1), rel=0.01)


def test_distance_agrees_with_the_matrix_root_of_scipy_and_is_symmetric():
    rng = np.random.default_rng(1)
    first, second = rng.standard_normal((90, 8)) @ rng.standard_normal((8, 8)), rng.standard_normal((70, 8))
    covariances = [np.cov(side.T) for side in (first, second)]
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    apart = first.mean(axis=0) - second.mean(axis=0)
    expected = apart @ apart + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(expected)
    assert frechet_distance(second, first) == pytest.approx(expected)
    assert frechet_distance(first, first[::-1]) == pytest.approx(0.0, abs=1e-9)


def test_singular_covariances_give_no_imaginary_rest():
    rng = np.random.default_rng(2)
    flat = rng.standard_normal((60, 2)) @ rng.standard_normal((2, 8))
    other = rng.standard_normal((60, 2)) @ rng.standard_normal((2, 8))
    assert 0.0 < frechet_distance(flat, other) < math.inf
    assert frechet_distance(flat, flat) == pytest.approx(0.0, abs=1e-9)


def test_too_few_pictures_are_refused_unless_shrinking_is_asked_for():
    first, second = sets(np.random.default_rng(3), 6)
    with pytest.raises(RefusedInput, match="Take at least 7 of each"):
        frechet_distance(first, second)
    assert frechet_distance(first, second, shrink_covariance=True) > 0.0
    assert frechet_distance(*sets(np.random.default_rng(3), 7)) > 0.0


def test_few_pictures_look_far_apart_and_the_extrapolation_takes_that_back():
    rng = np.random.default_rng(5)
    truth = rng.standard_normal((20_000, 20))
    plain, endless = [], []
    for _ in range(30):
        made = rng.standard_normal((120, 20))
        plain.append(frechet_distance(truth, made))
        endless.append(frechet_infinity(truth, made, rng=rng, n_sizes=8).value)
    assert np.mean(plain) > 1.0
    assert abs(np.mean(endless)) < 0.3 * np.mean(plain)


def test_extrapolation_without_enough_pictures_is_refused():
    first, second = sets(np.random.default_rng(3), 12)
    with pytest.raises(RefusedInput, match="half of 12 pictures"):
        frechet_infinity(first, second, rng=np.random.default_rng(0))
    with pytest.raises(RefusedInput, match="2 or more are needed"):
        frechet_infinity(first, second, rng=np.random.default_rng(0), n_sizes=1)


def test_kernel_distance_by_looking_at_every_pair():
    rng = np.random.default_rng(6)
    first, second = rng.standard_normal((10, 3)), rng.standard_normal((12, 3)) + 0.5

    def kernel(a, b):
        return (a @ b / 3 + 1) ** 3

    own = [
        np.mean([kernel(a, b) for i, a in enumerate(side) for j, b in enumerate(side) if i != j])
        for side in (first, second)
    ]
    between = np.mean([kernel(a, b) for a in first for b in second])
    assert kernel_distance(first, second, rng=rng, n_resamples=3).value == pytest.approx(
        sum(own) - 2 * between
    )


def test_kernel_distance_has_no_bias_and_its_interval_holds_the_truth():
    rng = np.random.default_rng(7)
    alike = [kernel_distance(*sets(rng, 60), rng=rng, n_resamples=2).value for _ in range(200)]
    assert abs(np.mean(alike)) < 3 * np.std(alike) / math.sqrt(200)
    truth = kernel_distance(*sets(rng, 3000, shift=0.4), rng=rng, n_resamples=2).value
    found = [kernel_distance(*sets(rng, 120, shift=0.4), rng=rng, n_resamples=40) for _ in range(60)]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.85


def test_features_that_make_no_sense_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(RefusedInput, match=r"\(n, features\) and \(m, features\)"):
        frechet_distance(np.zeros((9, 2)), np.zeros((9, 3)))
    with pytest.raises(RefusedInput, match="finite numbers"):
        kernel_distance(np.full((12, 2), np.nan), np.zeros((12, 2)), rng=rng)
    with pytest.raises(RefusedInput, match="10 of each"):
        kernel_distance(np.zeros((9, 2)), np.zeros((12, 2)), rng=rng)


def test_gain_of_a_task_is_paired_by_patient():
    """A little noise taken from the same scores: areas vary widely, their difference does not."""
    rng = np.random.default_rng(8)
    patient = np.repeat(np.arange(60), 2)
    truth = np.repeat(rng.random(60) < 0.5, 2)
    signal = truth + 1.2 * np.repeat(rng.standard_normal(60), 2)
    before, after = signal + 0.8 * rng.standard_normal(120), signal + 0.1 * rng.standard_normal(120)
    found = task_change(auroc, truth, (before, after), patient, rng=np.random.default_rng(0), n_resamples=400)
    assert found.change.value == pytest.approx(auroc(truth, after) - auroc(truth, before))
    assert found.change.high - found.change.low < 0.7 * (found.after.high - found.after.low)
    assert (found.n_cases, found.n_groups) == (120, 60)


def test_pictures_that_change_nothing_show_no_change():
    dice_of_cases = np.linspace(0.5, 0.9, 30)
    found = task_change(
        lambda _truth, output: float(output.mean()),
        np.zeros(30),
        (dice_of_cases, dice_of_cases),
        np.arange(30),
        rng=np.random.default_rng(0),
        n_resamples=50,
    )
    assert (found.change.low, found.change.value, found.change.high) == (0.0, 0.0, 0.0)
    assert found.before.low < found.before.value == found.after.value


def test_interval_of_the_change_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(9)
    held = []
    for _ in range(150):
        case = rng.standard_normal(60)
        outputs = (case + 0.3 * rng.standard_normal(60), case + 0.2 + 0.3 * rng.standard_normal(60))
        change = task_change(
            lambda _truth, output: float(output.mean()),
            case,
            outputs,
            np.arange(60),
            rng=rng,
            n_resamples=200,
        ).change
        held.append(change.low <= 0.2 <= change.high)
    assert 0.88 <= np.mean(held) <= 0.99


def test_outputs_of_other_cases_are_refused():
    with pytest.raises(RefusedInput, match=r"\[3, 3, 2, 3\] cases"):
        task_change(auroc, np.ones(3), (np.ones(3), np.ones(2)), np.arange(3), rng=np.random.default_rng(0))
