"""Volume, density and emphysema indices: values by hand, limits, refusals."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.measures.fixture_lines import fixture_lines
from tests.measures.volumes import everything, grid_of, image_of

from hounsfield.core import Grid, Region
from hounsfield.core.code import LUNG
from hounsfield.core.errors import GeometryError, RefusedInput, UnitError
from hounsfield.measures import (
    laa910,
    laa950,
    mean_attenuation,
    perc15,
    region_area,
    region_pixels,
    region_volume,
)
from hounsfield.measures.laa950 import low_attenuation_percent


def hu_of(given_hu):
    if "hu_counts" in given_hu:
        return [float(hu) for hu, count in given_hu["hu_counts"].items() for _ in range(count)]
    return list(np.arange(-1000.0, -799.0))


@pytest.mark.parametrize("line", fixture_lines("B21")[:2], ids=lambda line: line["id"])
def test_density_by_hand(line):
    image = image_of(hu_of(line["in"]), "HU")
    lung = everything(image)
    expected = line["out"]
    assert laa950(image, lung).value == pytest.approx(expected["laa_lt_950_pct"], rel=1e-4)
    assert perc15(image, lung).value == pytest.approx(expected["perc15_linear_hu"])
    inclusive = low_attenuation_percent(image.array.astype(np.float64), threshold_hu=-950.0, inclusive=True)
    assert inclusive == pytest.approx(expected["laa_le_950_pct"], rel=1e-4)


def test_gas_trapping_limit_is_exclusive():
    line = fixture_lines("B21")[2]
    hu = np.array([float(v) for v, n in line["in"]["exp_hu_counts"].items() for _ in range(n)])
    assert low_attenuation_percent(hu, threshold_hu=-856.0) == line["out"]["gas_trapping_lt_856_pct"]


def test_perc15_is_given_in_g_per_litre_too():
    image = image_of(hu_of(fixture_lines("B21")[0]["in"]), "HU")
    assert "100.0 g/L" in perc15(image, everything(image)).note


@pytest.mark.parametrize(("rule", "limit_hu"), [(laa950, -950.0), (laa910, -910.0)])
def test_voxel_at_the_limit_does_not_count(rule, limit_hu):
    image = image_of([limit_hu, np.nextafter(np.float32(limit_hu), np.float32(-2000)), limit_hu + 1, 0], "HU")
    assert rule(image, everything(image)).value == 25.0


def test_only_the_region_is_measured():
    image = image_of([-1000.0, -800.0, -900.0, 40.0], "HU")
    region = Region("lung", LUNG, image.grid, mask=np.array([[[False, True, True, False]]]))
    assert mean_attenuation(image, region).value == -850.0


def test_volume_by_hand():
    grid = grid_of((10, 10, 10), (2.5, 0.5, 0.5))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[:4, :4, :5] = True
    measured = region_volume(Region("lesion", LUNG, grid, mask=mask))
    assert (measured.value, measured.unit) == (pytest.approx(80 * 0.625 / 1000), "ml")


@given(st.floats(-0.5, 0.5), st.floats(0.2, 5.0))
def test_volume_of_a_sheared_grid_is_its_determinant(shear, step_mm):
    affine = np.array([[0, 0, step_mm, 0], [shear, step_mm, 0, 0], [step_mm, 0, 0, 0], [0, 0, 0, 1.0]])
    grid = Grid((2, 3, 4), affine)
    region = Region("all", LUNG, grid, mask=np.ones(grid.shape, dtype=bool))
    assert region_volume(region).value == pytest.approx(24 * step_mm**3 / 1000)


def test_volume_without_millimetres_is_refused():
    grid = Grid((1, 4, 4))
    with pytest.raises(GeometryError, match="states no position in the patient"):
        region_volume(Region("lesion", LUNG, grid, mask=np.ones(grid.shape, dtype=bool)))


def test_volume_of_a_point_is_refused():
    point = Region("seed", LUNG, grid_of((2, 2, 2)), kind="point", points_index=np.zeros((1, 3)))
    with pytest.raises(RefusedInput, match="'seed' is a point, which has no volume"):
        region_volume(point)


def test_other_unit_is_refused():
    image = image_of([1.0, 2.0], "1")
    with pytest.raises(UnitError, match="rule laa950 needs an image in HU, this one is in 1"):
        laa950(image, everything(image))


def test_empty_region_is_refused():
    image = image_of([1.0, 2.0], "HU")
    empty = Region("lung", LUNG, image.grid, mask=np.zeros(image.grid.shape, dtype=bool))
    with pytest.raises(RefusedInput, match="'lung' holds no voxel"):
        perc15(image, empty)


def test_values_that_are_no_numbers_are_refused():
    image = image_of([np.nan, 2.0], "HU")
    with pytest.raises(RefusedInput, match="holds 1 voxels that are not finite"):
        mean_attenuation(image, everything(image))


def test_region_of_another_grid_is_refused():
    image = image_of([1.0, 2.0], "HU")
    other = image_of([1.0, 2.0], "HU", (1.0, 1.0, 2.0))
    with pytest.raises(GeometryError, match=re.escape("is no mask on the image's grid")):
        mean_attenuation(image, everything(other))


def test_time_series_is_refused():
    image = image_of([1.0, 2.0], "HU")
    moving = type(image)(np.stack([image.array] * 3), image.grid, "HU")
    with pytest.raises(GeometryError, match="Choose one time point"):
        mean_attenuation(moving, everything(image))


def test_area_is_that_of_the_largest_section():
    """Slices of 4 and 6 marked pixels of 2 x 0.5 mm."""
    mask = np.zeros((3, 4, 5), dtype=bool)
    mask[0, :2, :2] = mask[1, :3, :2] = True
    region = Region("lesion", LUNG, grid_of(mask.shape, (5.0, 2.0, 0.5)), mask)
    assert region_area(region).value == pytest.approx(6 * 2.0 * 0.5)
    assert region_pixels(region).value == 6


def test_without_millimetres_pixels_are_counted_and_no_area_is_invented():
    region = Region("lesion", LUNG, Grid((1, 2, 2)), np.ones((1, 2, 2), dtype=bool))
    with pytest.raises(GeometryError, match="nothing in millimetres"):
        region_area(region)
    measured = region_pixels(region)
    assert (measured.value, measured.unit) == (4, "{pixels}")
    assert "no pixel spacing" in measured.note
    with pytest.raises(RefusedInput, match="which has no pixels"):
        region_pixels(Region("spot", LUNG, region.grid, points_index=np.zeros((1, 3)), kind="point"))
