"""The frames of a DICOM Segmentation: bits and functional groups of every slice that a segment marks.

A segmentation of the chest holds a thousand frames that repeat a few hundred places and sources. Each of these is
encoded once and the items of the Per-Frame Functional Groups are put together from the bytes: pydicom would
encode them for every frame anew, which took most of the time of writing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import Code
from hounsfield.results import dicom_context as dicom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

    from hounsfield.core import Region
    from hounsfield.results.source_frames import Plane

# CID 7203
_DERIVATION = Code("113076", "DCM", "Segmentation")
_ITEM = struct.Struct("<HHI")


@dataclass(frozen=True, slots=True)
class SegmentFrame:
    """One frame. segment_number: from 1. k: its slice on the grid. place: of the slice among the marked ones, from 1."""

    segment_number: int
    k: int
    place: int


def frames_of_regions(regions: Sequence[Region]) -> list[SegmentFrame]:
    """A frame for each slice in which a region marks a voxel: by segment, then along the grid."""
    marked = [_marked_slices(region) for region in regions]
    places = {k: place for place, k in enumerate(sorted(set().union(*marked)), start=1)}
    return [
        SegmentFrame(number, k, places[k]) for number, slices in enumerate(marked, start=1) for k in slices
    ]


def _marked_slices(region: Region) -> list[int]:
    return [k for k in range(region.grid.shape[0]) if region.slice_mask(k).any()]


def add_pixels(seg: Dataset, regions: Sequence[Region], frames: Sequence[SegmentFrame]) -> None:
    """State size and bits of the frames, and whether segments overlap.

    regions: masks, by segment number from 1. Frame follows frame without padding (PS3.5 8.1.1), so eight
    of them fill whole bytes whatever their size.
    """
    seg.NumberOfFrames, (seg.Rows, seg.Columns) = len(frames), regions[0].grid.shape[1:]
    seg.SegmentsOverlap = "YES" if _overlap(regions, sorted({frame.k for frame in frames})) else "NO"
    pieces = [
        np.packbits(
            np.stack([regions[f.segment_number - 1].slice_mask(f.k) for f in eight]), bitorder="little"
        ).data
        for eight in (frames[start : start + 8] for start in range(0, len(frames), 8))
    ]
    padding = bytes(sum(piece.nbytes for piece in pieces) % 2)
    seg.add_new("PixelData", "OB", b"".join([*pieces, padding]))


def _overlap(regions: Sequence[Region], slices: Sequence[int]) -> bool:
    """Whether a voxel of these slices lies in two regions."""
    for k in slices:
        seen = regions[0].slice_mask(k).copy()
        for region in regions[1:]:
            mask = region.slice_mask(k)
            if (seen & mask).any():
                return True
            seen |= mask
    return False


def add_functional_groups(seg: Dataset, planes: Sequence[Plane], frames: Sequence[SegmentFrame]) -> None:
    """State place, source and segment of every frame. planes: by slice of the grid.

    The shared groups and the dimensions are there already: those of highdicom for one frame. `seg` can then be
    written in explicit little endian only.
    """
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    n_dimensions = len(seg.DimensionIndexSequence)
    is_placed = n_dimensions > 1
    slices = {frame.k: planes[frame.k] for frame in frames}
    sources = {k: _encoded(DerivationImageSequence=[_derivation(plane)]) for k, plane in slices.items()}
    places = {
        k: _encoded(PlanePositionSequence=[_position(p)]) if is_placed else b"" for k, p in slices.items()
    }
    numbers = {f.segment_number for f in frames}
    segments = {n: _encoded(SegmentIdentificationSequence=[_one(ReferencedSegmentNumber=n)]) for n in numbers}
    # Of one length whatever the numbers are, which come last.
    index = struct.Struct(f"<{n_dimensions}I")
    content = _encoded(FrameContentSequence=[_one(DimensionIndexValues=[0] * n_dimensions)])[: -index.size]
    pieces = []
    for f in frames:
        values = index.pack(*(f.segment_number, f.place)[:n_dimensions])
        # In the order of their tags: 0008,9124; 0020,9111; 0020,9113; 0062,000A.
        item = b"".join((sources[f.k], content, values, places[f.k], segments[f.segment_number]))
        pieces += [_ITEM.pack(0xFFFE, 0xE000, len(item)), item]
    encoded = b"".join(pieces)
    tag = Tag("PerFrameFunctionalGroupsSequence")
    seg[tag] = RawDataElement(tag, "SQ", len(encoded), encoded, 0, False, True)


def keep_encoded(seg: Dataset) -> None:
    """Let `seg`, which is complete, be written without decoding its functional groups and encoding them again."""
    from pydicom.charset import convert_encodings, default_encoding

    stated = seg.get("SpecificCharacterSet")
    seg.set_original_encoding(False, True, convert_encodings(stated) if stated else default_encoding)


def _one(**attributes: Any) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def _encoded(**attributes: Any) -> bytes:
    """Attributes in explicit little endian."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, _one(**attributes))
    return bytes(stream.getvalue())


def _position(plane: Plane) -> Dataset:
    return _one(ImagePositionPatient=dicom.decimal_strings(plane.position_mm))


def _derivation(plane: Plane) -> Dataset:
    """The true instance, and in a multi-frame source the frame, that the slice was drawn on."""
    in_frames = int(plane.header.get("NumberOfFrames") or 1) > 1
    reference = dicom.source_image(plane.header, plane.frame_number if in_frames else None)
    reference.SpatialLocationsPreserved = "YES"
    return _one(DerivationCodeSequence=[dicom.coded(_DERIVATION)], SourceImageSequence=[reference])
