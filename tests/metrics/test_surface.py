"""Distances between outlines: by hand, by brute force, on spheres, and the policy on empty masks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import surface_distances


def cube(shift, side=10, shape=(24, 24, 24)):
    mask = np.zeros(shape, dtype=bool)
    mask[5 + shift : 5 + shift + side, 5:15, 5:15] = True
    return mask


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (5.0, 1.0, 1.0)])
def test_shifted_cubes_lie_as_far_apart_as_they_were_shifted(spacing_mm):
    found = surface_distances(cube(0), cube(3), spacing_mm)
    assert found.hausdorff_mm == pytest.approx(3 * spacing_mm[0])
    assert surface_distances(cube(0), cube(0), spacing_mm).hausdorff_mm == 0.0
    assert surface_distances(cube(0), cube(0), spacing_mm).surface_dice(0.0) == 1.0


def sphere(radius_mm, spacing_mm):
    shape = tuple(int(2 * 16 / step) + 5 for step in spacing_mm)
    axes = [(np.arange(n) - n // 2) * step for n, step in zip(shape, spacing_mm, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return z**2 + y**2 + x**2 <= radius_mm**2


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (2.0, 0.8, 0.8)])
def test_concentric_spheres_are_as_far_apart_as_their_radii(spacing_mm):
    found = surface_distances(sphere(14.0, spacing_mm), sphere(10.0, spacing_mm), spacing_mm)
    half_diagonal_mm = math.hypot(*spacing_mm) / 2
    assert found.hausdorff_mm == pytest.approx(4.0, abs=2 * half_diagonal_mm)
    assert found.mean_mm == pytest.approx(4.0, abs=half_diagonal_mm)
    assert found.surface_dice(1.0) == 0.0
    assert found.surface_dice(4.0 + 2 * half_diagonal_mm) == 1.0


MASKS = hnp.arrays(np.bool_, (4, 5, 6))


@settings(deadline=None)
@given(MASKS, MASKS)
def test_distances_are_those_of_looking_at_every_pair(first, second):
    spacing_mm = (2.5, 0.7, 1.0)
    found = surface_distances(first, second, spacing_mm)
    borders = []
    for mask in (first, second):
        inside = ndimage.binary_erosion(mask)
        borders.append(np.argwhere(mask & ~inside) * spacing_mm)
    for own, other, distances in (
        (borders[0], borders[1], found.from_truth_mm),
        (borders[1], borders[0], found.from_prediction_mm),
    ):
        apart = np.linalg.norm(own[:, None] - other[None], axis=2)
        expected = apart.min(axis=1) if len(other) else np.full(len(own), np.inf)
        assert sorted(distances) == pytest.approx(sorted(expected))


@settings(deadline=None)
@given(MASKS, MASKS)
def test_turning_both_round_and_swapping_changes_nothing(first, second):
    spacing_mm = (2.5, 0.7, 1.0)
    plain = surface_distances(first, second, spacing_mm)
    turned = surface_distances(second[::-1, :, ::-1], first[::-1, :, ::-1], spacing_mm)
    for name in ("hausdorff_mm", "mean_mm"):
        assert getattr(turned, name) == pytest.approx(getattr(plain, name), nan_ok=True)
    assert turned.surface_dice(1.0) == pytest.approx(plain.surface_dice(1.0), nan_ok=True)


def test_larger_of_both_ways_counts():
    """A mask with one voxel far away: the way from it sees the distance, the way to it does not."""
    truth = np.zeros((1, 1, 40), dtype=bool)
    truth[0, 0, :3] = True
    prediction = truth.copy()
    prediction[0, 0, 32] = True
    found = surface_distances(truth, prediction, (1.0, 1.0, 1.0))
    assert found.from_truth_mm.max() == 0.0
    assert found.hausdorff_mm == 30.0
    # Of 0, 0, 0, 30 the 95th percentile lies at rank 2.85: 0.85 * 30.
    assert found.hausdorff_percentile_mm(95) == pytest.approx(25.5)
    assert found.mean_mm == pytest.approx(30 / 7)
    assert found.surface_dice(1.0) == pytest.approx(6 / 7)


def test_empty_masks_are_undefined_or_worst_and_never_dropped():
    some, none = cube(0), np.zeros((24, 24, 24), dtype=bool)
    both = surface_distances(none, none, (1.0, 1.0, 1.0))
    assert math.isnan(both.hausdorff_mm)
    assert math.isnan(both.mean_mm)
    assert math.isnan(both.surface_dice(1.0))
    for pair in ((some, none), (none, some)):
        one = surface_distances(*pair, (1.0, 1.0, 1.0))
        assert one.hausdorff_percentile_mm(95) == math.inf
        assert one.mean_mm == math.inf
        assert one.surface_dice(1.0) == 0.0


@pytest.mark.parametrize(
    ("second", "spacing_mm", "says"),
    [
        (np.zeros((2, 2, 3)), (1.0, 1.0, 1.0), "must lie on one grid"),
        (np.zeros((2, 2, 2)), (1.0, 1.0), "does not fit 3 axes"),
        (np.zeros((2, 2, 2)), (1.0, 0.0, 1.0), "one above 0 each"),
    ],
)
def test_what_has_no_distance_is_refused(second, spacing_mm, says):
    with pytest.raises(RefusedInput, match=says):
        surface_distances(np.zeros((2, 2, 2)), second, spacing_mm)


def test_percentile_and_tolerance_have_limits():
    found = surface_distances(cube(0), cube(1), (1.0, 1.0, 1.0))
    with pytest.raises(RefusedInput, match="0 to 100"):
        found.hausdorff_percentile_mm(101)
    with pytest.raises(RefusedInput, match="0 or more"):
        found.surface_dice(-1.0)


@pytest.mark.peer
def test_hausdorff_distance_agrees_with_simpleitk():
    import SimpleITK

    rng = np.random.default_rng(3)
    spacing_mm = (2.0, 0.7, 0.9)
    blobs = ndimage.gaussian_filter(rng.random((20, 30, 60)), 2) > 0.5
    # Apart, because the filter measures from every voxel to the nearest of the other mask, which within it is none.
    masks = [blobs & (np.arange(60) < 28), blobs & (np.arange(60) > 31)]
    images = []
    for mask in masks:
        image = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
        image.SetSpacing(spacing_mm[::-1])
        images.append(image)
    peer = SimpleITK.HausdorffDistanceImageFilter()
    peer.Execute(*images)
    found = surface_distances(masks[0], masks[1], spacing_mm)
    assert found.hausdorff_mm == pytest.approx(peer.GetHausdorffDistance(), abs=1e-4)
