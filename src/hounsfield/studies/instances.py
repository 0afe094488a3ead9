"""One DICOM file as a small record: what is needed to sort, group and decode it, without its data set.

Headers are read up to the pixels and dropped again, so that ten thousand instances fit in memory.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import pydicom
from pydicom.tag import Tag

from hounsfield.core.errors import HounsfieldError, RefusedInput, StudyError
from hounsfield.studies import limits
from hounsfield.studies.frames import (
    FRAME_KEYWORDS,
    FRAME_PRIVATE_TAGS,
    OWN_KEYWORDS,
    Frame,
    frames_of,
    with_own,
)
from hounsfield.studies.header_values import integer, number, text, texts
from hounsfield.studies.sources import Source
from hounsfield.studies.tag_scanner import BeyondBuffer, ScannedHeader, TagScanner, Unusual, swapped

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from hounsfield.studies.header_values import Header
    from hounsfield.studies.tag_scanner import SharedPart

_NOWHERE = Source("", 0, io.BytesIO)
DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
UNDEFINED_LENGTH = 0xFFFFFFFF
_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"SQ", b"UT", b"UC", b"UR", b"SV", b"UV")
_PIXEL_TAGS = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}

_KEYWORDS = (
    *("SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "Modality", "StudyInstanceUID"),
    *("SeriesInstanceUID", "FrameOfReferenceUID", "SamplesPerPixel", "PhotometricInterpretation"),
    *("NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *(
        "PixelPaddingValue",
        "PixelPaddingRangeLimit",
        "AcquisitionDate",
        "AcquisitionTime",
        "ModalityLUTSequence",
    ),
    *("AnatomicalOrientationType", "PlanarConfiguration", "SeriesDescription", "VolumeFrameOfReferenceUID"),
)
_TAGS = [Tag(keyword) for keyword in (*_KEYWORDS, *FRAME_KEYWORDS)] + [Tag(tag) for tag in FRAME_PRIVATE_TAGS]

_OWN = frozenset(
    swapped(Tag(keyword))
    for keyword in ("SOPInstanceUID", "MediaStorageSOPInstanceUID", "AcquisitionDate", *OWN_KEYWORDS)
)

# A file with functional groups is one of few: pydicom reads it.
_SCANNER = TagScanner(
    _TAGS,
    sequences=[
        Tag("SharedFunctionalGroupsSequence"),
        Tag("PerFrameFunctionalGroupsSequence"),
        Tag("DetectorInformationSequence"),
    ],
)


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the pixels lie in the stream of `open_dicom`. n_bytes: None if encapsulated."""

    keyword: str
    offset_bytes: int
    n_bytes: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """What one file states, as far as sorting, grouping and decoding need it.

    UIDs are "" where unstated. image_type: upper case. padding: first and last stored value that mark
    padding. has_modality_lut: a Modality LUT Sequence takes the place of the rescale. acquired: date and
    time of acquisition as written, for order only. frames: one for each frame, in the file's order.
    """

    source: Source
    sop_instance_uid: str
    sop_class_uid: str
    study_instance_uid: str
    series_instance_uid: str
    modality: str
    transfer_syntax_uid: str
    frame_of_reference_uid: str
    image_type: tuple[str, ...]
    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    padding: tuple[int, int] | None
    has_modality_lut: bool
    anatomical_orientation_type: str
    acquired: str
    pixels: PixelElement | None
    frames: tuple[Frame, ...] = ()

    @property
    def n_frames(self) -> int:
        """Frames in the file, at least 1."""
        return max(len(self.frames), 1)

    @property
    def declared_bytes(self) -> int:
        """Size of the decoded pixels as the header declares it."""
        return (
            self.rows * self.columns * self.samples * self.n_frames * max(1, (self.bits_allocated + 7) // 8)
        )


def open_dicom(source: Source) -> BinaryIO:
    """A stream of the file at 0. A deflated data set is inflated under a limit and restated as explicit.

    Raises RefusedInput if it inflates beyond the limit, StudyError if it cannot be inflated.
    """
    stream = source.open()
    head = stream.read(limits.SNIFFED_BYTES)
    stream.seek(0)
    if DEFLATED.encode() not in head:
        return stream
    syntax, start_bytes = _file_meta(head)
    if syntax != DEFLATED:
        return stream
    with stream:
        stream.seek(start_bytes)
        content = _inflate(stream, source.name)
    meta = b"\x02\0\x10\0UI" + len(EXPLICIT).to_bytes(2, "little") + EXPLICIT.encode()
    length = b"\x02\0\0\0UL\x04\0" + len(meta).to_bytes(4, "little")
    return io.BytesIO(bytes(128) + b"DICM" + length + meta + content)


def data_set_start_bytes(source: Source) -> int:
    """Where the data set begins, after preamble and file meta information: these differ between deliveries."""
    return _file_meta(source.head(64 * 1024))[1]


def _file_meta(head: bytes) -> tuple[str, int]:
    """Transfer Syntax UID ("" if unstated) and the end of the file meta information (PS3.10 7.1)."""
    at = 132 if head[128:132] == b"DICM" else 0
    syntax = ""
    while head[at : at + 2] == b"\x02\0" and at + 12 <= len(head):
        is_long = head[at + 4 : at + 6] in _LONG_VRS
        n_bytes = int.from_bytes(head[at + 8 : at + 12] if is_long else head[at + 6 : at + 8], "little")
        value_at = at + (12 if is_long else 8)
        if head[at + 2 : at + 4] == b"\x10\0":
            syntax = head[value_at : value_at + n_bytes].decode("latin-1").strip(" \0")
        at = value_at + n_bytes
    return syntax, at


def _inflate(stream: BinaryIO, name: str) -> bytes:
    """Inflate piece by piece: pydicom would inflate the whole at once, whatever its size."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    pieces, total_bytes = [], 0
    try:
        for packed in iter(lambda: inflater.unconsumed_tail or stream.read(limits.INFLATE_PIECE_BYTES), b""):
            pieces.append(inflater.decompress(packed, limits.INFLATE_PIECE_BYTES))
            total_bytes += len(pieces[-1])
            if total_bytes > limits.MAX_INFLATED_BYTES:
                raise RefusedInput(
                    f"{name} is a deflated data set that inflates beyond {limits.MAX_INFLATED_BYTES} bytes. Convert "
                    "it to explicit little endian if you trust it."
                )
        pieces.append(inflater.flush())
    except zlib.error as error:
        raise StudyError(
            f"{name} is a deflated data set that cannot be inflated ({error}). Send it again."
        ) from error
    return b"".join(pieces)


def read_data_set(source: Source, *, with_pixels: bool = False) -> Dataset:
    """The whole data set of a file, for writers and derived objects. Raises StudyError naming the file."""
    try:
        with open_dicom(source) as stream:
            return pydicom.dcmread(stream, stop_before_pixels=not with_pixels, force=True)
    except HounsfieldError:
        raise
    # pydicom raises many kinds on damaged bytes (struct.error, EOFError, RecursionError, ...).
    except Exception as error:
        raise _damaged(source.name, error) from error


def read_instance(source: Source, head: bytes = b"") -> Instance:
    """The record of one file. Raises StudyError or RefusedInput with file, fault and remedy.

    head: the first bytes, if they were read already. Plain files are scanned; pydicom reads the others.
    """
    return _scanned(source, head) or read_instance_with_pydicom(source)


def _scanned(source: Source, head: bytes) -> Instance | None:
    for n_bytes in (limits.SNIFFED_BYTES, limits.LONGEST_SCANNED_HEADER_BYTES):
        if len(head) < min(n_bytes, source.size_bytes):
            head = source.head(n_bytes)
        try:
            header = _SCANNER.scan(head)
            if header is None or (integer(header, "NumberOfFrames") or 1) > 1:
                return None
            return _scanned_record(source, header, _scanned_pixels(source, header, head))
        except BeyondBuffer:
            continue
        except Unusual:
            return None
    return None


def _scanned_pixels(source: Source, header: ScannedHeader, head: bytes) -> PixelElement | None:
    at = header.pixels_at
    return _pixel_element_of(head[at : at + 12], at, source.size_bytes, is_implicit=header.is_implicit)


def read_instance_with_pydicom(source: Source) -> Instance:
    """As `read_instance`, for every file that pydicom can read."""
    try:
        with open_dicom(source) as stream:
            if isinstance(stream, io.BytesIO):
                # Inflated or from an archive: offsets are not those of a file that can be read directly.
                source = replace(source, path=None)
            ds = pydicom.dcmread(stream, stop_before_pixels=True, force=True, specific_tags=_TAGS)
            pixels = _pixel_element(stream, ds)
        return _record(source, ds, pixels)
    except HounsfieldError:
        raise
    except Exception as error:
        raise _damaged(source.name, error) from error


def _damaged(name: str, error: Exception) -> StudyError:
    reason = f"{type(error).__name__}: {error}".strip().rstrip(":")
    return StudyError(
        f"{name} is DICOM but its header cannot be read ({reason[:160]}). The file is damaged or cut off: "
        "send it again from the scanner or archive."
    )


def _pixel_element(stream: BinaryIO, ds: Dataset) -> PixelElement | None:
    """The pixel element at which reading stopped; None if the data set ended without one."""
    is_implicit, is_little = ds.original_encoding
    start_bytes = stream.tell()
    head = stream.read(12)
    end_bytes = stream.seek(0, io.SEEK_END)
    return _pixel_element_of(
        head, start_bytes, end_bytes, is_implicit=bool(is_implicit), order="little" if is_little else "big"
    )


def _pixel_element_of(
    head: bytes,
    start_bytes: int,
    end_bytes: int,
    *,
    is_implicit: bool,
    order: Literal["little", "big"] = "little",
) -> PixelElement | None:
    """The element whose first 12 bytes are `head`, if it holds pixels; of a file of `end_bytes`."""
    if len(head) < 8:
        return None
    tag = (int.from_bytes(head[:2], order) << 16) | int.from_bytes(head[2:4], order)
    if tag not in _PIXEL_TAGS:
        return None
    if is_implicit or head[4:6] not in _LONG_VRS:
        n_bytes, offset_bytes = int.from_bytes(head[4:8], order), start_bytes + 8
    else:
        n_bytes, offset_bytes = int.from_bytes(head[8:12], order), start_bytes + 12
    left_bytes = end_bytes - offset_bytes
    if n_bytes == 0 or left_bytes <= 0:
        return None
    if n_bytes == UNDEFINED_LENGTH:
        return PixelElement(_PIXEL_TAGS[tag], offset_bytes, None)
    return PixelElement(_PIXEL_TAGS[tag], offset_bytes, min(n_bytes, left_bytes))


def _scanned_record(source: Source, header: ScannedHeader, pixels: PixelElement | None) -> Instance:
    """As `_record`: what a slice shares with the last ones is not converted again."""
    shared = _shared_record(header.shared(_OWN), pixels.keyword if pixels is not None else "")
    return replace(
        shared,
        source=source,
        sop_instance_uid=_sop_instance_uid(header),
        acquired=_acquired(header),
        pixels=pixels,
        frames=(with_own(shared.frames[0], header),),
    )


# A study of many series takes turns among their shared parts.
@lru_cache(maxsize=256)
def _shared_record(part: SharedPart, pixel_keyword: str) -> Instance:
    pixels = PixelElement(pixel_keyword, 0, 0) if pixel_keyword else None
    return _record(_NOWHERE, ScannedHeader.of_shared(part), pixels)


def _sop_instance_uid(ds: Header) -> str:
    return text(ds, "SOPInstanceUID") or text(_meta(ds), "MediaStorageSOPInstanceUID")


def _acquired(ds: Header) -> str:
    return text(ds, "AcquisitionDate") + text(ds, "AcquisitionTime")


def _meta(ds: Header) -> Any:
    return getattr(ds, "file_meta", None) or {}


def _record(source: Source, ds: Header, pixels: PixelElement | None) -> Instance:
    meta = _meta(ds)
    is_signed = integer(ds, "PixelRepresentation") == 1
    bits_allocated = integer(ds, "BitsAllocated") or 0
    if pixels is not None and pixels.keyword != "PixelData":
        bits_allocated = 64 if pixels.keyword == "DoubleFloatPixelData" else 32
    bits_stored = integer(ds, "BitsStored") or bits_allocated
    high_bit = integer(ds, "HighBit")
    return Instance(
        source=source,
        sop_instance_uid=_sop_instance_uid(ds),
        sop_class_uid=text(ds, "SOPClassUID") or text(meta, "MediaStorageSOPClassUID"),
        study_instance_uid=text(ds, "StudyInstanceUID"),
        series_instance_uid=text(ds, "SeriesInstanceUID"),
        modality=text(ds, "Modality"),
        transfer_syntax_uid=text(meta, "TransferSyntaxUID") or _guessed_syntax(ds),
        frame_of_reference_uid=text(ds, "VolumeFrameOfReferenceUID") or text(ds, "FrameOfReferenceUID"),
        image_type=tuple(part.upper() for part in texts(ds, "ImageType")),
        rows=integer(ds, "Rows") or 0,
        columns=integer(ds, "Columns") or 0,
        samples=integer(ds, "SamplesPerPixel") or 1,
        photometric=text(ds, "PhotometricInterpretation").upper(),
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=bits_stored - 1 if high_bit is None else high_bit,
        is_signed=is_signed,
        padding=_padding(ds, is_signed=is_signed, bits_allocated=bits_allocated),
        has_modality_lut="ModalityLUTSequence" in ds,
        anatomical_orientation_type=text(ds, "AnatomicalOrientationType"),
        acquired=_acquired(ds),
        pixels=pixels,
        frames=frames_of(ds),
    )


def _guessed_syntax(ds: Header) -> str:
    """The encoding in which the data set could be read, for files without file meta information."""
    is_implicit, is_little = ds.original_encoding
    if is_implicit:
        return IMPLICIT
    return EXPLICIT if is_little else BIG_ENDIAN


def _padding(ds: Header, *, is_signed: bool, bits_allocated: int) -> tuple[int, int] | None:
    """Range of stored values that mark padding (PS3.3 C.7.5.1.1.2), turned to the sign of the pixels."""
    value = number(ds, "PixelPaddingValue")
    if value is None:
        return None
    limit = number(ds, "PixelPaddingRangeLimit")

    def signed(stored: float) -> int:
        # Implicit VR does not say whether the value is signed; some writers get it wrong.
        half = 1 << max(bits_allocated - 1, 0)
        return int(stored) - 2 * half if is_signed and stored >= half else int(stored)

    ends = (signed(value), signed(value if limit is None else limit))
    return (min(ends), max(ends))
