"""Diameters of drawn shapes: by hand, against circles and ellipses, whatever the spacing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.measures.volumes import grid_of

from hounsfield.core import Grid
from hounsfield.imaging.diameters import diameters


def ellipse_mask(grid, centre_yx_mm, half_mm, angle_deg):
    """One slice with an ellipse; half_mm: (along, across); angle from the columns' direction."""
    rows, columns = np.mgrid[: grid.shape[1], : grid.shape[2]]
    y = rows * grid.spacing_mm[1] - centre_yx_mm[0]
    x = columns * grid.spacing_mm[2] - centre_yx_mm[1]
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    along, across = c * x + s * y, -s * x + c * y
    return ((along / half_mm[0]) ** 2 + (across / half_mm[1]) ** 2 <= 1)[np.newaxis]


def test_rectangle_by_hand():
    """4 x 2 pixels of 2 mm: 3 steps and half a pixel along the row make 7 mm; a step up makes hypot(7, 2)."""
    mask = np.zeros((1, 8, 8), dtype=bool)
    mask[0, 3:5, 2:6] = True
    found = diameters(mask, grid_of((1, 8, 8), (5.0, 2.0, 2.0)))
    assert found.longest_mm == pytest.approx(np.hypot(7.0, 2.0))
    assert found.slice_index == 0


def test_single_voxel_measures_half_its_larger_side():
    mask = np.zeros((3, 5, 5), dtype=bool)
    mask[1, 2, 2] = True
    found = diameters(mask, grid_of((3, 5, 5), (5.0, 1.5, 0.8)))
    assert (found.slice_index, found.longest_mm) == (1, pytest.approx(0.75))
    assert found.short_axis_mm == pytest.approx(0.4)


def test_empty_mask_has_none():
    assert diameters(np.zeros((2, 4, 4), dtype=bool), grid_of((2, 4, 4))) is None


@settings(max_examples=40, deadline=None)
@given(
    st.floats(5.0, 20.0),
    st.floats(0.5, 1.0),
    st.floats(0.0, 180.0),
    st.floats(0.5, 1.5),
    st.floats(0.5, 1.5),
    st.floats(0.0, 1.0),
)
def test_ellipse_is_measured_within_a_pixel(half_mm, flat, angle_deg, row_mm, column_mm, offset):
    grid = grid_of((1, 120, 120), (3.0, row_mm, column_mm))
    centre = (60 * row_mm + offset, 60 * column_mm - offset)
    mask = ellipse_mask(grid, centre, (half_mm, half_mm * flat), angle_deg)
    found = diameters(mask, grid)
    pixel_mm = max(row_mm, column_mm)
    assert found.longest_mm == pytest.approx(2 * half_mm, abs=1.3 * pixel_mm)
    # Near a circle the longest direction is open, and so is what lies across it.
    assert 2 * half_mm * flat - 1.5 * pixel_mm < found.short_axis_mm <= found.longest_mm + 1e-9


@pytest.mark.parametrize("flat", [1.0, 0.87, 0.6])
def test_there_is_no_bias_over_many_ellipses(flat):
    """A third of a pixel on average, one pixel at most."""
    rng = np.random.default_rng(3)
    longest, across = [], []
    for _ in range(80):
        grid = grid_of((1, 60, 60), (1.0, 1.0, 1.0))
        half, centre = rng.uniform(2.5, 14), 30 + rng.uniform(-0.5, 0.5, 2)
        found = diameters(ellipse_mask(grid, centre, (half, half * flat), rng.uniform(0, 180)), grid)
        longest.append(found.longest_mm - 2 * half)
        across.append(found.short_axis_mm - 2 * half * flat)
    assert abs(np.mean(longest)) < 0.35
    assert abs(np.mean(across)) < 0.5
    assert np.abs(longest).max() < 1.0


def test_parts_that_do_not_touch_are_measured_apart():
    mask = np.zeros((1, 10, 30), dtype=bool)
    mask[0, 4, 2:8] = True
    mask[0, 4, 20:24] = True
    assert diameters(mask, grid_of((1, 10, 30))).longest_mm == pytest.approx(5.5)


def test_the_largest_slice_decides_and_not_the_whole_height():
    mask = np.zeros((20, 12, 12), dtype=bool)
    mask[:, 5:7, 5:7] = True
    mask[7, 5:7, 4:9] = True
    found = diameters(mask, grid_of((20, 12, 12), (3.0, 1.0, 1.0)))
    assert found.slice_index == 7
    assert found.longest_mm == pytest.approx(np.hypot(4.5, 1.0))


def test_oblique_slices_are_measured_in_their_own_plane():
    turned = np.eye(4)
    angle = np.radians(30)
    turned[:3, :3] = np.array([[0, 0, 1], [0, np.cos(angle), 0], [1, np.sin(angle), 0]]) * [2.0, 1.5, 0.7]
    mask = ellipse_mask(grid_of((1, 80, 80), (2.0, 1.5, 0.7)), (60.0, 28.0), (15.0, 9.0), 20.0)
    found = diameters(mask, Grid((1, 80, 80), turned))
    assert found.longest_mm == pytest.approx(30.0, abs=1.5)
    assert found.short_axis_mm == pytest.approx(18.0, abs=1.5)
