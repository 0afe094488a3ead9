"""Errors of volumes: by hand, and on empty masks."""

from __future__ import annotations

import math

import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import OverlapCounts, volume_error


def test_volumes_by_hand():
    """500 and 400 voxels of 2 x 1 x 1 mm, wherever they lie."""
    found = volume_error(OverlapCounts(300, 100, 200, 999), (2.0, 1.0, 1.0))
    assert (found.truth_ml, found.prediction_ml) == (1.0, 0.8)
    assert found.error_ml == pytest.approx(-0.2)
    assert found.absolute_ml == pytest.approx(0.2)
    assert found.relative == pytest.approx(-0.2)
    assert found.absolute_relative == pytest.approx(0.2)


def test_relative_error_of_an_empty_truth_is_worst_and_of_both_undefined():
    false = volume_error(OverlapCounts(0, 5, 0, 9), (1.0, 1.0, 1.0))
    assert (false.absolute_ml, false.relative) == (0.005, math.inf)
    nothing = volume_error(OverlapCounts(0, 0, 0, 9), (1.0, 1.0, 1.0))
    assert nothing.absolute_ml == 0.0
    assert math.isnan(nothing.relative)
    missed = volume_error(OverlapCounts(0, 0, 5, 9), (1.0, 1.0, 1.0))
    assert missed.relative == -1.0


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0), (1.0, 0.0, 1.0), (1.0, math.inf, 1.0)])
def test_spacing_that_gives_no_volume_is_refused(spacing_mm):
    with pytest.raises(RefusedInput, match="gives no volume; three above 0"):
        volume_error(OverlapCounts(1, 1, 1, 1), spacing_mm)
