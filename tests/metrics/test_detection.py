"""Matching of boxes and average precision: by hand, a published table, and what holds in any number of axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.metrics.independent_references import scene

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    Boxes,
    box_sizes,
    detection_average_precision,
    match_boxes,
    mean_average_precision,
)
from hounsfield.metrics.froc import Matched


def boxes(*rows, **last):
    """Rows of (image, low x, high x[, score]); all reach from 0 to 10 along y."""
    table = np.array(rows, dtype=float).reshape(len(rows), -1)
    corners = np.zeros((len(table), 2, 2))
    corners[:, 1, 0] = 10.0
    corners[:, :, 1] = table[:, 1:3]
    score = table[:, 3] if table.shape[1] > 3 else None
    return Boxes(table[:, 0].astype(int), corners, score=score, **last)


TWO = boxes((0, 0, 10), (0, 20, 30))


def test_each_object_is_hit_once_and_the_second_box_is_false():
    found = boxes((0, 0, 10, 0.5), (0, 1, 11, 0.9), (0, 50, 60, 0.7))
    matched = match_boxes(found, TWO, overlap=0.5, n_images=2)
    assert matched.hit_score.tolist() == [0.9, -np.inf]
    assert sorted(matched.false_score) == [0.5, 0.7]
    assert matched.n_ignored == 0


def test_box_that_finds_its_best_object_taken_takes_the_next_best():
    crowded = boxes((0, 0, 10), (0, 2, 12))
    found = boxes((0, 0, 10, 0.9), (0, 0.5, 10.5, 0.8))
    assert match_boxes(found, crowded, overlap=0.5, n_images=1).hit_score.tolist() == [0.9, 0.8]


def test_overlap_at_the_threshold_is_a_hit_and_below_it_is_none():
    """A box moved by 5 of 10 shares 5 of 15."""
    found = boxes((0, 5, 15, 0.9))
    assert np.isfinite(match_boxes(found, TWO, overlap=1 / 3, n_images=1).hit_score[0])
    assert not np.isfinite(match_boxes(found, TWO, overlap=0.334, n_images=1).hit_score).any()


def test_irrelevant_object_takes_a_box_away_but_only_where_no_object_that_counts_is_hit():
    objects = replace(TWO, ignored=np.array([False, True]))
    found = boxes((0, 20, 30, 0.9), (0, 20, 30, 0.8), (0, 0, 10, 0.7))
    matched = match_boxes(found, objects, overlap=0.5, n_images=1)
    assert matched.hit_score.tolist() == [0.7]
    assert matched.false_score.tolist() == [0.8]
    assert matched.n_ignored == 1
    near = replace(boxes((0, 0, 10), (0, 2, 12)), ignored=np.array([False, True]))
    assert match_boxes(boxes((0, 2, 12, 0.9)), near, overlap=0.5, n_images=1).hit_score.tolist() == [0.9]


def test_crowd_takes_several_boxes_by_their_share_within_it():
    objects = replace(boxes((0, 0, 100), (0, 200, 210)), crowd=np.array([True, False]))
    found = boxes((0, 0, 10, 0.9), (0, 50, 60, 0.8), (0, 96, 106, 0.7))
    matched = match_boxes(found, objects, overlap=0.5, n_images=1)
    assert matched.n_ignored == 2
    assert matched.false_score.tolist() == [0.7]


def test_only_the_highest_boxes_of_an_image_count():
    found = boxes((0, 50, 60, 0.9), (0, 70, 80, 0.8), (0, 0, 10, 0.1))
    matched = match_boxes(found, TWO, overlap=0.5, n_images=1, most_per_image=2)
    assert not np.isfinite(matched.hit_score).any()
    assert matched.false_score.size == 2


def told_apart(is_hit, n_objects):
    """Boxes by falling score, hit or false, of n objects in one image."""
    score = -np.arange(len(is_hit), dtype=float)
    hit = np.array(is_hit, dtype=bool)
    hits = np.concatenate([score[hit], np.full(n_objects - hit.sum(), -np.inf)])
    false = score[~hit]
    return Matched(hits, np.zeros(n_objects, int), false, np.zeros(false.size, int), 0, 1)


def test_average_precision_by_hand():
    """Hit, false, hit of 4 objects: precision 1 up to recall 1/4, then 2/3 up to 1/2."""
    matched = told_apart([1, 0, 1], 4)
    assert detection_average_precision(matched, form="area") == pytest.approx(0.25 + 0.25 * 2 / 3)
    # Recalls 0 to 0.25 are 26 points, 0.26 to 0.50 are 25.
    expected = (26 + 25 * 2 / 3) / 101
    assert detection_average_precision(matched, form="101-points") == pytest.approx(expected)


def test_boxes_of_one_score_count_together_whatever_their_order():
    for hit, false in (([0.5], [0.5]), ([0.5], [0.5, 0.5])):
        matched = Matched(np.array(hit), np.zeros(1, int), np.array(false), np.zeros(len(false), int), 0, 1)
        expected = 1 / (1 + len(false))
        assert detection_average_precision(matched, form="area") == pytest.approx(expected)


def test_nothing_found_is_zero_and_nothing_to_find_is_undefined():
    assert detection_average_precision(told_apart([], 3), form="area") == 0.0
    assert np.isnan(detection_average_precision(told_apart([0, 0], 0), form="101-points"))


def test_label_without_objects_is_left_out_of_the_mean():
    found = replace(boxes((0, 0, 10, 0.9), (0, 20, 30, 0.8)), label=np.array([1, 7]))
    objects = replace(boxes((0, 0, 10)), label=np.array([1]))
    figures = mean_average_precision(found, objects, n_images=1)
    assert figures.labels == (1, 7)
    assert np.isnan(figures.average_precision()[1]).all()
    assert figures.mean == pytest.approx(1.0)


def test_boxes_of_three_axes_are_judged_like_their_flat_ones():
    """A scene in which every box has the same thickness has the overlaps of the flat one."""
    found, objects = scene()

    def thick(flat):
        z = np.broadcast_to(np.array([[[0.0], [4.0]]]), (len(flat.corners), 2, 1))
        return replace(flat, corners=np.concatenate([z, flat.corners], axis=2))

    flat = mean_average_precision(found, objects, n_images=12).average_precision()
    solid = mean_average_precision(thick(found), thick(objects), n_images=12).average_precision()
    assert solid == pytest.approx(flat, nan_ok=True)
    assert box_sizes(thick(found).corners) == pytest.approx(4 * box_sizes(found.corners))


def test_order_of_boxes_and_images_changes_nothing():
    found, objects = scene()
    order = np.random.default_rng(2).permutation(found.image.size)
    swapped = replace(
        found,
        image=11 - found.image[order],
        corners=found.corners[order],
        label=found.label[order],
        score=found.score[order],
    )
    before = mean_average_precision(found, objects, n_images=12, overlaps=(0.5,))
    after = mean_average_precision(
        swapped, replace(objects, image=11 - objects.image), n_images=12, overlaps=(0.5,)
    )
    assert after.mean == pytest.approx(before.mean)


def test_images_that_count_twice_are_images_that_stand_twice():
    found, objects = scene()

    def twice(side):
        both = {
            name: np.concatenate([part, part])
            for name in ("corners", "label", "score", "crowd")
            if (part := getattr(side, name)) is not None
        }
        return Boxes(np.concatenate([side.image, side.image + 12]), **both)

    once = mean_average_precision(found, objects, n_images=12, overlaps=(0.5,), form="area")
    doubled = mean_average_precision(twice(found), twice(objects), n_images=24, overlaps=(0.5,), form="area")
    assert once.average_precision(np.full(12, 2.0)) == pytest.approx(once.average_precision())
    assert doubled.average_precision() == pytest.approx(once.average_precision())


def test_interval_follows_the_seed_and_draws_whole_patients():
    figures = mean_average_precision(*scene(), n_images=12, overlaps=(0.5,))
    patients = np.arange(12) // 2
    first, again = (
        figures.interval(patients, rng=np.random.default_rng(3), n_resamples=100) for _ in range(2)
    )
    assert first == again
    assert first.low < first.value < first.high
    one_patient = figures.interval(np.zeros(12), rng=np.random.default_rng(3), n_resamples=5)
    assert one_patient.low == pytest.approx(one_patient.high)
    with pytest.raises(RefusedInput, match="11 groups for 12 images"):
        figures.interval(np.arange(11), rng=np.random.default_rng(3))


def test_matched_boxes_have_a_free_response_curve():
    found = boxes((0, 0, 10, 0.9), (1, 0, 10, 0.8), (0, 20, 30, 0.7))
    curve = match_boxes(found, TWO, overlap=0.5, n_images=2).curve()
    assert curve.sensitivity.tolist() == [0.5, 0.5, 1.0]
    assert curve.false_per_image.tolist() == [0.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("found", "overlap", "says"),
    [
        (boxes((0, 0, 10)), 0.5, "need scores"),
        (boxes((0, 0, 10, 0.5)), 0.0, "above 0 and at most 1"),
        (boxes((3, 0, 10, 0.5)), 0.5, "outside 0 to 1"),
        (boxes((0, 0, 10, np.nan)), 0.5, "not a finite number"),
        (replace(boxes((0, 0, 10, 0.5)), label=np.array([1, 2])), 0.5, "of one length"),
    ],
)
def test_boxes_that_make_no_sense_are_refused(found, overlap, says):
    with pytest.raises(RefusedInput, match=says):
        match_boxes(found, TWO, overlap=overlap, n_images=2)
