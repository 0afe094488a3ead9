"""The heart region on phantoms: it holds the heart, whichever way the array lies, and tells what the scan misses."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from hounsfield.core import Grid
from hounsfield.core.errors import GeometryError
from hounsfield.imaging.heart_region import find_heart_region
from hounsfield.phantoms.cardiac_ct import CardiacCtParameters, make_cardiac_ct


@cache
def phantom(**parameters):
    """Do not write into its arrays."""
    usual = {"matrix_px": 128, "field_of_view_mm": 240.0}
    return make_cardiac_ct(CardiacCtParameters(**{**usual, **parameters}))


def found(made):
    region = find_heart_region(made.array, made.grid)
    assert region is not None
    return region


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("field_of_view_mm", [200.0, 240.0, 380.0])
def test_heart_and_arteries_lie_in_it_and_bone_does_not(seed, field_of_view_mm):
    made = phantom(seed=seed, field_of_view_mm=field_of_view_mm)
    region = found(made)
    assert (region.mask & made.masks["heart"]).sum() >= 0.97 * made.masks["heart"].sum()
    for name in ("lm", "lad", "lcx", "rca"):
        calcium = made.masks[name] & (made.array >= 130)
        assert not (calcium & ~region.mask).any()
    bone = made.array > 500
    for name in ("lm", "lad", "lcx", "rca"):
        bone &= ~made.masks[name]
    assert (bone & region.mask).sum() < 0.002 * bone.sum()
    assert (region.cut_at_head, region.cut_at_feet) == (False, False)


@pytest.mark.parametrize(
    ("contrast", "low_hu", "high_hu"), [("none", 30, 70), ("iodine", 130, 400), ("iodine-unstated", 130, 400)]
)
def test_blood_tells_contrast_agent(contrast, low_hu, high_hu):
    assert low_hu < found(phantom(contrast=contrast)).blood_hu < high_hu


@pytest.mark.parametrize("noise_hu", [15.0, 20.0, 30.0])
def test_noise_is_measured_in_the_heart(noise_hu):
    assert found(phantom(noise_hu=noise_hu)).noise_hu == pytest.approx(noise_hu, rel=0.15)


@pytest.mark.parametrize(
    ("shift_mm", "at_head", "at_feet"), [(0.0, False, False), (40.0, False, True), (-50.0, True, False)]
)
def test_scan_that_misses_a_part_of_the_heart_is_told(shift_mm, at_head, at_feet):
    region = found(phantom(shift_mm=shift_mm))
    assert (region.cut_at_head, region.cut_at_feet) == (at_head, at_feet)


@pytest.mark.parametrize(
    ("order", "flips"), [((0, 1, 2), (-1, 1, -1)), ((1, 0, 2), (1, 1, 1)), ((2, 0, 1), (1, -1, -1))]
)
def test_region_does_not_depend_on_how_the_array_lies(order, flips):
    made = phantom()
    steps = tuple(slice(None, None, flip) for flip in flips)
    affine = np.array(made.grid.affine)
    for axis, flip in enumerate(flips):
        if flip < 0:
            affine[:3, 3] += affine[:3, axis] * (made.grid.shape[axis] - 1)
            affine[:3, axis] *= -1
    affine[:3, :3] = affine[:3, list(order)]
    turned = np.ascontiguousarray(made.array[steps].transpose(order))
    region = find_heart_region(turned, Grid(turned.shape, affine))
    assert np.array_equal(region.mask, found(made).mask[steps].transpose(order))


def test_mattress_of_the_density_of_lung_is_no_lung():
    made = phantom(field_of_view_mm=380.0, matrix_px=160)
    array = made.array.copy()
    array[:, 146:155] = -850  # a slab of 21 mm in the air behind the patient
    region = find_heart_region(array, made.grid)
    np.testing.assert_array_equal(region.mask, found(made).mask)


@pytest.mark.parametrize("hu", [-1000, 40])
def test_without_lungs_there_is_no_heart(hu):
    made = phantom()
    assert find_heart_region(np.full_like(made.array, hu), made.grid) is None


def test_grid_without_millimetres_is_refused():
    with pytest.raises(GeometryError, match="states no position"):
        find_heart_region(phantom().array, Grid(phantom().grid.shape))


@pytest.mark.real_data
@pytest.mark.slow
def test_real_ct_angiography_shows_contrast_agent(real_data):
    from hounsfield.studies import read_study

    (series,) = read_study(real_data / "totalsegmentator" / "aorta" / "ct.nii.gz").series
    image = series.image()
    region = find_heart_region(image.array, image.grid)
    assert region.blood_hu > 300
    assert (region.cut_at_head, region.cut_at_feet) == (False, False)
