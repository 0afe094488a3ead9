"""Courses of patients: what is stated about them holds, and time is needed to tell who progresses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from hounsfield.core.errors import UsageError
from hounsfield.phantoms.visits import (
    BACKGROUND_VALUE,
    DAYS_PER_YEAR,
    MARKERS,
    MEDIAN_RATE_PER_YEAR,
    PICTURE_MM,
    PICTURE_NOISE,
    PICTURE_PX,
    STRUCTURE_VALUE,
    VisitParameters,
    make_visits,
)


def auc(scores, truth):
    positive, negative = scores[truth], scores[~truth]
    return mannwhitneyu(positive, negative).statistic / (len(positive) * len(negative))


def test_equal_parameters_give_equal_courses_and_another_seed_others():
    one, again, other = (make_visits(VisitParameters(seed=seed, n_patients=20)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.table().labs, again.table().labs)
    np.testing.assert_array_equal(one.courses[7].visits[1].picture, again.courses[7].visits[1].picture)
    assert one.table().days.tobytes() != other.table().days.tobytes()


def test_more_patients_leave_the_first_as_they_are():
    few, many = (make_visits(VisitParameters(n_patients=n)) for n in (3, 6))
    for one, other in zip(few.courses, many.courses[:3], strict=True):
        np.testing.assert_array_equal([v.labs for v in one.visits], [v.labs for v in other.visits])


def test_stage_grows_with_the_patients_own_rate():
    for course in make_visits(VisitParameters(n_patients=30)).courses:
        first = course.visits[0]
        assert first.day == 0
        assert course.progresses == (course.rate_per_year > MEDIAN_RATE_PER_YEAR)
        for before, visit in zip(course.visits, course.visits[1:], strict=False):
            assert visit.day > before.day
            years = visit.day / DAYS_PER_YEAR
            assert visit.stage == pytest.approx(first.stage + course.rate_per_year * years)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.35, 1.0])
def test_share_of_missing_values_and_pictures(share):
    made = make_visits(VisitParameters(n_patients=300, missing_lab_share=share, missing_picture_share=share))
    visits = [visit for course in made.courses for visit in course.visits]
    missing_labs = np.isnan([visit.labs for visit in visits])
    missing_pictures = np.array([visit.picture is None for visit in visits])
    for missing in (missing_labs, missing_pictures):
        error = np.sqrt(share * (1 - share) / missing.size)
        assert abs(missing.mean() - share) <= 4 * error
    # Missing says nothing about the stage.
    if 0 < share < 1:
        stages = np.array([visit.stage for visit in visits])
        assert abs(np.corrcoef(stages, missing_labs[:, 0])[0, 1]) < 4 / np.sqrt(len(visits))


def test_markers_follow_the_stage_in_their_units():
    made = make_visits(VisitParameters(n_patients=400, missing_lab_share=0.0))
    visits = [visit for course in made.courses for visit in course.visits]
    stages, labs = np.array([v.stage for v in visits]), np.array([v.labs for v in visits])
    for n, marker in enumerate(MARKERS):
        slope, level = np.polyfit(stages, labs[:, n], 1)
        assert slope == pytest.approx(marker.per_stage, abs=0.1)
        assert level == pytest.approx(marker.at_health, abs=0.2)
        assert np.std(labs[:, n] - slope * stages - level) == pytest.approx(marker.noise, rel=0.1)


def test_area_of_the_structure_is_in_its_picture():
    made = make_visits(VisitParameters(n_patients=60, missing_picture_share=0.0))
    sigma_mm2 = PICTURE_NOISE * PICTURE_PX / (STRUCTURE_VALUE - BACKGROUND_VALUE) * PICTURE_MM**2
    for course in made.courses:
        for visit in course.visits:
            assert visit.picture.shape == (PICTURE_PX, PICTURE_PX)
            above = (visit.picture - BACKGROUND_VALUE).sum() / (STRUCTURE_VALUE - BACKGROUND_VALUE)
            assert above * PICTURE_MM**2 == pytest.approx(visit.structure_area_mm2, abs=5 * sigma_mm2 + 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_time_tells_who_progresses_only_when_visits_are_irregular(seed):
    gains = {}
    for spread in (0.0, 1.2):
        made = make_visits(
            VisitParameters(
                seed=seed, n_patients=600, n_visits=(5, 5), irregularity=spread, missing_lab_share=0.0
            )
        ).table()
        change = made.labs[:, -1, 0] - made.labs[:, 0, 0]
        by_time = change / made.days[:, -1]
        gains[spread] = auc(by_time, made.progresses) - auc(change, made.progresses)
    assert gains[1.2] > 0.05
    assert abs(gains[0.0]) < 1e-9


def test_number_of_visits_says_nothing():
    made = make_visits(VisitParameters(n_patients=1000))
    counts = np.array([len(course.visits) for course in made.courses])
    truth = np.array([course.progresses for course in made.courses])
    error = np.sqrt((len(truth) + 1) / (12 * truth.sum() * (~truth).sum()))  # of an AUC of nothing
    assert auc(counts, truth) == pytest.approx(0.5, abs=4 * error)
    assert (counts.min(), counts.max()) == (3, 8)


def test_table_is_padded_behind_the_last_visit():
    made = make_visits(VisitParameters(n_patients=40))
    table = made.table()
    for n, course in enumerate(made.courses):
        assert table.is_visit[n].sum() == len(course.visits)
        assert np.isnan(table.labs[n, len(course.visits) :]).all()


def test_courses_say_that_they_are_synthetic():
    made = make_visits(VisitParameters(n_patients=1))
    assert "Synthetic" in made.label
    assert "Research use only" in made.label
    assert made.courses[0].name.startswith("SYN-")


@pytest.mark.parametrize(
    "wrong", [{"missing_lab_share": 1.1}, {"n_visits": (5, 3)}, {"gap_days": 0.0}, {"n_patients": 0}]
)
def test_parameters_outside_their_range_are_refused(wrong):
    with pytest.raises(UsageError, match=rf"{next(iter(wrong))} is .* outside"):
        VisitParameters(**wrong)
