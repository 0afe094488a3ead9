"""Values that follow a text header, or lie in a file beside it: NRRD and MetaImage share this part."""

from __future__ import annotations

import bz2
import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput, StudyError
from hounsfield.studies import limits

if TYPE_CHECKING:
    from typing import BinaryIO

    from numpy.typing import NDArray

    from hounsfield.core import Condition, Grid
    from hounsfield.studies.sources import Source

Packing = Literal["raw", "gzip", "bzip2", "zlib", "text"]
_PIECE_BYTES = 1024**2
LONGEST_TEXT_HEADER_BYTES = 64 * 1024
Role = Literal["space", "time", "colour"]


@dataclass(frozen=True, slots=True, eq=False)
class RawVolume:
    """A VolumeFile (volume_files.py) whose values are plain numbers.

    sizes: of the axes as stored, fastest first. roles: of each axis; three are `space` (or fewer, for pictures),
    at most one each is `time` or `colour`. offset_bytes: where the values begin in `data`, -1 where they end the file.
    """

    format_name: str
    source: Source
    data: Source
    dtype: np.dtype[Any]
    sizes: tuple[int, ...]
    roles: tuple[Role, ...]
    packing: Packing
    offset_bytes: int
    grid: Grid
    conditions: tuple[Condition, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The header and, where they lie apart, the values."""
        return tuple(dict.fromkeys((self.source.name, self.data.name)))

    @property
    def n_times(self) -> int:
        """Length of the time axis, 1 for none."""
        return math.prod(n for n, role in zip(self.sizes, self.roles, strict=True) if role == "time")

    @property
    def is_colour(self) -> bool:
        """Whether an axis holds red, green and blue."""
        return "colour" in self.roles

    def array(self) -> NDArray[Any]:
        """(z, y, x) or (t, z, y, x), colour with a last axis of 3. Raises StudyError if the file was cut off."""
        n_values = math.prod(self.sizes)
        if self.packing == "text":
            stored = self._numbers(n_values)
        else:
            stored = np.frombuffer(self._content(n_values * self.dtype.itemsize), self.dtype)
        slowest_first = stored.reshape(tuple(reversed(self.sizes)))
        roles = tuple(reversed(self.roles))
        order = [*_axes(roles, "time"), *_axes(roles, "space"), *_axes(roles, "colour")]
        shape = (
            *((self.n_times,) if self.n_times > 1 else ()),
            *self.grid.shape,
            *((3,) if self.is_colour else ()),
        )
        arranged = slowest_first.transpose(order).reshape(shape)
        native: NDArray[Any] = np.ascontiguousarray(arranged, dtype=self.dtype.newbyteorder("="))
        return native.copy() if not native.flags.writeable else native

    def _content(self, n_bytes: int) -> bytes:
        try:
            with self.data.open() as stream:
                start = (
                    self.offset_bytes if self.offset_bytes >= 0 else max(self.data.size_bytes - n_bytes, 0)
                )
                stream.seek(start)
                content = _unpacked(stream, self.packing, n_bytes)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise StudyError(f"{self.data.name} cannot be unpacked ({error}). Copy it again.") from error
        self._check_length(len(content), n_bytes, "bytes of values")
        return content

    def _numbers(self, n_values: int) -> NDArray[Any]:
        with self.data.open() as stream:
            stream.seek(max(self.offset_bytes, 0))
            words = stream.read(limits.MAX_TEXT_NUMBERS_BYTES).split()
        self._check_length(len(words), n_values, "numbers")
        try:
            return np.array(words[:n_values], dtype=np.float64).astype(self.dtype)
        except ValueError as error:
            raise StudyError(
                f"{self.data.name} holds words in place of numbers ({error}). Copy it again."
            ) from error

    def _check_length(self, found: int, declared: int, what: str) -> None:
        if found < declared:
            raise StudyError(
                f"{self.data.name} holds {found} {what} and its header declares {declared}: it was cut off. Copy it "
                "again."
            )


def _axes(roles: tuple[Role, ...], role: Role) -> list[int]:
    return [axis for axis, found in enumerate(roles) if found == role]


def _unpacked(stream: BinaryIO, packing: Packing, n_bytes: int) -> bytes:
    if packing == "raw":
        return stream.read(n_bytes)
    if packing == "gzip":
        with gzip.GzipFile(fileobj=stream) as packed:
            return packed.read(n_bytes)
    if packing == "bzip2":
        with bz2.BZ2File(stream) as packed_2:
            return packed_2.read(n_bytes)
    inflater, pieces, n_found = zlib.decompressobj(), [], 0
    while n_found < n_bytes:
        piece = inflater.decompress(inflater.unconsumed_tail or stream.read(_PIECE_BYTES), _PIECE_BYTES)
        if not piece and not inflater.unconsumed_tail and (inflater.eof or not stream.peek(1)[:1]):  # type: ignore[attr-defined]
            break
        pieces.append(piece)
        n_found += len(piece)
    return b"".join(pieces)[:n_bytes]


def check_declared(source: Source, sizes: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise StudyError for sizes that are none, RefusedInput for values beyond the limit of a series."""
    if not sizes or min(sizes) < 1 or len(sizes) > 5:
        raise StudyError(
            f"{source.name} declares the sizes {sizes}, which are those of no image. Copy it again."
        )
    declared = math.prod(sizes) * dtype.itemsize
    if declared > limits.MAX_PIXEL_BYTES_OF_SERIES:
        raise RefusedInput(
            f"{source.name} declares {declared / limits.GIB:.0f} GiB, the limit is "
            f"{limits.MAX_PIXEL_BYTES_OF_SERIES // limits.GIB}. Check its header, or give a part of it."
        )


def shape_zyx(sizes: tuple[int, ...], roles: tuple[Role, ...]) -> tuple[int, int, int]:
    """The three space axes, slowest first; missing ones are 1."""
    space = [n for n, role in zip(sizes, roles, strict=True) if role == "space"]
    x, y, z = (*space, 1, 1, 1)[:3]
    return (z, y, x)


def data_beside(source: Source, name: str) -> Source:
    """The file of values that a header names: it must lie in the same folder. Raises StudyError or RefusedInput."""
    plain = PurePosixPath(name.replace("\\", "/"))
    if len(plain.parts) != 1 or plain.name in {"..", "."}:
        raise RefusedInput(
            f"{source.name} takes its values from {name!r}; only a file of the same folder is read. Put it there and "
            "correct the header."
        )
    found = source.beside(plain.name)
    if found is None:
        raise StudyError(
            f"{source.name} takes its values from {name!r}, which is not beside it. Copy both files."
        )
    return found
