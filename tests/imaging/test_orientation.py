"""The standard view of an array is the same patient, whichever way the array lies."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from hounsfield.core import Grid
from hounsfield.imaging.orientation import StandardView

LAYOUTS = [(order, signs) for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)]
SPACING_MM = (2.0, 3.0, 5.0)


def grid_of(order, signs, *, turn_deg=0.0):
    """A grid whose array axis k runs along patient axis order[k] (LPS), in direction signs[k]."""
    directions = np.eye(3)[:, list(order)] * np.array(signs)
    angle = np.radians(turn_deg)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ directions * np.asarray(SPACING_MM)
    return Grid((4, 5, 6), affine)


@pytest.mark.parametrize("turn_deg", [0.0, 20.0, -20.0])
@pytest.mark.parametrize(("order", "signs"), LAYOUTS)
def test_axes_of_the_view_run_to_head_back_and_left(order, signs, turn_deg):
    grid = grid_of(order, signs, turn_deg=turn_deg)
    view = StandardView.of_grid(grid)
    places_mm = grid.index_to_mm(np.moveaxis(np.indices(grid.shape), 0, -1).astype(float))
    for axis, patient_axis in enumerate((2, 1, 0)):
        seen = view.apply(places_mm[..., patient_axis])
        assert (np.diff(seen, axis=axis) > 0).all()
    assert view.spacing_mm(grid) == pytest.approx([SPACING_MM[axis] for axis in view.order])


@pytest.mark.parametrize(("order", "signs"), LAYOUTS)
def test_undo_is_the_inverse_and_nothing_is_copied(order, signs):
    array = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    view = StandardView.of_grid(grid_of(order, signs))
    seen = view.apply(array)
    assert np.shares_memory(seen, array)
    assert np.array_equal(view.undo(seen), array)
