"""Agreement of readers and of measurements: published tables, simulation, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    cohen_kappa,
    concordance,
    fleiss_kappa,
    intraclass_correlation,
    krippendorff_alpha,
    limits_of_agreement,
    limits_of_repeated_agreement,
    measurement_errors,
    pearson,
    proportional_bias,
    repeatability,
    spearman,
)

# Shrout and Fleiss 1979, table 2: four judges rate six targets.
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])

# Bland and Altman 1986, table 1: peak flow in l/min by two meters, twice each.
LARGE = np.array(
    [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427], dtype=float
)
LARGE_AGAIN = np.array(
    [490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421], dtype=float
)
MINI = np.array(
    [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451], dtype=float
)
MINI_AGAIN = np.array(
    [525, 415, 508, 444, 500, 625, 460, 390, 642, 432, 420, 605, 227, 467, 268, 370, 443], dtype=float
)

# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", example C: four observers, twelve units.
_ = math.nan
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
)


@pytest.mark.parametrize(
    ("form", "published", "low", "high"),
    [
        ("1,1", 0.17, -0.13, 0.72),
        ("2,1", 0.29, 0.02, 0.76),
        ("3,1", 0.71, 0.34, 0.95),
        ("1,k", 0.44, -0.88, 0.91),
        ("2,k", 0.62, 0.07, 0.93),
        ("3,k", 0.91, 0.68, 0.99),
    ],
)
def test_six_forms_are_those_of_the_published_table(form, published, low, high):
    """Values: Shrout and Fleiss 1979, table 4. Intervals: as printed by the R package psych for these data."""
    found = intraclass_correlation(JUDGES, form)
    assert found.value.value == pytest.approx(published, abs=0.005)
    assert (found.value.low, found.value.high) == pytest.approx((low, high), abs=0.005)
    assert found.statistic == pytest.approx(1.795 if form[0] == "1" else 11.027, abs=5e-4)
    assert (found.df1, found.df2) == (5, 18 if form[0] == "1" else 15)
    assert found.p == pytest.approx(0.16477 if form[0] == "1" else 0.00013, abs=5e-6)


def test_intraclass_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(3)
    covered = {"1,1": 0, "3,1": 0, "2,1": 0}
    for _again in range(300):
        ratings = rng.standard_normal((20, 1)) + rng.standard_normal((20, 3))
        for form in covered:
            found = intraclass_correlation(ratings, form).value
            covered[form] += found.low <= 0.5 <= found.high
    assert all(0.91 <= n / 300 <= 0.99 for n in covered.values()), covered


def test_ratings_without_a_correlation_are_refused():
    for ratings, says in ((np.ones((3, 2)), "all ratings are equal"), (np.ones((1, 2)), "2 by 2")):
        with pytest.raises(RefusedInput, match=says):
            intraclass_correlation(ratings, "1,1")
    with pytest.raises(RefusedInput, match="no form"):
        intraclass_correlation(JUDGES, "4,1")
    assert intraclass_correlation(np.arange(6).reshape(3, 2), "3,1").value.value == 1.0


def test_peak_flow_meters_agree_as_published():
    """Bland and Altman 1986: bias -2.1 (-22.0 to 17.8), SD 38.8; limits there by 2 SD, here by 1.96."""
    found = limits_of_agreement(LARGE, MINI, method="approximate")
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    # Half the interval of a limit: 2.12 sqrt(3 s^2 / n) = 34.6 there, -114.3 to -45.1.
    assert (found.lower.high - found.lower.low) / 2 == pytest.approx((114.3 - 45.1) / 2, abs=0.1)
    assert found.upper.value == pytest.approx(found.bias.value + 1.959964 * found.sd)


def test_exact_limits_cover_their_quantile_as_often_as_they_say():
    rng = np.random.default_rng(1)
    exact = approximate = 0
    for _again in range(400):
        difference = rng.standard_normal(12)
        found = limits_of_agreement(difference, np.zeros(12)).upper
        exact += found.low <= 1.959964 <= found.high
        found = limits_of_agreement(difference, np.zeros(12), method="approximate").upper
        approximate += found.low <= 1.959964 <= found.high
    assert 0.925 <= exact / 400 <= 0.975
    assert abs(exact / 400 - 0.95) <= abs(approximate / 400 - 0.95) + 0.02


def test_repeatability_coefficients_are_those_published():
    """Bland and Altman 1986, by 2 SD of the differences: 43.2 and 56.4 l/min, rounded from SDs of 21.6 and 28.2."""
    patients = np.tile(np.arange(17), 2)
    for first, again, published in ((LARGE, LARGE_AGAIN, 21.6), (MINI, MINI_AGAIN, 28.2)):
        found = repeatability(np.append(first, again), patients)
        assert found.within_sd.value * math.sqrt(2) == pytest.approx(published, abs=0.05)
        assert found.coefficient.value == pytest.approx(1.959964 * math.sqrt(2) * found.within_sd.value)
        assert found.coefficient.low < found.coefficient.value < found.coefficient.high


def test_repeatability_as_a_fraction_by_hand_and_its_coverage():
    found = repeatability(np.array([90.0, 110.0, 45.0, 55.0, 7.0]), [1, 1, 2, 2, 3])
    assert found.within_cv.value == pytest.approx(math.sqrt((200 / 100**2 + 50 / 50**2) / 2))
    assert math.isnan(repeatability(np.array([-1.0, 1.0]), [1, 1]).within_cv.value)
    with pytest.raises(RefusedInput, match="two values of one patient"):
        repeatability(np.arange(4.0), [1, 2, 3, 4])
    rng, covered = np.random.default_rng(2), 0
    for _again in range(300):
        found = repeatability(rng.standard_normal(30), np.repeat(np.arange(10), 3)).within_sd
        covered += found.low <= 1.0 <= found.high
    assert 0.92 <= covered / 300 <= 0.98


def test_one_pair_a_patient_is_refused_where_several_are_asked_for():
    with pytest.raises(RefusedInput, match="two pairs of one"):
        limits_of_repeated_agreement(LARGE, MINI, np.arange(17))


def test_repeated_pairs_give_both_variances_and_their_interval_covers():
    """Differences vary by 3 between patients and by 4 within: a single one has the SD 5, the limit 9.80."""
    rng, covered, spreads = np.random.default_rng(5), 0, []
    patients = np.repeat(np.arange(25), [2, 3, 4, 3, 3] * 5)
    for _again in range(300):
        difference = 3 * rng.standard_normal(25)[patients] + 4 * rng.standard_normal(patients.size)
        found = limits_of_repeated_agreement(difference, np.zeros(patients.size), patients)
        covered += found.upper.low <= 9.79982 <= found.upper.high
        spreads.append(found.sd**2)
    assert np.mean(spreads) == pytest.approx(25, abs=1.0)
    assert 0.92 <= covered / 300 <= 0.985


def test_bias_that_grows_with_the_size_is_found():
    found = proportional_bias(1.2 * LARGE, LARGE)
    assert found.value == pytest.approx(0.2 / 1.1)
    plain = proportional_bias(LARGE, MINI)
    assert plain.low < 0 < plain.high
    fit = pytest.importorskip("scipy.stats").linregress((LARGE + MINI) / 2, LARGE - MINI)
    assert plain.value == pytest.approx(fit.slope)
    assert plain.high - plain.value == pytest.approx(2.13145 * fit.stderr, rel=1e-5)


def test_errors_and_correlations_agree_with_scikit_learn_and_scipy():
    peer, stats = pytest.importorskip("sklearn.metrics"), pytest.importorskip("scipy.stats")
    found = measurement_errors(LARGE, MINI)
    assert found.mean_absolute == pytest.approx(peer.mean_absolute_error(LARGE, MINI))
    assert found.root_mean_square == pytest.approx(peer.root_mean_squared_error(LARGE, MINI))
    assert found.r2 == pytest.approx(peer.r2_score(LARGE, MINI))
    assert found.bias.value == pytest.approx(2.1176, abs=1e-4)
    theirs = stats.pearsonr(LARGE, MINI)
    interval = theirs.confidence_interval()
    assert pearson(LARGE, MINI).value == pytest.approx(theirs.statistic)
    assert pearson(LARGE, MINI).low == pytest.approx(interval.low)
    assert spearman(LARGE, MINI).value == pytest.approx(stats.spearmanr(LARGE, MINI).statistic)
    assert spearman(LARGE, MINI).low < spearman(LARGE, MINI).value < spearman(LARGE, MINI).high


def test_concordance_is_correlation_times_the_factor_of_bias():
    found = concordance(LARGE, MINI)
    ratio, shift = LARGE.std() / MINI.std(), LARGE.mean() - MINI.mean()
    factor = 2 / (ratio + 1 / ratio + shift**2 / (LARGE.std() * MINI.std()))
    assert found.value == pytest.approx(factor * pearson(LARGE, MINI).value)
    assert found.value <= pearson(LARGE, MINI).value
    assert concordance(LARGE, LARGE + 50).value < 0.95
    assert math.isnan(concordance(np.ones(4), np.ones(4)).value)
    assert concordance(LARGE, LARGE).value == pytest.approx(1.0)


def test_concordance_interval_covers_as_often_as_it_says():
    """Correlation 0.8, shift 0.5: 2 * 0.8 / (2 + 0.25)."""
    rng, covered = np.random.default_rng(9), 0
    for _again in range(400):
        one = rng.standard_normal(50)
        two = 0.8 * one + 0.6 * rng.standard_normal(50) + 0.5
        found = concordance(one, two)
        covered += found.low <= 1.6 / 2.25 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


@pytest.mark.parametrize("figure", [measurement_errors, pearson, spearman, concordance, limits_of_agreement])
def test_columns_that_do_not_pair_are_refused(figure):
    for first, second, says in (
        (np.arange(3.0), np.arange(4.0), "one length"),
        (np.array([1, 2, math.nan]), np.arange(3.0), "missing"),
        (np.array([1.0]), np.array([1.0]), "at least"),
    ):
        with pytest.raises(RefusedInput, match=says):
            figure(first, second)


def test_kappa_of_a_published_table():
    """Fleiss, Levin and Paik 2003, table 18.1: two raters, 100 subjects; kappa 0.68."""
    found = cohen_kappa(np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]]))
    assert found.value == pytest.approx(0.68, abs=0.005)
    assert found.low < found.value < found.high


@pytest.mark.peer
@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_weighted_kappa_agrees_with_scikit_learn_and_its_error_with_the_delta_method(weights):
    peer = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    one = rng.integers(0, 4, 200)
    two = np.clip(one + rng.integers(-1, 2, 200), 0, 3)
    table = peer.confusion_matrix(one, two).astype(float)
    told = peer.cohen_kappa_score(one, two, weights=None if weights == "none" else weights)
    assert cohen_kappa(table, weights=weights).value == pytest.approx(told)
    table += 1  # no empty cell, so that every slope is two-sided
    n = table.sum()
    found = cohen_kappa(table, weights=weights)
    slopes = np.zeros(16)
    for cell in range(16):
        ends = []
        for step in (1e-4, -1e-4):
            moved = table.copy().ravel()
            moved[cell] += step * n
            ends.append(cohen_kappa(moved.reshape(4, 4), weights=weights).value)
        slopes[cell] = (ends[0] - ends[1]) / 2e-4
    share = table.ravel() / n
    variance = (share @ slopes**2 - (share @ slopes) ** 2) / n
    assert (found.high - found.value) / 1.959964 == pytest.approx(math.sqrt(variance), rel=1e-4)


def test_kappa_without_variation_is_undefined_and_other_tables_are_refused():
    assert math.isnan(cohen_kappa(np.array([[5, 0], [0, 0]])).value)
    for table, weights, says in (
        (np.ones((2, 3)), "none", "shape"),
        (np.zeros((2, 2)), "none", "with cases"),
        (np.ones((2, 2)), "cubic", "quadratic"),
    ):
        with pytest.raises(RefusedInput, match=says):
            cohen_kappa(table, weights=weights)


def test_many_raters_of_a_published_example():
    """Ten subjects, fourteen raters, five classes: kappa 0.210, the example of the encyclopaedia's page."""
    chosen = [
        *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
        *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
    ]
    found = fleiss_kappa(np.array(chosen))
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert found.low < found.value < found.high
    with pytest.raises(RefusedInput, match="same number of readers"):
        fleiss_kappa(np.array([[2, 1], [1, 1]]))
    assert math.isnan(fleiss_kappa(np.array([[3, 0], [3, 0]])).value)


@pytest.mark.parametrize(
    ("scale", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_the_published_example_on_every_scale(scale, published):
    found = krippendorff_alpha(OBSERVERS, scale=scale)
    assert found.value == pytest.approx(published, abs=5e-4)
    assert found.low < found.value < found.high


def test_alpha_without_pairs_or_of_another_scale_is_refused():
    with pytest.raises(RefusedInput, match="rated twice"):
        krippendorff_alpha(np.array([[1.0, math.nan], [math.nan, 2.0]]), scale="nominal")
    with pytest.raises(RefusedInput, match="does not fit"):
        krippendorff_alpha(np.array([[-1.0], [2.0]]), scale="ratio")
    assert math.isnan(krippendorff_alpha(np.ones((2, 3)), scale="interval").value)
