"""What SEG, RTSTRUCT and mask files have in common: names, concepts, and drawing on an asked grid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from hounsfield.core import Code, Region
from hounsfield.core.code import SPATIAL_CONCEPT, private_code
from hounsfield.core.errors import GeometryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from hounsfield.core import Grid

_LONGEST_MEANING = 64
Algorithm = Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"]


@dataclass(frozen=True, slots=True, eq=False)
class GivenRegion:
    """A region as its file gives it. name: kebab-case. label: the name as written in the file.

    mask: (z, y, x) on the file's own grid. category: SPATIAL_CONCEPT where the file does not say what the
    region is. algorithm: SEMIAUTOMATIC where the file does not say, which claims neither a person nor a
    program.
    """

    name: str
    label: str
    mask: NDArray[np.bool_]
    concept: Code | None = None
    category: Code = SPATIAL_CONCEPT
    laterality: Code | None = None
    algorithm: Algorithm = "SEMIAUTOMATIC"
    site: Code | None = None
    tracking_uid: str | None = None

    def on(self, grid: Grid, mask: NDArray[np.bool_]) -> Region:
        """The Region with this meaning and that mask."""
        return Region(
            name=self.name,
            concept=self.concept or given_concept(self.label),
            grid=grid,
            mask=mask,
            laterality=self.laterality,
            category=self.category,
            algorithm=self.algorithm,
            site=self.site,
            tracking_uid=self.tracking_uid,
        )


def given_concept(label: str) -> Code:
    """The concept of a region whose file gives a name and no code: the name stays as its meaning."""
    return private_code("GIVEN_REGION", label.strip()[:_LONGEST_MEANING] or "Given region")


def region_name(label: str) -> str:
    """A label as the kebab-case name of a region: "GTV_Mass" becomes "gtv-mass"."""
    words = re.findall(r"[a-z0-9]+", label.lower())
    return "-".join(words) or "region"


def unique_names(labels: Iterable[str]) -> list[str]:
    """Names of regions, each once: a second "lung" becomes "lung-2"."""
    taken: set[str] = set()
    names = []
    for label in labels:
        name = base = region_name(label)
        number = 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        names.append(name)
    return names


def share_millimetres(grid: Grid, other: Grid) -> bool:
    """Whether positions of both can be compared: no two different frames of reference are stated."""
    uids = {grid.frame_of_reference_uid, other.frame_of_reference_uid} - {None}
    return len(uids) < 2


def drawn_on(
    given: Sequence[GivenRegion],
    own: Grid,
    grid: Grid,
    source_name: str,
    same_place: Callable[[Grid, Grid], bool],
) -> list[Region]:
    """Regions of the grid `own` on `grid`: as they are where both hold the same voxels, else by nearest voxel.

    None where the two frames of reference differ, for nothing relates their millimetres. Raises GeometryError
    where one of the two states no position.
    """
    if same_place(own, grid):
        return [region.on(grid, region.mask) for region in given]
    if not share_millimetres(own, grid):
        return []
    if not (own.has_millimetres and grid.has_millimetres):
        raise GeometryError(
            f"the regions of {source_name} ({own.shape}) and the image ({grid.shape}) differ in size and state no "
            "position, so they cannot be brought together. Use a mask made on this image."
        )
    index = _Nearest(own, grid)
    return [region.on(grid, index.taken_from(region.mask)) for region in given]


class _Nearest:
    """For each voxel of one grid the nearest voxel of another, worked out slice by slice."""

    def __init__(self, own: Grid, grid: Grid) -> None:
        self._own, self._grid = own, grid
        corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
        at = own.mm_to_index(grid.index_to_mm(corners))
        self._start, self._steps = at[0], at[1:] - at[0]

    def taken_from(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        drawn = np.zeros(self._grid.shape, dtype=bool)
        _, rows, columns = self._grid.shape
        plane = (
            np.arange(rows)[:, np.newaxis, np.newaxis] * self._steps[1]
            + np.arange(columns)[:, np.newaxis] * self._steps[2]
        )
        limits = np.array(self._own.shape)
        for k in range(self._grid.shape[0]):
            nearest = np.rint(self._start + k * self._steps[0] + plane).astype(np.int64)
            inside = ((nearest >= 0) & (nearest < limits)).all(axis=-1)
            z, y, x = nearest[inside].T
            drawn[k][inside] = mask[z, y, x]
        return drawn
