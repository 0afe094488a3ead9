"""Unpacking a zip file from outside: bounded in bytes and files, and never outside its folder."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hounsfield.core.errors import ModelError, ResultError

_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """files: at most so many. total_bytes: of all together, unpacked. ratio: unpacked to packed, of files above 1 MiB.

    Weights shrink by a tenth or so; a file of zeros shrinks a thousandfold.
    """

    files: int = 2000
    total_bytes: int = 20 * 1024**3
    ratio: float = 100.0


def unpack_zip(path: Path, folder: Path, limits: UnpackLimits | None = None) -> None:
    """Unpack the zip `path` into the folder, which must be empty or absent; on an error nothing of it is left.

    Raises ModelError naming the member that leaves the folder, is a link, is encrypted, states a false size or goes beyond
    the limits, and for a file that is no whole zip; ResultError where the disk is full.
    """
    limits = limits or UnpackLimits()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(path.name, members, limits)
            _check_room(path.name, members, folder)
            for member in (one for one in members if not one.is_dir()):
                _unpack_one(archive, member, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, UnicodeError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ModelError(f"{path.name} is no whole zip file ({error}). Get it again.") from error
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ResultError(
            f"{path.name} cannot be unpacked into {folder} ({error.strerror or error})"
        ) from error
    except (ModelError, ResultError):
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _check_room(name: str, members: list[zipfile.ZipInfo], folder: Path) -> None:
    n_bytes = sum(member.file_size for member in members)
    if shutil.disk_usage(folder).free < n_bytes:
        raise ResultError(
            f"{name} needs {n_bytes} bytes unpacked, and the disk of {folder} has fewer free. Make room, or set "
            "HOUNSFIELD_MODELS to a folder on another disk."
        )


def _check_members(name: str, members: list[zipfile.ZipInfo], limits: UnpackLimits) -> None:
    if len(members) > limits.files:
        raise ModelError(
            f"{name} holds {len(members)} files, the limit is {limits.files}: it is no packed model"
        )
    seen: set[str] = set()
    for member in members:
        _check_member(name, member, limits)
        # Case is folded, because a disk that does not tell A from a would write one file over the other.
        key = member.filename.rstrip("/").casefold()
        if key in seen:
            raise ModelError(f"{name} holds {member.filename!r} twice. Do not use it; tell who made it.")
        seen.add(key)
    total = sum(member.file_size for member in members)
    if total > limits.total_bytes:
        raise ModelError(f"{name} would unpack to {total} bytes, the limit is {limits.total_bytes}")


def _check_member(name: str, member: zipfile.ZipInfo, limits: UnpackLimits) -> None:
    path = PurePosixPath(member.filename)
    # orig_filename: zipfile cuts the other at a zero byte and turns separators of the system into slashes.
    odd = any(sign in member.orig_filename for sign in ("\\", ":", "\0"))
    if path.is_absolute() or ".." in path.parts or odd or not path.parts:
        raise ModelError(
            f"{name} holds {member.orig_filename!r}, which would be written outside its folder. Do not use it; tell who made it."
        )
    mode = member.external_attr >> 16
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_IFMT(mode) == 0):
        raise ModelError(
            f"{name} holds {member.filename!r}, which is a link or no plain file. Do not use it; tell who made it."
        )
    if member.flag_bits & 0x1:
        raise ModelError(
            f"{name} is encrypted ({member.filename!r}). Unpack it by other means, and give the folder."
        )
    large = member.file_size > _PIECE_BYTES
    if large and member.file_size > limits.ratio * max(member.compress_size, 1):
        raise ModelError(
            f"{name} holds {member.filename!r}, which would grow {member.file_size // max(member.compress_size, 1)} times: "
            "no weights do. It is refused."
        )


def _unpack_one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / PurePosixPath(member.filename)
    target.parent.mkdir(parents=True, exist_ok=True)
    n_written = 0
    # "x": what is there already, such as a folder's file under another spelling, is never written over.
    with archive.open(member) as source, target.open("xb") as out:
        while piece := source.read(_PIECE_BYTES):
            n_written += len(piece)
            if n_written > member.file_size:
                raise ModelError(f"{member.filename!r} is larger than the {member.file_size} bytes it states")
            out.write(piece)
    if n_written != member.file_size:
        raise ModelError(f"{member.filename!r} has {n_written} bytes and states {member.file_size}")
