"""Decimal comparisons and rounding where binary fractions go wrong."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.exact import band, exact, round_half_up, shown


def test_a_float_is_what_its_writer_wrote():
    assert exact(0.1) == Decimal("0.1")
    assert exact("0.1") == exact(0.1) == exact(np.float64(0.1))
    assert exact(29.9) + exact(0.1) == 30


def test_per_cent_limits_that_floats_miss():
    """(3.3 - 2.75) / 2.75 is exactly 20 %; in binary it is less."""
    assert (3.3 - 2.75) / 2.75 < 0.2
    assert (exact(3.3) - exact(2.75)) / exact(2.75) == Decimal("0.2")


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [(29.5, 0, 30), (30.5, 0, 31), (-29.5, 0, -30), (5.95, 1, "6.0"), (5.949, 1, "5.9"), (2.675, 2, "2.68")],
)
def test_halves_go_away_from_zero(value, digits, rounded):
    assert round_half_up(value, digits) == Decimal(rounded)


@given(st.floats(-1e6, 1e6), st.integers(0, 3))
def test_rounding_moves_by_at_most_half_a_unit(value, digits):
    assert abs(round_half_up(value, digits) - exact(value)) <= Decimal("0.5").scaleb(-digits)


def test_bands_are_half_open():
    limits = [(10, "b"), (20, "c")]
    assert [band(value, limits, below="a") for value in (9.99, 10, 19.99, 20, 99)] == [
        "a",
        "b",
        "b",
        "c",
        "c",
    ]


def test_shown_has_no_needless_tail():
    assert [shown(value) for value in (5.0, 0.1 + 0.2, Decimal("2.50"), 1e7)] == ["5", "0.3", "2.5", "1e+07"]
