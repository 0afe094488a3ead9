"""Which frame of which instance lies behind each slice of a grid, checked by positions.

A result that is drawn on the wrong voxels is the field's most frequent complaint, so nothing is taken
on trust here: the frame that a Series names for a slice must lie where the grid says, within half a
voxel, at all four corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hounsfield.core import Grid, Series


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One frame of an instance and its place; numbers are the file's own, None where unstated.

    position_mm (3,), cosines (6,) row then column direction, pixel_spacing_mm (row, column).
    """

    header: Dataset
    frame_number: int
    position_mm: tuple[float, ...] | None
    cosines: tuple[float, ...] | None
    pixel_spacing_mm: tuple[float, ...] | None
    thickness_mm: float | None

    def corner_mm(self, row_index: int, column_index: int) -> NDArray[np.float64]:
        """LPS position of the centre of a pixel (PS3.3 C.7.6.2.1.1)."""
        position, cosines = np.array(self.position_mm), np.array(self.cosines)
        row_mm, column_mm = self.pixel_spacing_mm or (np.nan, np.nan)
        placed: NDArray[np.float64] = (
            position + column_index * column_mm * cosines[:3] + row_index * row_mm * cosines[3:]
        )
        return placed


def plane_of(header: Dataset, frame_number: int = 1) -> Plane:
    """The plane of one frame: from the functional groups of a multi-frame object, else its own tags."""
    frames = header.get("PerFrameFunctionalGroupsSequence")
    groups = [frames[frame_number - 1]] if frames and frame_number <= len(frames) else []
    groups += list(header.get("SharedFunctionalGroupsSequence") or [])
    thickness = _stated(header, groups, "PixelMeasuresSequence", "SliceThickness")
    return Plane(
        header,
        frame_number,
        _numbers(_stated(header, groups, "PlanePositionSequence", "ImagePositionPatient"), 3),
        _numbers(_stated(header, groups, "PlaneOrientationSequence", "ImageOrientationPatient"), 6),
        _numbers(_stated(header, groups, "PixelMeasuresSequence", "PixelSpacing"), 2),
        float(thickness) if thickness not in (None, "") else None,
    )


def _stated(header: Dataset, groups: Sequence[Dataset], macro: str, keyword: str) -> Any:
    for group in groups:
        items = group.get(macro)
        if items and keyword in items[0]:
            return items[0].get(keyword)
    return header.get(keyword)


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    return tuple(float(number) for number in value) if value and len(value) == count else None


def planes_of_slices(series: Series, headers: Sequence[Dataset]) -> list[Plane] | str:
    """The plane behind each slice of the series' grid, in array order; or why there is none."""
    grid = series.grid
    if grid is None:
        return "the series has no grid"
    if len(series.source) != grid.shape[0]:
        return (
            f"its grid has {grid.shape[0]} slices and its files {len(series.source)} frames, "
            "so a slice is no single frame"
        )
    by_uid = {str(header.SOPInstanceUID): header for header in headers}
    missing = [frame.sop_instance_uid for frame in series.source if frame.sop_instance_uid not in by_uid]
    if missing:
        return f"instance {missing[0]} of the grid is not among the source instances"
    planes = [plane_of(by_uid[frame.sop_instance_uid], frame.frame_number) for frame in series.source]
    shape_yx = {(int(plane.header.Rows), int(plane.header.Columns)) for plane in planes}
    if shape_yx != {grid.shape[1:]}:
        return f"the source frames measure {sorted(shape_yx)} pixels and the grid {grid.shape[1:]}"
    if grid.affine is None:
        return planes
    return _misplaced(grid, planes) or planes


def _misplaced(grid: Grid, planes: Sequence[Plane]) -> str | None:
    """Where a source frame is not within half a voxel of its slice; None if all are."""
    rows, columns = grid.shape[1] - 1, grid.shape[2] - 1
    corners = ((0, 0), (rows, 0), (0, columns), (rows, columns))
    for k, plane in enumerate(planes):
        if plane.position_mm is None or plane.cosines is None or plane.pixel_spacing_mm is None:
            return f"the source frame of slice {k} states no position, orientation or spacing"
        truth_mm = np.array([plane.corner_mm(*corner) for corner in corners])
        off = np.abs(grid.mm_to_index(truth_mm) - [(k, *corner) for corner in corners]).max()
        if off > 0.5:
            return (
                f"slice {k} lies {off:.1f} voxels away from its source frame, so the image was resampled "
                "and its voxels are not those of the files"
            )
    return None
