"""Pieces above a threshold, by hand: what lies within, what is large enough, what goes on beyond."""

from __future__ import annotations

import numpy as np
import pytest

from hounsfield.imaging.dense_pieces import n_voxels_beyond, of_enough_area, pieces_within


def mask_of(*places, shape=(3, 8, 8)):
    mask = np.zeros(shape, dtype=bool)
    for place in places:
        mask[place] = True
    return mask


def test_piece_that_reaches_far_out_of_the_region_is_left_out():
    region = np.zeros((3, 8, 8), dtype=bool)
    region[:, :, :4] = True
    hu = np.zeros((3, 8, 8), dtype=np.int16)
    hu[1, 1, 1:3] = 130  # within; the threshold itself counts
    hu[1, 5, 2:7] = 900  # two of five voxels within: bone
    hu[2, 6, 7] = 900  # joined to it by a corner in space
    hu[0, 3, 1] = 129
    kept = pieces_within(hu, region, threshold_hu=130)
    np.testing.assert_array_equal(kept, mask_of((1, 1, slice(1, 3))))


@pytest.mark.parametrize(("pixel_mm2", "n_kept"), [(0.25, 4), (0.2500001, 4), (0.2499, 0)])
def test_area_of_just_the_least_stays(pixel_mm2, n_kept):
    square = mask_of((1, slice(2, 4), slice(2, 4)))
    assert of_enough_area(square, pixel_mm2=pixel_mm2, least_mm2=1.0).sum() == n_kept


def test_components_join_in_corners_within_a_slice_and_never_between_slices():
    diagonal = mask_of((1, 2, 2), (1, 3, 3))
    assert of_enough_area(diagonal, pixel_mm2=0.5, least_mm2=1.0).sum() == 2
    above = mask_of((1, 2, 2), (2, 2, 2))
    assert not of_enough_area(above, pixel_mm2=0.5, least_mm2=1.0).any()


def test_voxels_beyond_a_region_are_those_joined_to_it_on_their_slice():
    dense = mask_of((1, 2, slice(1, 5)), (1, 6, 6), (2, 2, 4))
    region = mask_of((1, slice(None), slice(0, 3)))
    assert n_voxels_beyond(dense, region) == 2
    assert n_voxels_beyond(dense, np.ones_like(dense)) == 0
    assert n_voxels_beyond(dense, np.zeros_like(dense)) == 0
