"""DICOM instances as studies: duplicates, one Series for each unit, derived objects beside their images."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from functools import partial
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydicom.uid import UID

from hounsfield.core import Condition, Series, Study
from hounsfield.core.errors import HounsfieldError, RefusedInput, StudyError
from hounsfield.studies.dicom_series import image_series, series_tags
from hounsfield.studies.grouping import split_series
from hounsfield.studies.header_values import plain, stated, text
from hounsfield.studies.instances import data_set_start_bytes, read_data_set
from hounsfield.studies.stored_values import check_declared_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hounsfield.studies.instances import Instance

STUDY_KEYWORDS = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge"),
    *(
        "PatientSize",
        "PatientWeight",
        "OtherPatientIDs",
        "EthnicGroup",
        "PatientComments",
        "StudyInstanceUID",
    ),
    *("StudyDate", "StudyTime", "StudyID", "StudyDescription", "AccessionNumber", "ReferringPhysicianName"),
    *("SpecificCharacterSet", "TimezoneOffsetFromUTC"),
)
DIRECTORY = "1.2.840.10008.1.3.10"
# Objects with pixels that are no picture of a patient, or whose pixels are tiles of one too large to show.
_NO_PICTURE = {
    "1.2.840.10008.5.1.4.1.1.77.1.6": "whole slide image",
    "1.2.840.10008.5.1.4.1.1.77.1.5.1": "photograph of the eye",
}


def refuse(error: HounsfieldError, source_name: str) -> Condition:
    """A file that could not be read, as the entry of `StudiesRead.refused`."""
    code = "file-refused" if isinstance(error, RefusedInput) else "file-damaged"
    return Condition(code, "refusal", str(error), (source_name,))


def is_image(instance: Instance) -> bool:
    """Whether the instance holds a picture: size stated, and not one of the objects listed as none."""
    return instance.rows > 0 and instance.columns > 0 and instance.sop_class_uid not in _NO_PICTURE


def build_studies(
    instances: Sequence[Instance],
    derived: Mapping[str, Callable[[Instance, str], Series]],
    unread: Sequence[Condition] = (),
) -> tuple[list[Study], list[Condition]]:
    """Studies in the order in which their first file came, and what could not be read.

    derived: by SOP Class UID, who makes a Series of an object that is no image (SEG, RTSTRUCT, SR). unread: files
    that were refused before, which may belong to a study.
    """
    by_study: dict[str, list[Instance]] = defaultdict(list)
    refused: list[Condition] = []
    for instance in instances:
        try:
            if is_image(instance) and instance.sop_class_uid not in derived:
                check_declared_size(instance)
            _check_is_whole(instance)
        except HounsfieldError as error:
            refused.append(refuse(error, instance.source.name))
        else:
            by_study[instance.study_instance_uid or _stand_in(instance)].append(instance)
    studies = []
    for key, members in by_study.items():
        try:
            studies.append(_study(key, members, derived))
        except HounsfieldError as error:
            refused.append(refuse(error, members[0].source.name))
    unread = [*unread, *refused]
    folders = {name.rpartition("/")[0] for condition in unread for name in condition.instances}
    return [_with_unread(study, folders, len(unread)) for study in studies], refused


def _stand_in(instance: Instance) -> str:
    """What stands for a UID that anonymisation removed: one folder and one frame of reference, else the file alone."""
    uid = instance.frame_of_reference_uid
    if not uid or not all(frame.has_plane for frame in instance.frames):
        return instance.source.name
    return f"{instance.source.folder or '.'} {instance.modality} {uid}"


def _check_is_whole(instance: Instance) -> None:
    """Raise StudyError for an image without a size: reading stops without complaint where a file was cut off."""
    if "Image Storage" in UID(instance.sop_class_uid).name and not (instance.rows and instance.columns):
        raise StudyError(
            f"{instance.source.name} is a {UID(instance.sop_class_uid).name} without Rows and Columns (0028,0010; "
            "0028,0011): it was cut off or is a header only. Send it again."
        )


def _with_unread(study: Study, unread_folders: set[str], n_unread: int) -> Study:
    """Tell a study of several files that a file beside them could not be read and may belong to it."""
    names = [name for series in study.series for name in series.files]
    if len(names) < 2 or not unread_folders & {name.rpartition("/")[0] for name in names}:
        return study
    said = Condition(
        "files-left-out",
        "warning",
        f"{n_unread} DICOM files beside those of this study could not be read and may belong to it; they are "
        "listed as refused.",
    )
    return replace(study, conditions=(*study.conditions, said))


def _study(
    key: str, instances: Sequence[Instance], derived: Mapping[str, Callable[[Instance, str], Series]]
) -> Study:
    by_series: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        by_series[instance.series_instance_uid or _stand_in(instance)].append(instance)
    series: list[Series] = []
    for series_key, members in by_series.items():
        distinct, conditions = _without_duplicates(members)
        if not members[0].series_instance_uid and len(members) > 1:
            conditions.append(_gathered(members))
        made = _series_of(series_key, distinct, derived)
        series += [_with_conditions(one, conditions) for one in made]
    header = read_data_set(instances[0].source)
    return Study(
        key=key,
        series=tuple(series),
        study_instance_uid=instances[0].study_instance_uid or None,
        tags=_study_tags(header),
    )


def _gathered(members: Sequence[Instance]) -> Condition:
    return Condition(
        "series-uid-unstated",
        "warning",
        f"{len(members)} files state no Series Instance UID (0020,000E); as they lie in one folder and share their "
        "Frame of Reference UID (0020,0052) they were taken for one series. No result can refer to it.",
        tuple(member.source.name for member in members),
    )


def _study_tags(header: Any) -> Mapping[str, Any]:
    """Attributes of patient and study as they stand; empty ones are kept as "", absent ones are not there."""
    found = {}
    for keyword in STUDY_KEYWORDS:
        if keyword in header:
            value = plain(stated(header, keyword))
            found[keyword] = "" if value is None else value
    return MappingProxyType(found)


def _series_of(
    key: str, instances: Sequence[Instance], derived: Mapping[str, Callable[[Instance, str], Series]]
) -> list[Series]:
    images = [i for i in instances if is_image(i) and i.sop_class_uid not in derived]
    others = [i for i in instances if not (is_image(i) and i.sop_class_uid not in derived)]
    keys = (key if n == 1 else f"{key}#{n}" for n in count(1))
    made = [
        _made(unit.members[0][0], name, partial(image_series, unit))
        for unit, name in zip(split_series(images), keys, strict=False)
    ]
    return made + [
        _made(instance, name, partial(derived.get(instance.sop_class_uid, other_series), instance))
        for instance, name in zip(others, keys, strict=False)
    ]


def _made(instance: Instance, key: str, make: Callable[[str], Series]) -> Series:
    """What `make` gives for `key`; a Series that says what is wrong where the object cannot be understood."""
    try:
        return make(key)
    except HounsfieldError as error:
        said = f"{instance.source.name} cannot be used: {error}"
    # Headers that contradict themselves fail in ways that nobody listed; they must not stop the other series.
    except Exception as error:  # noqa: BLE001
        said = (
            f"{instance.source.name} cannot be understood ({type(error).__name__}: {str(error)[:120]}): its header "
            "contradicts itself. Send it again."
        )
    refusal = Condition(
        "object-damaged", "refusal", said, (instance.sop_instance_uid or instance.source.name,)
    )
    return Series(
        key=key,
        kind="other",
        modality=instance.modality or None,
        series_instance_uid=instance.series_instance_uid or None,
        conditions=(refusal,),
        files=(instance.source.name,),
    )


def other_series(instance: Instance, key: str) -> Series:
    """What is no image and no regions: listed, never given to an application."""
    header = read_data_set(instance.source)
    known = UID(instance.sop_class_uid).name if instance.sop_class_uid else ""
    what = (
        _NO_PICTURE.get(instance.sop_class_uid) or known or text(header, "Modality") or "this kind of object"
    )
    note = Condition("not-an-image", "note", f"{what}: listed and not read.", (instance.source.name,))
    return Series(
        key=key,
        kind="other",
        modality=instance.modality or None,
        series_instance_uid=instance.series_instance_uid or None,
        description=text(header, "SeriesDescription"),
        tags=series_tags(header),
        conditions=(note,),
        files=(instance.source.name,),
        load_headers=lambda: [read_data_set(instance.source)],
    )


def _with_conditions(series: Series, conditions: Sequence[Condition]) -> Series:
    """The series with further conditions; a refusal among them takes its image away."""
    if not conditions:
        return series
    is_refused = any(condition.severity == "refusal" for condition in conditions)
    return replace(
        series,
        conditions=(*series.conditions, *conditions),
        load_image=None if is_refused else series.load_image,
        load_regions=None if is_refused else series.load_regions,
    )


def _without_duplicates(instances: Sequence[Instance]) -> tuple[list[Instance], list[Condition]]:
    """Each SOP Instance UID once. Equal copies are told; different contents under one UID are refused."""
    by_uid: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        by_uid[instance.sop_instance_uid or instance.source.name].append(instance)
    copies = {uid: same for uid, same in by_uid.items() if len(same) > 1}
    if not copies:
        return list(instances), []
    differing = [uid for uid, same in copies.items() if len({_content_sha256(i) for i in same}) > 1]
    found = []
    if differing:
        files = ", ".join(i.source.name for i in copies[differing[0]][:4])
        found.append(
            Condition(
                "duplicate-instance-differs",
                "refusal",
                f"{len(differing)} SOP Instance UIDs occur with different contents ({files}), and it cannot be known "
                "which one is right. Remove the wrong files.",
                tuple(differing),
            )
        )
    equal = [uid for uid in copies if uid not in differing]
    if equal:
        n_more = sum(len(copies[uid]) - 1 for uid in equal)
        found.append(
            Condition(
                "duplicate-instance",
                "note",
                f"{n_more} files repeat instances that are there already, with equal contents; each was taken once.",
                tuple(equal),
            )
        )
    return [same[0] for same in by_uid.values()], found


def _content_sha256(instance: Instance) -> str:
    """Digest of the data set; preamble and file meta information differ between deliveries."""
    with instance.source.open() as stream:
        stream.seek(data_set_start_bytes(instance.source))
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
