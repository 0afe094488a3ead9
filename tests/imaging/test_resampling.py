"""Resampling: the same values at the same places of the patient, whichever way grids lie and whichever path is taken."""

from __future__ import annotations

import tracemalloc
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from hounsfield.core import Grid
from hounsfield.core.errors import GeometryError, UsageError
from hounsfield.imaging import resampling
from hounsfield.imaging.resampling import grid_with_spacing, resample

LAYOUTS = [(order, signs) for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)]
ORDERS = (0, 1, 3)
AIR_HU, BONE_HU = -1024.0, 3071.0


def grid_of(
    shape, spacing_mm, *, origin_mm=(0.0, 0.0, 0.0), order=(2, 1, 0), signs=(1.0, 1.0, 1.0), turn_deg=0.0
):
    """Array axis k runs along patient axis order[k] (x, y, z), in direction signs[k]; all turned about two axes."""
    angle = np.radians(turn_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ np.array(
        [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ (np.eye(3)[:, list(order)] * np.array(signs) * np.array(spacing_mm))
    affine[:3, 3] = origin_mm
    return Grid(shape, affine)


def places_mm(grid):
    return grid.index_to_mm(np.moveaxis(np.indices(grid.shape), 0, -1).astype(float))


def noise(shape, seed=0, dtype=np.float32):
    """CT numbers as unlike their neighbours as can be: from air to bone within one voxel."""
    return np.random.default_rng(seed).uniform(AIR_HU, BONE_HU, shape).astype(dtype)


def place_by_place(array, source, target, **options):
    """`resample` with the path for grids that are turned against each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "_parallel_axes", lambda *_: None)
        return resample(array, source, target, **options)


def index_in(source, target):
    """Fractional indices (3, z, y, x) of the source at the target's centres."""
    return np.moveaxis(source.mm_to_index(places_mm(target)), -1, 0)


def far_from_edges(source, target, n_voxels):
    """Where target centres lie at least `n_voxels` within the outermost centres of the source."""
    limits = np.array(source.shape).reshape(3, 1, 1, 1) - 1.0
    index = index_in(source, target)
    return ((index >= n_voxels) & (index <= limits - n_voxels)).all(axis=0)


shapes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
spacings = st.tuples(st.floats(0.3, 4.0), st.floats(0.3, 4.0), st.floats(0.3, 4.0))
origins = st.tuples(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0), st.floats(-5.0, 5.0))
layouts = st.sampled_from(LAYOUTS)
seeds = st.integers(0, 2**16)


# ---- by hand


def test_linear_by_hand():
    """Voxels of 2 mm at 0, 2, 4 mm hold 10, 20, 40; asked at -1.5, -1, 0.5, 3, 5, 5.5 mm along z."""
    source = grid_of((3, 1, 1), (2.0, 2.0, 2.0))
    array = np.array([10, 20, 40], dtype=np.int16).reshape(3, 1, 1)
    expected = {-1.5: -1.0, -1.0: 10.0, 0.5: 12.5, 3.0: 30.0, 5.0: 40.0, 5.5: -1.0}
    for z_mm, value in expected.items():
        target = grid_of((1, 1, 1), (1.0, 1.0, 1.0), origin_mm=(0.0, 0.0, z_mm))
        found = resample(array, source, target, order=1, fill_value=-1.0)
        assert found.dtype == np.float32
        assert found.item() == pytest.approx(value, abs=1e-6), z_mm


def test_cubic_by_hand():
    """The cardinal cubic spline half way between two voxels, 100 in one, 0 elsewhere: 100 sqrt(3) (1 + s) (23 + s) / 48.

    Unser 1999: coefficients 100 sqrt(3) s^|k| with s = sqrt(3) - 2; B-spline 1/48, 23/48, 23/48, 1/48 around it.
    """
    pole = np.sqrt(3.0) - 2.0
    array = np.zeros((1, 1, 41), dtype=np.float32)
    array[0, 0, 20] = 100.0
    target = grid_of((1, 1, 1), (1.0, 1.0, 1.0), origin_mm=(20.5, 0.0, 0.0))
    found = resample(array, grid_of((1, 1, 41), (1.0, 1.0, 1.0)), target, order=3, fill_value=0.0)
    assert found.item() == pytest.approx(100.0 * np.sqrt(3.0) * (1 + pole) * (23 + pole) / 48, abs=1e-5)


def test_nearest_keeps_labels_and_type_and_takes_the_higher_index_half_way():
    source = grid_of((1, 1, 3), (1.0, 1.0, 1.0))
    labels = np.array([3, 7, 200], dtype=np.uint8).reshape(1, 1, 3)
    target = grid_of((1, 1, 7), (1.0, 1.0, 0.5), origin_mm=(-0.5, 0.0, 0.0))
    for path in (resample, place_by_place):
        found = path(labels, source, target, order=0, fill_value=0)
        assert found.dtype == np.uint8
        assert found.ravel().tolist() == [3, 3, 7, 7, 200, 200, 200]
        mask = path(labels > 5, source, target, order=0, fill_value=False)
        assert mask.dtype == bool
        assert mask.ravel().tolist() == [False, False, True, True, True, True, True]


# ---- properties


@given(shapes, spacings, layouts, st.sampled_from(ORDERS), seeds)
@settings(deadline=None)
def test_same_grid_gives_equal_values(shape, spacing_mm, layout, order, seed):
    grid = grid_of(shape, spacing_mm, order=layout[0], signs=layout[1])
    array = noise(shape, seed)
    for path in (resample, place_by_place):
        same = path(array, grid, grid, order=order, fill_value=0.0)
        # The coefficients of the spline are float32 there; between axes with one another nothing is computed.
        np.testing.assert_allclose(same, array, atol=1e-3 if path is place_by_place and order == 3 else 0.0)


@given(shapes, spacings, layouts, origins, shapes, spacings, layouts, st.sampled_from(ORDERS), seeds)
@settings(deadline=None)
def test_axis_by_axis_equals_place_by_place(
    shape, spacing_mm, layout, origin_mm, new_shape, new_mm, new_layout, order, seed
):
    source = grid_of(shape, spacing_mm, order=layout[0], signs=layout[1])
    centre_mm = source.index_to_mm((np.array(shape) - 1.0) / 2.0)
    target = grid_of(
        new_shape, new_mm, order=new_layout[0], signs=new_layout[1], origin_mm=centre_mm + origin_mm
    )
    array = noise(shape, seed)
    found = resample(array, source, target, order=order, fill_value=-2000.0)
    expected = place_by_place(array, source, target, order=order, fill_value=-2000.0)
    np.testing.assert_array_equal(found == -2000.0, expected == -2000.0)
    # Each is within 1e-3 of the exact values.
    np.testing.assert_allclose(found, expected, atol=2e-3)


@given(origins, st.floats(-20.0, 20.0), spacings, layouts, st.sampled_from((1, 3)))
@settings(max_examples=40, deadline=None)
def test_a_linear_function_of_the_place_is_reproduced(slope, turn_deg, new_mm, layout, order):
    """To the edge by linear interpolation; by cubic where the mirrored edge is too far to count."""
    source = grid_of((40, 42, 44), (1.5, 0.8, 1.0), order=layout[0], signs=layout[1])
    target = grid_of(
        (9, 8, 7), new_mm, origin_mm=source.index_to_mm(np.array([16.0, 17.0, 18.0])), turn_deg=turn_deg
    )
    found = resample(places_mm(source) @ slope + 50.0, source, target, order=order, fill_value=np.nan)
    inside = far_from_edges(source, target, 0 if order == 1 else 12)
    assert inside[0, 0, 0]
    np.testing.assert_allclose(found[inside], (places_mm(target) @ slope + 50.0)[inside], atol=1e-3)


@given(layouts, st.sampled_from(ORDERS), st.sampled_from((0.0, 7.0)), seeds)
@settings(max_examples=60, deadline=None)
def test_a_permuted_or_flipped_source_gives_the_same_values(layout, order, turn_deg, seed):
    """The array turned with its grid is the same patient."""
    source = grid_of((6, 7, 8), (2.0, 0.9, 0.7))
    array = noise(source.shape, seed)
    axes, signs = layout
    flips = tuple(slice(None) if sign > 0 else slice(None, None, -1) for sign in signs)
    turned = array.transpose(axes)[flips]
    first = [0 if sign > 0 else n - 1 for sign, n in zip(signs, turned.shape, strict=True)]
    corner = np.zeros(3)
    corner[list(axes)] = first
    affine = np.eye(4)
    affine[:3, :3] = source.affine[:3, list(axes)] * signs
    affine[:3, 3] = source.index_to_mm(corner)
    target = grid_of((7, 6, 9), (1.3, 1.1, 0.8), origin_mm=(-0.2, 0.1, 0.3), turn_deg=turn_deg)
    found = resample(turned, Grid(turned.shape, affine), target, order=order, fill_value=-5.0)
    expected = resample(array, source, target, order=order, fill_value=-5.0)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@given(layouts, st.sampled_from(ORDERS), seeds)
@settings(deadline=None)
def test_a_permuted_or_flipped_target_holds_the_same_values_in_its_order(layout, order, seed):
    source = grid_of((6, 7, 8), (2.0, 0.9, 0.7))
    array = noise(source.shape, seed)
    plain = grid_of((5, 6, 7), (2.2, 1.1, 0.8))
    axes, _ = layout
    turned = grid_of(
        tuple((5, 6, 7)[2 - axis] for axis in axes),
        tuple((2.2, 1.1, 0.8)[2 - axis] for axis in axes),
        order=axes,
    )
    expected = resample(array, source, plain, order=order, fill_value=-5.0)
    found = resample(array, source, turned, order=order, fill_value=-5.0)
    np.testing.assert_allclose(found, expected.transpose([2 - axis for axis in axes]), atol=1e-3)


@given(shapes, spacings, layouts, spacings)
@settings(deadline=None)
def test_new_grid_covers_the_old_and_shares_its_centre(shape, spacing_mm, layout, new_mm):
    grid = grid_of(
        shape, spacing_mm, order=layout[0], signs=layout[1], origin_mm=(7.0, -3.0, 11.0), turn_deg=12.0
    )
    new = grid_with_spacing(grid, new_mm)
    assert new.spacing_mm == pytest.approx(new_mm)
    np.testing.assert_allclose(new.directions, grid.directions, atol=1e-12)
    centres = [g.index_to_mm((np.array(g.shape) - 1.0) / 2.0) for g in (grid, new)]
    np.testing.assert_allclose(*centres, atol=1e-8)
    extents = [np.array(g.shape) * g.spacing_mm for g in (grid, new)]
    assert (extents[1] >= extents[0] - 1e-6).all()
    assert (extents[1] < extents[0] + np.array(new_mm)).all()
    # No voxel of it has its centre outside of the old one.
    assert (resample(np.ones(shape, np.uint8), grid, new, order=0, fill_value=0) == 1).all()


# ---- edges


@pytest.mark.parametrize("path", [resample, place_by_place])
@pytest.mark.parametrize("order", ORDERS)
def test_half_a_voxel_beyond_the_outermost_centres_belongs_to_the_source(path, order):
    """Voxels of 2 mm, centres at 0 to 8 mm: -1 and 9 mm are the last places inside, and hold the outermost value."""
    array = np.array([100, 50, 30, 20, 70], dtype=np.float32).reshape(1, 1, 5)
    source = grid_of((1, 1, 5), (1.0, 1.0, 2.0))
    target = grid_of((1, 1, 14), (1.0, 1.0, 0.9), origin_mm=(-1.0 - 0.9, 0.0, 0.0))
    found = path(array, source, target, order=order, fill_value=-7.0).ravel()
    x_mm = -1.9 + 0.9 * np.arange(14)
    np.testing.assert_array_equal(found == -7.0, (x_mm < -1.0 - 1e-9) | (x_mm > 9.0))
    np.testing.assert_allclose(found[(x_mm > -1.1) & (x_mm <= 0.0)], 100.0, atol=1e-4)
    np.testing.assert_allclose(found[(x_mm >= 8.0) & (x_mm <= 9.0)], 70.0, atol=1e-4)


@pytest.mark.parametrize("path", [resample, place_by_place])
@pytest.mark.parametrize("order", ORDERS)
def test_a_target_elsewhere_is_all_fill(path, order):
    source, target = (grid_of((3, 4, 5), (1.0, 1.0, 1.0), origin_mm=(0.0, far, 0.0)) for far in (0.0, 50.0))
    assert (path(noise(source.shape), source, target, order=order, fill_value=-9.0) == -9.0).all()


# ---- independent programs


@pytest.mark.parametrize("path", [resample, place_by_place])
@pytest.mark.parametrize("order", ORDERS)
def test_equals_scipy(path, order):
    """map_coordinates in float64 with mirrored edges, on noise over the whole range of CT numbers."""
    source = grid_of((30, 41, 37), (1.0, 0.7, 0.7))
    # Off by a little, so that no place lies half way between voxels, where scipy's nearest is another.
    target = grid_of((20, 19, 17), (1.5, 1.5, 1.5), origin_mm=(0.03, 0.02, -0.31))
    array = noise(source.shape)
    limits = np.array(source.shape).reshape(3, 1, 1, 1) - 1.0
    expected = ndimage.map_coordinates(
        array, np.clip(index_in(source, target), 0.0, limits), output=np.float64, order=order, mode="mirror"
    )
    found = path(array, source, target, order=order, fill_value=0.0)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.peer
@pytest.mark.parametrize("turn_deg", [0.0, 15.0])
@pytest.mark.parametrize("order", ORDERS)
def test_equals_simpleitk(order, turn_deg):
    """To the outermost centres for all orders, to the faces for nearest and linear; more planes than one slab has."""
    sitk = pytest.importorskip("SimpleITK")
    source = grid_of((20, 31, 27), (1.0, 0.7, 0.7), origin_mm=(3.0, -4.0, 5.0))
    target = grid_of((80, 21, 18), (0.3, 1.3, 1.5), origin_mm=(1.0, -6.0, 3.0), turn_deg=turn_deg)
    array = noise(source.shape)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(source.spacing_mm[::-1])
    image.SetOrigin(source.origin_mm)
    image.SetDirection(source.directions[:, ::-1].ravel().tolist())
    filter_ = sitk.ResampleImageFilter()
    filter_.SetSize(target.shape[::-1])
    filter_.SetOutputSpacing(target.spacing_mm[::-1])
    filter_.SetOutputOrigin(target.origin_mm)
    filter_.SetOutputDirection(target.directions[:, ::-1].ravel().tolist())
    filter_.SetInterpolator({0: sitk.sitkNearestNeighbor, 1: sitk.sitkLinear, 3: sitk.sitkBSpline}[order])
    filter_.SetDefaultPixelValue(-3000.0)
    expected = sitk.GetArrayFromImage(filter_.Execute(image))
    found = resample(array, source, target, order=order, fill_value=-3000.0)
    np.testing.assert_array_equal(found == -3000.0, expected == -3000.0)
    inside = far_from_edges(source, target, 0 if order == 3 else -0.5)
    assert inside.sum() > 1000
    np.testing.assert_allclose(found[inside], expected[inside], atol=2e-3 if order == 3 else 1e-3)


# ---- what it costs and what it refuses


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("turn_deg", [0.0, 3.0])
def test_threads_and_type_of_the_values_change_nothing(order, turn_deg):
    source = grid_of((40, 80, 90), (1.0, 0.7, 0.7))
    target = grid_of((50, 60, 70), (0.9, 1.1, 1.0), turn_deg=turn_deg)
    array = noise(source.shape, dtype=np.int16)
    before = array.copy()
    one, three = (resample(array, source, target, order=order, fill_value=-1, n_threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one, three)
    for dtype in (np.float16, np.float64, np.int32):
        other = resample(array.astype(dtype), source, target, order=order, fill_value=-1, n_threads=1)
        expected = (
            one
            if dtype != np.float16
            else resample(array.astype(dtype).astype(np.float64), source, target, order=order, fill_value=-1)
        )
        np.testing.assert_allclose(other, expected, atol=1e-3)
    np.testing.assert_array_equal(array, before)


def peak_bytes_of_resampling(array, source, target, order):
    tracemalloc.start()
    resample(array, source, target, order=order, fill_value=0.0, n_threads=2)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak_bytes


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("new_mm", [(0.8, 1.6, 1.6), (2.0, 0.8, 0.8), (3.0, 1.0, 1.0), (1.0, 1.0, 0.8)])
def test_memory_is_that_of_the_result_and_one_copy(order, new_mm):
    """And of a few pieces of one MiB for each thread."""
    source = grid_of((96, 160, 160), (1.0, 1.0, 1.0))
    target = grid_with_spacing(source, new_mm)
    array = np.zeros(source.shape, dtype=np.float32)
    result_bytes = 4 * np.prod(target.shape)
    most_bytes = result_bytes + max(result_bytes, array.nbytes) + 12 * 1024**2
    assert peak_bytes_of_resampling(array, source, target, order) < most_bytes


@pytest.mark.parametrize("order", ORDERS)
def test_memory_of_turned_grids_is_that_of_the_result_and_one_copy(order):
    """And of 16 MiB that are asked for but not touched."""
    source = grid_of((120, 240, 240), (1.0, 1.0, 1.0))
    target = grid_of((30, 80, 80), (4.0, 3.0, 3.0), turn_deg=5.0)
    array = np.zeros(source.shape, dtype=np.float32)
    most_bytes = 4 * np.prod(target.shape) + array.nbytes * (order == 3) + 18 * 1024**2
    assert most_bytes < 4 * np.prod(target.shape) + array.nbytes * (1 + (order == 3))
    assert peak_bytes_of_resampling(array, source, target, order) < most_bytes


def test_spacings_that_are_a_hair_off_give_no_extra_voxel():
    """0.7 mm out of a turned affine is 0.7000000000000001, whose ceiling would be one more."""
    assert grid_with_spacing(
        grid_of((300, 30, 30), (1.0, 0.7, 0.7), turn_deg=33.0), (1.5, 2.1, 2.1)
    ).shape == (200, 10, 10)
    assert grid_with_spacing(grid_of((10, 10, 3), (0.3, 0.31, 1.0)), (0.1, 0.1, 1 / 3)).shape == (30, 31, 9)


def test_a_grid_of_its_own_spacing_is_the_same_grid():
    grid = grid_of((3, 4, 5), (1.0, 0.7, 0.7), origin_mm=(1.0, 2.0, 3.0), turn_deg=33.0)
    assert grid_with_spacing(grid, (1.0, 0.7, 0.7)).is_same_as(grid, tolerance_mm=1e-9)


def test_too_many_voxels_are_refused():
    grid = grid_of((500, 512, 512), (1.0, 0.7, 0.7))
    with pytest.raises(
        UsageError, match=r"5000 x 3584 x 3584 voxels exceeds the limit .* Choose a larger spacing"
    ):
        grid_with_spacing(grid, (0.1, 0.1, 0.1))
    with pytest.raises(UsageError, match="exceeds the limit of 100 voxels"):
        grid_with_spacing(grid, (50.0, 50.0, 50.0), max_voxels=100)


@pytest.mark.parametrize("new_mm", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_spacing_is_refused(new_mm):
    with pytest.raises(GeometryError, match="must be above 0"):
        grid_with_spacing(grid_of((3, 4, 5), (1.0, 1.0, 1.0)), (1.0, new_mm, 1.0))


def test_what_does_not_fit_is_refused():
    grid = grid_of((2, 3, 4), (1.0, 1.0, 1.0))
    array = np.zeros((2, 3, 4), dtype=np.int16)
    with pytest.raises(UsageError, match="state the grid of this array"):
        resample(array[1:], grid, grid, order=1, fill_value=0)
    with pytest.raises(UsageError, match="order 2 does not exist"):
        resample(array, grid, grid, order=2, fill_value=0)
    with pytest.raises(UsageError, match="complex128 cannot be resampled"):
        resample(array.astype(complex), grid, grid, order=1, fill_value=0)
    for fill_value in (-40000.0, 0.5, np.nan):
        with pytest.raises(UsageError, match="does not exist in int16: -32768 to 32767 do"):
            resample(array, grid, grid, order=0, fill_value=fill_value)
    with pytest.raises(GeometryError, match="states no position"):
        resample(array, grid, Grid((2, 3, 4)), order=1, fill_value=0)
    with pytest.raises(GeometryError, match="Register the images first"):
        resample(
            array, Grid((2, 3, 4), np.eye(4), "1.2"), Grid((2, 3, 4), np.eye(4), "1.3"), order=1, fill_value=0
        )
