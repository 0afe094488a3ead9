"""How many cases: published examples, exact tests, and simulation of what was planned."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    ReaderStudy,
    auroc_cases,
    auroc_comparison_cases,
    auroc_standard_error,
    calibration_line,
    calibration_slope_cases,
    delong,
    enrolled,
    observed_expected_cases,
    proportion_cases,
    proportion_cases_against,
    reader_study_power,
    why_withheld,
)


def test_patients_for_a_sensitivity_and_a_specificity():
    """Buderer 1996: 1.96^2 p (1 - p) / w^2 cases of the class, over its share of patients."""
    positive = proportion_cases(0.90, half_width=0.10)
    negative = proportion_cases(0.85, half_width=0.10)
    assert (positive, negative) == (math.ceil(34.57), math.ceil(48.98))
    assert enrolled(positive=positive, negative=negative, prevalence=0.2).patients == 175
    assert enrolled(positive=positive, negative=negative, prevalence=0.8).patients == 245


@pytest.mark.parametrize(("expected", "bound"), [(0.9, 0.75), (0.95, 0.9), (0.8, 0.6)])
def test_cases_against_a_bound_have_the_power_and_one_fewer_lacks_it(expected, bound):
    stats = pytest.importorskip("scipy.stats")

    def power(n):
        hits = next(
            k
            for k in range(n + 2)
            if stats.binomtest(min(k, n), n, bound, alternative="greater").pvalue <= 0.025 or k > n
        )
        return stats.binom.sf(hits - 1, n, expected)

    found = proportion_cases_against(expected, bound, power=0.8, alpha=0.025)
    assert power(found) >= 0.8 > power(found - 1)
    assert all(power(found + more) >= 0.8 for more in range(1, 15))


def test_error_of_an_area_is_that_of_the_published_example():
    """Hanley and McNeil 1982: area 0.893, 51 abnormal and 58 normal CTs, standard error 0.032."""
    assert auroc_standard_error(0.893, n_positive=51, n_negative=58) == pytest.approx(0.032, abs=1e-3)


def test_cases_for_an_area_are_just_enough():
    found = auroc_cases(0.8, half_width=0.05, negatives_per_positive=2.0)
    goal = 0.05 / 1.959964
    assert found.patients == found.positive + found.negative
    assert auroc_standard_error(0.8, n_positive=found.positive, n_negative=found.negative) <= goal
    fewer = auroc_standard_error(0.8, n_positive=found.positive - 1, n_negative=found.negative - 2)
    assert fewer > goal


def test_two_areas_planned_are_found_different_as_often_as_planned():
    """Binormal scores of areas 0.80 and 0.90 on other cases: 80 % of simulated studies find the difference."""
    planned = auroc_comparison_cases(0.8, 0.9)
    rng, found = np.random.default_rng(1), 0
    truth = np.arange(planned.patients) < planned.positive
    for _ in range(300):
        scores = [rng.standard_normal(truth.size) + shift * truth for shift in (1.1902, 1.8124)]
        found += delong(truth, scores[0]).unpaired(delong(truth, scores[1])).p < 0.05
    # Obuchowski's variance is on the safe side.
    assert 0.78 <= found / 300 <= 1.0


def test_correlated_areas_need_fewer_cases():
    apart = auroc_comparison_cases(0.75, 0.8).positive
    paired = auroc_comparison_cases(0.75, 0.8, correlation=0.5).positive
    assert paired == pytest.approx(apart / 2, rel=0.01)


def test_cases_for_calibration_are_those_published():
    """Riley 2021, heart valve failure: prevalence 0.018, logits normal (-5, 2.5).

    The R package pmvalsampsize expects 905 of itself and, by a thousand simulated logits, 4501.
    """
    assert abs(observed_expected_cases(0.018, standard_error=0.2455) - 905) <= 1
    logits = np.random.default_rng(1).normal(-5, 2.5, 1_000_000)
    assert calibration_slope_cases(logits, standard_error=0.051) == pytest.approx(4501, rel=0.02)


def test_slope_is_as_sure_as_planned():
    rng = np.random.default_rng(2)
    n = calibration_slope_cases(rng.normal(-1, 1, 100_000), standard_error=0.15)
    slopes = []
    for _ in range(150):
        p = 1 / (1 + np.exp(-rng.normal(-1, 1, n)))
        slopes.append(calibration_line(rng.random(n) < p, p).slope.value)
    assert np.std(slopes) == pytest.approx(0.15, rel=0.2)


def simulated_power(pilot, difference, n_readers):
    """Share of simulated studies of the Obuchowski and Rockette model that find the difference."""
    rng, found = np.random.default_rng(3), 0
    of_readers = pilot.ms_interaction - (pilot.var - pilot.cov1 - pilot.cov2 + pilot.cov3)
    for _ in range(1500):
        shared = [
            math.sqrt(pilot.cov3),
            math.sqrt(pilot.cov1 - pilot.cov3),
            math.sqrt(pilot.cov2 - pilot.cov3),
        ]
        rest = math.sqrt(pilot.var - pilot.cov1 - pilot.cov2 + pilot.cov3 + of_readers)
        merit = (
            shared[0] * rng.standard_normal()
            + shared[1] * rng.standard_normal(n_readers)
            + shared[2] * rng.standard_normal((2, 1))
            + rest * rng.standard_normal((2, n_readers))
            + np.array([[0.0], [difference]])
        )
        study = ReaderStudy(merit, pilot.var, pilot.cov1, pilot.cov2, pilot.cov3)
        found += study.random_readers().p < 0.05
    return found / 1500


def test_power_of_a_reader_study_is_that_of_simulated_studies():
    merit = np.array([[0.90, 0.85, 0.88, 0.93], [0.93, 0.86, 0.94, 0.95]])
    pilot = ReaderStudy(merit, var=8e-4, cov1=4e-4, cov2=3.5e-4, cov3=2.5e-4)
    planned = reader_study_power(pilot, difference=0.05, n_readers=8)
    assert planned == pytest.approx(simulated_power(pilot, 0.05, 8), abs=0.05)
    assert reader_study_power(pilot, difference=0.0, n_readers=8) == pytest.approx(0.05, abs=1e-9)
    assert reader_study_power(pilot, difference=0.05, n_readers=8, case_ratio=3.0) > planned
    assert reader_study_power(pilot, difference=0.05, n_readers=20) > planned


@pytest.mark.parametrize(
    "planned",
    [
        lambda: proportion_cases(90, half_width=0.1),
        lambda: proportion_cases(0.9, half_width=0.1, level=95),
        lambda: proportion_cases_against(0.8, 0.9),
        lambda: enrolled(positive=5, negative=5, prevalence=0.0),
        lambda: auroc_standard_error(0.8, n_positive=0, n_negative=5),
        lambda: auroc_comparison_cases(0.8, 0.8),
        lambda: observed_expected_cases(0.1, standard_error=0.0),
        lambda: calibration_slope_cases(np.ones(5), standard_error=0.1),
    ],
)
def test_what_cannot_be_planned_is_refused(planned):
    with pytest.raises(RefusedInput):
        planned()


def test_figures_of_few_cases_are_withheld_with_a_reason():
    assert why_withheld("ranking", n_positive=10, n_negative=10) is None
    assert "10 of each" in why_withheld("ranking", n_positive=9, n_negative=900)
    assert "200 are needed" not in (why_withheld("calibration-line", n_positive=100, n_negative=100) or "")
    assert "cases; 10 are needed" in why_withheld("proportion", n_positive=9, n_negative=0)
    with pytest.raises(RefusedInput, match="known are ranking"):
        why_withheld("beauty", n_positive=1, n_negative=1)
    with pytest.raises(RefusedInput, match="0 or more"):
        why_withheld("ranking", n_positive=-1, n_negative=1)
