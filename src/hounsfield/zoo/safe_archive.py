"""Zip archives of models, unpacked within limits: chosen members only, none outside the folder, no links, no bombs."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
from typing import TYPE_CHECKING

from hounsfield.core.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST_MEMBERS = 5000
LARGEST_UNPACKED_BYTES = 16 * 1024**3
_ENCRYPTED = 0x1
_DRIVE = re.compile(r"^[A-Za-z]:")


def archive_members(path: Path) -> list[str]:
    """Names of the files in a zip archive, every one a plain relative path. Raises ModelError for any other kind."""
    with _opened(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        if len(infos) > MOST_MEMBERS:
            raise ModelError(
                f"{path.name} holds {len(infos)} files; a model has {MOST_MEMBERS} or fewer. Pack it alone."
            )
        for info in infos:
            _check_member(info, path.name)
        names = [info.filename for info in infos]
    if len(set(names)) != len(names):
        raise ModelError(f"{path.name} holds two files of one name: it is damaged or made to deceive")
    return names


def unpack_members(
    path: Path, names: Iterable[str], folder: Path, *, limit_bytes: int = LARGEST_UNPACKED_BYTES
) -> None:
    """Write the named members of a zip archive below `folder`. Raises ModelError where they exceed `limit_bytes`."""
    known = set(archive_members(path))
    with _opened(path) as archive:
        chosen = [archive.getinfo(name) for name in names if name in known]
        total = sum(info.file_size for info in chosen)
        if total > limit_bytes:
            raise ModelError(
                f"{path.name} unpacks to {total / 2**30:.1f} GiB; {limit_bytes / 2**30:.1f} GiB are allowed. Unpack it "
                "yourself and give the folder if you trust it."
            )
        for info in chosen:
            target = folder / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            # zipfile gives no more bytes than the directory states, whatever the packed data hold.
            with archive.open(info) as source, target.open("wb") as stream:
                shutil.copyfileobj(source, stream)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise ModelError(f"{path.name} is a damaged archive ({error}). Get the file again.") from error


def _check_member(info: zipfile.ZipInfo, name: str) -> None:
    parts = info.filename.split("/")
    mode = info.external_attr >> 16
    if info.flag_bits & _ENCRYPTED:
        raise ModelError(f"{name} is encrypted. Unpack it and give the folder.")
    if ".." in parts or "" in parts or "\\" in info.filename or _DRIVE.match(info.filename):
        raise ModelError(
            f"{name} holds a file that would lie outside its folder ({info.filename!r}): it is made to deceive"
        )
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        raise ModelError(f"{name} holds a link or device ({info.filename!r}) where a model has files only")
