"""Label maps class by class: equal to each class alone, whatever the type, and refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import compare_label_maps, count_overlap, dice, surface_distances

SPACING_MM = (2.5, 0.7, 0.9)


def label_map(seed, n_classes=3, shape=(8, 14, 15)):
    """Blocks of labels, so that classes touch, are scattered, and reach the edge."""
    small = np.random.default_rng(seed).integers(0, n_classes + 1, [n // 2 + 1 for n in shape])
    return small.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)[tuple(map(slice, shape))]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.uint16])
@pytest.mark.parametrize("definition", ["border voxels", "surface area"])
def test_each_class_is_as_if_alone(dtype, definition):
    truth, prediction = label_map(1).astype(dtype), label_map(2).astype(dtype)
    found = compare_label_maps(truth, prediction, SPACING_MM, [3, 1, 2], definition=definition)
    assert list(found) == [3, 1, 2]
    for label, one in found.items():
        masks = truth == label, prediction == label
        alone = surface_distances(*masks, SPACING_MM, definition=definition)
        assert one.label == label
        assert one.counts == count_overlap(*masks)
        assert one.counts.dice == pytest.approx(dice(*masks))
        assert one.surface.definition == definition
        assert one.surface.hausdorff_percentile_mm(95) == alone.hausdorff_percentile_mm(95)
        assert one.surface.mean_mm == alone.mean_mm
        assert one.surface.surface_dice(1.0) == alone.surface_dice(1.0)


def test_many_classes_are_as_few():
    """From some number of classes on, boxes are found in another way."""
    truth, prediction = label_map(3, 20), label_map(4, 20)
    every = compare_label_maps(truth, prediction, SPACING_MM, range(1, 21))
    for label in (1, 7, 20):
        few = compare_label_maps(truth, prediction, SPACING_MM, [label])[label]
        assert few.counts == every[label].counts
        assert few.surface.mean_mm == every[label].surface.mean_mm


def test_class_that_a_map_lacks_is_worst_and_that_both_lack_is_undefined():
    truth = np.zeros((4, 5, 6), dtype=np.uint8)
    truth[1:3, 1:3, 1:3] = 1
    prediction = np.zeros_like(truth)
    prediction[2:4, 2:4, 2:4] = 2
    found = compare_label_maps(truth, prediction, SPACING_MM, [1, 2, 9, 300])
    for label in (1, 2):
        assert found[label].counts.dice == found[label].surface.surface_dice(3.0) == 0.0
        assert found[label].surface.hausdorff_mm == math.inf
    for label in (9, 300):
        assert found[label].counts.true_negative == truth.size
        assert math.isnan(found[label].counts.dice)
        assert math.isnan(found[label].surface.surface_dice(3.0))
        assert math.isnan(found[label].surface.hausdorff_mm)


def test_classes_in_disjoint_corners_share_nothing():
    truth, prediction = np.zeros((2, 9, 9, 9), dtype=np.uint8)
    truth[:2, :2, :2] = 1
    prediction[7:, 7:, 7:] = 1
    found = compare_label_maps(truth, prediction, (1.0, 1.0, 1.0), [1])[1]
    assert found.counts.true_positive == 0
    assert found.surface.hausdorff_mm == pytest.approx(7 * math.sqrt(3))


def test_plane_is_as_a_plane_of_masks():
    truth, prediction = label_map(5)[0], label_map(6)[0]
    one = compare_label_maps(truth, prediction, (0.7, 0.9), [2], definition="surface area")[2]
    alone = surface_distances(truth == 2, prediction == 2, (0.7, 0.9), definition="surface area")
    assert one.surface.mean_mm == alone.mean_mm


@pytest.mark.parametrize(
    ("truth", "classes", "says"),
    [
        (np.zeros((2, 3, 4), dtype=np.uint8), [1], "must lie on one grid"),
        (np.zeros((2, 3, 3)), [1], "holds float64; integers are needed"),
        (np.zeros((2, 3, 3), dtype=np.uint8), [0, 1], "0 is the background"),
        (np.zeros((2, 3, 3), dtype=np.uint8), [1, 1], "each once"),
    ],
)
def test_what_cannot_be_compared_is_refused(truth, classes, says):
    with pytest.raises(RefusedInput, match=says):
        compare_label_maps(truth, np.zeros((2, 3, 3), dtype=np.uint8), (1.0, 1.0, 1.0), classes)
