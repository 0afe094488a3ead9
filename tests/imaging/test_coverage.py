"""How much of a region a grid covers."""

from __future__ import annotations

import numpy as np
import pytest

from hounsfield.core import Grid, Region
from hounsfield.core.code import LESION
from hounsfield.imaging.coverage import reaches_edge, share_outside


def grid(shape, spacing_mm=1.0, origin_mm=(0.0, 0.0, 0.0)):
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = spacing_mm
    affine[:3, 3], affine[3, 3] = origin_mm, 1.0
    return Grid(shape, affine)


def region(own, *place):
    mask = np.zeros(own.shape, dtype=bool)
    mask[place] = True
    return Region("lesion", LESION, own, mask)


def test_share_by_hand():
    own = grid((10, 4, 4))
    lesion = region(own, slice(2, 8), 1, 1)  # z = 2 to 7 mm
    # Slices at 0, 2 and 4 mm with voxels of 2 mm end at 5 mm; a centre there is still inside.
    assert share_outside(lesion, grid((3, 4, 4), 2.0)) == pytest.approx(2 / 6)
    assert share_outside(lesion, own) == 0.0
    assert share_outside(lesion, grid((5, 4, 4), 1.0, (0.0, 0.0, 20.0))) == 1.0
    assert share_outside(region(own, slice(0)), grid((1, 1, 1), 1.0, (9.0, 9.0, 9.0))) == 0.0


def test_flipped_grid_covers_the_same():
    own = grid((6, 6, 6))
    lesion = region(own, slice(1, 5), slice(2, 4), slice(0, 3))
    turn = np.array([[-1, 0, 0, 3], [0, 1, 0, 0], [0, 0, -1, 5], [0, 0, 0, 1]])
    # Slices 0 to 3 from the other end: of 1 to 4, the last is not there.
    assert share_outside(lesion, Grid((4, 6, 6), own.affine @ turn)) == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("place", "expected"), [((2, 2, 2), False), ((0, 2, 2), True), ((2, 4, 2), True), ((2, 2, 0), True)]
)
def test_edge(place, expected):
    assert reaches_edge(region(grid((5, 5, 5)), *place)) is expected
