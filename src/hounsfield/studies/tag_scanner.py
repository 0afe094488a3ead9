"""A quick look through the header of a plain DICOM file: the bytes of the wanted attributes, nothing decoded else.

pydicom builds an object for every attribute; a series of thousands of files needs some sixty of them. This
scanner walks over explicit or implicit little endian, and gives up (None) on whatever is unusual: pydicom
then reads the file. On every file that it does not give up on, its values are those of pydicom (tests).
Source: PS3.5 chapter 7 (data elements, sequences) and PS3.10 chapter 7 (file meta information).
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Any, TypeVar

from pydicom.datadict import dictionary_VR, keyword_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Converted = TypeVar("Converted")
# Transfer syntax, then key and (VR, value) of each attribute.
SharedPart = tuple[Any, ...]

EXPLICIT_HEAD, IMPLICIT_HEAD, LENGTH = Struct("<I2sH"), Struct("<II"), Struct("<I")
UNDEFINED = 0xFFFFFFFF
IMPLICIT_SYNTAX = "1.2.840.10008.1.2"
# Deflated and big endian data sets, and GE's private syntax with big endian pixels.
UNUSUAL_SYNTAXES = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2", "1.2.840.113619.5.2"})
_SHORT_VRS = "AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US"
_LONG_VRS = "OB OD OF OL OV OW SQ SV UC UN UR UT UV"
# VR -> bytes of the element before its value.
_HEAD_BYTES = {vr.encode(): 8 for vr in _SHORT_VRS.split()} | {vr.encode(): 12 for vr in _LONG_VRS.split()}
_NUMBERS = {
    b"US": Struct("<H"),
    b"SS": Struct("<h"),
    b"UL": Struct("<I"),
    b"SL": Struct("<i"),
    b"FL": Struct("<f"),
    b"FD": Struct("<d"),
}
_PLAIN_TEXTS = frozenset({b"AE", b"AS", b"CS", b"DA", b"DT", b"TM", b"UI", b"LO", b"SH"})
_WHOLE_TEXTS = frozenset({b"LT", b"ST", b"UT"})
_ITEM, _ITEM_END, _SEQUENCE_END = 0xE000FFFE, 0xE00DFFFE, 0xE0DDFFFE
_PIXEL_GROUP, _META_GROUP = 0x7FE0, 0x0002
_META_START = 132
# Pixel Data, Float Pixel Data, Double Float Pixel Data
_PIXEL_TAGS = frozenset({0x00107FE0, 0x00087FE0, 0x00097FE0})
_DEEPEST = 16
_SYNTAX = 0x00100002


class Unusual(Exception):
    """The file holds something that the scanner does not read; pydicom has to."""


class BeyondBuffer(Exception):
    """The header goes on behind the bytes that were given."""


def swapped(tag: int) -> int:
    """Group and element as a little-endian reader of four bytes sees them: 0x0008_0016 to 0x0016_0008."""
    return (tag & 0xFFFF) << 16 | tag >> 16


class ScannedHeader:
    """The wanted attributes of one file, with the part of pydicom's Dataset that reading headers needs.

    pixels_at: offset of the element at which the data set turns to pixels, or of its end.
    """

    __slots__ = ("_raw", "is_implicit", "original_encoding", "pixels_at", "syntax")

    def __init__(self, raw: dict[int, tuple[bytes, bytes]], syntax: str, pixels_at: int) -> None:
        self._raw = raw
        self.syntax = syntax
        self.is_implicit = syntax == IMPLICIT_SYNTAX
        self.pixels_at = pixels_at
        self.original_encoding = (self.is_implicit, True)

    def shared(self, own: frozenset[int]) -> SharedPart:
        """What is left without the attributes `own` (keys as of `swapped`): equal for slices that differ in those."""
        return (self.syntax, *(item for item in self._raw.items() if item[0] not in own))

    @classmethod
    def of_shared(cls, part: SharedPart) -> ScannedHeader:
        """The header that holds `part` alone; where its pixels are is not known."""
        return cls(dict(part[1:]), part[0], 0)

    @property
    def file_meta(self) -> ScannedHeader:
        """The meta information; its attributes lie among the others, none of which has their tags."""
        return self

    def __contains__(self, keyword: str | int) -> bool:
        return _key(keyword) in self._raw

    def get(self, keyword: str | int) -> Any:
        """The value as pydicom gives it: text, number, or a tuple of several; None if absent or empty."""
        return self.converted(keyword, _as_it_is)

    def converted(self, keyword: str | int, convert: Callable[[Any], Converted]) -> Converted:
        """What `convert` makes of the value, or of None; remembered, since slices repeat each other's values."""
        found = self._raw.get(_KEYS.get(keyword) or _key(keyword))
        if found is None:
            return convert(None)
        vr, raw = found
        if vr == b"xs":  # US or SS: the sign of the pixels tells (PS3.6, note on ambiguous VRs)
            vr = b"SS" if self.get("PixelRepresentation") == 1 else b"US"
        made: Converted = _remembered(convert, vr, raw)
        return made


def _as_it_is(value: Any) -> Any:
    return value


@lru_cache(maxsize=16384)
def _remembered(convert: Callable[[Any], Any], vr: bytes, raw: bytes) -> Any:
    return convert(_value(vr, raw))


_KEYS: dict[str | int, int] = {}


def _key(keyword: str | int) -> int:
    found = _KEYS.get(keyword)
    if found is None:
        tag = keyword_dict.get(keyword, 0) if isinstance(keyword, str) else int(keyword)
        found = _KEYS[keyword] = swapped(tag)
    return found


def _value(vr: bytes, raw: bytes) -> Any:
    """Bytes of one attribute as a value. Raises Unusual for what pydicom would read in its own way."""
    if not raw:
        return None
    numeric = _NUMBERS.get(vr)
    if numeric is not None:
        if len(raw) % numeric.size:
            raise Unusual
        found = tuple(value for (value,) in numeric.iter_unpack(raw))
        return found[0] if len(found) == 1 else found
    if max(raw) > 0x7E or 0x1B in raw:
        raise Unusual  # another character set, or an escape to one
    text = raw.decode("ascii")
    if vr in _WHOLE_TEXTS:
        return text.rstrip(" \0") or None
    if vr in {b"DS", b"IS"}:
        return _numbers(text, vr)
    if vr not in _PLAIN_TEXTS:
        raise Unusual
    parts = tuple(part.rstrip(" \0") if vr != b"UI" else part.strip(" \0") for part in text.split("\\"))
    if len(parts) == 1:
        return parts[0] or None
    return parts


def _numbers(text: str, vr: bytes) -> Any:
    """Decimal or integer strings; several make a tuple, an empty one among them is pydicom's matter."""
    parts = [part.strip(" \0") for part in text.rstrip("\0 ").split("\\")]
    try:
        found = tuple(float(part) if vr == b"DS" else int(part) for part in parts)
    except ValueError:
        raise Unusual from None
    return found[0] if len(found) == 1 else found


class TagScanner:
    """Scans for a fixed set of attributes. sequences: wanted ones that make a file unusual if present."""

    def __init__(self, tags: Iterable[int], *, sequences: Iterable[int] = ()) -> None:
        self._vr = {swapped(int(tag)): _dictionary_vr(int(tag)) for tag in tags}
        self._vr |= {swapped(tag): b"UI" for tag in (0x00020002, 0x00020003, 0x00020010)}
        self._refused = {swapped(int(tag)) for tag in sequences}

    def scan(self, head: bytes) -> ScannedHeader | None:
        """The header of a file that begins with `head`; None where pydicom has to read it.

        Raises BeyondBuffer if the header does not end within `head`.
        """
        if head[128:132] != b"DICM":
            return None
        raw: dict[int, tuple[bytes, bytes]] = {}
        try:
            at = self._explicit(head, _META_START, raw, is_meta=True)
            syntax = _value(*raw[_SYNTAX]) if _SYNTAX in raw else None
            if not isinstance(syntax, str) or syntax in UNUSUAL_SYNTAXES:
                return None
            if syntax == IMPLICIT_SYNTAX:
                at = self._implicit(head, at, raw)
            else:
                at = self._explicit(head, at, raw, is_meta=False)
        except Unusual:
            return None
        return ScannedHeader(raw, syntax, at)

    def _explicit(self, head: bytes, at: int, raw: dict[int, tuple[bytes, bytes]], *, is_meta: bool) -> int:
        """Walk over explicit elements; returns where the group of pixels begins (or the meta group ends)."""
        unpack, wanted, refused, head_bytes = EXPLICIT_HEAD.unpack_from, self._vr, self._refused, _HEAD_BYTES
        end = len(head) - 12
        while at <= end:
            tag, vr, n_bytes = unpack(head, at)
            group = tag & 0xFFFF
            if group >= _PIXEL_GROUP or is_meta != (group == _META_GROUP):
                return _checked_end(at, tag, is_meta=is_meta)
            before = head_bytes.get(vr)
            if before == 8:
                start, at = at + 8, at + 8 + n_bytes
                if tag in wanted:
                    raw[tag] = (vr, head[start:at])
                continue
            if before is None or tag in refused:
                raise Unusual
            (n_bytes,) = LENGTH.unpack_from(head, at + 8)
            start = at + 12
            if n_bytes == UNDEFINED:
                at = _skip_sequence(head, start, is_implicit=vr == b"UN", depth=0)
                if tag in wanted:
                    raw[tag] = (b"SQ", b"")
                continue
            at = start + n_bytes
            if tag in wanted:
                raw[tag] = (vr, head[start:at])
        raise BeyondBuffer

    def _implicit(self, head: bytes, at: int, raw: dict[int, tuple[bytes, bytes]]) -> int:
        unpack, wanted, refused = IMPLICIT_HEAD.unpack_from, self._vr, self._refused
        end = len(head) - 8
        while at <= end:
            tag, n_bytes = unpack(head, at)
            if tag & 0xFFFF >= _PIXEL_GROUP:
                return _checked_end(at, tag, is_meta=False)
            if tag in refused:
                raise Unusual
            if n_bytes == UNDEFINED:
                at = _skip_sequence(head, at + 8, is_implicit=True, depth=0)
                if tag in wanted:
                    raw[tag] = (b"SQ", b"")
                continue
            start, at = at + 8, at + 8 + n_bytes
            if tag in wanted:
                raw[tag] = (wanted[tag], head[start:at])
        raise BeyondBuffer


def _checked_end(at: int, tag: int, *, is_meta: bool) -> int:
    """The meta group ends anywhere; a data set must end with its pixels, which nothing stands before."""
    if not is_meta and tag not in _PIXEL_TAGS:
        raise Unusual
    return at


def _dictionary_vr(tag: int) -> bytes:
    """The VR that an implicit element has; `xs` where the pixels' sign decides, SQ as it is."""
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return b"??"
    return b"xs" if vr == "US or SS" else vr[:2].encode()


def _skip_sequence(head: bytes, at: int, *, is_implicit: bool, depth: int) -> int:
    """The offset behind a sequence of undefined length that begins at `at`."""
    if depth > _DEEPEST:
        raise Unusual
    end = len(head) - 8
    while at <= end:
        tag, n_bytes = IMPLICIT_HEAD.unpack_from(head, at)
        at += 8
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise Unusual
        at = (
            at + n_bytes
            if n_bytes != UNDEFINED
            else _skip_item(head, at, is_implicit=is_implicit, depth=depth)
        )
    raise BeyondBuffer


def _skip_item(head: bytes, at: int, *, is_implicit: bool, depth: int) -> int:
    end = len(head) - 12
    while at <= end:
        tag, n_bytes = IMPLICIT_HEAD.unpack_from(head, at)
        if tag == _ITEM_END:
            return at + 8
        before, is_unknown = 8, is_implicit
        if not is_implicit:
            _, vr, n_bytes = EXPLICIT_HEAD.unpack_from(head, at)
            found = _HEAD_BYTES.get(vr)
            if found is None:
                raise Unusual
            before, is_unknown = found, vr == b"UN"
            if before == 12:
                (n_bytes,) = LENGTH.unpack_from(head, at + 8)
        at += before
        at = (
            at + n_bytes
            if n_bytes != UNDEFINED
            else _skip_sequence(head, at, is_implicit=is_unknown, depth=depth + 1)
        )
    raise BeyondBuffer
