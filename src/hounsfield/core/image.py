"""Pixels with their geometry, unit and origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hounsfield.core.errors import GeometryError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hounsfield.core.grid import Grid

SpacingKind = Literal["patient", "detector", "calibrated"]


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """The instance, and the frame in it counted from 1, that a slice of an Image came from."""

    sop_instance_uid: str
    frame_number: int = 1


@dataclass(frozen=True, slots=True)
class PlaneSpacing:
    """Pixel spacing (row, column) of a projection or ultrasound image, and what it refers to.

    kind `detector`: measured at the detector plane, lengths in the patient are smaller;
    `calibrated`: corrected with a known object or geometry; `patient`: true in the image plane.
    """

    row_mm: float
    column_mm: float
    kind: SpacingKind


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One picture or volume.

    array: (z, y, x), or (t, z, y, x) in time; colour adds a last axis of 3. grid: geometry of the
    axes z, y, x. unit: `HU`, `SUVbw`, `Bq/ml`, `Gy`, or `1` for values without a unit. source: the frame
    behind each slice, in array order (empty for files that are not DICOM). padding: mask (z, y, x)
    of voxels that the file declares to hold no measurement, or None.
    """

    array: NDArray[Any]
    grid: Grid
    unit: str
    source: tuple[SourceFrame, ...] = ()
    plane_spacing: PlaneSpacing | None = None
    padding: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        spatial = self.array.shape[:-1] if self.is_colour else self.array.shape
        if spatial[-3:] != self.grid.shape or len(spatial) not in (3, 4):
            raise GeometryError(
                f"an array of shape {self.array.shape} does not lie on a grid of {self.grid.shape}"
            )
        if self.padding is not None and self.padding.shape != self.grid.shape:
            raise GeometryError(
                f"a padding mask of shape {self.padding.shape} does not fit a grid of {self.grid.shape}"
            )

    @property
    def is_colour(self) -> bool:
        """Whether the last axis holds red, green and blue."""
        shape = self.array.shape
        return shape[-1] == 3 and len(shape) in (4, 5) and shape[-4:-1] == self.grid.shape


@dataclass(frozen=True, slots=True, eq=False)
class Cine:
    """A moving picture: an Image (t, z, y, x) and the time of each frame in seconds."""

    image: Image
    frame_time_s: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.frame_time_s) != self.image.array.shape[0]:
            raise GeometryError(
                f"{len(self.frame_time_s)} frame times for {self.image.array.shape[0]} frames"
            )
