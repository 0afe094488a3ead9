"""Distances between sets of voxels: by hand, by every pair, on empty and flat masks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import mahalanobis_distance, voxel_distances

MASKS = hnp.arrays(np.bool_, (3, 4, 5))
SPACING_MM = (2.5, 0.7, 1.0)


def line(*places, n=12):
    mask = np.zeros((1, 1, n), dtype=bool)
    mask[0, 0, list(places)] = True
    return mask


def test_line_of_voxels_by_hand():
    """Truth at 0, 1, 2, prediction at 2 and 8, 2 mm apart: from the truth 4, 2, 0, from the prediction 0 and 12 mm."""
    found = voxel_distances(line(0, 1, 2), line(2, 8), (1.0, 1.0, 2.0))
    assert (found.largest_from_truth_mm, found.mean_from_truth_mm) == (4.0, 2.0)
    assert (found.largest_from_prediction_mm, found.mean_from_prediction_mm) == (12.0, 6.0)
    assert found.hausdorff_mm == 12.0
    assert found.average_hausdorff_mm == 6.0


@settings(deadline=None)
@given(MASKS, MASKS)
def test_distances_are_those_of_looking_at_every_pair(first, second):
    found = voxel_distances(first, second, SPACING_MM)
    places = [np.argwhere(mask) * SPACING_MM for mask in (first, second)]
    if len(places[0]) and len(places[1]):
        apart = np.linalg.norm(places[0][:, None] - places[1][None], axis=2)
        ways = apart.min(axis=1), apart.min(axis=0)
        assert found.hausdorff_mm == pytest.approx(max(way.max() for way in ways))
        assert found.average_hausdorff_mm == pytest.approx(max(way.mean() for way in ways))


def test_what_lies_inside_the_other_mask_is_not_away():
    """Unlike distances between outlines: a ball in a larger one."""
    at = np.ogrid[-9:10, -9:10, -9:10]
    squared = sum(x**2 for x in at)
    found = voxel_distances(squared <= 64, squared <= 16, (1.0, 1.0, 1.0))
    assert found.largest_from_prediction_mm == found.mean_from_prediction_mm == 0.0
    assert found.hausdorff_mm == pytest.approx(4.0, abs=0.5)


def test_mahalanobis_distance_by_hand():
    """Voxels 0 and 2, and 3, 5, 7: variances 1 and 8 / 3, pooled (2 + 8) / 5 = 2; centres 1 and 5."""
    assert mahalanobis_distance(line(0, 2), line(3, 5, 7), (1.0, 1.0, 1.0)) == pytest.approx(4 / math.sqrt(2))


@settings(deadline=None)
@given(MASKS, MASKS)
def test_mahalanobis_distance_knows_no_spacing(first, second):
    """The spread grows with the voxels."""
    near, far = (mahalanobis_distance(first, second, spacing) for spacing in ((1.0, 1.0, 1.0), SPACING_MM))
    assert far == pytest.approx(near, nan_ok=True, abs=1e-6)


def test_mahalanobis_distance_along_a_flat_axis_is_infinite_unless_the_masks_agree_there():
    plane = np.zeros((3, 4, 5), dtype=bool)
    plane[0, :3, :3] = True
    beside, above = np.roll(plane, 1, axis=1), np.roll(plane, 1, axis=0)
    assert mahalanobis_distance(plane, beside, (1.0, 1.0, 1.0)) == pytest.approx(1 / math.sqrt(2 / 3))
    assert mahalanobis_distance(plane, above, (1.0, 1.0, 1.0)) == math.inf
    assert mahalanobis_distance(plane, plane, (1.0, 1.0, 1.0)) == 0.0


def test_empty_masks_are_undefined_or_worst():
    some, none = line(1, 2), line()
    both = voxel_distances(none, none, (1.0, 1.0, 1.0))
    assert math.isnan(both.hausdorff_mm)
    assert math.isnan(both.average_hausdorff_mm)
    assert math.isnan(mahalanobis_distance(none, none, (1.0, 1.0, 1.0)))
    for pair in ((some, none), (none, some)):
        one = voxel_distances(*pair, (1.0, 1.0, 1.0))
        assert one.hausdorff_mm == one.average_hausdorff_mm == math.inf
        assert mahalanobis_distance(*pair, (1.0, 1.0, 1.0)) == math.inf


@pytest.mark.parametrize("function", [voxel_distances, mahalanobis_distance])
def test_masks_on_other_grids_are_refused(function):
    with pytest.raises(RefusedInput, match="must lie on one grid"):
        function(line(1), line(1, n=13), (1.0, 1.0, 1.0))
