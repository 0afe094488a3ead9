"""Overlap of boxes and masks: by hand, against counted voxels, and what stretching an axis must not change."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import (
    box_centre_distance_mm,
    box_giou,
    box_iou,
    box_sizes,
    boxes_of_masks,
    mask_iou,
    share_inside,
)

UNIT = np.array([[[0.0, 0.0], [2.0, 2.0]]])


def test_overlap_by_hand():
    """Two squares of side 2, moved by 1 along one axis: 2 shared of 6; apart by 2: nothing of 8, gap of 4 in 12."""
    others = np.array([[[1.0, 0.0], [3.0, 2.0]], [[0.0, 4.0], [2.0, 6.0]], [[0.0, 0.0], [2.0, 2.0]]])
    assert box_iou(UNIT, others)[0] == pytest.approx([2 / 6, 0.0, 1.0])
    assert box_giou(UNIT, others)[0] == pytest.approx([2 / 6, -4 / 12, 1.0])
    assert share_inside(UNIT, others)[0] == pytest.approx([0.5, 0.0, 1.0])
    assert box_centre_distance_mm(UNIT, others)[0] == pytest.approx([1.0, 4.0, 0.0])
    assert box_sizes(others) == pytest.approx([4.0, 4.0, 4.0])


def test_generalised_overlap_counts_the_unfilled_corners():
    diagonal = np.array([[[2.0, 2.0], [4.0, 4.0]]])
    assert box_iou(UNIT, diagonal)[0, 0] == 0.0
    assert box_giou(UNIT, diagonal)[0, 0] == pytest.approx(-8 / 16)


def test_flat_boxes_overlap_nothing():
    flat = np.array([[[1.0, 1.0], [1.0, 2.0]]])
    assert box_iou(flat, flat)[0, 0] == 0.0
    assert box_giou(flat, flat)[0, 0] == 0.0
    assert box_iou(np.zeros((0, 2, 3)), np.zeros((4, 2, 3))).shape == (0, 4)


corners = st.lists(st.integers(0, 9), min_size=6, max_size=6)


def voxel_box(numbers):
    low, high = np.sort(np.array(numbers).reshape(2, 3), axis=0)
    return low, high + 1


@settings(deadline=None)
@given(corners, corners)
def test_overlap_of_boxes_is_that_of_their_voxels_in_any_spacing(first, second):
    spacing_mm = (5.0, 0.7, 0.9)
    masks, boxes = [], []
    for numbers in (first, second):
        low, high = voxel_box(numbers)
        mask = np.zeros((10, 10, 10), dtype=bool)
        mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
        masks.append(mask)
        boxes.append(np.stack([low, high]).astype(float)[None])
    expected = mask_iou(*masks)
    assert box_iou(*boxes)[0, 0] == pytest.approx(expected)
    in_mm = boxes_of_masks(masks, spacing_mm)
    assert in_mm[0] == pytest.approx(boxes[0][0] * np.array(spacing_mm))
    assert box_iou(in_mm[:1], in_mm[1:])[0, 0] == pytest.approx(expected)
    assert box_giou(in_mm[:1], in_mm[1:])[0, 0] == pytest.approx(box_giou(*boxes)[0, 0])
    assert -1.0 <= box_giou(*boxes)[0, 0] <= box_iou(*boxes)[0, 0] + 1e-12


def test_overlap_of_masks_by_hand():
    first, second = np.zeros((4, 4), dtype=bool), np.zeros((4, 4), dtype=bool)
    first[0, :3], second[0, 1:] = True, True
    assert mask_iou(first, second) == pytest.approx(2 / 4)
    assert mask_iou(first, np.zeros_like(first)) == 0.0
    assert math.isnan(mask_iou(np.zeros_like(first), np.zeros_like(first)))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (np.zeros((1, 4)), r"\(n, 2, axes\) is needed"),
        (np.array([[[0.0, 0.0], [np.nan, 1.0]]]), "not a finite number"),
        (np.array([[[3.0, 3.0], [2.0, 4.0]]]), "box 0 has a high corner below its low one"),
        (np.zeros((1, 2, 3)), "boxes of 3 and of 2 axes"),
    ],
)
def test_boxes_that_are_none_are_refused(wrong, says):
    for rule in (box_iou, box_giou, share_inside, box_centre_distance_mm):
        with pytest.raises(RefusedInput, match=says):
            rule(wrong, UNIT)


def test_masks_without_box_or_grid_are_refused():
    with pytest.raises(RefusedInput, match="one grid"):
        mask_iou(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(RefusedInput, match="mask 1 is empty"):
        boxes_of_masks([np.ones((2, 2)), np.zeros((2, 2))], (1.0, 1.0))
    with pytest.raises(RefusedInput, match="does not fit 2 axes"):
        boxes_of_masks([np.ones((2, 2))], (1.0, 1.0, 1.0))
