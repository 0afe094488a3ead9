"""What a file is, told by its first bytes: names and endings decide nothing.

A new kind of source needs a line in the table `SIGNATURES` here and its reader in read_study.py.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["dicom", "nifti", "nifti-gz", "nrrd", "metaimage", "picture", "zip", "gzip", "nothing"]

_DICOM_PREAMBLE_BYTES = 128
# The groups that the first element of a data set without preamble can have.
_FIRST_GROUPS = frozenset({0x0002, 0x0008})
_VRS = frozenset(
    (
        *(
            "AE",
            "AS",
            "AT",
            "CS",
            "DA",
            "DS",
            "DT",
            "FD",
            "FL",
            "IS",
            "LO",
            "LT",
            "OB",
            "OD",
            "OF",
            "OL",
            "OV",
        ),
        *(
            "OW",
            "PN",
            "SH",
            "SL",
            "SQ",
            "SS",
            "ST",
            "SV",
            "TM",
            "UC",
            "UI",
            "UL",
            "UN",
            "UR",
            "US",
            "UT",
            "UV",
        ),
    )
)
_LONGEST_FIRST_VALUE_BYTES = 1024


def _is_dicom(head: bytes) -> bool:
    return head[_DICOM_PREAMBLE_BYTES : _DICOM_PREAMBLE_BYTES + 4] == b"DICM" or is_bare_data_set(head)


def is_bare_data_set(head: bytes) -> bool:
    """Whether a file without preamble begins with an element of group 0002 or 0008 (PS3.5 7.1)."""
    if len(head) < 16:
        return False
    for order in ("little", "big"):
        group, element = (int.from_bytes(head[i : i + 2], order) for i in (0, 2))
        if group not in _FIRST_GROUPS or element > 0x1199:
            continue
        if head[4:6].decode("latin-1") in _VRS:
            return True
        # Implicit VR is little endian and begins with a short value.
        n_bytes = int.from_bytes(head[4:8], "little")
        if order == "little" and group == 0x0008 and n_bytes <= _LONGEST_FIRST_VALUE_BYTES:
            return True
    return False


def _is_nifti(head: bytes) -> bool:
    return head[344:348] in {b"n+1\0", b"ni1\0"} or head[4:8] in {b"n+2\0", b"ni2\0"}


def _is_gzipped_nifti(head: bytes) -> bool:
    if head[:2] != b"\x1f\x8b":
        return False
    try:
        return _is_nifti(zlib.decompressobj(31).decompress(head, 1024))
    except zlib.error:
        return False


def _is_nrrd(head: bytes) -> bool:
    return head.startswith(b"NRRD000")


def _is_metaimage(head: bytes) -> bool:
    """Text that begins with a key of MetaImage and states the sizes of axes."""
    text = head[:4096]
    begins = text.lstrip()[:20].startswith((b"ObjectType", b"NDims", b"Comment", b"DimSize"))
    return begins and b"DimSize" in text and b"ElementDataFile" in text


def _is_picture(head: bytes) -> bool:
    # PNG, JPEG, TIFF in both byte orders and its 64-bit form
    return head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))


def _is_gzip(head: bytes) -> bool:
    return head.startswith(b"\x1f\x8b\x08")


def _is_zip(head: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


# Asked in this order: a preamble may look like anything, so DICOM comes first.
SIGNATURES: tuple[tuple[Kind, Callable[[bytes], bool]], ...] = (
    ("dicom", _is_dicom),
    ("nifti", _is_nifti),
    ("nifti-gz", _is_gzipped_nifti),
    ("nrrd", _is_nrrd),
    ("metaimage", _is_metaimage),
    ("picture", _is_picture),
    ("zip", _is_zip),
    ("gzip", _is_gzip),
)


def kind_of(head: bytes) -> Kind:
    """The kind of a file that begins with `head` (4 KiB are enough); "nothing" if it is none of them."""
    for kind, matches in SIGNATURES:
        if matches(head):
            return kind
    return "nothing"
