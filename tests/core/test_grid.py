"""Grid: index (z, y, x) to LPS millimetres and back, and what follows from the affine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from hounsfield.core import Grid
from hounsfield.core.errors import GeometryError

AXIAL = np.array([[0, 0, 0.7, -10.0], [0, 0.8, 0, -20.0], [2.5, 0, 0, 30.0], [0, 0, 0, 1]])


def rotation(angles_rad) -> np.ndarray:
    a, b, c = angles_rad
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return x @ y @ z


@st.composite
def grids(draw) -> Grid:
    angles = draw(st.tuples(*[st.floats(-3, 3)] * 3))
    spacing_mm = draw(st.tuples(*[st.floats(0.3, 6)] * 3))
    affine = np.eye(4)
    affine[:3, :3] = rotation(angles) * np.array(spacing_mm)
    affine[:3, 3] = draw(st.tuples(*[st.floats(-500, 500)] * 3))
    return Grid((4, 5, 6), affine)


def test_axial_grid_by_hand():
    grid = Grid((3, 4, 5), AXIAL)
    assert grid.spacing_mm == (2.5, 0.8, 0.7)
    assert grid.origin_mm == (-10.0, -20.0, 30.0)
    assert grid.orientation == ("S", "P", "L")
    assert grid.plane == "axial"
    assert grid.voxel_volume_mm3 == pytest.approx(2.5 * 0.8 * 0.7)
    assert_allclose(grid.index_to_mm(np.array([1, 2, 3])), [-10 + 2.1, -20 + 1.6, 32.5])


@given(grids(), arrays(np.float64, (7, 3), elements=st.floats(-50, 50)))
def test_millimetres_and_back_is_identity(grid, index):
    assert_allclose(grid.mm_to_index(grid.index_to_mm(index)), index, atol=1e-6)


@given(grids())
def test_volume_of_a_voxel_does_not_depend_on_rotation(grid):
    assert grid.voxel_volume_mm3 == pytest.approx(np.prod(grid.spacing_mm))


def test_sheared_grid_keeps_its_volume():
    sheared = AXIAL.copy()
    sheared[1, 0] = 1.2  # each slice lies 1.2 mm further back, as with a tilted gantry
    assert Grid((3, 4, 5), sheared).voxel_volume_mm3 == pytest.approx(2.5 * 0.8 * 0.7)


@pytest.mark.parametrize(("normal_axis", "plane"), [(2, "axial"), (1, "coronal"), (0, "sagittal")])
def test_plane_is_named_after_the_normal(normal_axis, plane):
    affine = np.eye(4)
    others = [axis for axis in range(3) if axis != normal_axis]
    affine[:3, :3] = np.eye(3)[:, [normal_axis, *others]]
    assert Grid((2, 2, 2), affine).plane == plane


def test_plane_beyond_twenty_degrees_is_oblique():
    affine = np.eye(4)
    affine[:3, :3] = rotation((np.radians(25), 0, 0)) @ AXIAL[:3, :3]
    assert Grid((2, 2, 2), affine).plane == "oblique axial"


def test_without_affine_nothing_in_millimetres_is_said():
    grid = Grid((1, 8, 8))
    assert not grid.has_millimetres
    with pytest.raises(GeometryError, match="no position in the patient"):
        _ = grid.spacing_mm


@pytest.mark.parametrize(
    ("affine", "message"),
    [
        (np.zeros((4, 4)), "last row"),
        (np.diag([1.0, 1.0, 0.0, 1.0]), "singular"),
        (np.full((4, 4), np.nan), "finite"),
    ],
)
def test_impossible_affine_is_refused(affine, message):
    with pytest.raises(GeometryError, match=message):
        Grid((2, 2, 2), affine)


def test_sameness_has_a_tolerance_and_needs_the_same_frame_of_reference():
    near = AXIAL.copy()
    near[0, 3] += 5e-4
    assert Grid((3, 4, 5), AXIAL, "1.2").is_same_as(Grid((3, 4, 5), near, "1.2"))
    assert not Grid((3, 4, 5), AXIAL, "1.2").is_same_as(Grid((3, 4, 5), near, "1.3"))
    near[0, 3] += 0.1
    assert not Grid((3, 4, 5), AXIAL, "1.2").is_same_as(Grid((3, 4, 5), near, "1.2"))
    assert Grid((3, 4, 5), AXIAL) == Grid((3, 4, 5), AXIAL.copy())


def test_affine_cannot_be_changed_afterwards():
    grid = Grid((3, 4, 5), AXIAL)
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 1.0
