"""Lesion by lesion: by hand, by both rules, one to one, and on empty masks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import match_by_overlap


def mask_of(text):
    """A plane from rows of . and #."""
    return np.array([[letter == "#" for letter in row] for row in text.split()])


TRUTH = mask_of("""
    ##..##....
    ##..##....
    .......###
    #.........
""")
PREDICTION = mask_of("""
    .#..##..#.
    .####.....
    ..........
    ......##..
""")


def test_any_overlap_by_hand():
    """One piece finds the two upper lesions; two pieces lie where there is nothing."""
    found = match_by_overlap(TRUTH, PREDICTION)
    assert found.truth_voxels.tolist() == [4, 4, 3, 1]
    assert found.is_found.tolist() == [True, True, False, False]
    assert found.prediction_voxels.tolist() == [7, 1, 2]
    assert found.is_false.tolist() == [False, True, True]
    assert (found.n_missed, found.n_false) == (2, 2)
    assert found.sensitivity == 0.5
    assert found.precision == pytest.approx(1 / 3)
    assert found.f1 == pytest.approx(2 * 0.5 / 3 / (0.5 + 1 / 3))


def test_by_iou_a_piece_finds_one_lesion_at_most():
    """The piece of 7 voxels shares 2 with the first, 3 with the second: IoU 2 / 9 and 3 / 8."""
    assert match_by_overlap(TRUTH, PREDICTION, least_iou=0.2).is_found.tolist() == [False, True, False, False]
    assert match_by_overlap(TRUTH, PREDICTION, least_iou=3 / 8).n_missed == 3
    assert match_by_overlap(TRUTH, PREDICTION, least_iou=0.4).f1 == 0.0


def test_pairs_are_made_so_that_the_sum_is_largest():
    """Lesions A and B; one piece overlaps both, another A alone: A takes the other, though the first fits it better."""
    truth = np.zeros((3, 3, 20), dtype=bool)
    truth[0, 0, 0:8] = truth[0, 0, 10:16] = True
    prediction = np.zeros_like(truth)
    prediction[0, 0, 3:13] = True
    prediction[0, 0, 0:2] = True
    found = match_by_overlap(truth, prediction, least_iou=0.1)
    assert found.is_found.all()
    assert not found.is_false.any()


def test_lesions_that_touch_by_a_corner_are_one_unless_told_otherwise():
    diagonal = mask_of("#. .#")
    assert match_by_overlap(diagonal, diagonal).truth_voxels.tolist() == [2]
    assert match_by_overlap(diagonal, diagonal, joined_by="faces").truth_voxels.tolist() == [1, 1]
    cube = np.zeros((2, 2, 2), dtype=bool)
    cube[0, 0, 0] = cube[1, 1, 1] = True
    assert match_by_overlap(cube, cube, joined_by="edges").truth_voxels.tolist() == [1, 1]


def test_empty_masks_are_undefined_or_worst():
    none = np.zeros_like(TRUTH)
    for least_iou in (None, 0.5):
        nothing = match_by_overlap(none, none, least_iou=least_iou)
        assert all(math.isnan(x) for x in (nothing.sensitivity, nothing.precision, nothing.f1))
        missed = match_by_overlap(TRUTH, none, least_iou=least_iou)
        assert (missed.sensitivity, missed.f1, missed.n_missed, missed.n_false) == (0.0, 0.0, 4, 0)
        assert math.isnan(missed.precision)
        false = match_by_overlap(none, TRUTH, least_iou=least_iou)
        assert (false.precision, false.f1, false.n_missed, false.n_false) == (0.0, 0.0, 0, 4)
        assert math.isnan(false.sensitivity)


MASKS = hnp.arrays(np.bool_, (3, 5, 6))


@settings(deadline=None)
@given(MASKS, MASKS)
def test_a_stricter_rule_never_finds_more(first, second):
    found = [
        match_by_overlap(first, second, least_iou=least_iou, joined_by="faces")
        for least_iou in (None, 0.05, 0.3, 0.6, 1.0)
    ]
    missed = [one.n_missed for one in found]
    assert missed == sorted(missed)
    for one in found[1:]:
        assert one.is_found.sum() == (~one.is_false).sum()


@settings(deadline=None)
@given(MASKS, MASKS)
def test_swapping_the_masks_swaps_the_answers(first, second):
    one, other = match_by_overlap(first, second), match_by_overlap(second, first)
    assert one.is_found.tolist() == (~other.is_false).tolist()
    assert one.f1 == pytest.approx(other.f1, nan_ok=True)


@settings(deadline=None)
@given(MASKS)
def test_a_mask_finds_itself_by_every_rule(mask):
    for least_iou in (None, 1.0):
        found = match_by_overlap(mask, mask, least_iou=least_iou, joined_by="faces")
        assert found.n_missed == found.n_false == 0


@pytest.mark.parametrize(
    ("second", "options", "says"),
    [
        (np.zeros((4, 9)), {}, "must lie on one grid"),
        (PREDICTION, {"least_iou": 0.0}, "least_iou is 0; above 0 and at most 1"),
        (PREDICTION, {"least_iou": 1.1}, "least_iou is 1.1"),
        (PREDICTION, {"joined_by": "sides"}, "joined_by is 'sides'; faces, edges, corners"),
    ],
)
def test_what_cannot_be_matched_is_refused(second, options, says):
    with pytest.raises(RefusedInput, match=says):
        match_by_overlap(TRUTH, second, **options)
