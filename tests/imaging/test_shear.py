"""Slices of a tilted gantry on a straight grid: values stay where they were measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.imaging.shear import straightening

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def positions_mm(n, shift_x_mm, shift_y_mm):
    k = np.arange(n)[:, None]
    return k * np.array([[shift_x_mm, shift_y_mm, 5.0]]) + [7.0, -3.0, 11.0]


def test_whole_rows_are_moved_without_interpolation():
    plan = straightening(positions_mm(3, 0.0, 2.0), AXIAL, (2.0, 1.0), (4, 5))
    assert plan.shape_yx == (6, 5)
    np.testing.assert_allclose(plan.first_mm, [7.0, -3.0, 11.0])
    values = np.arange(20.0).reshape(4, 5)
    moved, outside = plan.moved(2, values)
    np.testing.assert_array_equal(moved[2:], values)
    assert outside[:2].all()
    assert not outside[2:].any()
    assert (moved[:2] == 0.0).all()


def test_half_a_row_is_the_mean_of_two():
    plan = straightening(positions_mm(2, 0.0, 1.0), AXIAL, (2.0, 1.0), (3, 1))
    moved, outside = plan.moved(1, np.array([[10.0], [20.0], [40.0]]))
    # Row 1 of the straight slice lies half a row before row 1 of the slice.
    np.testing.assert_array_equal(moved[~outside], [15.0, 30.0])
    assert outside[:, 0].tolist() == [True, False, False, True]


def test_straight_slices_stay():
    plan = straightening(positions_mm(4, 0.0, 0.001), AXIAL, (2.0, 1.0), (3, 3))
    assert plan.shape_yx == (3, 3)
    moved, outside = plan.moved(3, np.eye(3))
    np.testing.assert_array_equal(moved, np.eye(3))
    assert not outside.any()


@given(shift_x_mm=st.floats(-4, 4), shift_y_mm=st.floats(-4, 4), number=st.integers(0, 4))
def test_a_plane_of_values_keeps_its_values_at_every_place(shift_x_mm, shift_y_mm, number):
    """Values that are a linear function of the place are the same function after the move."""
    places_mm = positions_mm(5, shift_x_mm, shift_y_mm)
    plan = straightening(places_mm, AXIAL, (2.0, 1.5), (9, 8))
    y, x = np.mgrid[:9, :8]
    slice_mm = (places_mm[number, 0] + 1.5 * x, places_mm[number, 1] + 2.0 * y)
    moved, outside = plan.moved(number, 3.0 * slice_mm[0] - 2.0 * slice_mm[1])
    y, x = np.mgrid[: plan.shape_yx[0], : plan.shape_yx[1]]
    straight_mm = (plan.first_mm[0] + 1.5 * x, plan.first_mm[1] + 2.0 * y)
    truth = 3.0 * straight_mm[0] - 2.0 * straight_mm[1]
    # What is left unmoved because it is rounding may be off by that much: 0.02 pixels on either axis.
    np.testing.assert_allclose(moved[~outside], truth[~outside], atol=0.02 * (3.0 * 1.5 + 2.0 * 2.0) + 1e-4)
    assert (~outside).sum() == pytest.approx(72, abs=17)
