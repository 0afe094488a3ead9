"""NRRD files, values inside or in one file beside (teem's nrrd/format.html, version 5); LPS as read.

Read are raw, gzip, bzip2 and text; refused by name are hexadecimal values, lists and patterns of files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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

    from numpy.typing import NDArray

    from hounsfield.studies.raw_volumes import Packing, Role
    from hounsfield.studies.sources import Source

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_DTYPES = {name: code for code, names in _TYPES.items() for name in names}
_PACKINGS: dict[str, Packing] = {
    "raw": "raw",
    "gzip": "gzip",
    "gz": "gzip",
    "bzip2": "bzip2",
    "bz2": "bzip2",
    "text": "text",
    "txt": "text",
    "ascii": "text",
}
# Signs that turn a space's axes into left, posterior, superior.
_SPACES = {
    **dict.fromkeys(("left-posterior-superior", "lps"), (1.0, 1.0, 1.0)),
    **dict.fromkeys(("right-anterior-superior", "ras"), (-1.0, -1.0, 1.0)),
    **dict.fromkeys(("left-anterior-superior", "las"), (1.0, -1.0, 1.0)),
}
_MM_PER_UNIT = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "micron": 0.001}
_COLOUR_KINDS = frozenset({"rgb-color", "3-color", "xyz-color"})
_VECTOR = re.compile(r"\(([^()]*)\)|none")


@dataclass(frozen=True, slots=True)
class _Header:
    fields: Mapping[str, str]
    n_bytes: int


def read_nrrd(source: Source) -> RawVolume:
    """Read and judge the header. Raises StudyError or RefusedInput with file, fault and remedy."""
    header = _header(source)
    fields = header.fields
    dtype = _dtype(source, fields)
    sizes = tuple(_integers(source, "sizes", fields.get("sizes", "")))
    check_declared(source, sizes, dtype)
    roles = _roles(source, fields, sizes)
    packing = _PACKINGS.get(fields.get("encoding", "").lower())
    if packing is None:
        raise RefusedInput(
            f"{source.name} is NRRD in encoding {fields.get('encoding', '')!r}; raw, gzip, bzip2 and text are read. "
            "Save it again in one of these."
        )
    data, offset_bytes = _data(source, header)
    grid, conditions = _grid(source, fields, shape_zyx(sizes, roles), roles)
    return RawVolume(
        "NRRD", source, data, dtype, sizes, roles, packing, offset_bytes, grid, tuple(conditions)
    )


def _header(source: Source) -> _Header:
    """Fields by name in lower case, up to the empty line; comments and key:=value pairs are left out."""
    head = source.head(LONGEST_TEXT_HEADER_BYTES)
    fields: dict[str, str] = {}
    at = 0
    while at < len(head):
        end = head.find(b"\n", at)
        line = head[at : end if end >= 0 else len(head)].rstrip(b"\r")
        at = end + 1 if end >= 0 else len(head)
        if not line:
            break
        name, colon, value = line.decode("latin-1").partition(": ")
        if colon and not name.startswith("#"):
            fields[name.strip().lower()] = value.strip()
    if "sizes" not in fields:
        raise StudyError(f"{source.name} begins like NRRD but states no sizes. Copy it again.")
    return _Header(fields, at)


def _integers(source: Source, name: str, value: str) -> list[int]:
    try:
        return [int(word) for word in value.split()]
    except ValueError as error:
        raise StudyError(
            f"{source.name} states {name}: {value[:60]!r}, which are no whole numbers."
        ) from error


def _dtype(source: Source, fields: Mapping[str, str]) -> np.dtype[Any]:
    code = _DTYPES.get(" ".join(fields.get("type", "").lower().split()))
    if code is None:
        raise RefusedInput(
            f"{source.name} holds values of type {fields.get('type', '')[:30]!r}, which no measure can use. Convert them."
        )
    endian = fields.get("endian", "").lower()
    is_text = _PACKINGS.get(fields.get("encoding", "").lower()) == "text"
    if code[1] != "1" and not is_text and endian not in {"little", "big"}:
        raise StudyError(
            f"{source.name} does not state the order of its bytes (endian: little or big). Copy it again."
        )
    return np.dtype((">" if endian == "big" else "<") + code)


def _roles(source: Source, fields: Mapping[str, str], sizes: tuple[int, ...]) -> tuple[Role, ...]:
    kinds = fields.get("kinds", "").lower().split() or ["domain"] * len(sizes)
    vectors = _VECTOR.findall(fields.get("space directions", ""))
    if len(kinds) != len(sizes) or (vectors and len(vectors) != len(sizes)):
        raise StudyError(
            f"{source.name} states kinds or space directions for other axes than its sizes. Copy it again."
        )
    roles: list[Role] = []
    for kind, size, vector in zip(kinds, sizes, vectors or ["?"] * len(sizes), strict=True):
        if kind in _COLOUR_KINDS or (vector == "" and size == 3 and kind == "vector"):
            roles.append("colour")
        elif vector == "" or kind in {"time", "list"}:
            roles.append("time")
        else:
            roles.append("space")
    if not vectors and len(sizes) == 4 and roles == ["space"] * 4:
        roles[3] = "time"
    if roles.count("space") not in {2, 3} or roles.count("time") > 1 or roles.count("colour") > 1:
        raise RefusedInput(
            f"{source.name} has axes of kinds {' '.join(kinds)}; two or three of space, one of time and one of three "
            "colours are read. Split it into volumes."
        )
    if any(role == "colour" and n != 3 for role, n in zip(roles, sizes, strict=True)):
        raise RefusedInput(f"{source.name} has a colour axis that holds no three values. Convert it.")
    return tuple(roles)


def _data(source: Source, header: _Header) -> tuple[Source, int]:
    fields = header.fields
    name = fields.get("data file", fields.get("datafile", ""))
    if name.upper().startswith("LIST") or "%" in name:
        raise RefusedInput(
            f"{source.name} takes its values from several files ({name[:40]}). Save it as one file."
        )
    data, start_bytes = (data_beside(source, name), 0) if name else (source, header.n_bytes)
    skips = [_integers(source, key, fields.get(key, fields.get(key.replace(" ", ""), "0"))) for key in _SKIPS]
    [n_lines], [n_bytes] = (skip or [0] for skip in skips)
    if n_bytes == -1:
        return data, -1
    if n_lines:
        start_bytes += _lines_bytes(data, start_bytes, n_lines)
    return data, start_bytes + max(n_bytes, 0)


_SKIPS = ("line skip", "byte skip")


def _lines_bytes(data: Source, start_bytes: int, n_lines: int) -> int:
    with data.open() as stream:
        stream.seek(start_bytes)
        lines = stream.read(LONGEST_TEXT_HEADER_BYTES).split(b"\n")[:n_lines]
    return sum(len(line) + 1 for line in lines)


def _grid(
    source: Source, fields: Mapping[str, str], shape: tuple[int, int, int], roles: tuple[Role, ...]
) -> tuple[Grid, list[Condition]]:
    where = (source.name,)
    signs = _SPACES.get(fields.get("space", "").lower())
    if signs is None:
        said = f"states no space of the patient (space: {fields.get('space', 'absent')[:40]})"
        return Grid(shape), [unplaced(where, said)]
    try:
        directions = _directions(fields, roles) * np.array(signs)
        origin = np.array(_numbers(_VECTOR.findall(fields.get("space origin", ""))[0])) * signs
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = directions[::-1].T, origin
        scale, found = _scale(fields, where)
        affine[:3] *= scale
        return Grid(shape, affine), found
    except (ValueError, IndexError, GeometryError) as error:
        return Grid(shape), [unplaced(where, f"states directions or an origin that are none ({error})")]


def _directions(fields: Mapping[str, str], roles: tuple[Role, ...]) -> NDArray[np.float64]:
    """(3, 3): one row for each axis of space, fastest first."""
    vectors = _VECTOR.findall(fields.get("space directions", ""))
    rows = [_numbers(vector) for vector, role in zip(vectors, roles, strict=True) if role == "space"]
    if len(rows) != 3:
        raise ValueError(f"{len(rows)} space directions")
    return np.array(rows, dtype=np.float64).reshape(3, 3)


def _numbers(vector: str) -> list[float]:
    return [float(word) for word in vector.split(",")]


def _scale(fields: Mapping[str, str], where: tuple[str, ...]) -> tuple[float, list[Condition]]:
    units = {word.strip().lower() for word in re.findall(r'"([^"]*)"', fields.get("space units", ""))} - {""}
    if len(units) == 1 and (unit := next(iter(units))) in _MM_PER_UNIT:
        return _MM_PER_UNIT[unit], []
    said = (
        "The file states no unit of length (space units); millimetres were taken, as the format's users do."
    )
    return 1.0, [Condition("length-unit-unstated", "note", said, where)]
