"""Parts of the search for muscle and fat, on shapes whose answer is known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from hounsfield.imaging.abdominal_wall import find_wall
from hounsfield.imaging.back_muscles import Spine, deep_muscle
from hounsfield.imaging.body_outline import field_rim, outline_body
from hounsfield.imaging.lumbar_levels import crest_top, estimate_l3

SPACING_MM = (4.0, 2.0, 2.0)
N = 160
Y, X = np.mgrid[:N, :N] * 2.0 - (N - 1.0)


def ellipse(half_x_mm, half_y_mm, at=(0.0, 0.0)):
    return ((X - at[0]) / half_x_mm) ** 2 + ((Y - at[1]) / half_y_mm) ** 2 < 1.0


def volume(section, n=9):
    return np.repeat(section[None], n, axis=0).astype(np.float32)


def ring(*, thickness_mm=12.0, gas=False):
    """Fat, a ring of muscle with outer semi-axes 110 and 80 mm, and fat or gas within."""
    section = np.full((N, N), -1000.0)
    section[ellipse(130, 100)] = -100.0
    section[ellipse(110, 80)] = 55.0
    section[ellipse(110 - thickness_mm, 80 - thickness_mm)] = -1000.0 if gas else -100.0
    return section


def outlined(section, n=9):
    return outline_body(volume(section, n), SPACING_MM)


def test_table_and_arms_are_no_part_of_the_trunk_and_arms_are_told():
    section = ring()
    section[(np.abs(Y - 108) < 4) & (np.abs(X) < 140)] = 200.0  # a hard shell of 8 mm that touches nothing
    plain = outlined(section)
    assert plain.mask[4].sum() * 4.0 == pytest.approx(np.pi * 130 * 100, rel=0.02)
    assert not plain.has_limbs.any()
    arm = ellipse(10, 30, at=(146.0, 0.0))
    small = ring()
    small[arm] = 55.0
    small[ellipse(5, 5, at=(146.0, 0.0))] = 900.0
    assert not outlined(small).has_limbs.any()  # under 10 cm2
    wide = ring() * 1.0
    wide = np.where(ellipse(100, 90), wide, -1000.0)
    wide[ellipse(22, 30, at=(128.0, 0.0))] = 55.0
    wide[ellipse(5, 5, at=(128.0, 0.0))] = 900.0
    found = outlined(wide)
    assert found.has_limbs.all()
    assert not found.mask[:, :, X[0] > 104].any()


def test_body_that_leaves_the_square_or_the_circle_is_cut():
    assert not outlined(ring()).touches_edge.any()
    wide = np.full((N, N), -1000.0)
    wide[ellipse(170, 100)] = -100.0
    assert outlined(wide).touches_edge.all()
    # The same cut off by a circle, with padding outside.
    wide[np.hypot(X, Y) > N] = -1024.0
    assert outlined(wide).touches_edge.all()


def test_rim_is_the_edge_alone_where_the_corners_hold_tissue():
    body = np.ones((1, N, N), dtype=bool)
    rim = field_rim(np.zeros((1, N, N), dtype=np.float32), body, SPACING_MM)
    assert rim.sum() == 4 * N - 4


@pytest.mark.parametrize("thickness_mm", [8.0, 12.0, 20.0])
@pytest.mark.parametrize("gas", [False, True])
def test_thickness_of_the_wall_is_measured_against_fat_and_gas(thickness_mm, gas):
    section = ring(thickness_mm=thickness_mm, gas=gas)
    body = outlined(section).mask
    wall = find_wall(volume(section), body, np.zeros_like(body), SPACING_MM)
    assert wall.is_seen.mean() > 0.95
    np.testing.assert_allclose(wall.outer[4, [0, 60]], [110, 80], atol=2.5)
    np.testing.assert_allclose(np.median(wall.thickness), thickness_mm, atol=2.5)


def test_thickness_is_taken_over_where_an_organ_lies_against_the_wall():
    section = ring()
    section[ellipse(40, 40, at=(-68.0, 0.0))] = 58.0
    body = outlined(section).mask
    wall = find_wall(volume(section), body, np.zeros_like(body), SPACING_MM)
    at_liver = 120  # the ray to the patient's right
    assert not wall.is_seen[4, at_liver]
    assert wall.thickness[4, at_liver] == pytest.approx(12.0, abs=3.0)


def test_gap_in_front_is_bridged_and_bowel_gas_behind_it_lies_inside():
    section = ring()
    section[(np.abs(X) < 10) & (Y < -60) & ellipse(110, 80)] = -100.0
    body = outlined(section).mask
    wall = find_wall(volume(section), body, np.zeros_like(body), SPACING_MM)
    assert wall.outer[4, 180] == pytest.approx(80.0, abs=4.0)


def test_rib_marks_the_inner_side_of_the_wall():
    section = ring()
    section[ellipse(98, 68)] = 58.0  # an organ fills the cavity: nothing else shows the inner side
    rib = ellipse(106, 76) & ~ellipse(99, 69) & (np.abs(Y) < 30)
    section[rib] = 800.0
    body = outlined(section).mask
    wall = find_wall(volume(section), body, volume(rib) > 0, SPACING_MM)
    assert wall.is_seen[4, 0]
    assert wall.thickness[4, 0] == pytest.approx(12.0, abs=3.0)


def muscles_of(*shapes):
    spine = Spine.around(np.array([(N - 1) / 2, (N - 1) / 2]), (N, N), SPACING_MM)
    lean = np.zeros((N, N), dtype=bool)
    for shape in shapes:
        lean |= shape
    return deep_muscle(lean, spine, SPACING_MM)


def test_kidney_that_touches_the_psoas_is_parted_from_it():
    psoas = ellipse(14, 16, at=(34.0, 0.0))
    kidney = ellipse(26, 22, at=(73.0, -4.0))
    found = muscles_of(psoas, kidney)
    assert (found & psoas).sum() > 0.85 * psoas.sum()
    assert (found & kidney & ~psoas).sum() < 0.08 * kidney.sum()


def test_kidney_alone_is_no_muscle_and_muscle_of_the_back_is():
    assert muscles_of(ellipse(24, 22, at=(66.0, 0.0))).sum() == 0
    back = ellipse(30, 20, at=(34.0, 44.0))
    assert (muscles_of(back) & back).sum() > 0.9 * back.sum()
    assert muscles_of(np.zeros((N, N), dtype=bool)).sum() == 0


def profile(*, disc_hu=70.0, body_hu=130.0, pitch_mm=37.0, lowest_disc_mm=40.0, step_mm=3.0):
    z_mm = np.arange(90) * step_mm
    from_disc = (z_mm - lowest_disc_mm + pitch_mm / 2) % pitch_mm - pitch_mm / 2
    return np.where(np.abs(from_disc) < 4.5, disc_hu, body_hu)


@pytest.mark.parametrize("crest_mm", [37.0, 45.0, 60.0, 72.0])
def test_l3_is_the_body_above_the_one_beside_the_crests(crest_mm):
    """Discs at 40, 77 and 114 mm: L4 lies between the first two, L3 between the others, its middle at 95.5 mm."""
    level = estimate_l3(profile(), round(crest_mm / 3.0), 3.0)
    assert level.centre * 3.0 == pytest.approx(95.5, abs=3.0)
    assert level.pitch * 3.0 == pytest.approx(37.0, abs=1.5)


def test_no_level_without_crest_discs_or_room():
    assert estimate_l3(profile(), -1, 3.0) is None
    assert estimate_l3(profile(disc_hu=120.0), 20, 3.0) is None
    assert estimate_l3(profile()[:30], 20, 3.0) is None
    assert estimate_l3(np.full(90, np.nan), 20, 3.0) is None


def pelvis(*, hu=600.0, length_mm=60.0, sides=(-1, 1)):
    """A body with iliac wings from the first slice to the sixth."""
    section = ring()
    array = volume(section, 12)
    for sign in sides:
        wing = (np.abs(X - sign * 90) < 4) & (np.abs(Y - 10) < length_mm / 2)
        array[:6, wing] = hu
    path = np.tile([(N - 1) / 2 + 15, (N - 1) / 2], (12, 1))
    return array, outline_body(array, SPACING_MM), path


def test_crests_end_where_both_wings_do():
    array, outline, path = pelvis()
    assert crest_top(array, outline, path, SPACING_MM) == 5
    array[5:8, (np.abs(X - 90) < 4) & (np.abs(Y - 10) < 30)] = 600.0  # one side stands higher
    assert crest_top(array, outline, path, SPACING_MM) == 5


def test_rib_kidney_or_one_wing_is_no_crest():
    for options in ({"length_mm": 20.0}, {"hu": 300.0}, {"sides": (1,)}):
        array, outline, path = pelvis(**options)
        assert crest_top(array, outline, path, SPACING_MM) == -1, options
