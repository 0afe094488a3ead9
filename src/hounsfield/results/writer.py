"""What a result writer gets, and how it is registered: copy any file with `@result_writer`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from hounsfield.core import Image, Reading, Series, Study
    from hounsfield.results.dicom_context import DicomSource
    from hounsfield.results.documents import Documents


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """All that a writer may use.

    series: by role, the main role first. main: the series whose grid the regions and maps lie on.
    image: that series' pixels, None where a refused reading has none. dicom: what derived DICOM objects copy, None where the main series is
    not DICOM. created: the time stated in every object, given by the caller so that a repeated run
    can state the same.
    """

    reading: Reading
    series: Mapping[str, Series]
    main: Series
    study: Study
    image: Image | None
    documents: Documents
    created: datetime
    dicom: DicomSource | None = None


NOT_DICOM = "the input is no DICOM with study, series and instance UIDs, so there is nothing to refer to"


def needs_dicom(context: Context) -> str | None:
    """Why no DICOM object can be written for this reading, or None."""
    return NOT_DICOM if context.dicom is None else None


def always(context: Context) -> str | None:  # noqa: ARG001 - the form that every reason has
    """No reason to leave the result out."""
    return None


@dataclass(frozen=True, slots=True)
class ResultWriter:
    """One kind of result. name: its file's. write: writes below the folder and returns the paths.

    left_out_because: the reason why this reading has no such result, None if it has one.
    """

    name: str
    write: Callable[[Context, Path], list[Path]]
    left_out_because: Callable[[Context], str | None]


# Modules of the package that are no writers.
_BESIDES = (
    "certainty_content",
    "converted_nifti",
    "converted_series",
    "dicom_context",
    "documents",
    "folder",
    "report_content",
    "schemas",
    "segmentation_frames",
    "source_frames",
    "write",
    "writer",
)
result_writers: Registry[ResultWriter] = Registry("result_writer", "hounsfield.results", besides=_BESIDES)


def result_writer(
    name: str, *, left_out_because: Callable[[Context], str | None] = always
) -> Callable[[Callable[[Context, Path], list[Path]]], Callable[[Context, Path], list[Path]]]:
    """Register the decorated function as the writer `name` (the name of its file)."""

    def register(write: Callable[[Context, Path], list[Path]]) -> Callable[[Context, Path], list[Path]]:
        result_writers.add(name, ResultWriter(name, write, left_out_because))
        return write

    return register


def file_stems(names: list[str]) -> list[str]:
    """Names as they may stand in a path, unique and in the same order.

    Names of regions can come from a SEG or RTSTRUCT, that is from outside: only letters, digits,
    dot, hyphen and underscore stay, no leading dot, at most 64 characters.
    """
    stems: list[str] = []
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".-")[:64] or "unnamed"
        number, unique = 2, stem
        while unique.lower() in {taken.lower() for taken in stems}:
            unique, number = f"{stem}-{number}", number + 1
        stems.append(unique)
    return stems
