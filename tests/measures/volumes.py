"""Small images and regions with known values, for the tests of rules."""

from __future__ import annotations

import numpy as np

from hounsfield.core import Grid, Image, Region
from hounsfield.core.code import LESION


def grid_of(shape, spacing_zyx_mm=(1.0, 1.0, 1.0)):
    """An axial grid from the patient's feet to the head, origin at 0."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *spacing_zyx_mm, 1.0
    return Grid(shape, affine)


def image_of(values, unit, spacing_zyx_mm=(1.0, 1.0, 1.0)):
    """An image of an array (z, y, x), or of a list as one row."""
    array = np.asarray(values, dtype=np.float32)
    array = array.reshape((1, 1, -1)) if array.ndim == 1 else array
    return Image(array, grid_of(array.shape, spacing_zyx_mm), unit)


def everything(image, name="lesion"):
    """The region that holds every voxel."""
    return Region(name, LESION, image.grid, mask=np.ones(image.grid.shape, dtype=bool))
