"""A bundle as one zip file, the same bytes whenever and wherever it is packed."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import RefusedInput, ResultError, UsageError
from hounsfield.zoo.find_bundle import CARD_FILE
from hounsfield.zoo.licences import passing_on
from hounsfield.zoo.signature import SIGNATURE_FILE

if TYPE_CHECKING:
    from hounsfield.zoo.bundle import Bundle

# The earliest date that a zip can state.
_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_PLAIN_FILE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed bundle: the file, its SHA-256 and its size."""

    path: Path
    sha256: str
    size_bytes: int


def pack_bundle(bundle: Bundle, path: Path, *, licence_read: bool = False) -> Packed:
    """Write a verified bundle, with its signature where there is one, as a zip of one folder of its name.

    Nothing is compressed: weights hardly shrink, and no version of zlib can change a byte. licence_read: the caller read
    the licence and may pass the model on, for a licence that is not known here. Raises RefusedInput where the licence
    forbids it or is not known, UsageError for a path that is no new .zip file, ResultError where it cannot be written.
    """
    if path.suffix.lower() != ".zip" or path.exists():
        raise UsageError(
            f"{path} {'is there already' if path.exists() else 'does not end in .zip'}. Give a new file."
        )
    _check_licence(bundle, licence_read=licence_read)
    names = [CARD_FILE, *bundle.card.files]
    if (bundle.folder / SIGNATURE_FILE).is_file():
        names.append(SIGNATURE_FILE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise ResultError(f"nothing can be written into {path.parent} ({error.strerror})") from error
    try:
        _write(bundle, names, Path(scratch))
        Path(scratch).chmod(0o644)
        Path(scratch).replace(path)
    except OSError as error:
        raise ResultError(f"{path} cannot be written ({error.strerror}); nothing is left of it") from error
    finally:
        Path(scratch).unlink(missing_ok=True)
    with path.open("rb") as stream:
        return Packed(path, hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size)


def _write(bundle: Bundle, names: list[str], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(names):
            # Read through the bundle: a file that changed since it was verified is refused.
            content = bundle.read(name) if name in bundle.card.files else (bundle.folder / name).read_bytes()
            info = zipfile.ZipInfo(f"{bundle.name}/{name}", _DATE)
            info.create_system, info.external_attr = _UNIX, _PLAIN_FILE
            archive.writestr(info, content)


def _check_licence(bundle: Bundle, *, licence_read: bool) -> None:
    verdict = passing_on(bundle.card.licence)
    if verdict == "forbidden":
        raise RefusedInput(
            f"bundle {bundle.name} must not be passed on: its licence is {bundle.card.licence!r}. Tell others where they can "
            "get the model themselves."
        )
    if verdict == "unclear" and not licence_read:
        raise RefusedInput(
            f"whether bundle {bundle.name} may be passed on is not known: its licence is {bundle.card.licence!r}. Read it; if "
            "it lets you pass the model on, say so with --licence-read."
        )
