"""Components, morphology and block averages of masks, against definitions by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hounsfield.imaging.block_average import block_mean, factors_for, repeat_blocks
from hounsfield.imaging.components import label_components, nearest_label, touching_side_edges
from hounsfield.imaging.morphology import close, fill_holes, grow, shrink

SPACING_MM = (3.0, 1.0, 2.0)
masks = arrays.arrays(np.bool_, arrays.array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=6))


def distances_mm(shape, spacing_mm=SPACING_MM):
    """Distance between every two voxels, as a matrix over flat indices."""
    places = np.indices(shape).reshape(3, -1).T * np.asarray(spacing_mm)
    return np.linalg.norm(places[:, None] - places[None], axis=-1)


@settings(max_examples=60)
@given(mask=masks, radius_mm=st.sampled_from([0.9, 1.0, 2.0, 2.5, 3.7]))
def test_grow_marks_what_lies_within_the_radius(mask, radius_mm):
    near = distances_mm(mask.shape) <= radius_mm
    expected = (near & mask.ravel()[None]).any(axis=1).reshape(mask.shape)
    assert np.array_equal(grow(mask, radius_mm=radius_mm, spacing_mm=SPACING_MM), expected)


@settings(max_examples=60)
@given(mask=masks, radius_mm=st.sampled_from([0.9, 1.0, 2.0, 2.5, 3.7]))
def test_shrink_leaves_what_lies_farther_from_the_outside(mask, radius_mm):
    near = distances_mm(mask.shape) <= radius_mm
    expected = mask & ~(near & ~mask.ravel()[None]).any(axis=1).reshape(mask.shape)
    assert np.array_equal(shrink(mask, radius_mm=radius_mm, spacing_mm=SPACING_MM), expected)


@settings(max_examples=40)
@given(mask=masks, radius_mm=st.sampled_from([1.0, 2.5, 4.0]))
def test_close_keeps_the_mask_and_closing_again_changes_nothing(mask, radius_mm):
    once = close(mask, radius_mm=radius_mm, spacing_mm=SPACING_MM)
    assert (once | ~mask).all()
    assert np.array_equal(close(once, radius_mm=radius_mm, spacing_mm=SPACING_MM), once)


def test_close_fills_a_slit_narrower_than_twice_the_radius_and_no_wider():
    mask = np.ones((5, 5, 12), dtype=np.bool_)
    mask[..., 5:7] = False
    assert close(mask, radius_mm=1.5, spacing_mm=(1.0, 1.0, 1.0))[2, 2].all()
    assert np.array_equal(close(mask, radius_mm=0.9, spacing_mm=(1.0, 1.0, 1.0)), mask)


def ring(inner, outer=20):
    """Slices with a square ring: all of `outer` but a hole of `inner` x `inner` in its middle."""
    mask = np.zeros((5, outer + 2, outer + 2), dtype=np.bool_)
    mask[1:-1, 1:-1, 1:-1] = True
    at = (outer + 2 - inner) // 2
    mask[:, at : at + inner, at : at + inner] = False
    return mask


def test_small_hole_through_all_slices_is_filled_and_a_large_one_is_not():
    small, large = ring(4), ring(10)
    filled = fill_holes(small, largest_mm2=4 * 4 * 2.0, spacing_mm=(1.0, 1.0, 2.0))
    assert filled[1:-1, 1:-1, 1:-1].all()
    assert np.array_equal(fill_holes(large, largest_mm2=32.0, spacing_mm=(1.0, 1.0, 2.0)), large)


def test_cavity_enclosed_on_all_sides_is_filled_whatever_its_size():
    mask = np.zeros((12, 12, 12), dtype=np.bool_)
    mask[1:-1, 1:-1, 1:-1] = True
    mask[3:-3, 3:-3, 3:-3] = False
    assert fill_holes(mask, largest_mm2=1.0, spacing_mm=(1.0, 1.0, 1.0))[1:-1, 1:-1, 1:-1].all()


def test_components_come_largest_first_and_are_joined_by_faces_only():
    mask = np.zeros((2, 3, 6), dtype=np.bool_)
    mask[0, 0, 0] = mask[0, 1, 1] = True  # a corner does not join
    mask[1, 2, 2:6] = True
    labels, sizes = label_components(mask)
    assert sizes.tolist() == [4, 1, 1]
    assert (labels[1, 2, 2:6] == 1).all()
    assert (labels[0, 0, 0], labels[0, 1, 1]) == (2, 3)


@settings(max_examples=40)
@given(mask=masks)
def test_component_labels_cover_the_mask_and_count_its_voxels(mask):
    labels, sizes = label_components(mask)
    assert np.array_equal(labels > 0, mask)
    assert np.array_equal(np.bincount(labels.ravel(), minlength=sizes.size + 1)[1:], sizes)
    assert (np.diff(sizes) <= 0).all()


def test_what_touches_an_edge_within_its_slice_is_outside():
    mask = np.zeros((2, 6, 6), dtype=np.bool_)
    mask[0, 0:3, 2] = True  # reaches the upper edge
    mask[1, 2:4, 2] = True  # touches the former, but only across slices
    assert np.array_equal(touching_side_edges(mask), mask & (np.arange(2) == 0)[:, None, None])


@settings(max_examples=40)
@given(
    labels=arrays.arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 2)),
    within=arrays.arrays(np.bool_, (3, 4, 5)),
)
def test_nearest_label_is_that_of_a_nearest_voxel(labels, within):
    nearest = nearest_label(labels, SPACING_MM, within=within)
    assert not nearest[~within].any()
    if not labels.any():
        assert not nearest.any()
        return
    distances = distances_mm(labels.shape)[:, labels.ravel() > 0]
    of_labelled = labels.ravel()[labels.ravel() > 0]
    for voxel, label in enumerate(nearest.ravel()):
        if not within.ravel()[voxel]:
            continue
        candidates = set(of_labelled[np.isclose(distances[voxel], distances[voxel].min())])
        assert label in candidates


@pytest.mark.parametrize(
    ("spacing_mm", "expected"),
    [((5.0, 0.7, 0.7), (1, 4, 4)), ((0.6, 1.0, 2.5), (4, 2, 1)), ((2.5, 2.5, 2.5), (1, 1, 1))],
)
def test_blocks_measure_about_the_target(spacing_mm, expected):
    assert factors_for(spacing_mm, target_mm=2.5) == expected


@settings(max_examples=40)
@given(
    array=arrays.arrays(
        np.int16,
        arrays.array_shapes(min_dims=3, max_dims=3, max_side=7),
        elements=st.integers(-1024, 3071),
    ),
    factors=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
)
def test_block_mean_is_the_mean_of_each_block(array, factors):
    coarse = block_mean(array, factors)
    for index in np.ndindex(coarse.shape):
        block = tuple(slice(k * n, (k + 1) * n) for k, n in zip(index, factors, strict=True))
        assert coarse[index] == pytest.approx(array[block].mean(dtype=np.float64), abs=0.05)
    back = repeat_blocks(coarse, factors, array.shape)
    assert back.shape == array.shape
    assert np.array_equal(block_mean(back, factors), coarse) or np.allclose(
        block_mean(back, factors), coarse, atol=0.01
    )
