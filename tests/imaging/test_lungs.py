"""Lungs on phantoms of known truth: whichever way the array lies, cut, filled, joined or missing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from tests.small_chest import chest

from hounsfield.core import Grid
from hounsfield.imaging.airways import find_airways
from hounsfield.imaging.lungs import LEFT, RIGHT, segment_lungs
from hounsfield.metrics import dice

SIDES = {"right-lung": RIGHT, "left-lung": LEFT}


def segmented(array, grid=None):
    return segment_lungs(array, grid or chest().grid)


@pytest.mark.parametrize("seed", [1, 2])
def test_each_lung_of_a_phantom_is_found_without_airways_and_diaphragm(seed):
    phantom = chest(seed)
    found = segment_lungs(phantom.array, phantom.grid)
    for name, label in SIDES.items():
        truth = phantom.masks[name]
        assert dice(truth, found.mask(label)) > 0.985
        assert found.mask(label).sum() == pytest.approx(truth.sum(), rel=0.02)
    assert not (found.labels > 0)[ndimage.binary_erosion(phantom.masks["airways"])].any()
    assert (found.cut_at_head, found.cut_at_feet, found.cut_at_side, found.separated_by_plane) == (False,) * 4
    assert found.trachea_hu == pytest.approx(-995.0, abs=15.0)


@pytest.mark.parametrize(
    ("order", "flips"), [((0, 1, 2), (-1, 1, -1)), ((1, 0, 2), (1, 1, 1)), ((2, 0, 1), (1, -1, -1))]
)
def test_result_does_not_depend_on_how_the_array_lies(order, flips):
    phantom = chest()
    steps = tuple(slice(None, None, flip) for flip in flips)
    affine = np.array(phantom.grid.affine)
    for axis, flip in enumerate(flips):
        if flip < 0:
            affine[:3, 3] += affine[:3, axis] * (phantom.grid.shape[axis] - 1)
            affine[:3, axis] *= -1
    affine[:3, :3] = affine[:3, list(order)]
    turned = np.ascontiguousarray(phantom.array[steps].transpose(order))
    found = segment_lungs(turned, Grid(turned.shape, affine))
    expected = segmented(phantom.array).labels[steps].transpose(order)
    assert np.array_equal(found.labels, expected)


@pytest.mark.parametrize(
    ("kept", "at_head", "at_feet"),
    [(slice(0, 45), True, False), (slice(14, 60), False, True), (slice(14, 45), True, True)],
)
def test_lungs_cut_by_the_scan_are_told(kept, at_head, at_feet):
    phantom = chest()
    array = phantom.array[kept]
    found = segmented(array, Grid(array.shape, phantom.grid.affine))
    assert (found.cut_at_head, found.cut_at_feet) == (at_head, at_feet)


def test_lung_cut_by_the_field_of_view_is_told():
    phantom = chest()
    array = np.ascontiguousarray(phantom.array[:, :, 32:])
    assert segmented(array, Grid(array.shape, phantom.grid.affine)).cut_at_side


def test_lungs_that_touch_are_told_apart_by_shape():
    phantom, array = chest(), chest().array.copy()
    middle = array.shape[2] // 2
    array[38:41, 30:36, middle - 12 : middle + 12] = -850
    found = segmented(array)
    assert not found.separated_by_plane
    for name, label in SIDES.items():
        assert dice(phantom.masks[name], found.mask(label)) > 0.97


def test_one_lung_filled_with_fluid_leaves_the_other():
    phantom, array = chest(), chest().array.copy()
    array[ndimage.binary_dilation(phantom.masks["right-lung"], iterations=2)] = 20
    found = segmented(array)
    assert not found.mask(RIGHT).any()
    assert dice(phantom.masks["left-lung"], found.mask(LEFT)) > 0.98


@pytest.mark.parametrize("filling_hu", [-1000, 40, -100])
def test_a_uniform_volume_holds_no_lung(filling_hu):
    assert segmented(np.full(chest().array.shape, filling_hu, dtype=np.int16)) is None


def test_padding_far_below_air_counts_as_air():
    padded = chest().array.copy()
    rows, columns = np.indices(padded.shape[1:])
    corner = (rows - 64) ** 2 + (columns - 64) ** 2 > 63**2
    padded[:, corner] = -3024
    assert np.array_equal(segmented(padded).labels, segmented(chest().array).labels)


def test_nothing_is_an_airway_where_no_gas_is():
    tissue = np.full((20, 40, 40), 40, dtype=np.float32)
    assert find_airways(tissue, tissue < -400, (2.5, 2.5, 2.5)) is None


def test_airways_end_before_they_leak_into_the_lung():
    phantom = chest()
    found = segmented(phantom.array)
    lungs_ml = found.labels.astype(bool).sum() * phantom.grid.voxel_volume_mm3 / 1000
    true_ml = sum(phantom.truth[name]["volume_ml"] for name in SIDES)
    assert lungs_ml == pytest.approx(true_ml, rel=0.02)
