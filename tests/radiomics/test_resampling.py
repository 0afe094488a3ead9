"""Resampling and re-segmentation: sizes, centres, what stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import GeometryError
from hounsfield.radiomics import (
    resample_linear,
    resample_mask,
    resampled_axis,
    to_whole_hu,
    within_range,
    without_outliers,
)


def test_size_is_exact_in_decimals():
    """10 x 0.3 / 0.1 is 30.000000000000004 in binary, whose ceiling is 31."""
    assert resampled_axis(10, spacing_mm=0.3, new_spacing_mm=0.1)[0] == 30
    assert resampled_axis(10, spacing_mm=0.31, new_spacing_mm=0.1)[0] == 31


@given(st.integers(1, 300), st.integers(1, 60), st.integers(1, 60))
def test_grids_share_their_centre_and_cover_the_old(n, old_tenths, new_tenths):
    old_mm, new_mm = old_tenths / 10, new_tenths / 10
    new_n, offset_mm = resampled_axis(n, spacing_mm=old_mm, new_spacing_mm=new_mm)
    assert offset_mm + (new_n - 1) * new_mm / 2 == pytest.approx((n - 1) * old_mm / 2, abs=1e-9)
    assert 0 <= new_n * new_tenths - n * old_tenths < new_tenths


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_unknown_voxel_size_is_refused(spacing):
    with pytest.raises(GeometryError, match="must be above 0"):
        resampled_axis(5, spacing_mm=spacing[0], new_spacing_mm=spacing[1])
    with pytest.raises(GeometryError, match="each axis needs one of both"):
        resample_linear(np.ones((2, 2)), (1.0, 1.0, 1.0), (1.0, 1.0))


@given(st.tuples(*[st.integers(-5, 5)] * 3))
def test_ramp_stays_a_ramp(slope):
    index = np.indices((6, 7, 8))
    ramp = sum(s * mm * i for s, mm, i in zip(slope, (3.0, 1.0, 1.0), index, strict=True)) + 10.0
    new = resample_linear(ramp, (3.0, 1.0, 1.0), (2.0, 2.0, 2.0))
    starts = [
        resampled_axis(n, spacing_mm=s, new_spacing_mm=2.0)[1]
        for n, s in zip((6, 7, 8), (3.0, 1.0, 1.0), strict=True)
    ]
    expected = 10.0 + sum(
        s * (start + 2.0 * i) for s, start, i in zip(slope, starts, np.indices(new.shape), strict=True)
    )
    inner = (slice(1, -1),) * 3
    np.testing.assert_allclose(new[inner], expected[inner], atol=1e-9)


def test_axis_of_the_same_spacing_is_left_alone():
    array = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(resample_linear(array, (5.0, 1.0, 1.0), (5.0, 1.0, 1.0)), array)
    assert resample_linear(array, (5.0, 1.0, 1.0), (5.0, 0.5, 0.5)).shape == (2, 6, 8)


def test_single_slice_keeps_its_value():
    assert resample_linear(np.full((1, 2), 7.0), (5.0, 1.0), (2.0, 1.0)).tolist() == [[7.0, 7.0]] * 3


def test_voxel_half_inside_belongs_to_the_mask():
    # Two voxels of 1 mm become one of 2 mm, centred between them: half in, half out.
    assert resample_mask(np.array([True, False]), (1.0,), (2.0,)).tolist() == [True]
    assert resample_mask(np.array([False, True, False, False]), (1.0,), (2.0,)).tolist() == [True, False]


def test_ct_numbers_become_whole_half_up():
    assert to_whole_hu(np.array([-0.5, 0.5, 1.5, 2.49, -1.5])).tolist() == [0.0, 1.0, 2.0, 2.0, -1.0]


def test_range_counts_its_limits_in():
    array = np.array([-1001.0, -1000.0, 0.0, 400.0, 401.0])
    kept = within_range(array, np.array([True] * 4 + [False]), lowest=-1000, highest=400)
    assert kept.tolist() == [False, True, True, True, False]


def test_outliers_lie_beyond_three_deviations():
    array = np.array([0.0] * 99 + [100.0])
    assert without_outliers(array, np.ones(100, dtype=bool)).sum() == 99
    # Nine and one: the one is exactly three deviations off (mean 10, SD 30), which is not beyond.
    ten = np.array([0.0] * 9 + [100.0])
    assert without_outliers(ten, np.ones(10, dtype=bool)).all()
    assert not without_outliers(ten, np.zeros(10, dtype=bool)).any()
