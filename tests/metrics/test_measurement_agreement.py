"""Agreement of measurements, against published tables and simulation."""

import numpy as np
import pytest
from scipy import stats

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    bland_altman,
    concordance_correlation,
    correlation,
    intraclass_correlation,
    mean_absolute_error,
    repeatability_coefficient,
    root_mean_square_error,
)

# Shrout and Fleiss 1979, table 2: six subjects, four judges.
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
# Bland and Altman 1986, Lancet 1:307, table 1: peak flow of 17 subjects, first readings by large and mini meter, l/min.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


@pytest.mark.parametrize(
    ("form", "published"),
    [("1,1", 0.17), ("2,1", 0.29), ("3,1", 0.71), ("1,k", 0.44), ("2,k", 0.62), ("3,k", 0.91)],
)
def test_reliability_is_that_of_the_published_table(form, published):
    assert intraclass_correlation(JUDGES, form).value == pytest.approx(published, abs=5e-3)


def test_intervals_of_reliability_are_those_that_r_prints_for_that_table():
    """Package psych 2.4, ICC(): limits printed to two digits."""
    printed = {
        "1,1": (-0.13, 0.72),
        "2,1": (0.02, 0.76),
        "3,1": (0.34, 0.95),
        "2,k": (0.07, 0.93),
        "3,k": (0.68, 0.99),
    }
    for form, limits in printed.items():
        found = intraclass_correlation(JUDGES, form)
        assert (found.low, found.high) == pytest.approx(limits, abs=6e-3), form


def test_limits_of_agreement_are_those_of_the_published_example():
    """Printed: mean difference -2.1, standard deviation 38.8, limits -79.7 and 75.5 (they use 2 deviations)."""
    found = bland_altman(MINI, LARGE)
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    deviation = (found.upper.value - found.lower.value) / 2 / 1.959964
    assert deviation == pytest.approx(38.8, abs=0.05)
    # Printed interval of the bias: -22.0 to 17.8.
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)
    assert mean_absolute_error(MINI, LARGE) == pytest.approx(np.abs(np.subtract(LARGE, MINI)).mean())
    assert root_mean_square_error(MINI, LARGE) == pytest.approx(
        np.sqrt(np.mean(np.subtract(LARGE, MINI) ** 2))
    )


def test_limits_and_their_intervals_hold_with_several_pairs_a_patient():
    """Patients differ in bias (3) and pairs within a patient vary (4): single differences spread by 5."""
    rng = np.random.default_rng(0)
    inside = {"bias": 0, "upper": 0}
    for _ in range(300):
        counts = rng.integers(1, 6, 60)
        patients = np.repeat(np.arange(60), counts)
        difference = 1.0 + rng.normal(0, 3, 60)[patients] + rng.normal(0, 4, patients.size)
        truth = rng.uniform(50, 100, patients.size)
        found = bland_altman(truth, truth + difference, patients)
        inside["bias"] += found.bias.low <= 1.0 <= found.bias.high
        inside["upper"] += found.upper.low <= 1.0 + 1.959964 * 5 <= found.upper.high
    assert 0.91 <= inside["bias"] / 300 <= 0.985
    assert 0.88 <= inside["upper"] / 300 <= 0.985


def test_taking_pairs_for_patients_makes_the_interval_too_narrow():
    rng = np.random.default_rng(1)
    patients = np.repeat(np.arange(30), 10)
    truth = rng.uniform(50, 100, 300)
    measured = truth + rng.normal(0, 5, 30)[patients] + rng.normal(0, 1, 300)
    wide, narrow = (bland_altman(truth, measured, p).bias for p in (patients, None))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_a_bias_that_grows_with_size_shows_in_the_slope():
    truth = np.linspace(10, 100, 50)
    found = bland_altman(truth, truth * 1.2)
    assert found.slope.low > 0
    assert found.slope.value == pytest.approx(0.2 / 1.1, abs=1e-9)


def test_concordance_by_hand_and_its_interval():
    x, y = np.array([1.0, 2, 3, 4]), np.array([2.0, 3, 4, 5])
    # spreads 1.25 each, covariance 1.25, shift 1: 2.5 / 3.5
    assert concordance_correlation(x, y).value == pytest.approx(2.5 / 3.5)
    rng = np.random.default_rng(2)
    # true value: covariance 4 of spreads 4 and 5, shift 0.5
    true, inside = 2 * 4 / (4 + 5 + 0.25), 0
    for _ in range(400):
        a = rng.normal(0, 2, 80)
        found = concordance_correlation(a, a + rng.normal(0.5, 1, 80))
        inside += found.low <= true <= found.high
    assert 0.91 <= inside / 400 <= 0.985


def test_correlations_equal_scipy():
    rng = np.random.default_rng(3)
    x = rng.normal(size=50)
    y = x + rng.normal(size=50)
    theirs = stats.pearsonr(x, y)
    found = correlation(x, y)
    assert found.value == pytest.approx(theirs.statistic, abs=1e-12)
    interval = theirs.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-6)
    y = np.round(y)
    assert correlation(x, y, by_rank=True).value == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_the_repeatability_coefficient_holds_what_it_says():
    rng = np.random.default_rng(4)
    found = repeatability_coefficient(rng.uniform(10, 90, 4000)[:, None] + rng.normal(0, 2, (4000, 2)))
    assert found.value == pytest.approx(1.959964 * np.sqrt(2) * 2, rel=0.03)
    assert found.low < 1.959964 * np.sqrt(2) * 2 < found.high
    fresh = rng.normal(0, 2, (20_000, 2))
    assert (np.abs(fresh[:, 0] - fresh[:, 1]) > found.value).mean() == pytest.approx(0.05, abs=0.006)


def test_perfect_and_undefined_agreement():
    x = np.arange(5.0)
    assert concordance_correlation(x, x).value == 1.0
    assert intraclass_correlation(np.stack([x, x], axis=1)).value == 1.0
    assert np.isnan(concordance_correlation(x, np.ones(5)).value)
    assert np.isnan(correlation(x, np.ones(5)).value)
    assert np.isnan(bland_altman(np.ones(4), np.ones(4)).slope.value)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: mean_absolute_error([1, 2], [1]), "do not fit"),
        (lambda: mean_absolute_error([1, np.nan], [1, 2]), "1 of 2 pairs have a gap"),
        (lambda: bland_altman([1, 2], [1, 2]), "need 3 patients"),
        (lambda: bland_altman([1, 2, 3, 4], [1, 2, 3, 4], ["a", "a", "b", "b"]), "4 pairs of 2 patients"),
        (lambda: intraclass_correlation([[1, np.nan], [2, 3]]), "1 gaps"),
        (lambda: concordance_correlation([1, 2], [1, 2]), "2 pairs"),
        (lambda: correlation([1, 2, 3], [1, 2, 3]), "3 pairs"),
        (lambda: repeatability_coefficient([[1], [2]]), "two measurements or more"),
    ],
)
def test_too_little_is_refused(act, message):
    with pytest.raises(RefusedInput, match=message):
        act()
