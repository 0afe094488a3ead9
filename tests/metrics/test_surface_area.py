"""Outlines by area: areas by hand and by symmetry, and the numbers of surface-distance and MONAI.

Numbers of peers were computed once on the masks below with surface-distance 0.1 (PyPI; numpy's former names Inf and NaN
set by hand) and MONAI 1.6.1: compute_surface_distances and its robust Hausdorff distance, surface Dice and averages;
compute_surface_dice with and without use_subvoxels, compute_hausdorff_distance, compute_average_surface_distance.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import surface_distances
from hounsfield.metrics._element_areas import element_areas


def ellipsoid(centre, half_axes, shape=(24, 36, 40)):
    at = np.ogrid[tuple(slice(0, n) for n in shape)]
    return sum(((x - c) / h) ** 2 for x, c, h in zip(at, centre, half_axes, strict=True)) < 1


def hollow(centre, outer, inner):
    return ellipsoid(centre, outer) & ~ellipsoid(centre, inner)


def box(corner, sides, shape):
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(c, c + n) for c, n in zip(corner, sides, strict=True))] = True
    return mask


PAIRS = {
    "ellipsoids": (ellipsoid((12, 18, 20), (8, 12, 14)), ellipsoid((13, 20, 19), (7, 13, 13)), (3.0, 0.8, 0.8), 2.0),
    "at the edge": (ellipsoid((0, 0, 39), (8, 12, 14)), ellipsoid((2, 0, 36), (9, 13, 13)), (3.0, 0.8, 0.8), 2.0),
    "one voxel": (box((3, 4, 5), (1, 1, 1), (8, 9, 10)), box((5, 1, 7), (1, 1, 1), (8, 9, 10)), (2.0, 0.5, 0.7), 1.0),
    "far apart": (box((2, 3, 4), (6, 6, 6), (40, 60, 80)), box((30, 50, 70), (8, 8, 8), (40, 60, 80)), (2.0, 0.5, 0.7), 1.0),
    "hollow": (hollow((12, 18, 20), (10, 15, 16), (6, 10, 10)), hollow((12, 18, 21), (9, 15, 16), (7, 10, 10)), (2.0, 0.9, 0.9), 1.0),
    "solid and hollow": (ellipsoid((12, 18, 20), (10, 15, 16)), hollow((12, 18, 21), (9, 15, 16), (7, 10, 10)), (2.0, 0.9, 0.9), 1.0),
    "whole array": (np.ones((6, 7, 8), dtype=bool), box((2, 0, 0), (4, 7, 8), (6, 7, 8)), (2.0, 1.0, 1.5), 1.0),
    "in a plane": (ellipsoid((20, 25), (12, 17), (40, 50)), ellipsoid((22, 23), (13, 15), (40, 50)), (0.7, 1.1), 1.0),
}  # fmt: skip
# Surface Dice, 95th percentile, Hausdorff distance, means from the truth and from the prediction.
SURFACE_DISTANCE = {
    "ellipsoids": (0.818269935, 3.841874542, 6.209669879, 1.277573468, 0.997340612),
    "at the edge": (0.726086321, 6.657326791, 9.176055798, 0.712710833, 1.910550234),
    "one voxel": (0.0, 4.495553359, 4.495553359, 3.475456914, 3.475456914),
    "far apart": (0.0, 78.625759138, 80.411504152, 70.277939961, 72.354349435),
    "hollow": (0.873524764, 2.0, 2.19317122, 0.486351492, 0.475250773),
    "solid and hollow": (0.710623707, 5.247856705, 6.5520989, 0.513165506, 1.742370485),
    "whole array": (0.781229405, 4.0, 4.0, 0.977709282, 0.267294505),
    "in a plane": (0.442340113, 4.4, 4.617358552, 1.495831889, 1.307404094),
}
MONAI = {
    "ellipsoids": (0.6967409, 6.0, 6.20967, 1.790079, 1.348691),
    "at the edge": (0.7156134, 9.0, 9.176056, 0.613178, 2.229579),
    "one voxel": (0.0, 4.495553, 4.495553, 4.495553, 4.495553),
    "far apart": (0.0, 79.318848, 80.411507, 71.27993, 73.362556),
    "hollow": (0.7212813, 2.0, 2.193171, 0.889853, 0.874535),
    "solid and hollow": (0.5699255, 4.846648, 5.6921, 0.928857, 1.861108),
    "whole array": (0.7368421, 4.0, 4.0, 1.277778, 0.298781),
    "in a plane": (0.4102564, 4.4, 4.617359, 1.674968, 1.462653),
}
MONAI_SUBVOXELS = {
    "ellipsoids": 0.81827,
    "at the edge": 0.7260862,
    "one voxel": 0.0,
    "far apart": 0.0,
    "hollow": 0.8735247,
    "solid and hollow": 0.7106238,
    "whole array": 0.7812294,
    "in a plane": 0.4423401,
}


def figures(name, definition):
    truth, prediction, spacing_mm, tolerance_mm = PAIRS[name]
    found = surface_distances(truth, prediction, spacing_mm, definition=definition)
    return (
        found.surface_dice(tolerance_mm),
        found.hausdorff_percentile_mm(95),
        found.hausdorff_mm,
        found.mean_from_truth_mm,
        found.mean_from_prediction_mm,
    )


@pytest.mark.parametrize("name", PAIRS)
def test_by_area_the_numbers_are_those_of_surface_distance(name):
    assert figures(name, "surface area") == pytest.approx(SURFACE_DISTANCE[name], abs=1e-6)
    assert figures(name, "surface area")[0] == pytest.approx(MONAI_SUBVOXELS[name], abs=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_by_border_voxels_the_numbers_are_those_of_monai(name):
    """In single precision, as MONAI gives them."""
    assert figures(name, "border voxels") == pytest.approx(MONAI[name], abs=1e-6, rel=1e-6)


def test_areas_by_hand():
    """Code bits: corner (i, j, k) is bit 4 i + 2 j + k; spacing (2, 3, 4) mm."""
    areas = element_areas((2.0, 3.0, 4.0))
    # One corner: a triangle through the middles of its edges, at 1, 1.5 and 2 mm.
    triangle = math.sqrt((1 * 1.5) ** 2 + (1.5 * 2) ** 2 + (1 * 2) ** 2) / 2
    assert areas[0b00000001] == pytest.approx(triangle)
    # An edge along k: a rectangle, 4 mm by the line between the middles at 1 and 1.5 mm.
    assert areas[0b00000011] == pytest.approx(4 * math.hypot(1, 1.5))
    # A face: all of 3 x 4 mm.
    assert areas[0b00001111] == 12.0
    # Two corners across: one by one. Six of eight: the two that are left, one by one.
    assert areas[0b10000001] == pytest.approx(2 * triangle)
    assert areas[0b00001001] == areas[0b11110110] == pytest.approx(2 * triangle)
    assert areas[0] == areas[255] == 0.0


@pytest.mark.parametrize(
    ("spacing_mm", "sums"),
    [
        ((1.0, 1.0, 1.0), (241.34313970553745, 267.0523395971635, 322.7775169365514)),
        ((2.5, 0.7, 0.9), (398.9298564028801, 743.6019309211366, 1536.9188121058341)),
    ],
)
def test_areas_of_all_codes_are_those_of_surface_distance(spacing_mm, sums):
    """Sums over its 256 areas, their squares and cubes: its codes number the corners otherwise."""
    areas = element_areas(spacing_mm)
    assert [(areas**power).sum() for power in (1, 2, 3)] == pytest.approx(sums, rel=1e-12)


def test_lengths_by_hand():
    lengths = element_areas((2.0, 3.0))
    half = math.hypot(1, 1.5)
    expected = [0, half, half, 3, half, 2, 2 * half, half, half, 2 * half, 2, half, 3, half, half, 0]
    assert lengths == pytest.approx(expected)


def test_areas_do_not_depend_on_how_the_cube_is_held():
    corners = list(itertools.product((0, 1), repeat=3))
    areas = element_areas((1.0, 1.0, 1.0))
    for axes in itertools.permutations(range(3)):
        for flips in itertools.product((0, 1), repeat=3):
            for code in range(256):
                cube = np.array([code >> bit & 1 for bit in range(8)]).reshape(2, 2, 2)
                turned = np.flip(cube.transpose(axes), [axis for axis in range(3) if flips[axis]])
                other = sum(int(turned[corner]) << bit for bit, corner in enumerate(corners))
                assert areas[other] == pytest.approx(areas[code], abs=1e-12)


def test_surface_of_a_box_is_its_faces_with_bevelled_edges():
    """Of 4 x 5 x 6 voxels: faces without their rim, edges cut at 45 degrees, corners by triangles."""
    mask = box((1, 1, 1), (4, 5, 6), (7, 8, 9))
    area = surface_distances(mask, mask, (1.0, 1.0, 1.0), definition="surface area").truth_weight.sum()
    faces, edges = 2 * (3 * 4 + 3 * 5 + 4 * 5), 4 * (3 + 4 + 5)
    assert area == pytest.approx(faces + edges * math.sqrt(0.5) + 8 * math.sqrt(3) / 8)


def test_outline_of_a_box_is_the_same_at_the_edge_of_the_array():
    inside = box((1, 1, 1), (4, 5, 6), (7, 8, 9))
    at_edge = np.ones((4, 5, 6), dtype=bool)
    for definition in ("border voxels", "surface area"):
        weights = [
            np.sort(surface_distances(mask, mask, (2.0, 1.0, 1.0), definition=definition).truth_weight)
            for mask in (inside, at_edge)
        ]
        assert weights[0] == pytest.approx(weights[1])


MASKS = hnp.arrays(np.bool_, (3, 4, 5))


@settings(deadline=None)
@given(MASKS, MASKS)
def test_turning_both_round_and_swapping_changes_no_figure_by_area(first, second):
    plain = surface_distances(first, second, (2.5, 0.7, 1.0), definition="surface area")
    turned = surface_distances(
        second[::-1, :, ::-1], first[::-1, :, ::-1], (2.5, 0.7, 1.0), definition="surface area"
    )
    assert turned.hausdorff_mm == pytest.approx(plain.hausdorff_mm, nan_ok=True)
    assert turned.mean_mm == pytest.approx(plain.mean_mm, nan_ok=True)
    assert turned.surface_dice(1.0) == pytest.approx(plain.surface_dice(1.0), nan_ok=True)


@settings(deadline=None)
@given(MASKS, MASKS)
def test_a_larger_tolerance_and_percentile_never_give_less(first, second):
    found = surface_distances(first, second, (2.5, 0.7, 1.0), definition="surface area")
    if np.isfinite(found.hausdorff_mm):
        dice = [found.surface_dice(tolerance_mm) for tolerance_mm in (0.0, 0.7, 1.0, 3.0, 20.0)]
        assert dice == sorted(dice)
        assert dice[-1] == pytest.approx(1.0)
        percentiles = [found.hausdorff_percentile_mm(p) for p in (0.0, 50.0, 95.0, 100.0)]
        assert percentiles == sorted(percentiles)
        assert percentiles[-1] == found.hausdorff_mm


@pytest.mark.parametrize("definition", ["border voxels", "surface area"])
def test_distance_that_equals_the_tolerance_lies_within_it(definition):
    """Three steps of 0.8 mm are 2.4000000000000004 mm in binary numbers."""
    first, second = box((1, 1, 1), (2, 2, 3), (6, 6, 20)), box((1, 1, 4), (2, 2, 3), (6, 6, 20))
    found = surface_distances(first, second, (1.0, 1.0, 0.8), definition=definition)
    assert found.surface_dice(2.4) == 1.0
    assert found.surface_dice(2.39) < 1.0


def test_empty_masks_by_area_are_undefined_or_worst():
    some, none = box((1, 1, 1), (2, 2, 3), (6, 6, 20)), np.zeros((6, 6, 20), dtype=bool)
    both = surface_distances(none, none, (1.0, 1.0, 1.0), definition="surface area")
    assert all(math.isnan(x) for x in (both.hausdorff_mm, both.hausdorff_percentile_mm(95), both.mean_mm))
    assert math.isnan(both.surface_dice(1.0))
    one = surface_distances(some, none, (1.0, 1.0, 1.0), definition="surface area")
    assert (
        one.hausdorff_percentile_mm(95)
        == one.hausdorff_mm
        == one.mean_mm
        == one.mean_from_truth_mm
        == math.inf
    )
    assert math.isnan(one.mean_from_prediction_mm)
    assert one.surface_dice(1.0) == 0.0


def test_unknown_definition_is_refused():
    mask = np.ones((2, 2, 2), dtype=bool)
    with pytest.raises(RefusedInput, match="'area' of an outline is unknown; border voxels or surface area"):
        surface_distances(mask, mask, (1.0, 1.0, 1.0), definition="area")


def test_masks_of_other_than_two_or_three_axes_are_refused():
    with pytest.raises(RefusedInput, match="1 axes"):
        surface_distances(np.ones(3), np.ones(3), (1.0,))
