"""Where bytes come from: files of a folder, and members of a zip archive, read only when asked for.

An archive is untrusted: names that are absolute or climb, links, too many members, too large or too
dense ones are refused before anything is unpacked. Nothing is ever written beside the archive.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import weakref
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from hounsfield.core.errors import RefusedInput, StudyError
from hounsfield.studies import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

# RuntimeError is for versions and compressions that zipfile does not know.
_ZIP_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, RuntimeError, struct.error)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One file, wherever it lies. name: path below what the user gave, with forward slashes.

    path: where it lies, None for members of archives. open(): a fresh seekable stream at 0, which the caller
    closes; raises StudyError if it cannot be read. find: other members of the same archive, by their whole name.
    peek: the first bytes of a member of an archive, without unpacking the rest.
    """

    name: str
    size_bytes: int
    open: Callable[[], BinaryIO] = field(repr=False)
    path: str | None = field(default=None, repr=False)
    find: Callable[[str], Source | None] | None = field(default=None, repr=False)
    peek: Callable[[int], bytes] | None = field(default=None, repr=False)

    @property
    def folder(self) -> str:
        """The folder part of the name, "" at the top."""
        return self.name.rpartition("/")[0]

    @property
    def stem(self) -> str:
        """The file's name without folder and endings: "PET" of "a/PET.nii.gz"."""
        return PurePosixPath(self.name).name.split(".")[0] or PurePosixPath(self.name).name

    def beside(self, name: str) -> Source | None:
        """Another file, by its name below the folder of this one; None if it is not there."""
        whole = f"{self.folder}/{name}" if self.folder else name
        if self.path is None:
            return self.find(whole) if self.find is not None else None
        path = os.path.join(os.path.dirname(self.path), *name.split("/"))  # noqa: PTH118, PTH120  as in _below
        return _file_source(path, whole, os.path.getsize(path)) if os.path.isfile(path) else None  # noqa: PTH113, PTH202

    def head(self, n_bytes: int = limits.SNIFFED_BYTES) -> bytes:
        """The first bytes."""
        if self.peek is not None:
            return self.peek(n_bytes)
        with self.open() as stream:
            return stream.read(n_bytes)


def find_sources(path: Path, only: Collection[str] | None = None) -> Iterator[Source]:
    """Every file below a folder in order of names, or the one file; links to folders are not followed.

    only: names of sources; files that neither are one of them nor an archive that holds one are left out,
    and the folder is not searched. Raises StudyError if one of the files is not there any more.
    """
    if only is not None and path.is_dir():
        yield from _named(path, only)
    elif path.is_dir():
        yield from _below(os.fspath(path), "")
    else:
        yield _file_source(os.fspath(path), path.name, path.stat().st_size)


def _named(path: Path, only: Collection[str]) -> Iterator[Source]:
    """The files that bear the names, or that are archives around them, each once."""
    for name in sorted({_file_of(path, name) for name in only}, key=lambda name: name.split("/")):
        file = path / name
        yield _file_source(os.fspath(file), name, file.stat().st_size)


def _file_of(path: Path, name: str) -> str:
    parts = name.split("/")
    for n_parts in range(len(parts), 0, -1):
        if (path / "/".join(parts[:n_parts])).is_file():
            return "/".join(parts[:n_parts])
    raise StudyError(f"{name} is not there any more. Give the command again when the archive is at rest.")


def _below(folder: str, prefix: str) -> Iterator[Source]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise StudyError(
            f"the folder {prefix or folder} cannot be listed ({error.strerror}). Check that it may be read."
        ) from error
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, f"{prefix}{entry.name}/")
        elif entry.is_file():
            yield _file_source(entry.path, prefix + entry.name, entry.stat().st_size)


def _file_source(path: str, name: str, size_bytes: int) -> Source:
    def open_file() -> BinaryIO:
        try:
            return open(path, "rb")  # noqa: PTH123  one of ten thousand; whoever asked closes it
        except OSError as error:
            raise StudyError(
                f"{name} cannot be opened ({error.strerror}). Check that it is there and may be read."
            ) from error

    return Source(name, size_bytes, open_file, path)


class Archive:
    """An open zip archive; it is closed when nothing refers to one of its members any more.

    An archive that itself lies in an archive is kept in memory for that time, so its size is limited.
    """

    def __init__(self, source: Source) -> None:
        self._name = source.name
        self._entries: dict[str, zipfile.ZipInfo] = {}
        stream = source.open()
        try:
            self._zip = zipfile.ZipFile(stream)
        except (*_ZIP_ERRORS, ValueError) as error:
            stream.close()
            raise StudyError(
                f"{source.name} begins like a zip archive but is damaged ({error}). Make or send it again."
            ) from error
        weakref.finalize(self, _close, self._zip, stream)

    def members(self) -> list[Source]:
        """The files inside, after the checks on the archive as a whole. Raises RefusedInput naming the limit."""
        entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        if len(entries) > limits.MAX_ARCHIVE_MEMBERS:
            raise RefusedInput(
                f"{self._name} holds {len(entries)} files, the limit is {limits.MAX_ARCHIVE_MEMBERS}. "
                "Unpack it and give a part of it."
            )
        total_bytes = sum(entry.file_size for entry in entries)
        if total_bytes > limits.MAX_ARCHIVE_BYTES:
            raise RefusedInput(
                f"{self._name} unpacks to {total_bytes / limits.GIB:.0f} GiB, the limit is "
                f"{limits.MAX_ARCHIVE_BYTES // limits.GIB}. Unpack it and give a part of it."
            )
        for entry in entries:
            self._check(entry)
        self._entries = {f"{self._name}/{entry.filename}": entry for entry in entries}
        return [self._source(name) for name in sorted(self._entries)]

    def _source(self, name: str) -> Source:
        entry = self._entries[name]
        return Source(
            name,
            entry.file_size,
            lambda: io.BytesIO(self._unpack(entry, entry.file_size)),
            find=self._find,
            peek=lambda n_bytes: self._unpack(entry, min(n_bytes, entry.file_size)),
        )

    def _find(self, name: str) -> Source | None:
        return self._source(name) if name in self._entries else None

    def _check(self, entry: zipfile.ZipInfo) -> None:
        where = f"{entry.filename!r} in {self._name}"
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in entry.filename.split("/")[0]:
            raise RefusedInput(
                f"{where} has a name that leads out of the archive. Do not trust this archive."
            )
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise RefusedInput(f"{where} is a link, which an archive of images does not need. Pack it again.")
        if entry.flag_bits & 1:
            raise RefusedInput(f"{where} is encrypted. Unpack it with its password and give the folder.")
        if entry.file_size > limits.MAX_MEMBER_BYTES:
            raise RefusedInput(
                f"{where} unpacks to {entry.file_size / limits.GIB:.1f} GiB, the limit is "
                f"{limits.MAX_MEMBER_BYTES // limits.GIB}. Unpack it yourself if you trust it."
            )
        ratio = entry.file_size / max(entry.compress_size, 1)
        if entry.file_size >= limits.RATIO_COUNTS_FROM_BYTES and ratio > limits.MAX_ARCHIVE_RATIO:
            raise RefusedInput(
                f"{where} unpacks to {ratio:.0f} times its size, the limit is {limits.MAX_ARCHIVE_RATIO}: "
                "this looks like a decompression bomb. Unpack it yourself if you trust it."
            )

    def _unpack(self, entry: zipfile.ZipInfo, n_bytes: int) -> bytes:
        """The first `n_bytes` of a member; all of them only if they are as many as the archive declares."""
        is_whole = n_bytes == entry.file_size
        try:
            with self._zip.open(entry) as member:
                # One byte more than declared: a member that lies about its size is found out.
                content = member.read(n_bytes + 1 if is_whole else n_bytes)
        except (*_ZIP_ERRORS, zlib.error, EOFError, ValueError) as error:
            raise StudyError(
                f"{entry.filename!r} in {self._name} cannot be unpacked ({error}). Make the archive again."
            ) from error
        if len(content) != n_bytes:
            raise StudyError(
                f"{entry.filename!r} in {self._name} does not unpack to the {entry.file_size} bytes that the "
                "archive declares. Make the archive again."
            )
        return content


def gunzipped(source: Source) -> Source:
    """The one file inside a gzip file. Raises StudyError if it is damaged, RefusedInput beyond the limits."""
    name = f"{source.name}/{source.stem}"
    with source.open() as stream:
        n_bytes = sum(len(piece) for piece in _gunzip(stream, source))

    def open_inside() -> BinaryIO:
        with source.open() as stream:
            return io.BytesIO(b"".join(_gunzip(stream, source)))

    return Source(name, n_bytes, open_inside)


def _gunzip(stream: BinaryIO, source: Source) -> Iterator[bytes]:
    n_bytes = 0
    try:
        with gzip.GzipFile(fileobj=stream) as packed:
            while piece := packed.read(limits.INFLATE_PIECE_BYTES):
                n_bytes += len(piece)
                _check_unpacked(source, n_bytes)
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise StudyError(f"{source.name} cannot be unpacked ({error}). Make or copy it again.") from error


def _check_unpacked(source: Source, n_bytes: int) -> None:
    is_dense = n_bytes > limits.MAX_ARCHIVE_RATIO * max(source.size_bytes, 1)
    if n_bytes > limits.MAX_NESTED_ARCHIVE_BYTES or (is_dense and n_bytes > limits.RATIO_COUNTS_FROM_BYTES):
        raise RefusedInput(
            f"{source.name} unpacks to more than {n_bytes} bytes, beyond the limits of "
            f"{limits.MAX_NESTED_ARCHIVE_BYTES // limits.GIB} GiB and of {limits.MAX_ARCHIVE_RATIO} times its "
            "size. Unpack it yourself if you trust it."
        )


def _close(archive: zipfile.ZipFile, stream: BinaryIO) -> None:
    archive.close()
    stream.close()
