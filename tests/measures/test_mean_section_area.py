"""Mean area over slices, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.measures.volumes import image_of

from hounsfield.core import Region
from hounsfield.core.code import LESION
from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.measures import mean_section_area


def region():
    """On 4 slices of 2 x 5 mm pixels: 0, 10, 30 and 20 pixels."""
    grid = image_of(np.zeros((4, 10, 10)), "1", (3.0, 2.0, 5.0)).grid
    mask = np.zeros(grid.shape, dtype=bool)
    mask[1, :1] = mask[2, :3] = mask[3, :2] = True
    return Region("muscle", LESION, grid, mask)


def test_area_of_all_slices_of_some_and_of_one():
    assert mean_section_area(region()).value == pytest.approx(1.5)  # 60 pixels of 0.1 cm2 over 4 slices
    assert mean_section_area(region(), slices=range(1, 3)).value == pytest.approx(2.0)
    one = mean_section_area(region(), slices=range(2, 3), name="muscle-area", note="at L3")
    assert (one.value, one.unit, one.name) == (pytest.approx(3.0), "cm2", "muscle-area")
    assert "at L3" in one.note


@pytest.mark.parametrize("slices", [range(0), range(2, 5), range(-1, 2)])
def test_slices_that_are_not_there_are_refused(slices):
    with pytest.raises(UsageError, match="grid of 4"):
        mean_section_area(region(), slices=slices)


def test_point_has_no_area():
    grid = region().grid
    point = Region("point", LESION, grid, points_index=np.zeros((1, 3)), kind="point")
    with pytest.raises(RefusedInput, match="has no area"):
        mean_section_area(point)
