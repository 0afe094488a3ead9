"""DICOM Segmentation (PS3.3 A.51, C.8.20): binary, fractional (from one half) and label maps as regions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import Code, Condition, Grid, Series
from hounsfield.core.code import (
    ANATOMICAL_STRUCTURE,
    LEFT,
    MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
    RIGHT,
    SPATIAL_CONCEPT,
)
from hounsfield.core.errors import HounsfieldError, StudyError
from hounsfield.studies.dicom_series import series_tags
from hounsfield.studies.header_values import (
    first_item,
    integer,
    items,
    number,
    quiet_pydicom,
    text,
)
from hounsfield.studies.instances import read_data_set
from hounsfield.studies.region_series import GivenRegion, drawn_on, unique_names
from hounsfield.studies.segmentation_grids import FrameGrid, frame_grid
from hounsfield.studies.stored_values import check_declared_size, stored_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hounsfield.core import Region
    from hounsfield.studies.instances import Instance
    from hounsfield.studies.region_series import Algorithm

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.7"
# A fractional voxel belongs to the segment from one half of the largest value.
HALF = 0.5
# A search for one byte is some fifty times faster than counting them all.
_FEW_VALUES = 32
# Categories by code value, also of the older SRT scheme: the words for them differ from file to file.
_CATEGORIES = {
    MORPHOLOGICALLY_ABNORMAL_STRUCTURE.value: MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
    "M-01000": MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
    ANATOMICAL_STRUCTURE.value: ANATOMICAL_STRUCTURE,
    "123037004": ANATOMICAL_STRUCTURE,
    "T-D000A": ANATOMICAL_STRUCTURE,
}
_LATERALITY = {LEFT.value: LEFT, RIGHT.value: RIGHT, "G-A101": LEFT, "G-A100": RIGHT}
_ALGORITHMS: dict[str, Algorithm] = {
    "AUTOMATIC": "AUTOMATIC",
    "SEMIAUTOMATIC": "SEMIAUTOMATIC",
    "MANUAL": "MANUAL",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    number: int
    name: str
    label: str
    concept: Code | None
    category: Code
    laterality: Code | None
    algorithm: Algorithm
    site: Code | None
    tracking_uid: str | None


@dataclass(frozen=True, slots=True, eq=False)
class _Contents:
    """frames: their places. numbers: the segment of each frame. threshold: from which value a voxel belongs to it;
    None in a label map, where the values are segments.
    """

    instance: Instance
    segments: tuple[_Segment, ...]
    frames: FrameGrid
    numbers: tuple[int | None, ...]
    threshold: int | None


def segmentation_series(instance: Instance, key: str) -> Series:
    """The Series of one SEG, on its own grid; one that cannot be read is `other` with the refusal told."""
    header = read_data_set(instance.source)
    tags: dict[str, Any] = dict(series_tags(header))
    tags["referenced_series_instance_uids"] = tuple(
        filter(None, (text(item, "SeriesInstanceUID") for item in items(header, "ReferencedSeriesSequence")))
    )
    contents: _Contents | None = None
    refusals: tuple[Condition, ...] = ()
    try:
        check_declared_size(instance)
        contents = _contents(instance, header)
        tags["has_stated_step"] = contents.frames.has_stated_step
    except HounsfieldError as error:
        where = (instance.sop_instance_uid or instance.source.name,)
        refusals = (Condition("segmentation-refused", "refusal", str(error), where),)
    return Series(
        key=key,
        kind="regions" if contents is not None else "other",
        modality=instance.modality or "SEG",
        series_instance_uid=instance.series_instance_uid or None,
        description=text(header, "SeriesDescription") or text(header, "ContentLabel"),
        grid=contents.frames.grid if contents is not None else None,
        tags=MappingProxyType(tags),
        conditions=refusals,
        files=(instance.source.name,),
        load_headers=lambda: [read_data_set(instance.source)],
        load_regions=partial(_regions_on, contents) if contents is not None else None,
    )


def _contents(instance: Instance, header: Dataset) -> _Contents:
    kind = text(header, "SegmentationType").upper()
    is_label_map = kind == "LABELMAP" or instance.sop_class_uid == LABEL_MAP_SEGMENTATION
    largest = number(header, "MaximumFractionalValue") or 1.0
    segments = _segments(header, is_label_map=is_label_map)
    if not segments:
        raise StudyError(
            f"{instance.source.name} describes no segment (Segment Sequence, 0062,0002), so nobody knows what its frames "
            "mark. Export it again."
        )
    return _Contents(
        instance,
        segments,
        frame_grid(instance, header),
        tuple(frame.segment_number for frame in instance.frames),
        None if is_label_map else ceil(HALF * largest if kind == "FRACTIONAL" else 1.0),
    )


def _regions_on(contents: _Contents, grid: Grid) -> list[Region]:
    """The segments on `grid`: frame by frame where its voxels are theirs, else by nearest voxel."""
    slots = contents.frames.slots_on(grid)
    if slots is not None:
        return [region.on(grid, region.mask) for region in _given(contents, slots, grid.shape)]
    own = contents.frames.grid
    given = _given(contents, contents.frames.slots, own.shape)
    return drawn_on(given, own, grid, contents.instance.source.name, same_place=Grid.is_same_as)


def _given(contents: _Contents, slots: tuple[int, ...], shape: tuple[int, int, int]) -> list[GivenRegion]:
    """The segments as masks of that shape, each frame in its slot; frames beyond the ends are left out."""
    masks = {s.number: np.zeros(shape, dtype=bool) for s in contents.segments}
    placed = [k for k, slot in enumerate(slots) if 0 <= slot < shape[0]]
    wanted = [(contents.instance, k + 1) for k in placed]
    drawn: set[tuple[int, int]] = set()
    with quiet_pydicom():
        for k, stored in zip(placed, stored_frames(wanted, with_palette=False), strict=True):
            for segment in _segments_in(contents, k, stored):
                place = (segment, slots[k])
                _mark_in_place(masks[segment][slots[k]], contents, segment, stored, adds=place in drawn)
                drawn.add(place)
    return [
        GivenRegion(
            s.name,
            s.label,
            masks[s.number],
            s.concept,
            s.category,
            s.laterality,
            s.algorithm,
            s.site,
            s.tracking_uid,
        )
        for s in contents.segments
    ]


def _mark_in_place(
    slice_: NDArray[np.bool_], contents: _Contents, segment: int, stored: NDArray[Any], *, adds: bool
) -> None:
    """Mark the voxels of a segment in its slice. adds: to those that an earlier frame of it marked there."""
    marked = stored == segment if contents.threshold is None else stored >= contents.threshold
    # Only the rows that hold something (none of an empty frame): what nobody writes to takes no memory.
    content, n_columns = marked.tobytes(), marked.shape[1]
    rows = slice(content.find(1) // n_columns, content.rfind(1) // n_columns + 1)
    if adds:
        slice_[rows] |= marked[rows]
    else:
        slice_[rows] = marked[rows]


def _segments_in(contents: _Contents, k: int, stored: NDArray[Any]) -> set[int]:
    """The described segments that frame `k` holds: that which it states, or the values of a label map."""
    described = {s.number for s in contents.segments}
    if contents.threshold is not None:
        number_ = contents.numbers[k]
        return {number_} & described if number_ is not None else set()
    if stored.dtype == np.uint8 and len(described) <= _FEW_VALUES:
        content = stored.tobytes()
        return {value for value in described if value < 256 and bytes([value]) in content}
    is_counted = stored.dtype in {np.dtype(np.uint8), np.dtype(np.uint16)}
    values = np.flatnonzero(np.bincount(stored.ravel())) if is_counted else np.unique(stored)
    return set(values.tolist()) & described


def _segments(header: Dataset, *, is_label_map: bool) -> tuple[_Segment, ...]:
    described = [
        (integer(item, "SegmentNumber"), item)
        for item in items(header, "SegmentSequence")
        # Value 0 of a label map is the background, which may be described as a segment.
        if not (is_label_map and integer(item, "SegmentNumber") == 0)
    ]
    labels = [text(item, "SegmentLabel") or f"segment {number_}" for number_, item in described]
    made = []
    for (number_, item), name, label in zip(described, unique_names(labels), labels, strict=True):
        kind = first_item(item, "SegmentedPropertyTypeCodeSequence")
        modifier = first_item(kind, "SegmentedPropertyTypeModifierCodeSequence") if kind is not None else None
        made.append(
            _Segment(
                number_ or 0,
                name,
                label,
                _code(kind),
                _category(first_item(item, "SegmentedPropertyCategoryCodeSequence")),
                _LATERALITY.get(text(modifier, "CodeValue")) if modifier is not None else None,
                _ALGORITHMS.get(text(item, "SegmentAlgorithmType").upper(), "SEMIAUTOMATIC"),
                _code(first_item(item, "AnatomicRegionSequence")),
                text(item, "TrackingUID") or None,
            )
        )
    return tuple(made)


def _category(item: Dataset | None) -> Code:
    stated = _code(item)
    return _CATEGORIES.get(stated.value, stated) if stated is not None else SPATIAL_CONCEPT


def _code(item: Dataset | None) -> Code | None:
    if item is None:
        return None
    value = text(item, "CodeValue") or text(item, "LongCodeValue")
    scheme, meaning = text(item, "CodingSchemeDesignator"), text(item, "CodeMeaning")
    return Code(value, scheme[:16], meaning[:64]) if value and scheme and meaning else None
