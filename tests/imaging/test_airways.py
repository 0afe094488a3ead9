"""Airways in a drawn body: found by their shape, grown into the bronchi, stopped before they leak."""

from __future__ import annotations

import numpy as np
import pytest

from hounsfield.imaging.airways import LARGEST_AIRWAYS_ML, find_airways

SPACING_MM = (2.5, 2.5, 2.5)
SHAPE = (60, 60, 80)
MIDDLE = (30, 40)  # row and column of the trachea
VOXEL_ML = 2.5**3 / 1000
TISSUE_HU, LUNG_HU, LUMEN_HU = 40.0, -860.0, -995.0


def disc(centre, radius_mm, shape=SHAPE):
    rows, columns = np.indices(shape[1:]) * 2.5
    return np.hypot(rows - centre[0] * 2.5, columns - centre[1] * 2.5) <= radius_mm


def body():
    """Tissue in air, with two lungs of 30 voxels height apart from the middle."""
    hu = np.full(SHAPE, -1000.0, dtype=np.float32)
    hu[:, 4:-4, 4:-4] = TISSUE_HU
    hu[10:45, 10:50, 8:32] = LUNG_HU
    hu[10:45, 10:50, 48:72] = LUNG_HU
    return hu


def with_trachea(hu, *, radius_mm=8.0, slices=slice(30, 58), centre=MIDDLE):
    """The same with a straight trachea of 28 slices in the upper part."""
    drawn = hu.copy()
    drawn[slices, disc(centre, radius_mm)] = LUMEN_HU
    return drawn


def inside(hu):
    gas = hu < -400
    gas[:, [0, 1, 2, 3, -4, -3, -2, -1]] = False
    gas[:, :, [0, 1, 2, 3, -4, -3, -2, -1]] = False
    return gas


def found_in(hu):
    return find_airways(hu, inside(hu), SPACING_MM)


def test_trachea_is_found_whole_and_its_air_is_measured_clear_of_the_wall():
    hu = with_trachea(body())
    # The wall's share in the outermost voxels would pull the mean up.
    rim = disc(MIDDLE, 8.0) & ~disc(MIDDLE, 6.0)
    hu[30:58, rim] = -900.0
    found = found_in(hu)
    assert np.array_equal(found.lumen, inside(hu) & (hu < LUNG_HU))
    assert found.trachea_hu == pytest.approx(LUMEN_HU)


def test_main_bronchi_belong_to_the_airways():
    hu = with_trachea(body())
    bronchi = np.zeros(SHAPE, dtype=bool)
    bronchi[27:31, 28:32, 33:47] = True  # between the lungs, joined to the trachea's lower end
    hu[bronchi] = -960.0
    found = found_in(hu)
    assert found.lumen[bronchi].all()
    assert not found.lumen[hu == LUNG_HU].any()


def test_growth_stops_before_a_leak_into_the_lung():
    hu = with_trachea(body())
    hu[28:32, 28:32, 30:50] = -900.0  # opens into both lungs
    found = found_in(hu)
    assert not found.lumen[hu == LUNG_HU].any()
    assert found.lumen.sum() * VOXEL_ML < LARGEST_AIRWAYS_ML


@pytest.mark.parametrize(
    "drawn",
    [
        {"radius_mm": 3.0},  # 28 mm2: a vessel's size
        {"radius_mm": 17.0},  # 900 mm2: no trachea is as wide
        {"slices": slice(50, 57)},  # 17.5 mm long
        {"centre": (30, 62), "slices": slice(46, 58)},  # 55 mm off the midline
    ],
    ids=["narrow", "wide", "short", "off the midline"],
)
def test_gas_without_a_tracheas_size_length_or_place_is_none(drawn):
    assert found_in(with_trachea(body(), **drawn)) is None


def test_flat_gas_is_no_trachea():
    hu = body()
    hu[30:58, 28:31, 25:55] = LUMEN_HU  # 7.5 mm by 75 mm
    hu[10:45, 10:50, 8:32] = hu[10:45, 10:50, 48:72] = TISSUE_HU
    assert found_in(hu) is None


def test_trachea_of_which_every_voxel_touches_the_wall_has_no_mean():
    hu = body()
    hu[30:58, 29:31, 38:42] = LUMEN_HU  # 5 by 10 mm
    found = found_in(hu)
    assert np.array_equal(found.lumen, inside(hu) & (hu == LUMEN_HU))
    assert found.trachea_hu is None
