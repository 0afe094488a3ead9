"""Intensity statistics, histogram and peaks: by hand, and by their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import GeometryError, RefusedInput
from hounsfield.radiomics import (
    fixed_bin_number,
    intensity_histogram,
    intensity_statistics,
    local_intensity,
)


def test_statistics_of_five_values_by_hand():
    found = intensity_statistics(np.array([0.0, 1.0, 2.0, 3.0, 10.0]))
    assert (found.median, found.minimum, found.maximum, found.range) == (2.0, 0.0, 10.0, 10.0)
    assert (found.percentile_10, found.percentile_90) == (pytest.approx(0.4), pytest.approx(7.2))
    assert found.interquartile_range == pytest.approx(3.0 - 1.0)
    assert found.quartile_coefficient_of_dispersion == pytest.approx(2.0 / 4.0)
    assert found.mean_absolute_deviation == pytest.approx((3.2 + 2.2 + 1.2 + 0.2 + 6.8) / 5)
    assert found.median_absolute_deviation == pytest.approx((2 + 1 + 0 + 1 + 8) / 5)
    # Between the percentiles lie 1, 2 and 3, whose mean is 2.
    assert found.robust_mean_absolute_deviation == pytest.approx(2 / 3)
    assert found.coefficient_of_variation == pytest.approx(math.sqrt(12.56) / 3.2)


def test_constant_region_has_no_shape_and_no_spread():
    found = intensity_statistics(np.full(7, 0.1))
    assert (found.variance, found.skewness, found.excess_kurtosis) == (0.0, 0.0, 0.0)
    assert found.coefficient_of_variation == 0.0
    assert found.robust_mean_absolute_deviation == pytest.approx(0.0, abs=1e-15)


def test_ratios_over_zero_are_none():
    found = intensity_statistics(np.array([-1.0, 1.0]))
    assert found.coefficient_of_variation is None
    assert found.quartile_coefficient_of_dispersion is None


@pytest.mark.parametrize("values", [[], [1.0, np.nan]])
def test_no_finite_value_is_refused(values):
    with pytest.raises(RefusedInput, match="need finite values"):
        intensity_statistics(np.array(values))


@given(
    st.lists(st.integers(-1000, 1000), min_size=2, max_size=50).filter(lambda v: len(set(v)) > 1),
    st.integers(-500, 500),
)
def test_adding_a_constant_moves_places_and_leaves_spreads(hu, shift):
    x = np.array(hu, dtype=np.float64)
    before, after = intensity_statistics(x), intensity_statistics(x + shift)
    for name in ("mean", "median", "minimum", "maximum", "percentile_10", "percentile_90"):
        assert getattr(after, name) == pytest.approx(getattr(before, name) + shift, abs=1e-6)
    for name in ("variance", "skewness", "excess_kurtosis", "interquartile_range", "mean_absolute_deviation"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), rel=1e-6, abs=1e-6)


def test_histogram_by_hand():
    found = intensity_histogram(np.repeat([1, 2, 4], [2, 1, 1]))
    # Counts 2 1 0 1: gradients -1, -1, 0, 1.
    assert (found.minimum_gradient, found.minimum_gradient_level) == (-1.0, 1)
    assert (found.maximum_gradient, found.maximum_gradient_level) == (1.0, 4)
    assert (found.mode, found.entropy_bits, found.uniformity) == (1, 1.5, 0.25 + 2 / 16)


def test_mode_of_several_is_the_one_nearest_the_mean():
    assert intensity_histogram(np.array([1, 1, 3, 3, 4])).mode == 3


def test_empty_bins_count_for_gradients_and_not_for_entropy():
    levels = np.array([1, 2])
    short, long = intensity_histogram(levels), intensity_histogram(levels, 5)
    assert (short.minimum_gradient, long.minimum_gradient) == (0.0, -0.5)
    assert short.entropy_bits == long.entropy_bits == 1.0


@pytest.mark.parametrize(("levels", "bins"), [([0, 1], 4), ([1, 5], 4), ([1, 1], None), ([], 4)])
def test_levels_outside_the_bins_are_refused(levels, bins):
    with pytest.raises(RefusedInput, match="discretise the region first"):
        intensity_histogram(np.array(levels, dtype=np.intp), bins)


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=60, unique=True))
def test_entropy_lies_between_nothing_and_all_bins_alike(values):
    found = intensity_histogram(fixed_bin_number(np.array(values), 8), 8)
    assert 0.0 <= found.entropy_bits <= 3.0 + 1e-12
    assert 1 / 8 - 1e-12 <= found.uniformity <= 1.0


def test_peak_of_one_bright_voxel_is_its_share_of_the_sphere():
    array = np.zeros((9, 9, 9))
    array[4, 4, 4] = 19.0
    mask = np.zeros(array.shape, dtype=bool)
    mask[4, 4, 4] = mask[0, 0, 0] = True
    # At 4 mm the sphere of 1 cm3 around a voxel holds 19 centres (B11f.2).
    found = local_intensity(array, mask, (4.0, 4.0, 4.0))
    assert (found.local_peak, found.global_peak) == (pytest.approx(1.0), pytest.approx(1.0))


def test_global_peak_may_lie_beside_the_maximum():
    array = np.zeros((1, 1, 20))
    array[..., 2], array[..., 10:20] = 9.0, 8.0
    found = local_intensity(array, np.ones(array.shape, dtype=bool), (4.0, 4.0, 4.0))
    assert (found.local_peak, found.global_peak) == (pytest.approx(9 / 3), pytest.approx(8.0))


def test_of_several_maxima_the_highest_peak_is_local():
    array = np.zeros((1, 1, 20))
    array[..., 2], array[..., 14:17] = 9.0, 9.0
    found = local_intensity(array, np.ones(array.shape, dtype=bool), (4.0, 4.0, 4.0))
    assert found.local_peak == found.global_peak == pytest.approx(9.0)


def test_peak_without_region_or_millimetres_is_refused():
    array = np.zeros((2, 2, 2))
    with pytest.raises(RefusedInput, match="no intensity peak"):
        local_intensity(array, np.zeros(array.shape, dtype=bool), (1.0, 1.0, 1.0))
    with pytest.raises(GeometryError, match="needs millimetres above 0"):
        local_intensity(array, np.ones(array.shape, dtype=bool), (0.0, 1.0, 1.0))
