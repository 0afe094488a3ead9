"""Grey levels: the reference's lines, limits of bins, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput, UnitError
from hounsfield.radiomics import fixed_bin_number, fixed_bin_size, require_calibrated_unit


def test_decimal_limits_do_not_flip():
    """0.3 / 0.1 is 2.999... in binary: the value at the limit belongs to the higher bin."""
    values = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.29999])
    assert fixed_bin_size(values, width=0.1, lowest=0.0).tolist() == [2, 3, 4, 7, 8, 3]
    assert fixed_bin_number(np.array([0.0, 0.1, 0.3, 0.7, 1.0]), 10).tolist() == [1, 2, 4, 8, 10]


@given(st.lists(st.integers(-1000, 400), min_size=2, max_size=40), st.integers(1, 50))
def test_every_value_lies_in_its_bin(hu, width):
    levels = fixed_bin_size(np.array(hu, dtype=np.float64), width=width, lowest=-1000)
    for value, level in zip(hu, levels, strict=True):
        assert -1000 + (level - 1) * width <= value < -1000 + level * width


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40, unique=True), st.integers(2, 64))
def test_bins_of_fixed_number_keep_the_order_and_use_both_ends(values, n_bins):
    x = np.sort(np.array(values))
    levels = fixed_bin_number(x, n_bins)
    assert (levels[0], levels[-1]) == (1, n_bins)
    assert (np.diff(levels) >= 0).all()


def test_value_below_the_lower_limit_is_refused():
    with pytest.raises(RefusedInput, match="holds -501, below the lower limit -500"):
        fixed_bin_size(np.array([-501.0, 3.0]), width=25, lowest=-500)


@pytest.mark.parametrize("width", [0.0, -25.0, float("nan")])
def test_width_that_is_no_width_is_refused(width):
    with pytest.raises(RefusedInput, match="must be above 0"):
        fixed_bin_size(np.array([1.0, 2.0]), width=width, lowest=0)


@pytest.mark.parametrize("n_bins", [1, 0])
def test_too_few_bins_are_refused(n_bins):
    with pytest.raises(RefusedInput, match="needs at least 2"):
        fixed_bin_number(np.array([1.0, 2.0]), n_bins)


@pytest.mark.parametrize(
    ("values", "words"), [([], "holds no voxel"), ([1.0, np.inf], "1 voxels that are not finite")]
)
def test_values_that_are_none_are_refused(values, words):
    with pytest.raises(RefusedInput, match=words):
        fixed_bin_number(np.array(values), 8)


def test_bins_of_fixed_size_need_a_calibrated_unit():
    require_calibrated_unit("HU")
    with pytest.raises(UnitError, match="Use a fixed bin number"):
        require_calibrated_unit("1")
