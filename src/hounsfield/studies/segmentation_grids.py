"""On which grid the frames of a segmentation lie: one frame a marked slice, and empty slices have none.

A file may state the distance of its slices; else it follows from the places of the frames, which cannot tell slices
that were left out evenly from slices that are not there. Then the grid of the image decides (linking.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core import Grid
from hounsfield.core.errors import GeometryError
from hounsfield.imaging.affine import affine_from_planes, plane_normal
from hounsfield.studies.header_values import first_item, integer, items, number, text
from hounsfield.studies.region_series import share_millimetres

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hounsfield.studies.instances import Instance

# Frames further from a whole number of steps than this do not lie on one grid.
_OFF_GRID_STEPS = 0.1
# Frames 3 and 5 slices apart lie on a grid of a third of 3; beyond this nothing is a common step by chance only.
_MOST_PARTS = 8
_LEAST_STEP_MM = 0.05
# The nearest voxel is the same voxel as long as the rounding of positions (DS) stays far below one half.
_SAME_VOXEL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class FrameGrid:
    """The grid that frames span, empty slices between them included. slots: the slice of each frame.

    has_stated_step: False where the file states neither the distance of its slices nor their thickness.
    """

    grid: Grid
    slots: tuple[int, ...]
    has_stated_step: bool = True

    def slots_on(self, grid: Grid) -> tuple[int, ...] | None:
        """The slice of `grid` that each frame lies on, also beyond its ends; None where its voxels are others.

        Where no step is stated, frames may lie several slices of `grid` apart: they are slices of it all the same.
        """
        own = self.grid
        if own.shape[1:] != grid.shape[1:] or not share_millimetres(own, grid):
            return None
        if not (own.has_millimetres and grid.has_millimetres):
            is_same = own.shape == grid.shape and own.has_millimetres == grid.has_millimetres
            return self.slots if is_same else None
        start, following = (grid.mm_to_index(own.index_to_mm(np.array([k, 0, 0])))[0] for k in (0, 1))
        first, n_slices = round(float(start)), round(float(following - start))
        if self.has_stated_step and abs(n_slices) != 1:
            return None
        # Of one slice the step was assumed, and says nothing.
        n_slices = n_slices or 1
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in own.shape])).reshape(3, -1).T
        off = grid.mm_to_index(own.index_to_mm(corners)) - (corners * (n_slices, 1, 1) + (first, 0, 0))
        if np.abs(off).max() > _SAME_VOXEL:
            return None
        return tuple(first + slot * n_slices for slot in self.slots)


def on_slices_of(own: Grid, image: Grid) -> Grid | None:
    """The grid of frames that state no step, with the step of the image on whose slices they lie; None if they do not."""
    ends = FrameGrid(own, (0, own.shape[0] - 1), has_stated_step=False).slots_on(image)
    if ends is None or own.affine is None or image.affine is None:
        return None
    n_steps = abs(ends[1] - ends[0])
    affine = own.affine.copy()
    affine[:3, 0] = affine[:3, 0] * (own.shape[0] - 1) / n_steps if n_steps else image.affine[:3, 0]
    return Grid((n_steps + 1, *own.shape[1:]), affine, own.frame_of_reference_uid)


def frame_grid(instance: Instance, header: Dataset) -> FrameGrid:
    """The grid of a segmentation's frames.

    Raises GeometryError or StudyError through the checks of affine and grid.
    """
    uid = instance.frame_of_reference_uid or None
    frames = instance.frames
    if not all(frame.has_plane for frame in frames):
        return _unplaced_grid(instance, header, uid)
    normal = plane_normal(frames[0].cosines or ())
    positions = np.array([frame.position_mm for frame in frames])
    along = positions @ normal
    first = int(along.argmin())
    offsets = along - along[first]
    stated_mm = _stated_mm(header)
    step_mm = _step_mm(stated_mm, offsets)
    slots = np.rint(offsets / step_mm).astype(np.int64)
    if np.abs(offsets / step_mm - slots).max() > _OFF_GRID_STEPS:
        raise GeometryError(
            f"the frames of {instance.source.name} are no whole number of {step_mm:g} mm apart, so they lie on no "
            "one grid. Write the segmentation again on its source series."
        )
    row_mm, column_mm = (frames[0].pixel_spacing_mm or (0.0, 0.0))[:2]
    n_slots = int(slots.max()) + 1
    step = normal * step_mm
    if n_slots > 1:
        last = int(along.argmax())
        step = (positions[last] - positions[first]) / (n_slots - 1)
    affine = affine_from_planes(positions[first], step, frames[0].cosines or (), (row_mm, column_mm))
    grid = Grid((n_slots, instance.rows, instance.columns), affine, uid)
    return FrameGrid(grid, tuple(int(slot) for slot in slots), bool(stated_mm))


def _unplaced_grid(instance: Instance, header: Dataset, uid: str | None) -> FrameGrid:
    """Frames without a place can only lie on one picture, each segment once."""
    name = instance.source.name
    if integer(header, "TotalPixelMatrixRows"):
        raise GeometryError(
            f"{name} segments a whole slide image in tiles, which are not put together here. Use a program for slides."
        )
    is_label_map = text(header, "SegmentationType").upper() == "LABELMAP"
    n_most = 1 if is_label_map else max(len(items(header, "SegmentSequence")), 1)
    if instance.n_frames > n_most:
        raise GeometryError(
            f"{name} holds {instance.n_frames} frames without a place, so they lie on several pictures or times, and "
            "which is not known. Write one segmentation for each picture."
        )
    return FrameGrid(Grid((1, instance.rows, instance.columns), None, uid), (0,) * instance.n_frames)


def _stated_mm(header: Dataset) -> list[float]:
    """The distance of slices, then their thickness, as far as they are stated."""
    shared = first_item(header, "SharedFunctionalGroupsSequence")
    measures = first_item(shared, "PixelMeasuresSequence") if shared is not None else None
    source = measures if measures is not None else header
    found = (number(source, keyword) for keyword in ("SpacingBetweenSlices", "SliceThickness"))
    return [abs(mm) for mm in found if mm is not None and abs(mm) >= _LEAST_STEP_MM]


def _step_mm(stated_mm: list[float], offsets_mm: NDArray[np.float64]) -> float:
    """The step of the grid that the frames lie on; empty frames may be missing anywhere.

    It is the largest of which all distances are multiples, made finer where the file states the distance of
    slices, or their thickness, and that goes into it: a finer grid holds the same frames in the same places,
    while a coarser one would spread them over slices that they do not mark.
    """
    common = _common_step_mm(offsets_mm)
    if common is None:
        return stated_mm[0] if stated_mm else 1.0
    for mm in stated_mm:
        n_steps = round(common / mm)
        if n_steps >= 1 and abs(common / mm - n_steps) <= _OFF_GRID_STEPS:
            return common / n_steps
    return common


def _common_step_mm(offsets_mm: NDArray[np.float64]) -> float | None:
    """The largest step of which all offsets are multiples, else their smallest distance; None for one place."""
    distances = np.diff(np.unique(offsets_mm.round(4)))
    distances = distances[distances > 1e-3]
    if not distances.size:
        return None
    smallest = float(distances.min())
    for n_parts in range(1, _MOST_PARTS + 1):
        steps = offsets_mm * n_parts / smallest
        if np.abs(steps - np.rint(steps)).max() <= _OFF_GRID_STEPS:
            return smallest / n_parts
    return smallest
