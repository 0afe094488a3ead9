"""Where voxels lie in the patient: the only geometry of the project.

Words. *Index*: (z, y, x), the order of the array's axes, counted from 0 at the centre of the first
voxel. *LPS millimetres*: +x to the patient's left, +y to the back, +z to the head, as in DICOM.
The affine maps an index in array order to LPS millimetres:

    [x_mm, y_mm, z_mm, 1] = affine @ [z, y, x, 1]

so column 0 is the step from slice to slice, column 1 from row to row, column 2 from column to column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AXES = (("L", "R"), ("P", "A"), ("S", "I"))


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Shape and position of voxels.

    shape: (z, y, x), also for a single slice (1, y, x). affine: 4x4 float64, index (z, y, x) to LPS
    millimetres, or None where the source states none (a PNG, a radiograph). frame_of_reference_uid:
    grids with equal ones share their millimetres.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64] | None = None
    frame_of_reference_uid: str | None = None

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise GeometryError(f"a grid needs three axes (z, y, x) of at least one voxel, not {self.shape}")
        if self.affine is None:
            return
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise GeometryError("the affine is not a 4x4 matrix of finite numbers")
        if not np.array_equal(affine[3], [0.0, 0.0, 0.0, 1.0]):
            raise GeometryError(f"the last row of the affine is {affine[3].tolist()}, not 0 0 0 1")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise GeometryError("the affine is singular: two axes point the same way or a spacing is zero")
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and self.is_same_as(other, tolerance_mm=0.0)

    def __hash__(self) -> int:
        return hash((self.shape, self.frame_of_reference_uid))

    def is_same_as(self, other: Grid, *, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids hold the same voxels: equal shapes, corners within `tolerance_mm`."""
        if self.shape != other.shape or self.frame_of_reference_uid != other.frame_of_reference_uid:
            return False
        if self.affine is None or other.affine is None:
            return self.affine is other.affine
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape])).reshape(3, -1).T
        return bool(np.abs(self.index_to_mm(corners) - other.index_to_mm(corners)).max() <= tolerance_mm)

    def _stated_affine(self) -> NDArray[np.float64]:
        if self.affine is None:
            raise GeometryError(
                "this image states no position in the patient, so nothing in millimetres can be said of it. "
                "Use the DICOM original, or a measure that needs no millimetres."
            )
        return self.affine

    @property
    def has_millimetres(self) -> bool:
        """Whether the source states a position and spacing."""
        return self.affine is not None

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along (z, y, x). Raises GeometryError without an affine."""
        lengths = np.linalg.norm(self._stated_affine()[:3, :3], axis=0)
        return (float(lengths[0]), float(lengths[1]), float(lengths[2]))

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel, also right for a sheared grid. Raises GeometryError without an affine."""
        return float(abs(np.linalg.det(self._stated_affine()[:3, :3])))

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """LPS position (x, y, z) of the centre of voxel (0, 0, 0)."""
        x, y, z = self._stated_affine()[:3, 3]
        return (float(x), float(y), float(z))

    @property
    def directions(self) -> NDArray[np.float64]:
        """3x3: column i is the unit vector (x, y, z, LPS) in which array axis i (z, y, x) increases."""
        linear = self._stated_affine()[:3, :3]
        unit: NDArray[np.float64] = linear / np.linalg.norm(linear, axis=0)
        return unit

    @property
    def orientation(self) -> tuple[str, str, str]:
        """The nearest patient direction in which each axis (z, y, x) increases, e.g. ("S", "P", "L")."""
        names = []
        for axis in range(3):
            direction = self.directions[:, axis]
            largest = int(np.argmax(np.abs(direction)))
            names.append(_AXES[largest][0 if direction[largest] > 0 else 1])
        return (names[0], names[1], names[2])

    @property
    def plane(self) -> str:
        """`axial`, `coronal` or `sagittal`; with `oblique ` before it when off by more than 20 degrees."""
        normal = np.abs(np.cross(self.directions[:, 2], self.directions[:, 1]))
        largest = int(np.argmax(normal))
        name = ("sagittal", "coronal", "axial")[largest]
        return name if normal[largest] >= np.cos(np.radians(20.0)) else f"oblique {name}"

    def index_to_mm(self, index: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
        """LPS millimetres (..., 3) of indices (..., 3) in order (z, y, x)."""
        affine = self._stated_affine()
        mm: NDArray[np.float64] = np.asarray(index, dtype=np.float64) @ affine[:3, :3].T + affine[:3, 3]
        return mm

    def mm_to_index(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Fractional indices (..., 3) in order (z, y, x) of LPS points (..., 3)."""
        affine = self._stated_affine()
        offset = np.asarray(points_mm, dtype=np.float64) - affine[:3, 3]
        solved = np.linalg.solve(affine[:3, :3], offset.reshape(-1, 3).T)
        return np.asarray(solved.T.reshape(offset.shape), dtype=np.float64)
