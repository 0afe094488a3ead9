"""Alignment of heads that lie in a known way: within a tenth of a millimetre, and honest where it cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from hounsfield.core import Grid
from hounsfield.imaging.rigid_alignment import align, inconsistency_mm
from hounsfield.phantoms.brain_anatomy import pose
from hounsfield.phantoms.brain_mr import BrainMrParameters, BrainVisit, brain_visits, scan

POINTS_HEAD_MM = np.array([[0.0, 0, 0], [50, 0, 0], [0, -60, 20], [-30, 40, -20]])
PARAMETERS = BrainMrParameters(seed=11, visit_days=(0, 365), matrix_px=96)


@pytest.fixture(scope="module")
def visits():
    return brain_visits(PARAMETERS)


@pytest.fixture(scope="module")
def first(visits):
    return scan(PARAMETERS, visits[0], "flair")


def lying(visit, angles_deg, shift_mm):
    return BrainVisit(
        visit.number, visit.day, visit.head, pose(np.array(angles_deg), np.array(shift_mm)), "2.25.9"
    )


def scanner_mm(visit):
    return POINTS_HEAD_MM @ visit.lying.rotation.T + visit.lying.shift_mm


@pytest.mark.parametrize(
    ("angles_deg", "shift_mm"),
    [((0, 0, 0), (0, 0, 0)), ((3, -4, 5), (6, -5, 4)), ((-12, 8, 15), (20, -25, 12))],
)
def test_head_is_found_again_a_year_later(visits, first, angles_deg, shift_mm):
    """Lesions grew and shrank, ventricles widened, noise is new: still far below a voxel."""
    later = lying(visits[1], angles_deg, shift_mm)
    other = scan(PARAMETERS, later, "flair")
    there = align(first.array, first.grid, other.array, other.grid)
    back = align(other.array, other.grid, first.array, first.grid)
    error_mm = np.linalg.norm(there.to_moving(scanner_mm(visits[0])) - scanner_mm(later), axis=1)
    assert error_mm.max() < 0.5
    assert there.correlation > 0.95
    assert inconsistency_mm(there, back, scanner_mm(visits[0])).max() < 0.5


def test_directions_are_inverse(visits, first):
    later = lying(visits[1], (2, 3, -4), (5, 5, -5))
    other = scan(PARAMETERS, later, "flair")
    found = align(first.array, first.grid, other.array, other.grid)
    np.testing.assert_allclose(found.to_fixed(found.to_moving(POINTS_HEAD_MM)), POINTS_HEAD_MM, atol=1e-9)


def test_other_grid_and_storage_change_nothing(visits, first):
    """Stored from head to feet and right to left, on thicker slices: the same place is found."""
    affine = np.array(first.grid.affine)
    last = np.array([first.grid.shape[0] - 1, 0, first.grid.shape[2] - 1])
    affine[:3, 3] += affine[:3, :3] @ last
    affine[:3, [0, 2]] *= -1
    turned = Grid(first.grid.shape, affine, first.grid.frame_of_reference_uid)
    other = scan(PARAMETERS, lying(visits[1], (2, 3, -4), (5, 5, -5)), "flair")
    plain = align(first.array, first.grid, other.array, other.grid)
    stored = align(first.array[::-1, :, ::-1], turned, other.array, other.grid)
    np.testing.assert_allclose(stored.to_moving(POINTS_HEAD_MM), plain.to_moving(POINTS_HEAD_MM), atol=0.3)


def test_images_of_different_things_are_not_alike(first):
    """A head and blobs of noise: low correlation, which a caller can refuse."""
    rng = np.random.default_rng(1)
    from scipy.ndimage import gaussian_filter

    blobs = gaussian_filter(rng.standard_normal((50, 80, 80)), 6)
    grid = Grid((50, 80, 80), np.array([[0, 0, 2.0, -80], [0, 2.0, 0, -80], [3.0, 0, 0, -75], [0, 0, 0, 1]]))
    found = align(first.array, first.grid, blobs, grid)
    assert found.correlation < 0.7


def test_equal_calls_give_equal_results(visits, first):
    other = scan(PARAMETERS, lying(visits[1], (2, 3, -4), (5, 5, -5)), "flair")
    one, again = (align(first.array, first.grid, other.array, other.grid) for _ in range(2))
    np.testing.assert_array_equal(one.fixed_to_moving, again.fixed_to_moving)


@pytest.mark.peer
def test_simpleitk_finds_the_same_place(visits, first):
    """An independent registration (gradient descent on correlation) of the same images: within its own error."""
    sitk = pytest.importorskip("SimpleITK")

    def image_of(made):
        image = sitk.GetImageFromArray(made.array.astype(np.float32))
        image.SetSpacing(tuple(reversed(made.grid.spacing_mm)))
        image.SetOrigin(made.grid.origin_mm)
        return image

    later = lying(visits[1], (3, -4, 5), (6, -5, 4))
    other = scan(PARAMETERS, later, "flair")
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.2)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([4, 2, 1])
    fixed, moving = image_of(first), image_of(other)
    start = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    method.SetInitialTransform(start)
    theirs = method.Execute(fixed, moving)
    points_mm = scanner_mm(visits[0])
    ours_mm = align(first.array, first.grid, other.array, other.grid).to_moving(points_mm)
    theirs_mm = np.array([theirs.TransformPoint(tuple(point)) for point in points_mm])
    assert np.linalg.norm(ours_mm - theirs_mm, axis=1).max() < 1.5
    true_mm = scanner_mm(later)
    errors = [np.linalg.norm(found - true_mm, axis=1).max() for found in (ours_mm, theirs_mm)]
    assert errors[0] < errors[1] + 0.1
