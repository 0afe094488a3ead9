"""Which file of an archive belongs to which study, told from the first bytes alone.

An archive may hold millions of files, so nothing is kept: files are given one after another, and what was
seen on an earlier day is not opened again if the caller remembers it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pydicom

from hounsfield.core.errors import HounsfieldError, StudyError, UsageError
from hounsfield.studies import limits
from hounsfield.studies.dicom_study import DIRECTORY
from hounsfield.studies.header_values import quiet_pydicom, text
from hounsfield.studies.instances import open_dicom
from hounsfield.studies.kinds import kind_of
from hounsfield.studies.read_study import archive_members
from hounsfield.studies.sources import find_sources
from hounsfield.studies.tag_scanner import BeyondBuffer, TagScanner, Unusual
from hounsfield.studies.volume_studies import is_named_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hounsfield.studies.sources import Source

FileKind = Literal["dicom", "mask", "volume", "picture", "damaged", "nothing"]
# Group 0020 comes early: a plain header reaches Study Instance UID well within this.
_HEAD_BYTES = 16 * 1024
_STUDY_INSTANCE_UID, _SOP_CLASS_UID = 0x0020000D, 0x00080016
_SCANNER = TagScanner([_STUDY_INSTANCE_UID, _SOP_CLASS_UID])


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file below a path, or one member of a zip archive there (then mtime_ns is the archive's).

    kind: `mask` is a volume whose name says that it holds labels; `damaged` cannot be told to belong to any
    study; `nothing` is no image. study_uid: Study Instance UID, "" where there is none.
    """

    name: str
    size_bytes: int
    mtime_ns: int
    kind: FileKind = "nothing"
    study_uid: str = ""

    @property
    def folder(self) -> str:
        """The folder part of the name, "" at the top."""
        return self.name.rpartition("/")[0]


def find_archive_files(
    path: Path | str, known: Callable[[ArchiveFile], ArchiveFile | None] | None = None
) -> Iterator[ArchiveFile]:
    """Every file below `path` with the study that it belongs to, in order of names; pixels are not read.

    known: gives what was found earlier for a file of this name, size and time, or None. Raises UsageError if
    `path` is not there.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"{path} does not exist. Give a folder, a zip archive or an image file.")
    with quiet_pydicom():
        for source in find_sources(path):
            yield from _look_at(source, _mtime_ns(source), known or _nothing_known, level=0)


def changed_files(path: Path | str, files: Iterable[ArchiveFile]) -> list[str]:
    """Names of those `files` below `path` that are gone, or have another size or time than stated."""
    path = Path(path)
    sources: dict[str, tuple[int, int]] = {}
    changed = []
    for file in files:
        place = _place(path, file.name)
        if place is None:
            changed.append(file.name)
            continue
        if place not in sources:
            found = (path / place if path.is_dir() else path).stat()
            sources[place] = (found.st_size, found.st_mtime_ns)
        size_bytes, mtime_ns = sources[place]
        is_whole_file = place == file.name
        if mtime_ns != file.mtime_ns or (is_whole_file and size_bytes != file.size_bytes):
            changed.append(file.name)
    return changed


def _place(path: Path, name: str) -> str | None:
    """The file on the disk that is `name`, or that is an archive around it."""
    if not path.is_dir():
        return path.name if path.exists() else None
    while name and not (path / name).is_file():
        name = name.rpartition("/")[0]
    return name or None


def _mtime_ns(source: Source) -> int:
    return os.stat(source.path).st_mtime_ns if source.path is not None else 0  # noqa: PTH116  one of millions


def _nothing_known(file: ArchiveFile) -> None:
    del file


def _look_at(
    source: Source, mtime_ns: int, known: Callable[[ArchiveFile], ArchiveFile | None], *, level: int
) -> Iterator[ArchiveFile]:
    file = ArchiveFile(source.name, source.size_bytes, mtime_ns)
    remembered = known(file)
    if remembered is not None:
        yield remembered
        return
    try:
        head = source.head(_HEAD_BYTES)
        kind = kind_of(head)
        members = list(archive_members(source, level)) if kind == "zip" else []
    except HounsfieldError:
        # Whoever reads it says what is wrong with it.
        yield ArchiveFile(source.name, source.size_bytes, mtime_ns, "damaged")
        return
    if kind != "zip":
        file_kind, study_uid = _belonging(source, head, kind)
        yield ArchiveFile(source.name, source.size_bytes, mtime_ns, file_kind, study_uid)
    elif level < limits.MAX_ARCHIVE_DEPTH:
        for member in members:
            yield from _look_at(member, mtime_ns, known, level=level + 1)


def _belonging(source: Source, head: bytes, kind: str) -> tuple[FileKind, str]:
    if kind in {"nothing", "picture"}:
        return ("picture" if kind == "picture" else "nothing"), ""
    if kind != "dicom":
        return ("mask" if is_named_mask(source.stem) else "volume"), ""
    try:
        study_uid, class_uid = _scanned(head) or _parsed(source)
    except HounsfieldError:
        return "damaged", ""
    if class_uid == DIRECTORY:
        return "nothing", ""
    return ("dicom" if study_uid or class_uid else "damaged"), study_uid


def _scanned(head: bytes) -> tuple[str, str] | None:
    try:
        header = _SCANNER.scan(head)
        if header is None:
            return None
        class_uid = header.get("SOPClassUID") or header.get("MediaStorageSOPClassUID")
        return str(header.get("StudyInstanceUID") or ""), str(class_uid or "")
    except (BeyondBuffer, Unusual):
        return None


def _parsed(source: Source) -> tuple[str, str]:
    try:
        with open_dicom(source) as stream:
            header = pydicom.filereader.read_partial(
                stream,
                stop_when=lambda tag, _vr, _n_bytes: int(tag) > _STUDY_INSTANCE_UID,
                force=True,
                specific_tags=[_STUDY_INSTANCE_UID, _SOP_CLASS_UID],
            )
        meta = getattr(header, "file_meta", None) or pydicom.Dataset()
        class_uid = text(header, "SOPClassUID") or text(meta, "MediaStorageSOPClassUID")
        return text(header, "StudyInstanceUID"), class_uid
    except HounsfieldError:
        raise
    # pydicom raises many kinds on damaged bytes (struct.error, EOFError, RecursionError, ...).
    except Exception as error:
        raise StudyError(f"{source.name} is DICOM but its header cannot be read. Send it again.") from error
