"""What `reports` hands to the writers: pages as bytes and pictures as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import SourceFrame


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture of a reading.

    name: kebab-case, unique in the reading. title: what it shows. rgb: uint8 (y, x, 3). source: the
    frame that it was drawn on, None for pictures of more than one (three planes, projections).
    """

    name: str
    title: str
    rgb: NDArray[Any]
    source: SourceFrame | None = None

    def __post_init__(self) -> None:
        if self.rgb.dtype.name != "uint8" or self.rgb.ndim != 3 or self.rgb.shape[2] != 3:
            raise ValueError(
                f"picture {self.name!r} has shape {self.rgb.shape} of {self.rgb.dtype}; it must be "
                "(y, x, 3) of uint8"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Documents:
    """The pages and pictures of one reading: html self-contained, pdf with its fonts embedded."""

    html: bytes
    pdf: bytes
    pictures: tuple[Picture, ...] = ()

    def __post_init__(self) -> None:
        names = [picture.name for picture in self.pictures]
        if len(names) != len(set(names)):
            raise ValueError(f"two pictures of one reading share a name: {sorted(names)}")
