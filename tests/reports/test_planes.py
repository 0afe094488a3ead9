"""The patient's right is on the left, head or front is up: for every way in which a grid can be stored."""

from __future__ import annotations

import numpy as np
import pytest
from tests.reports.example_readings import ALL_LAYOUTS, AXIAL, affine

from hounsfield.core import Grid, PlaneSpacing
from hounsfield.reports.planes import Letters, flat_plane, letters_from_tag, planes_of

# Plane -> where the patient's left, back and head (x, y, z of LPS) go on the picture, as (row, column).
GOES = {
    "axial": ((0, 1), (1, 0), None),
    "coronal": ((0, 1), None, (-1, 0)),
    "sagittal": (None, (0, 1), (-1, 0)),
}
LETTERS = {
    "axial": Letters("R", "L", "A", "P"),
    "coronal": Letters("R", "L", "H", "F"),
    "sagittal": Letters("A", "P", "H", "F"),
}
SHAPE, SPACING_MM = (14, 20, 26), (3.0, 1.5, 1.0)


def rotation_of(angle_deg):
    """Rotation about the patient's left-right axis."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def grid_of(directions):
    return Grid(SHAPE, affine(directions, SPACING_MM, (-20.0, 7.0, 31.0)), "1.2")


@pytest.mark.parametrize("directions", ALL_LAYOUTS, ids=range(len(ALL_LAYOUTS)))
def test_letters_and_directions_of_every_layout(directions):
    grid = grid_of(directions)
    planes = {plane.name: plane for plane in planes_of(grid)}
    assert set(planes) == set(GOES)
    middle_mm = grid.index_to_mm((np.array(SHAPE) - 1) / 2)
    for name, plane in planes.items():
        assert plane.letters == LETTERS[name]
        for axis, expected in enumerate(GOES[name]):
            ends = np.array([middle_mm, middle_mm + 5.0 * np.eye(3)[axis]])
            start, end = plane.index_to_px(grid.mm_to_index(ends))
            moved_mm = (end - start) * plane.mm_per_px
            np.testing.assert_allclose(moved_mm, 5.0 * np.array(expected or (0, 0)), atol=1e-6)


@pytest.mark.parametrize("directions", ALL_LAYOUTS, ids=range(len(ALL_LAYOUTS)))
def test_marker_is_drawn_where_it_lies_in_the_patient(directions):
    """One bright voxel: its light on the picture has its centre where the millimetres say."""
    grid, marker = grid_of(directions), (4, 15, 8)
    array = np.zeros(SHAPE, dtype=np.float32)
    array[marker] = 1.0
    for plane in planes_of(grid):
        picture = plane.resample(plane.cut(array, marker[plane.axis])).astype(np.float64)
        rows, columns = np.indices(picture.shape)
        centre = [(picture * places).sum() / picture.sum() for places in (rows, columns)]
        (expected,) = plane.index_to_px(np.array([marker], dtype=float))
        np.testing.assert_allclose(centre, expected, atol=0.6)
        other = plane.cut(array, marker[plane.axis] - 1)
        assert not plane.resample(other).any()


def test_acquired_plane_comes_first_and_strips_are_left_out():
    sagittal = AXIAL[:, [2, 0, 1]]
    assert planes_of(grid_of(sagittal))[0].name == "sagittal"
    flat = Grid((1, 200, 200), affine(AXIAL, (1.0, 1.0, 1.0)))
    assert [plane.name for plane in planes_of(flat)] == ["axial"]
    assert planes_of(Grid((1, 5, 5))) == ()


@pytest.mark.parametrize("angle_deg", [10.0, 30.0])
def test_oblique_planes_are_called_so_and_carry_two_letters(angle_deg):
    axial = next(p for p in planes_of(grid_of(rotation_of(angle_deg) @ AXIAL)) if p.name.endswith("axial"))
    assert axial.name == ("axial" if angle_deg < 20 else "oblique axial")
    assert axial.letters.left[0] == "R"
    assert axial.letters.top == ("A" if angle_deg < 17 else "AF")


def test_gantry_tilt_is_undone_in_the_picture():
    """Rows of a sheared grid: a vertical line of the patient is vertical on the sagittal picture."""
    sheared = affine(AXIAL, SPACING_MM)
    sheared[1, 0] = 0.8  # each slice lies 0.8 mm further to the back
    grid = Grid(SHAPE, sheared, "1.2")
    plane = next(p for p in planes_of(grid) if p.name == "sagittal")
    line_mm = np.array([[5.0, 15.0, z] for z in (3.0, 30.0)])
    low, high = plane.index_to_px(grid.mm_to_index(line_mm))
    assert low[1] == pytest.approx(high[1])
    assert (low[0] - high[0]) * plane.mm_per_px == pytest.approx(27.0)


def test_picture_without_millimetres_has_square_pixels_and_no_scale():
    plane = flat_plane(Grid((1, 30, 60)))
    assert (plane.mm_per_px, plane.letters) == (None, None)
    assert plane.shape_px[1] == 2 * plane.shape_px[0]
    stated = flat_plane(Grid((1, 30, 60)), spacing=PlaneSpacing(2.0, 1.0, "calibrated"))
    assert stated.shape_px[1] == stated.shape_px[0]
    assert stated.mm_per_px == pytest.approx(60.0 / 720)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("L\\P", Letters("R", "L", "A", "P")),
        (("R", "F"), Letters("L", "R", "H", "F")),
        (("AR", "FL"), Letters("PL", "AR", "HR", "FL")),
        (("L",), None),
        ("", None),
        (None, None),
        (("X", "P"), None),
        (("L", ""), None),
    ],
)
def test_letters_of_a_radiograph_come_from_its_tag_or_not_at_all(tag, expected):
    assert letters_from_tag(tag) == expected
