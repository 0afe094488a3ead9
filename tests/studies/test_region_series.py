"""Masks on another grid: every voxel takes what lies nearest to its centre, worked out here one by one."""

from __future__ import annotations

import numpy as np
import pytest

from hounsfield.core import Grid
from hounsfield.core.errors import GeometryError
from hounsfield.studies.region_series import GivenRegion, drawn_on


def grid_of(rng, axes, shape):
    """Axes: for each array axis the direction (x, y, z) in which it increases; spacing and origin by chance."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(axes, dtype=float).T * rng.uniform(0.7, 2.5, 3)
    affine[:3, 3] = rng.uniform(-2, 2, 3)
    return Grid(shape, affine, "1.2.3")


def nearest_by_hand(mask, own, grid):
    drawn = np.zeros(grid.shape, dtype=bool)
    for index in np.ndindex(grid.shape):
        at = np.rint(own.mm_to_index(grid.index_to_mm(np.array(index)))).astype(int)
        if (at >= 0).all() and (at < own.shape).all():
            drawn[index] = mask[tuple(at)]
    return drawn


AXIAL = ((0, 0, 1), (0, 1, 0), (1, 0, 0))
OTHERS = {
    "axial": AXIAL,
    "from the head down": ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    "mirrored": ((0, 0, 1), (0, -1, 0), (-1, 0, 0)),
    "sagittal": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "tilted by 20 degrees": ((0, -0.342, 0.940), (0, 0.940, 0.342), (1, 0, 0)),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("seed", range(3))
def test_nearest_voxel_of_any_grid(name, seed):
    rng = np.random.default_rng([20, seed])
    own, grid = grid_of(rng, OTHERS[name], (6, 7, 8)), grid_of(rng, AXIAL, (7, 9, 5))
    mask = rng.random(own.shape) < 0.5
    [region] = drawn_on([GivenRegion("part", "part", mask)], own, grid, "seg.dcm", Grid.is_same_as)
    np.testing.assert_array_equal(region.mask, nearest_by_hand(mask, own, grid))


def test_mask_without_place_on_a_picture_of_another_size_is_refused():
    given = [GivenRegion("part", "part", np.ones((1, 4, 4), dtype=bool))]
    with pytest.raises(GeometryError, match=r"seg\.dcm .* differ in size and state no position"):
        drawn_on(given, Grid((1, 4, 4)), Grid((1, 5, 5)), "seg.dcm", Grid.is_same_as)
