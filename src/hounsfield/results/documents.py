"""What `reports` hands to the writers: pages as bytes and pictures as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import SourceFrame


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture of a reading. name: kebab-case, unique. rgb: uint8 (y, x, 3)."""

    name: str
    title: str
    rgb: NDArray[Any]
    source: SourceFrame | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Documents:
    """The pages and pictures of one reading: html self-contained, pdf with its fonts embedded."""

    html: bytes
    pdf: bytes
    pictures: tuple[Picture, ...] = ()
