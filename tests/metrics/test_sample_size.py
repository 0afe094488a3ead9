"""Planning: published examples, and simulation of the studies that were planned."""

import numpy as np
import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    ReaderComponents,
    auroc,
    auroc_variance,
    cases_against_bound,
    cases_for_accuracy,
    cases_for_auroc,
    cases_for_auroc_difference,
    cases_for_observed_to_expected,
    cases_for_proportion,
    design_effect,
    reader_study_power,
)


def test_precision_of_a_proportion_by_hand():
    assert cases_for_proportion(0.5, 0.05) == 385  # the number of every textbook
    assert cases_for_proportion(0.9, 0.1) == 35  # 3.8415 * 0.09 / 0.01 = 34.6


def test_cases_of_both_kinds_come_in_at_the_prevalence():
    """35 with the finding at one in five."""
    needed = cases_for_accuracy(0.9, 0.9, half_width=0.1, prevalence=0.2)
    assert (needed.positive, needed.negative, needed.at_prevalence) == (35, 35, 175)


def test_the_variance_of_an_area_by_hand():
    """Q1 = 0.893 / 1.107, Q2 = 2 * 0.893^2 / 1.893: (0.0956 + 50 * 0.00923 + 57 * 0.04507) / (51 * 58)."""
    assert auroc_variance(0.893, 51, 58) == pytest.approx(0.001057, abs=1e-6)


def test_an_area_is_known_as_well_as_planned():
    needed = cases_for_auroc(0.85, half_width=0.05, prevalence=0.3)
    half = 1.959964 * np.sqrt(auroc_variance(0.85, needed.positive, needed.negative))
    assert half <= 0.05
    fewer = 1.959964 * np.sqrt(
        auroc_variance(0.85, needed.positive - 1, round((needed.positive - 1) * 7 / 3))
    )
    assert fewer > 0.05


def test_a_difference_is_found_as_often_as_planned():
    """Independent arms of exponential scores, for which the formula's variance is exact."""
    needed = cases_for_auroc_difference(0.8, 0.9, correlation=0.0, power=0.8)
    rng = np.random.default_rng(0)
    truth = np.repeat([False, True], [needed.negative, needed.positive])
    found = 0
    for _ in range(400):
        areas = []
        for area in (0.8, 0.9):
            rate = area / (1 - area)  # exponential scores whose means differ by this factor
            areas.append(auroc(truth, np.where(truth, rate, 1.0) * rng.exponential(size=truth.size)))
        error = np.sqrt(sum(auroc_variance(a, needed.positive, needed.negative) for a in (0.8, 0.9)))
        found += abs(areas[1] - areas[0]) / error > 1.959964
    assert found / 400 == pytest.approx(0.8, abs=0.07)


def test_correlated_areas_need_fewer_cases():
    alone = cases_for_auroc_difference(0.8, 0.85, correlation=0.0)
    paired = cases_for_auroc_difference(0.8, 0.85, correlation=0.5)
    assert paired.positive < 0.6 * alone.positive


def test_a_bound_is_passed_as_often_as_planned():
    n = cases_against_bound(0.9, 0.8)
    assert n == 108  # (1.959964 sqrt(0.16) + 0.841621 sqrt(0.09))^2 / 0.01 = 107.5
    rng = np.random.default_rng(0)
    share = rng.binomial(n, 0.9, 20_000) / n
    passed = (share - 0.8) / np.sqrt(0.8 * 0.2 / n) > 1.959964
    assert passed.mean() == pytest.approx(0.8, abs=0.04)


def test_the_ratio_of_observed_to_expected_is_known_as_well_as_planned():
    n = cases_for_observed_to_expected(0.1, standard_error=0.1)
    assert n == 900  # 0.9 / (0.1 * 0.01)
    ratios = np.random.default_rng(0).binomial(n, 0.1, 20_000) / (n * 0.1)
    assert np.log(ratios).std() == pytest.approx(0.1, rel=0.03)


def test_clusters_need_more_cases():
    assert design_effect(3, 0.5) == 2.0
    assert design_effect(1, 0.9) == 1.0


# Van Dyke's study, as published (MRMCaov 0.3.0): variance and covariances of 5 readers, 114 cases.
PILOT = ReaderComponents(0.000792133, 0.000342009, 0.000339527, 0.000235850, 0.0, 114)


def test_power_of_readers_grows_with_readers_and_cases_and_begins_at_the_level():
    powers = [
        reader_study_power(0.044, n_readers=r, n_cases=c, pilot=PILOT)
        for r, c in ((5, 114), (10, 114), (10, 400))
    ]
    assert powers[0] < powers[1] < powers[2] < 1.0
    assert reader_study_power(1e-9, n_readers=5, n_cases=114, pilot=PILOT) == pytest.approx(0.05, abs=1e-3)


def test_power_of_readers_is_that_of_simulated_studies():
    """Areas drawn from the model itself: modality by reader, and errors with the pilot's covariances."""
    rng = np.random.default_rng(5)
    pilot = ReaderComponents(8e-4, 3.4e-4, 3.4e-4, 2.4e-4, 2e-4, 100)
    n_readers, difference = 6, 0.05
    # Errors of 2 modalities x readers as a sum of independent parts with these covariances.
    parts = {"all": pilot.cov3, "modality": pilot.cov2 - pilot.cov3, "reader": pilot.cov1 - pilot.cov3}
    own = pilot.variance - sum(parts.values())
    found = 0
    for _ in range(1500):
        area = np.array([[0.0], [difference]]) + rng.normal(
            0, np.sqrt(pilot.modality_by_reader), (2, n_readers)
        )
        area = (
            area
            + rng.normal(0, np.sqrt(parts["modality"]), (2, 1))
            + rng.normal(0, np.sqrt(parts["reader"]), n_readers)
        )
        area = area + rng.normal(0, np.sqrt(own), (2, n_readers))
        found += _significant(area, max(pilot.cov2 - pilot.cov3, 0))
    planned = reader_study_power(difference, n_readers=n_readers, n_cases=100, pilot=pilot)
    assert found / 1500 == pytest.approx(planned, abs=0.05)


def _significant(area, covariance_gap):
    from scipy.stats import f

    n_readers = area.shape[1]
    by_modality = n_readers * ((area.mean(axis=1) - area.mean()) ** 2).sum()
    rest = area - area.mean(axis=1, keepdims=True) - area.mean(axis=0) + area.mean()
    square = (rest**2).sum() / (n_readers - 1)
    denominator = square + n_readers * covariance_gap
    freedom = denominator**2 / (square**2 / (n_readers - 1))
    return by_modality / denominator > f.isf(0.05, 1, freedom)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: cases_for_proportion(1.0, 0.05), "expected is 1"),
        (lambda: cases_against_bound(0.8, 0.8), "no number of cases can part them"),
        (lambda: cases_for_auroc_difference(0.8, 0.8, correlation=0), "cannot be planned"),
        (lambda: cases_for_auroc_difference(0.8, 0.80000001, correlation=0), "ask for less"),
        (lambda: design_effect(0.5, 0.1), "no clusters"),
        (lambda: reader_study_power(0.05, n_readers=1, n_cases=50, pilot=PILOT), "make no comparison"),
    ],
)
def test_what_cannot_be_planned_is_refused(act, message):
    with pytest.raises(RefusedInput, match=message):
        act()
