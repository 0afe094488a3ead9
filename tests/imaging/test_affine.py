"""Affines from planes, and between LPS (z, y, x) and RAS (x, y, z)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core import Grid
from hounsfield.core.errors import GeometryError
from hounsfield.imaging.affine import (
    affine_from_planes,
    lps_zyx_from_ras_xyz,
    plane_normal,
    ras_xyz_from_lps_zyx,
)

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
numbers = st.floats(-500, 500, allow_nan=False)


def test_normal_of_an_axial_plane_points_to_the_head():
    assert plane_normal(AXIAL).tolist() == [0.0, 0.0, 1.0]


def test_pixel_spacing_is_rows_before_columns():
    """PS3.3 10.7.1.3: the first value is the distance between rows."""
    affine = affine_from_planes((10, 20, 30), (0, 0, 5), AXIAL, (2.0, 3.0))
    grid = Grid((4, 4, 4), affine)
    assert grid.index_to_mm(np.array([0, 1, 0])).tolist() == [10.0, 22.0, 30.0]
    assert grid.index_to_mm(np.array([0, 0, 1])).tolist() == [13.0, 20.0, 30.0]
    assert grid.index_to_mm(np.array([1, 0, 0])).tolist() == [10.0, 20.0, 35.0]


def test_nifti_affine_by_hand():
    """RAS x = 2 i - 90: the first voxel lies 90 mm to the right, so at LPS x = +90, and x falls with i."""
    ras = np.array([[2.0, 0, 0, -90], [0, 3.0, 0, -126], [0, 0, 4.0, -72], [0, 0, 0, 1]])
    lps = lps_zyx_from_ras_xyz(ras)
    assert (lps @ [0, 0, 0, 1]).tolist() == [90.0, 126.0, -72.0, 1.0]
    assert (lps @ [0, 0, 1, 1]).tolist() == [88.0, 126.0, -72.0, 1.0]
    assert (lps @ [1, 0, 0, 1]).tolist() == [90.0, 126.0, -68.0, 1.0]


@given(st.lists(numbers, min_size=12, max_size=12), st.lists(numbers, min_size=3, max_size=3))
def test_both_conventions_name_the_same_place(entries, index_xyz):
    ras = np.vstack([np.reshape(entries, (3, 4)), [0, 0, 0, 1]])
    lps = lps_zyx_from_ras_xyz(ras)
    at_ras = ras @ [*index_xyz, 1]
    at_lps = lps @ [*index_xyz[::-1], 1]
    np.testing.assert_allclose(at_lps, at_ras * [-1, -1, 1, 1])


@given(st.lists(numbers, min_size=12, max_size=12))
def test_there_and_back_is_the_same_affine(entries):
    ras = np.vstack([np.reshape(entries, (3, 4)), [0, 0, 0, 1]])
    np.testing.assert_array_equal(ras_xyz_from_lps_zyx(lps_zyx_from_ras_xyz(ras)), ras)


@pytest.mark.parametrize(
    "cosines", [(1, 0, 0, 1, 0, 0), (2, 0, 0, 0, 1, 0), (0, 0, 0, 0, 0, 0), (1, 0, 0, 0.1, 1, 0)]
)
def test_directions_that_are_no_plane_are_refused(cosines):
    with pytest.raises(GeometryError, match="no unit vectors at right angles"):
        plane_normal(cosines)


@pytest.mark.parametrize("cosines", [(), (1, 0, 0), (1, 0, 0, 0, np.nan, 0)])
def test_orientation_of_another_length_is_refused(cosines):
    with pytest.raises(GeometryError, match="not six"):
        plane_normal(cosines)


def test_pixel_spacing_of_zero_is_refused():
    with pytest.raises(GeometryError, match="both must be above 0"):
        affine_from_planes((0, 0, 0), (0, 0, 1), AXIAL, (0.0, 1.0))
