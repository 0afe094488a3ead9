"""From a path to studies: find files, tell what each is by its content, read headers, group, link.

To add a kind of source: a signature in kinds.py, a reader here. No pixel is decoded before a Series is
asked for its image.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core import Condition, Progress, Silent, Study
from hounsfield.core.errors import HounsfieldError, StudyError, UsageError
from hounsfield.core.progress import step
from hounsfield.studies import limits
from hounsfield.studies.dicom_study import DIRECTORY, build_studies, refuse
from hounsfield.studies.header_values import quiet_pydicom
from hounsfield.studies.instances import read_instance
from hounsfield.studies.kinds import kind_of
from hounsfield.studies.linking import link_masks, link_regions
from hounsfield.studies.nifti_masks import nifti_studies
from hounsfield.studies.pictures import picture_study
from hounsfield.studies.segmentations import LABEL_MAP_SEGMENTATION, SEGMENTATION, segmentation_series
from hounsfield.studies.sources import Archive, find_sources
from hounsfield.studies.structure_sets import RT_STRUCTURE_SET, structure_set_series

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hounsfield.studies.instances import Instance
    from hounsfield.studies.sources import Source

# Objects that are no image and give regions: who reads them.
DERIVED = {
    RT_STRUCTURE_SET: structure_set_series,
    SEGMENTATION: segmentation_series,
    LABEL_MAP_SEGMENTATION: segmentation_series,
}
_REPORT_EVERY = 50


@dataclass(frozen=True, slots=True, eq=False)
class StudiesRead:
    """What lies below a path.

    studies: DICOM, then NIfTI, then pictures, each in order of file names. refused: files that are damaged
    or exceed a limit, one Condition each, with the file in `instances`. notes: what was passed over.
    """

    studies: tuple[Study, ...]
    refused: tuple[Condition, ...] = ()
    notes: tuple[Condition, ...] = ()


@dataclass(slots=True)
class _Found:
    """What the files turned out to be, gathered while they are looked through."""

    dicom: list[Instance] = field(default_factory=list)
    nifti: list[tuple[Source, bool]] = field(default_factory=list)
    pictures: list[Study] = field(default_factory=list)
    refused: list[Condition] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def read_studies(
    path: Path | str,
    *,
    progress: Progress | None = None,
    stated: Mapping[str, tuple[str, str]] | None = None,
    only: Collection[str] | None = None,
) -> StudiesRead:
    """Every study below `path`: a folder, a zip archive, or one file of DICOM, NIfTI, PNG or JPEG.

    Files are told apart by content; what is no image is passed over, what is damaged is listed as refused,
    and nothing of it stops the rest. stated: (modality, unit) by file stem, for files that state none; it is
    told as a Condition. only: names of files below `path` (as `find_archive_files` gives them); the others are
    left alone. Raises UsageError if `path` is not there, StudyError if nothing could be read.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"{path} does not exist. Give a folder, a zip archive or an image file.")
    progress = progress or Silent()
    found = _Found()
    wanted = None if only is None else _with_folders(only)
    with quiet_pydicom():
        sources = list(find_sources(path, only))
        for number, source in enumerate(sources):
            if number % _REPORT_EVERY == 0:
                step(progress, "reading headers", number / len(sources))
            _look_into(source, found, stated or {}, wanted, depth=0)
        dicom, refused = build_studies(found.dicom, DERIVED)
    volumes, refused_volumes = nifti_studies(found.nifti, stated or {}, path.name)
    dicom, volumes = link_masks([link_regions(study) for study in dicom], volumes)
    step(progress, "reading headers", 1.0)
    every = (*found.refused, *refused, *refused_volumes)
    studies = (*dicom, *volumes, *found.pictures)
    if not studies:
        raise StudyError(_nothing_read(path, every, found.passed_over))
    return StudiesRead(tuple(studies), every, _passed_over(found.passed_over))


def read_study(path: Path | str) -> Study:
    """The one study below `path`. Raises UsageError if there are several, StudyError if there is none."""
    found = read_studies(path)
    if len(found.studies) > 1:
        raise UsageError(
            f"{Path(path)} holds {len(found.studies)} studies, one is needed. Give the folder of one of them, or "
            "call read_studies."
        )
    return found.studies[0]


def _with_folders(names: Collection[str]) -> frozenset[str]:
    """The names, and those of the folders and archives that hold them."""
    parts = (name.split("/") for name in names)
    return frozenset("/".join(part[:n]) for part in parts for n in range(1, len(part) + 1))


def _look_into(
    source: Source,
    found: _Found,
    stated: Mapping[str, tuple[str, str]],
    wanted: Collection[str] | None,
    *,
    depth: int,
) -> None:
    """Put one file where it belongs; whatever is wrong with it becomes a Condition."""
    if wanted is not None and source.name not in wanted:
        return
    try:
        head = source.head()
        kind = kind_of(head)
        if kind == "dicom":
            _take_dicom(source, head, found)
        elif kind in {"nifti", "nifti-gz"}:
            found.nifti.append((source, kind == "nifti-gz"))
        elif kind == "picture":
            found.pictures.append(picture_study(source, stated))
        elif kind == "zip" and depth < limits.MAX_ARCHIVE_DEPTH:
            for member in archive_members(source, depth):
                _look_into(member, found, stated, wanted, depth=depth + 1)
        else:
            found.passed_over.append(source.name)
    except HounsfieldError as error:
        found.refused.append(refuse(error, source.name))


def _take_dicom(source: Source, head: bytes, found: _Found) -> None:
    instance = read_instance(source, head)
    if instance.sop_class_uid == DIRECTORY:
        found.passed_over.append(source.name)
    elif not instance.sop_class_uid and instance.pixels is None:
        raise StudyError(
            f"{source.name} is a DICOM data set without SOP Class UID (0008,0016) and without pixels: it is no image "
            "and no other object that is known. Send the original."
        )
    else:
        found.dicom.append(instance)


def archive_members(source: Source, level: int) -> Iterator[Source]:
    """The files in a zip archive that lies in `level` others. Raises StudyError or RefusedInput."""
    if level > 0 and source.size_bytes > limits.MAX_NESTED_ARCHIVE_BYTES:
        raise StudyError(
            f"{source.name} is an archive of {source.size_bytes / limits.GIB:.1f} GiB inside another one, the limit "
            f"is {limits.MAX_NESTED_ARCHIVE_BYTES // limits.GIB}. Unpack the outer one first."
        )
    yield from Archive(source).members()


def _passed_over(names: list[str]) -> tuple[Condition, ...]:
    if not names:
        return ()
    said = f"{len(names)} files are no images and were passed over ({_endings(names)})."
    return (Condition("files-passed-over", "note", said, tuple(names)),)


def _endings(names: list[str]) -> str:
    counts = Counter(Path(name).suffix.lower() or "without ending" for name in names)
    return ", ".join(f"{n} {ending}" for ending, n in counts.most_common(5))


def _nothing_read(path: Path, refused: tuple[Condition, ...], passed_over: list[str]) -> str:
    if not refused and not passed_over:
        return f"{path.name} holds no file. Give a folder, a zip archive or an image file."
    parts = []
    if refused:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        parts.append(f"{refused[0].text}{more}")
    if passed_over:
        parts.append(
            f"{len(passed_over)} files are no DICOM, NIfTI, PNG or JPEG by their content ({_endings(passed_over)})."
        )
    return f"nothing in {path.name} could be read: {' '.join(parts)}"
