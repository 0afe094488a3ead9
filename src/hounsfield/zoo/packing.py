"""A bundle as one zip file: the same bytes every time it is packed, and bounded when it is unpacked."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.bundle import LARGEST_FILE_BYTES, MOST_FILES, verify_bundle
from hounsfield.zoo.find_bundle import CARD_FILE
from hounsfield.zoo.signature import SIGNATURE_FILE, signature_bytes

if TYPE_CHECKING:
    from hounsfield.zoo.bundle import Bundle

_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can state: packing twice gives the same file
_FORBIDS = re.compile(
    r"(not|never|no)\b.{0,30}\b(pass|redistribut|shar)|all rights reserved|proprietary", re.IGNORECASE
)
_PIECE_BYTES = 2**20
# A zip that grows beyond this many times its size is made to fill a disk.
_MOST_GROWTH = 200


def pack_bundle(bundle: Bundle, target: Path) -> None:
    """Write the bundle as a zip at `target`, whose folder must exist; whole or not at all.

    Raises UsageError where the card's licence forbids to pass the weights on, or does not say that it may be done.
    """
    licence = bundle.card.licence
    unstated = bundle.card.origin is not None and "licence" in bundle.card.origin.unstated
    if unstated or _FORBIDS.search(licence):
        raise UsageError(
            f"model {bundle.name} may not be passed on: its licence is {licence!r}. If you know that it may, import it "
            "again with the licence stated in --card."
        )
    partial = target.with_name(f".{target.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            signed = {SIGNATURE_FILE} if (bundle.folder / SIGNATURE_FILE).is_file() else set()
            for name in sorted({*bundle.card.files, CARD_FILE, *signed}):
                _add(archive, bundle.folder / name, f"{bundle.name}/{name}")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, _NO_DATE)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    entry.create_system = 3  # else the system that packs shows in the bytes
    with path.open("rb") as stream, archive.open(entry, "w") as sink:
        shutil.copyfileobj(stream, sink, _PIECE_BYTES)


def unpack_zip(
    path: Path, folder: Path, *, most_files: int = MOST_FILES, most_bytes: int = LARGEST_FILE_BYTES
) -> None:
    """Unpack a zip from outside into `folder`. Nothing leaves the folder, no link is made, and size is bounded.

    Raises ModelError naming the entry.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check_entries(entries, path, most_files, most_bytes)
            for entry in entries:
                _unpack(archive, entry, folder, path.name)
    except FileExistsError as error:
        raise ModelError(
            f"{path.name} holds a file twice ({error.filename}). Do not use this file."
        ) from error
    except (zipfile.BadZipFile, EOFError, zipfile.LargeZipFile, RuntimeError, zlib.error) as error:
        raise ModelError(f"{path.name} is no whole zip ({error}). Get it again.") from error


def _check_entries(entries: list[zipfile.ZipInfo], path: Path, most_files: int, most_bytes: int) -> None:
    if len(entries) > most_files:
        raise ModelError(f"{path.name} holds {len(entries)} files; at most {most_files} are unpacked")
    total = sum(entry.file_size for entry in entries)
    if total > most_bytes or total > _MOST_GROWTH * max(path.stat().st_size, 1):
        raise ModelError(f"{path.name} would unpack to {total} bytes, more than is believed of such a file")
    for entry in entries:
        place = PurePosixPath(entry.filename)
        odd = (
            place.is_absolute() or ".." in place.parts or any(sign in entry.orig_filename for sign in "\\:\0")
        )
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if odd or not place.parts or kind not in {0, stat.S_IFREG}:
            raise ModelError(
                f"{path.name} holds {entry.filename!r}, a link or a path that leaves the folder. Do not use this file."
            )


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, name: str) -> None:
    target = folder / entry.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    n_written = 0
    # "x": two entries of one name, or of names that differ in case on a disk that does not tell, are refused.
    with archive.open(entry) as stream, target.open("xb") as sink:
        while piece := stream.read(_PIECE_BYTES):
            n_written += len(piece)
            if n_written > entry.file_size:  # the header may lie
                raise ModelError(
                    f"{name}: {entry.filename!r} is longer than its header says. Do not use this file."
                )
            sink.write(piece)


def bundle_folder(folder: Path) -> Path | None:
    """The bundle in an unpacked folder: itself, or the one folder in it; None where there is none."""
    if (folder / CARD_FILE).is_file():
        return folder
    inside = [path for path in folder.iterdir() if path.is_dir()]
    return inside[0] if len(inside) == 1 and (inside[0] / CARD_FILE).is_file() else None


def opened_copy(found: Path, parent: Path) -> Bundle:
    """Copy a verified bundle's listed files into `parent`, replacing one of its name whole."""
    from hounsfield.zoo.write_bundle import put_in_place

    bundle = verify_bundle(found)
    contents = {name: bundle.read(name) for name in bundle.card.files}
    contents[CARD_FILE] = (found / CARD_FILE).read_bytes()
    if (signature := signature_bytes(found)) is not None:
        contents[SIGNATURE_FILE] = signature
    put_in_place(parent / bundle.name, contents)
    return verify_bundle(parent / bundle.name)
