"""From a path to studies: find files, tell what each is by its content, read headers, group, link.

To add a kind of source: a signature in kinds.py, a reader here. No pixel is decoded before a Series is
asked for its image.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core import Condition, Progress, Silent, Study
from hounsfield.core.errors import HounsfieldError, StudyError, UsageError
from hounsfield.core.progress import step
from hounsfield.studies import limits
from hounsfield.studies.dicom_study import DIRECTORY, build_studies, refuse
from hounsfield.studies.dicomdir import follow, referenced_names
from hounsfield.studies.dicomweb import web_address, web_sources
from hounsfield.studies.header_values import quiet_pydicom
from hounsfield.studies.instances import read_instance
from hounsfield.studies.kinds import kind_of
from hounsfield.studies.linking import link_masks, link_regions
from hounsfield.studies.metaimage import read_metaimage
from hounsfield.studies.nifti import read_nifti
from hounsfield.studies.nrrd import read_nrrd
from hounsfield.studies.pictures import picture_study
from hounsfield.studies.segmentations import LABEL_MAP_SEGMENTATION, SEGMENTATION, segmentation_series
from hounsfield.studies.sources import Archive, find_sources, gunzipped
from hounsfield.studies.structure_sets import RT_STRUCTURE_SET, structure_set_series
from hounsfield.studies.structured_reports import STRUCTURED_REPORTS, structured_report_series
from hounsfield.studies.volume_studies import volume_studies

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hounsfield.studies.instances import Instance
    from hounsfield.studies.sources import Source
    from hounsfield.studies.volume_studies import Reader

# Objects that are no image: who reads them.
DERIVED = {
    RT_STRUCTURE_SET: structure_set_series,
    SEGMENTATION: segmentation_series,
    LABEL_MAP_SEGMENTATION: segmentation_series,
    **dict.fromkeys(STRUCTURED_REPORTS, structured_report_series),
}
# Volume files by kind: who reads them.
VOLUMES: dict[str, Reader] = {
    "nifti": partial(read_nifti, is_packed=False),
    "nifti-gz": partial(read_nifti, is_packed=True),
    "nrrd": read_nrrd,
    "metaimage": read_metaimage,
}
_REPORT_EVERY = 50


@dataclass(frozen=True, slots=True, eq=False)
class StudiesRead:
    """What lies below a path.

    studies: DICOM, then volume files, then pictures, each in order of file names. refused: files that are damaged
    or exceed a limit, one Condition each, with the file in `instances`. notes: what was passed over.
    """

    studies: tuple[Study, ...]
    refused: tuple[Condition, ...] = ()
    notes: tuple[Condition, ...] = ()


@dataclass(slots=True)
class _Found:
    """What the files turned out to be, gathered while they are looked through."""

    dicom: list[Instance] = field(default_factory=list)
    volumes: list[tuple[Source, Reader]] = field(default_factory=list)
    pictures: list[Study] = field(default_factory=list)
    directories: list[Source] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    refused: list[Condition] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def read_studies(
    path: Path | str,
    *,
    progress: Progress | None = None,
    stated: Mapping[str, tuple[str, str]] | None = None,
    only: Collection[str] | None = None,
) -> StudiesRead:
    """Every study below `path`: a folder, a zip archive, one file of DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG or
    TIFF, or the address of a DICOMweb service (".../studies/UID").

    Files are told apart by content; what is no image is passed over, what is damaged is listed as refused,
    and nothing of it stops the rest. stated: (modality, unit) by file stem, for files that state none; it is
    told as a Condition. only: names of files below `path` (as `find_archive_files` gives them); the others are
    left alone. Raises UsageError if `path` is not there, StudyError if nothing could be read.
    """
    progress = progress or Silent()
    found = _Found()
    sources = _sources(path, only, progress)
    path = Path(path)
    wanted = None if only is None else _with_folders(only)
    with quiet_pydicom():
        for number, source in enumerate(sources):
            if number % _REPORT_EVERY == 0:
                step(progress, "reading headers", number / len(sources))
            _look_into(source, found, stated or {}, wanted, depth=0)
        _follow_directories(found, stated or {})
        dicom, refused = build_studies(found.dicom, DERIVED, found.refused)
    volumes, refused_volumes = volume_studies(found.volumes, stated or {}, path.name)
    used = {name for study in volumes for series in study.series for name in series.files}
    passed_over = [name for name in found.passed_over if name not in used]
    dicom, volumes = link_masks([link_regions(study) for study in dicom], volumes)
    step(progress, "reading headers", 1.0)
    every = (*found.refused, *refused, *refused_volumes)
    studies = (*dicom, *volumes, *found.pictures)
    if not studies:
        raise StudyError(_nothing_read(path, every, passed_over))
    return StudiesRead(tuple(studies), every, _passed_over(passed_over))


def _sources(path: Path | str, only: Collection[str] | None, progress: Progress) -> list[Source]:
    address = web_address(path)
    if address is not None:
        return web_sources(address, progress)
    if not Path(path).exists():
        raise UsageError(f"{path} does not exist. Give a folder, a zip archive or an image file.")
    return list(find_sources(Path(path), only))


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
    found.seen.add(source.name.lower())
    try:
        head = source.head()
        kind = kind_of(head)
        if kind == "dicom":
            _take_dicom(source, head, found)
        elif kind in VOLUMES:
            found.volumes.append((source, VOLUMES[kind]))
        elif kind == "picture":
            found.pictures.append(picture_study(source, stated))
        elif kind == "zip" and depth < limits.MAX_ARCHIVE_DEPTH:
            for member in archive_members(source, depth):
                _look_into(member, found, stated, wanted, depth=depth + 1)
        elif kind == "gzip" and depth < limits.MAX_ARCHIVE_DEPTH:
            # Who wants the packed file wants the one inside.
            _look_into(gunzipped(source), found, stated, None, depth=depth + 1)
        else:
            found.passed_over.append(source.name)
    except HounsfieldError as error:
        found.refused.append(refuse(error, source.name))


def _follow_directories(found: _Found, stated: Mapping[str, tuple[str, str]]) -> None:
    """Look at what a DICOMDIR names and the path did not lead to, and name what is missing."""
    for directory in list(found.directories):
        try:
            unseen, missing = follow(directory, referenced_names(directory), found.seen)
        except HounsfieldError as error:
            found.refused.append(refuse(error, directory.name))
            continue
        for source in unseen:
            _look_into(source, found, stated, None, depth=0)
        if missing is not None:
            found.refused.append(missing)


def _take_dicom(source: Source, head: bytes, found: _Found) -> None:
    instance = read_instance(source, head)
    if instance.sop_class_uid == DIRECTORY:
        found.directories.append(source)
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
            f"{len(passed_over)} files are no images by their content: no DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG or TIFF ({_endings(passed_over)})."
        )
    return f"nothing in {path.name} could be read: {' '.join(parts)}"
