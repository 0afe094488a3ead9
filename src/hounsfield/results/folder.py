"""A folder that is there completely or not at all, whatever happens while it is written."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import HounsfieldError, ResultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# What a reading's folder holds. A folder with anything else is not ours to replace.
OWN_NAMES = frozenset(
    {
        *("README.txt", "reading.json", "report.html", "report.pdf", "measurements.csv"),
        *("masks", "maps", "pictures", "dicom"),
    }
)
REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space, or choose another folder with --out",
    errno.EDQUOT: "your disk quota is used up: free some space, or choose another folder with --out",
    errno.EACCES: "you may not write there: choose another folder with --out, or ask for the right to",
    errno.EPERM: "you may not write there: choose another folder with --out, or ask for the right to",
    errno.EROFS: "it is on a read-only disk: choose another folder with --out",
    errno.ENAMETOOLONG: "its path is too long: choose a shorter folder with --out",
    errno.ENOTDIR: "a part of its path is a file: choose another folder with --out",
}
# What `replaced_folder` and `write_page` name their scratch: a dot, the name, twelve hexadecimal digits.
_SCRATCH_NAME = re.compile(r"\..+\.[0-9a-f]{12}(\.old)?")
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


def is_result(name: str) -> bool:
    """Whether a folder of a reading holds something of that name."""
    return name in OWN_NAMES


@contextmanager
def replaced_folder(folder: Path, *, is_own: Callable[[str], bool] = is_result) -> Iterator[Path]:
    """Yield an empty sibling of `folder`; at the end, and only on success, it becomes `folder`.

    An older result of the same name is exchanged in one step where the system can (Linux), else by
    two renames, the first of which is undone if the second fails. Everything is on disk before.
    is_own: tells by their names the files that may be replaced.
    Raises ResultError, naming the folder and the remedy, if `folder` holds files that are no result,
    or if anything went wrong; then nothing half-written is left and the older result is untouched.
    """
    _refuse_foreign_content(folder, is_own)
    scratch: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}")
        scratch.mkdir()
        yield scratch
        _flush_tree(scratch)
        _put_in_place(scratch, folder)
        _flush(folder.parent)
    except HounsfieldError:
        raise
    except OSError as error:
        raise _not_written(folder, error) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def write_page(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write one file beside the folders of readings: there completely or, as before, not at all.

    content: in parts if it is too long to be held. Raises ResultError, naming the file and the remedy.
    """
    with replaced_file(path) as scratch, scratch.open("wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield the name of a scratch file beside `path`; at the end, and only on success, it becomes `path`.

    Raises ResultError, naming the file and the remedy, if it could not be written.
    """
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        yield scratch
        _flush(scratch)
        scratch.replace(path)
        _flush(path.parent)
    except HounsfieldError:
        raise
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        scratch.unlink(missing_ok=True)


def remove_result(folder: Path) -> None:
    """Remove the folder of a reading that its study does not give any more, and nothing that is not ours.

    Raises ResultError if the folder holds anything else or cannot be removed.
    """
    if not folder.exists():
        return
    _refuse_foreign_content(folder, is_result)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise _not_written(folder, error) from error


def remove_half_written(out: Path) -> None:
    """Remove what killed writers left below a folder of results: their scratch files and folders."""
    _remove_scratch(out)
    with os.scandir(out) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _remove_scratch(Path(entry.path))


def _remove_scratch(folder: Path) -> None:
    with os.scandir(folder) as entries:
        left = [e for e in entries if _SCRATCH_NAME.fullmatch(e.name) and not e.is_symlink()]
    for entry in left:
        if entry.is_dir():
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            Path(entry.path).unlink(missing_ok=True)


def _not_written(path: Path, error: OSError) -> ResultError:
    number = _error_number(error)
    remedy = REMEDIES.get(number, f"the system says {os.strerror(number) if number else str(error)!r}")
    return ResultError(
        f"the results could not be written to {str(path)!r}; {remedy}. Nothing half-written was "
        "left, and what was there before is untouched."
    )


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, is that of a full disk or a used-up quota."""
    return error is not None and _error_number(error) in (errno.ENOSPC, errno.EDQUOT)


def _error_number(error: BaseException) -> int:
    """The system's number of an error, or of what it came from: libraries raise OSError without one. 0 for none."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, OSError) and at.errno:
            return at.errno
        at = at.__cause__ or at.__context__
    return 0


def _refuse_foreign_content(folder: Path, is_own: Callable[[str], bool]) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ResultError(
            f"{str(folder)!r} is a link or a file, and results need a folder: choose another with --out"
        )
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    foreign = sorted(name for name in names if not is_own(name))
    if foreign:
        raise ResultError(
            f"{str(folder)!r} holds {len(foreign)} thing(s) that are no result of a reading, the first is "
            f"{foreign[0]!r}; replacing the folder would delete them. Move them, or choose another folder "
            "with --out."
        )


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_tree(folder: Path) -> None:
    """Files first, then the folders that name them."""
    for path, _, files in os.walk(folder, topdown=False):
        for name in files:
            _flush(Path(path) / name)
        _flush(Path(path))


def _put_in_place(scratch: Path, folder: Path) -> None:
    """`scratch` becomes `folder`; an older `folder` then lies under the name `scratch`."""
    if not folder.exists():
        scratch.rename(folder)
    elif not _exchange(scratch, folder):
        aside = scratch.with_name(f"{scratch.name}.old")
        folder.rename(aside)
        try:
            scratch.rename(folder)
        except BaseException:
            aside.rename(folder)
            raise
        aside.rename(scratch)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step (renameat2); False where the system or file system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    failed = rename(
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(one)),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(other)),
        ctypes.c_uint(_RENAME_EXCHANGE),
    )
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(code, os.strerror(code), str(other))
