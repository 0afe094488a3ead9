"""Where a map lies, by hand: its highest point, its mass, its boxes and their overlap."""

from __future__ import annotations

import numpy as np
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.metrics import Box, box_of_mask, boxes_of_map, iobb, iou, points_at, share_of_map_inside


def test_pointing_game_counts_the_maximum_alone():
    truth = np.zeros((4, 4), dtype=bool)
    truth[1, 2] = True
    values = np.zeros((4, 4))
    assert points_at(values, truth) == 0  # an empty map points nowhere
    values[1, 2] = 0.5
    assert points_at(values, truth) == 1
    values[3, 3] = 0.6
    assert points_at(values, truth) == 0


def test_share_of_the_map_that_lies_inside():
    truth = np.zeros((2, 2), dtype=bool)
    truth[0] = True
    assert share_of_map_inside(np.array([[1.0, 2.0], [3.0, 4.0]]), truth) == pytest.approx(0.3)
    assert share_of_map_inside(np.zeros((2, 2)), truth) == 0


def test_boxes_enclose_the_parts_of_a_map_heaviest_first():
    values = np.zeros((10, 12))
    values[1:3, 1:3] = 0.9  # sum 3.6
    values[5:9, 6:11] = 0.5  # sum 10
    values[0, 11] = values[9, 0] = 0.2  # below the level
    assert boxes_of_map(values, 0.4) == [Box(5, 6, 9, 11), Box(1, 1, 3, 3)]
    assert boxes_of_map(values, 0.7) == [Box(1, 1, 3, 3)]
    assert boxes_of_map(np.zeros((3, 3)), 0.1) == []


def test_pixels_that_touch_at_a_corner_are_one_part():
    assert boxes_of_map(np.eye(4), 0.5) == [Box(0, 0, 4, 4)]


def test_overlap_of_two_boxes():
    truth, found = Box(0, 0, 10, 10), Box(5, 5, 10, 15)  # 25 of 50, and of 125
    assert iobb(found, truth) == pytest.approx(0.5)
    assert iou(found, truth) == pytest.approx(0.2)
    assert iobb(Box(4, 4, 5, 5), truth) == 1  # however small
    assert iou(Box(20, 20, 30, 30), truth) == 0


def test_box_and_mask_and_back():
    mask = np.zeros((8, 9), dtype=bool)
    mask[2:5, 3:7] = True
    box = box_of_mask(mask)
    assert box == Box(2, 3, 5, 7)
    np.testing.assert_array_equal(box.mask((8, 9)), mask)
    with pytest.raises(UsageError, match="no box"):
        box_of_mask(np.zeros((3, 3), dtype=bool))


def test_map_and_truth_on_different_pixels_are_refused():
    with pytest.raises(UsageError, match="lie on different pixels"):
        points_at(np.zeros((3, 3)), np.zeros((3, 4), dtype=bool))
