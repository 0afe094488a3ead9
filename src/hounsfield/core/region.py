"""A place in an image: a mask, box, point, polyline or ellipse with a coded meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.code import ANATOMICAL_STRUCTURE, Code
from hounsfield.core.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core.grid import Grid

RegionKind = Literal["mask", "box", "point", "polyline", "ellipse"]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A place on a Grid.

    name: unique within a reading, kebab-case ("left-lung"). concept: what it is; laterality: LEFT
    or RIGHT where it applies; category: CID 7150. mask: bool (z, y, x) on the grid, for kind `mask`.
    points_index: (n, 3) fractional indices (z, y, x): two corners of a box, one point, the vertices
    of a polyline, or the four axis ends of an ellipse. algorithm: `AUTOMATIC`, `SEMIAUTOMATIC` or
    `MANUAL`, as DICOM's Segment Algorithm Type. site: anatomy in which it lies, where its file says so.
    tracking_uid: what is the same at every visit, where its file says so.
    """

    name: str
    concept: Code
    grid: Grid
    mask: NDArray[np.bool_] | None = None
    points_index: NDArray[np.float64] | None = None
    kind: RegionKind = "mask"
    laterality: Code | None = None
    category: Code = ANATOMICAL_STRUCTURE
    algorithm: Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"] = "AUTOMATIC"
    site: Code | None = None
    tracking_uid: str | None = None

    def __post_init__(self) -> None:
        if self.kind == "mask":
            if self.mask is None or self.mask.dtype != np.bool_:
                raise ValueError(f"region {self.name!r} of kind mask needs a mask of booleans")
            if self.mask.shape != self.grid.shape:
                raise GeometryError(
                    f"the mask of region {self.name!r} has shape {self.mask.shape}, its grid {self.grid.shape}"
                )
        elif self.points_index is None or self.points_index.ndim != 2 or self.points_index.shape[1] != 3:
            raise ValueError(f"region {self.name!r} of kind {self.kind} needs points (n, 3)")

    @property
    def n_voxels(self) -> int:
        """Voxels in the mask; 0 for other kinds."""
        return int(np.count_nonzero(self.mask)) if self.mask is not None else 0

    def slice_mask(self, k: int) -> NDArray[np.bool_]:
        """The mask on slice k, (y, x). Raises ValueError for kinds other than mask."""
        if self.mask is None:
            raise ValueError(f"region {self.name!r} is a {self.kind}, which has no mask")
        marked: NDArray[np.bool_] = self.mask[k]
        return marked

    @property
    def is_empty(self) -> bool:
        """Whether nothing is marked."""
        return self.n_voxels == 0 if self.points_index is None else len(self.points_index) == 0

    def to_json(self) -> dict[str, Any]:
        """Name, kind, codes and extent; a mask itself is in the SEG and NIfTI files of the result."""
        record: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind,
            "concept": self.concept.to_json(),
            "laterality": self.laterality.to_json() if self.laterality else None,
            "algorithm": self.algorithm,
        }
        if self.mask is not None:
            record["n_voxels"] = self.n_voxels
            record["box_index_zyx"] = bounding_box_index(self.mask)
        elif self.points_index is not None:
            record["points_index_zyx"] = self.points_index.tolist()
        return record


class LabelRegion(Region):
    """One label of a map of labels (z, y, x) that several regions share, not to be changed afterwards.

    labelled: the map and the label in it. `mask` is made each time that it is asked for: a hundred structures of a whole-body CT would take ten gigabytes as
    masks, and the map takes eighty megabytes.
    """

    __slots__ = ("_label", "_labels")
    _label: int
    _labels: NDArray[Any]

    def __init__(
        self,
        name: str,
        concept: Code,
        grid: Grid,
        labelled: tuple[NDArray[Any], int],
        *,
        category: Code,
        laterality: Code | None = None,
    ) -> None:
        object.__setattr__(self, "_labels", labelled[0])
        object.__setattr__(self, "_label", labelled[1])
        super().__init__(name, concept, grid, category=category, laterality=laterality)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where the label lies, bool (z, y, x)."""
        marked: NDArray[np.bool_] = self._labels == self._label
        return marked

    @mask.setter
    def mask(self, value: NDArray[np.bool_] | None) -> None:
        """Take what the constructor of Region sets, which is nothing."""

    def slice_mask(self, k: int) -> NDArray[np.bool_]:
        """The mask on slice k, (y, x)."""
        marked: NDArray[np.bool_] = self._labels[k] == self._label
        return marked


def bounding_box_index(mask: NDArray[np.bool_]) -> list[list[int]] | None:
    """First and last index of the marked voxels, [[z, y, x], [z, y, x]]; None for an empty mask."""
    box: list[list[int]] = [[], []]
    for axis in range(mask.ndim):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        if hit.size == 0:
            return None
        box[0].append(int(hit[0]))
        box[1].append(int(hit[-1]))
    return box
