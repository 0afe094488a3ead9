"""The patient in a CT: nothing of the patient is left out, and the air around is."""

import numpy as np
import pytest

from hounsfield.imaging.patient_region import patient_region
from hounsfield.phantoms import ChestCtParameters, make_chest_ct

SPACING_MM = (3.0, 2.0, 2.0)


def field(shape=(20, 100, 100)):
    return np.full(shape, -1000, dtype=np.int16)


def test_a_body_with_its_lungs_is_inside_and_air_and_table_are_not():
    hu = field()
    hu[:, 20:70, 20:80] = 30
    hu[:, 30:60, 30:70] = -870  # lung
    hu[:, 80:84, 10:90] = -700  # foam of the table, 8 mm
    region = patient_region(hu, SPACING_MM)
    assert region[:, 20:70, 20:80].all()
    assert not region[:, 79:, :].any()
    assert not region[:, :10].any()
    assert region.sum() < 1.6 * 20 * 50 * 60


def test_an_arm_is_kept_and_a_cable_is_not():
    hu = field()
    hu[:, 20:70, 30:90] = 30
    hu[:, 40:52, 4:16] = 30  # an arm of 24 mm, 4.8 % of the trunk
    hu[2:4, 90:93, 5:8] = 200
    region = patient_region(hu, SPACING_MM)
    assert region[:, 40:52, 4:16].all()
    assert not region[:, 85:].any()


def test_without_anything_there_is_nothing():
    assert not patient_region(field(), SPACING_MM).any()


def test_all_that_the_chest_phantom_knows_lies_inside():
    phantom = make_chest_ct(ChestCtParameters(n_slices=40, matrix_px=96, field_of_view_mm=500.0))
    region = patient_region(phantom.array, phantom.grid.spacing_mm)
    for name, mask in phantom.masks.items():
        assert region[mask].all(), name
    assert region[phantom.array > -200].all()
    assert region.mean() < 0.6


@pytest.mark.parametrize("shape", [(1, 40, 40), (7, 31, 45)])
def test_the_region_has_the_shape_of_the_volume(shape):
    assert patient_region(field(shape), (5.0, 0.7, 0.7)).shape == shape
