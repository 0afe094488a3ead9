"""MetaImage files (.mha, and .mhd with its values beside), as ITK writes them: LPS millimetres.

Row i of TransformMatrix is the direction of axis i (ITK's MetaImageIO); AnatomicalOrientation is a remark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import Condition, Grid
from hounsfield.core.errors import GeometryError, RefusedInput, StudyError
from hounsfield.studies.raw_volumes import (
    LONGEST_TEXT_HEADER_BYTES,
    RawVolume,
    check_declared,
    data_beside,
    shape_zyx,
)
from hounsfield.studies.volume_files import unplaced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.studies.raw_volumes import Role
    from hounsfield.studies.sources import Source

_DTYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_ROLES: tuple[Role, ...] = ("space", "space", "space", "time", "time")
_PLACES = ("Offset", "Position", "Origin")
_MATRICES = ("TransformMatrix", "Rotation", "Orientation")


def read_metaimage(source: Source) -> RawVolume:
    """Read and judge the header. Raises StudyError or RefusedInput with file, fault and remedy."""
    fields, n_bytes = _header(source)
    dtype = _dtype(source, fields)
    n_channels = _integers(source, fields, "ElementNumberOfChannels", "1")[0]
    sizes = tuple(_integers(source, fields, "DimSize", ""))
    if _integers(source, fields, "NDims", "") != [len(sizes)]:
        raise StudyError(f"{source.name} states NDims and DimSize that do not fit. Copy it again.")
    roles: tuple[Role, ...] = _ROLES[: len(sizes)]
    if n_channels == 3:
        sizes, roles = (3, *sizes), ("colour", *roles)
    elif n_channels != 1:
        raise RefusedInput(f"{source.name} holds {n_channels} channels; one or three are read. Split it.")
    check_declared(source, sizes, dtype)
    if roles.count("space") < 2 or roles.count("time") > 1:
        raise RefusedInput(
            f"{source.name} has {len(sizes)} axes; two to four are read. Split it into volumes."
        )
    data, offset_bytes = _data(source, fields, n_bytes)
    is_packed = _is_true(fields, "CompressedData")
    grid, conditions = _grid(source, fields, shape_zyx(sizes, roles))
    return RawVolume(
        "MetaImage",
        source,
        data,
        dtype,
        sizes,
        roles,
        "zlib" if is_packed else "raw",
        offset_bytes,
        grid,
        tuple(conditions),
    )


def _header(source: Source) -> tuple[dict[str, str], int]:
    """Fields up to ElementDataFile, which ends the header, and its length."""
    head = source.head(LONGEST_TEXT_HEADER_BYTES)
    fields: dict[str, str] = {}
    at = 0
    while at < len(head) and "ElementDataFile" not in fields:
        end = head.find(b"\n", at)
        line = head[at : end if end >= 0 else len(head)].decode("latin-1")
        at = end + 1 if end >= 0 else len(head)
        name, _, value = line.partition("=")
        fields[name.strip()] = value.strip()
    if "ElementDataFile" not in fields:
        raise StudyError(f"{source.name} begins like MetaImage but names no ElementDataFile. Copy it again.")
    return fields, at


def _dtype(source: Source, fields: Mapping[str, str]) -> np.dtype[Any]:
    code = _DTYPES.get(fields.get("ElementType", "").upper())
    if code is None:
        raise RefusedInput(
            f"{source.name} holds values of type {fields.get('ElementType', '')[:30]!r}, which no measure can use. "
            "Convert them."
        )
    is_big = _is_true(fields, "BinaryDataByteOrderMSB") or _is_true(fields, "ElementByteOrderMSB")
    return np.dtype((">" if is_big else "<") + code)


def _is_true(fields: Mapping[str, str], name: str) -> bool:
    return fields.get(name, "").lower() in {"true", "t", "1"}


def _integers(source: Source, fields: Mapping[str, str], name: str, default: str) -> list[int]:
    try:
        return [int(word) for word in fields.get(name, default).split()] or [0]
    except ValueError as error:
        raise StudyError(
            f"{source.name} states {name} = {fields[name][:60]!r}, which is no whole number."
        ) from error


def _data(source: Source, fields: Mapping[str, str], n_header_bytes: int) -> tuple[Source, int]:
    name = fields["ElementDataFile"]
    if name.upper() == "LOCAL":
        return source, n_header_bytes
    if name.upper().startswith("LIST") or "%" in name:
        raise RefusedInput(
            f"{source.name} takes its values from several files ({name[:40]}). Save it as one .mha file."
        )
    return data_beside(source, name), _integers(source, fields, "HeaderSize", "0")[0]


def _grid(
    source: Source, fields: Mapping[str, str], shape: tuple[int, int, int]
) -> tuple[Grid, list[Condition]]:
    where = (source.name,)
    lacking = [
        name
        for name, known in (
            ("ElementSpacing", ("ElementSpacing",)),
            ("Offset", _PLACES),
            ("TransformMatrix", _MATRICES),
        )
        if not any(word in fields for word in known)
    ]
    n_axes = len(fields["DimSize"].split())
    if lacking or n_axes < 3:
        said = f"states no {' and no '.join(lacking)}" if lacking else "has two axes, which state no place"
        return Grid(shape), [unplaced(where, said)]
    try:
        spacing = _first_three(fields["ElementSpacing"])
        origin = _first_three(next(fields[word] for word in _PLACES if word in fields))
        words = next(fields[word] for word in _MATRICES if word in fields).split()
        directions = np.array([float(word) for word in words]).reshape(n_axes, n_axes)[:3, :3]
        affine = np.eye(4)
        affine[:3, :3] = (directions * spacing[:, np.newaxis])[::-1].T
        affine[:3, 3] = origin
        return Grid(shape, affine), []
    except (ValueError, GeometryError) as error:
        return Grid(shape), [unplaced(where, f"states a place that is none ({error})")]


def _first_three(value: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    numbers = np.array([float(word) for word in value.split()[:3]])
    if numbers.shape != (3,):
        raise ValueError(f"{numbers.size} numbers in place of three")
    return numbers
