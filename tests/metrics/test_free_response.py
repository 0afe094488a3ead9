"""Figures of one reader's marks, intervals of FROC curves, and the pointing game."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    FreeResponse,
    centre_distance_mm,
    free_response_interval,
    froc_sensitivity_intervals,
    pointing_distance_mm,
    pointing_game,
)
from hounsfield.metrics.froc import Matched

# Cases 0 and 1 are diseased (two lesions, one lesion), 2 and 3 normal.
STUDY = FreeResponse(
    lesion_rating=np.array([3.0, -np.inf, 2.0]),
    lesion_case=np.array([0, 0, 1]),
    false_rating=np.array([4.0, 2.0, 1.0, 5.0]),
    false_case=np.array([0, 2, 2, 1]),
    n_cases=4,
)


def test_figures_by_hand():
    assert STUDY.lesion_localisation_fraction == pytest.approx(2 / 3)
    assert STUDY.lesion_localisation_fraction_at(3.0) == pytest.approx(1 / 3)
    assert STUDY.false_marks_per_case == 1.0
    assert STUDY.highest_false.tolist() == [4.0, 5.0, 2.0, -np.inf]
    assert STUDY.highest.tolist() == [4.0, 5.0, 2.0, -np.inf]
    # Normal cases 2 and none: lesion 3 beats both, the unmarked ties with one, lesion 2 ties with one and beats one.
    assert STUDY.jafroc == pytest.approx((2 + 0.5 + 1.5) / 6)
    assert STUDY.wafroc == pytest.approx(((2 + 0.5) / 2 + 1.5) / 4)
    # With the false marks 4 and 5 of diseased cases, which beat every lesion.
    assert STUDY.jafroc_1 == pytest.approx((2 + 0.5 + 1.5) / 12)
    assert STUDY.inferred_roc == 1.0


def test_area_below_the_curve_is_the_figure():
    alarms, hits, ratings = STUDY.afroc_curve()
    assert ratings.tolist() == [np.inf, 3.0, 2.0]
    assert alarms.tolist() == [0.0, 0.0, 0.5]
    assert hits == pytest.approx([0.0, 1 / 3, 2 / 3])
    area = np.trapezoid(np.append(hits, 1.0), np.append(alarms, 1.0))
    assert area == pytest.approx(STUDY.jafroc)


def test_drawn_cases_keep_their_marks():
    same = STUDY.of_cases(np.arange(4))
    assert same.jafroc == STUDY.jafroc
    twice = STUDY.of_cases(np.array([0, 0, 3]))
    assert twice.lesion_case.tolist() == [0, 0, 1, 1]
    assert twice.false_rating.tolist() == [4.0, 4.0]
    assert twice.is_diseased.tolist() == [True, True, False]


def test_figures_without_cases_to_rest_on_are_undefined():
    normal = STUDY.of_cases(np.array([2, 3]))
    assert math.isnan(normal.lesion_localisation_fraction)
    assert all(math.isnan(x) for x in (normal.jafroc, normal.jafroc_1, normal.wafroc, normal.inferred_roc))
    assert math.isnan(STUDY.of_cases(np.array([0, 1])).jafroc)


def test_interval_of_a_figure_lies_around_it():
    many = STUDY.of_cases(np.tile(np.arange(4), 15))
    found = free_response_interval(
        many, lambda study: study.jafroc, np.arange(60), rng=np.random.default_rng(1), n_resamples=200
    )
    assert found.value == pytest.approx(STUDY.jafroc)
    assert found.low < found.value < found.high
    with pytest.raises(RefusedInput, match="4 cases"):
        free_response_interval(STUDY, lambda study: study.jafroc, [1], rng=np.random.default_rng(1))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lesion_case": np.array([0])}, "one rating and one case"),
        ({"lesion_rating": np.array([np.nan, 1.0, 2.0])}, "not a number"),
        ({"false_rating": np.array([4.0, -np.inf, 1.0, 5.0])}, "not a number"),
        ({"false_case": np.array([0, 2, 2, 9])}, "outside 0 to 3"),
    ],
)
def test_marks_that_make_no_sense_are_refused(change, says):
    with pytest.raises(RefusedInput, match=says):
        replace(STUDY, **change)


def test_intervals_of_the_curve_are_wider_when_images_of_a_patient_are_alike():
    rng = np.random.default_rng(5)
    patient = np.repeat(np.arange(40), 5)
    seen = np.repeat(rng.random(40) < 0.6, 5)
    matched = Matched(
        np.where(seen, rng.random(200), -np.inf),
        np.arange(200),
        rng.random(100),
        rng.integers(0, 200, 100),
        0,
        200,
    )
    alone, together = (
        froc_sensitivity_intervals(
            matched, groups, rng=np.random.default_rng(2), rates=(0.25, 4.0), n_resamples=200
        )
        for groups in (np.arange(200), patient)
    )
    assert [one.value for one in alone] == matched.curve().sensitivity_at((0.25, 4.0)).tolist()
    assert alone[1].value == pytest.approx(seen.mean())
    assert together[1].high - together[1].low > 1.5 * (alone[1].high - alone[1].low)
    with pytest.raises(RefusedInput, match="one for each image"):
        froc_sensitivity_intervals(matched, [1, 2], rng=rng)


def test_pointing_by_hand():
    truth, strength = np.zeros((4, 6), dtype=bool), np.zeros((4, 6))
    truth[1, 1:3] = True
    strength[3, 2] = 1.0
    assert pointing_distance_mm(strength, truth, (2.0, 0.5)) == pytest.approx(4.0)
    strength[1, 1] = 2.0
    assert pointing_distance_mm(strength, truth, (2.0, 0.5)) == 0.0


def test_map_that_points_everywhere_earns_the_farthest():
    truth = np.zeros((1, 1, 9), dtype=bool)
    truth[0, 0, 0] = True
    assert pointing_distance_mm(np.ones((1, 1, 9)), truth, (1.0, 1.0, 2.0)) == 16.0
    assert pointing_distance_mm(np.ones((1, 1, 9)), truth & False, (1.0, 1.0, 2.0)) == math.inf


def test_share_of_hits_has_wilsons_interval():
    found = pointing_game(np.array([0.0, 3.0, 15.0, math.inf]), tolerance_mm=3.0)
    assert found.value == 0.5
    # Wilson 1927 for 2 of 4, by hand: (0.5 + z^2/8 -+ z sqrt(1/16 + z^2/64)) / (1 + z^2/4).
    z2 = 1.959964**2
    half = math.sqrt(z2) * math.sqrt(1 / 16 + z2 / 64)
    assert (found.low, found.high) == pytest.approx(
        ((0.5 + z2 / 8 - half) / (1 + z2 / 4), (0.5 + z2 / 8 + half) / (1 + z2 / 4))
    )


def test_centres_lie_as_far_apart_as_they_were_moved():
    mask = np.zeros((5, 20, 20), dtype=bool)
    mask[1:3, 3:8, 4:6] = True
    assert centre_distance_mm(mask, np.roll(mask, (1, 4), (0, 1)), (3.0, 1.0, 1.0)) == pytest.approx(5.0)
    assert centre_distance_mm(mask, mask & False, (3.0, 1.0, 1.0)) == math.inf
    assert math.isnan(centre_distance_mm(mask & False, mask & False, (3.0, 1.0, 1.0)))


def test_maps_and_distances_that_make_no_sense_are_refused():
    with pytest.raises(RefusedInput, match="one grid"):
        centre_distance_mm(np.ones((2, 2)), np.ones((2, 3)), (1.0, 1.0))
    with pytest.raises(RefusedInput, match="one above 0 each"):
        pointing_distance_mm(np.ones((2, 2)), np.ones((2, 2)), (1.0, 0.0))
    with pytest.raises(RefusedInput, match="not a finite number"):
        pointing_distance_mm(np.array([np.nan, 1.0]), np.ones(2), (1.0,))
    with pytest.raises(RefusedInput, match="state inf"):
        pointing_game(np.array([np.nan]))
    with pytest.raises(RefusedInput, match="0 or more is needed"):
        pointing_game(np.array([1.0]), tolerance_mm=-1.0)
