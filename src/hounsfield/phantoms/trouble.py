"""Trouble that real studies bring, for tests and users to rehearse: each option does one thing.

Tilt is made with the phantom (the slices lie askew, the anatomy does not); the others change how the
same voxels are stored. Voxels never change: only where they are said to lie, in which order, and how.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core import Grid
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.phantoms.phantom import Phantom

Compression = Literal["jpeg-ls", "rle", "jpeg-2000"]
COMPRESSIONS: tuple[Compression, ...] = ("jpeg-ls", "rle", "jpeg-2000")
LARGEST_TILT_DEG = 30.0  # gantries tilt up to 30 degrees
LARGEST_OBLIQUE_DEG = 45.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is unusual about the written study; without arguments nothing is.

    tilt_deg: gantry tilt (CT), -30 to 30. gap: first and last index of the slices left out, inside the
    volume. flip: feet first, with a negative row direction and slices from head to feet. oblique_deg:
    the whole phantom lies rotated, -45 to 45. compression: lossless transfer syntax. enhanced: one
    multi-frame object instead of a file a slice. shuffle: file names, instance numbers and positions
    disagree. duplicate: the middle slice is there twice, under two SOP Instance UIDs. Raises UsageError
    for values and combinations that no study has.
    """

    tilt_deg: float = 0.0
    gap: tuple[int, int] | None = None
    flip: bool = False
    oblique_deg: float = 0.0
    compression: str | None = None
    enhanced: bool = False
    shuffle: bool = False
    duplicate: bool = False

    def __post_init__(self) -> None:
        if not abs(self.tilt_deg) <= LARGEST_TILT_DEG:
            raise UsageError(f"tilt_deg is {self.tilt_deg}, but gantries tilt from -30 to 30 degrees")
        if not abs(self.oblique_deg) <= LARGEST_OBLIQUE_DEG:
            raise UsageError(f"oblique_deg is {self.oblique_deg}; choose -45 to 45 degrees")
        if self.tilt_deg and self.oblique_deg:
            raise UsageError("tilt_deg and oblique_deg exclude each other: a CT has a tilt, an MR is oblique")
        if self.compression is not None and self.compression not in COMPRESSIONS:
            raise UsageError(
                f"there is no compression {self.compression!r}: choose {', '.join(COMPRESSIONS)} or none"
            )
        if self.enhanced and (self.shuffle or self.duplicate):
            raise UsageError(
                "shuffle and duplicate concern files, and an enhanced object is one file: leave one of them out"
            )
        if self.gap is not None and not 0 < self.gap[0] <= self.gap[1]:
            raise UsageError(f"gap is {self.gap}: give the first and last slice left out, counted from 0")

    def left_out(self, n_slices: int) -> range:
        """Indices of the slices that are left out; raises UsageError if the gap touches an end."""
        if self.gap is None:
            return range(0)
        if self.gap[1] >= n_slices - 1:
            raise UsageError(f"gap {self.gap} leaves no slice behind it: the phantom has {n_slices} slices")
        return range(self.gap[0], self.gap[1] + 1)

    def with_middle_gap(self, n_slices: int) -> Trouble:
        """The same with two slices missing in the middle."""
        return replace(self, gap=(n_slices // 2, n_slices // 2 + 1))

    def to_json(self) -> dict[str, Any]:
        """What differs from the plain case, by option."""
        return {name: value for name, value in asdict(self).items() if value}


# What an axial stack of slices can show; a kind of phantom names those that it can.
ALL_TROUBLES = frozenset(one.name for one in fields(Trouble))


def rotation(oblique_deg: float) -> NDArray[np.float64]:
    """Rotation by `oblique_deg` about the patient's left-right axis and half as much about head-feet."""
    angle, half = np.radians(oblique_deg), np.radians(oblique_deg / 2)
    c, s, ch, sh = np.cos(angle), np.sin(angle), np.cos(half), np.sin(half)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    about_z = np.array([[ch, -sh, 0.0], [sh, ch, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(about_z @ about_x)


def place(phantom: Phantom, trouble: Trouble) -> Phantom:
    """The phantom as the study will state it: rotated, then stored flipped; voxels keep their tissue.

    Arrays and masks of a flipped phantom are reversed along slices and columns, so that every voxel
    stays where it was in the patient. Positions in the truth (`centre_mm`) follow the rotation.
    """
    grid, array, masks, truth = phantom.grid, phantom.array, dict(phantom.masks), dict(phantom.truth)
    affine = np.array(grid.affine)
    if trouble.oblique_deg:
        turn = rotation(trouble.oblique_deg)
        affine[:3] = turn @ affine[:3]
        truth = _turned(truth, turn)
    if trouble.flip:
        last = np.array([grid.shape[0] - 1, 0, grid.shape[2] - 1])
        affine[:3, 3] += affine[:3, :3] @ last
        affine[:3, [0, 2]] *= -1
        array = np.ascontiguousarray(array[::-1, :, ::-1])
        masks = {name: mask[::-1, :, ::-1] for name, mask in masks.items()}
    placed = Grid(grid.shape, affine, grid.frame_of_reference_uid)
    return replace(phantom, array=array, grid=placed, masks=masks, truth=truth)


def _turned(record: Any, turn: NDArray[np.float64]) -> Any:
    """The record with every `centre_mm` in it rotated."""
    if isinstance(record, dict):
        return {
            key: [round(float(v), 3) for v in turn @ np.asarray(value)]
            if key == "centre_mm"
            else _turned(value, turn)
            for key, value in record.items()
        }
    if isinstance(record, list):
        return [_turned(item, turn) for item in record]
    return record
