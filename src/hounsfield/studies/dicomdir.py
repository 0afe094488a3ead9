"""DICOMDIR (PS3.3 F): the files that a medium says it holds, and which of them are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core import Condition
from hounsfield.studies.header_values import items, texts
from hounsfield.studies.instances import read_data_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hounsfield.studies.sources import Source

_NAMED = 6


def referenced_names(directory: Source) -> list[str]:
    """Names below the folder of the DICOMDIR, with forward slashes. Raises StudyError if it cannot be read."""
    names = []
    for record in items(read_data_set(directory), "DirectoryRecordSequence"):
        parts = texts(record, "ReferencedFileID")
        # A File ID has up to eight components of capitals, digits and _; nothing that leads elsewhere is followed.
        if parts and not any(part in {"", ".", ".."} or "/" in part or "\\" in part for part in parts):
            names.append("/".join(parts))
    return list(dict.fromkeys(names))


def follow(directory: Source, names: Sequence[str], seen: set[str]) -> tuple[list[Source], Condition | None]:
    """Files that the directory names and that were not looked at, and a Condition that names the missing ones.

    seen: names of files looked at, in lower case: media are written in capitals and often copied in small letters.
    """
    if not names:
        said = f"{directory.name} is a DICOMDIR that names no file. Give the folder with the images."
        return [], Condition("directory-files-missing", "warning", said, (directory.name,))
    unseen, missing = [], []
    for name in names:
        if f"{directory.folder}/{name}".lstrip("/").lower() in seen:
            continue
        found = next((one for one in _spellings(directory, name) if one is not None), None)
        if found is None:
            missing.append(name)
        else:
            unseen.append(found)
    return unseen, _missing(directory, missing, len(names)) if missing else None


def _spellings(directory: Source, name: str) -> Iterator[Source | None]:
    yield directory.beside(name)
    yield directory.beside(name.lower())


def _missing(directory: Source, missing: Sequence[str], n_named: int) -> Condition:
    shown = ", ".join(missing[:_NAMED]) + (
        f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    )
    return Condition(
        "directory-files-missing",
        "warning",
        f"{directory.name} names {n_named} files, {len(missing)} of which are not there: {shown}. Copy the whole medium.",
        tuple(missing),
    )
