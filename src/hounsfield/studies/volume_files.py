"""What NIfTI, NRRD and MetaImage files have in common: a grid, values, and neither modality nor unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from hounsfield.core import Condition, Image, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Grid
    from hounsfield.studies.sources import Source


class VolumeFile(Protocol):
    """A file with one array on one grid, its header understood."""

    @property
    def format_name(self) -> str:
        """As its users call the format."""

    @property
    def source(self) -> Source:
        """The file itself."""

    @property
    def files(self) -> tuple[str, ...]:
        """All files that it takes its values from."""

    @property
    def n_times(self) -> int:
        """Length of the time axis, 1 for none."""

    @property
    def is_colour(self) -> bool:
        """Whether each voxel holds red, green and blue."""

    @property
    def grid(self) -> Grid:
        """Where the voxels lie."""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What is unstated or contradictory."""

    def array(self) -> NDArray[Any]:
        """(z, y, x) or (t, z, y, x), colour with a last axis of 3. Raises StudyError if cut off."""


def volume_image(file: VolumeFile) -> Series:
    """The file as an image series without modality and unit."""
    unstated = Condition(
        "unit-unstated",
        "warning",
        f"A {file.format_name} file states neither modality nor unit. State them (--state FILE=MODALITY:UNIT), or use "
        "the DICOM original.",
        (file.source.name,),
    )

    def load() -> Image:
        return Image(file.array(), file.grid, "1")

    return Series(
        key=file.source.name,
        kind="image",
        description=file.source.stem,
        grid=file.grid,
        conditions=(*file.conditions, unstated),
        files=file.files,
        load_image=load,
    )


def unplaced(where: tuple[str, ...], what: str) -> Condition:
    """A file that states no place: `what` completes "The file ..."."""
    return Condition(
        "position-unstated",
        "warning",
        f"The file {what}, so nothing in millimetres can be said of it. Make it again from the DICOM original.",
        where,
    )
