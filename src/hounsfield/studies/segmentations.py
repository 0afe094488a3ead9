"""DICOM Segmentation (PS3.3 A.51, C.8.20): binary, fractional (from one half) and label maps as regions."""

from __future__ import annotations

from dataclasses import dataclass
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
from hounsfield.core.errors import GeometryError, HounsfieldError
from hounsfield.imaging.affine import affine_from_planes, plane_normal
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
from hounsfield.studies.stored_values import check_declared_size, stored_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hounsfield.core import Region
    from hounsfield.studies.instances import Instance
    from hounsfield.studies.region_series import Algorithm

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.7"
# A fractional voxel belongs to the segment from one half of the largest value.
HALF = 0.5
# Frames further from a whole number of steps than this do not lie on one grid.
_OFF_GRID_STEPS = 0.1
# Frames 3 and 5 slices apart lie on a grid of a third of 3; beyond this nothing is a common step by chance only.
_MOST_PARTS = 8
_LEAST_STEP_MM = 0.05
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
    """slots: place of each frame on the grid; numbers: its segment, None in a label map."""

    instance: Instance
    segments: tuple[_Segment, ...]
    grid: Grid
    slots: tuple[int, ...]
    numbers: tuple[int | None, ...]
    is_label_map: bool
    threshold: float


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
    except HounsfieldError as error:
        where = (instance.sop_instance_uid or instance.source.name,)
        refusals = (Condition("segmentation-refused", "refusal", str(error), where),)
    return Series(
        key=key,
        kind="regions" if contents is not None else "other",
        modality=instance.modality or "SEG",
        series_instance_uid=instance.series_instance_uid or None,
        description=text(header, "SeriesDescription") or text(header, "ContentLabel"),
        grid=contents.grid if contents is not None else None,
        tags=MappingProxyType(tags),
        conditions=refusals,
        files=(instance.source.name,),
        load_headers=lambda: [read_data_set(instance.source)],
        load_regions=_loader(contents) if contents is not None else None,
    )


def _loader(contents: _Contents) -> Callable[[Grid], list[Region]]:
    def load(grid: Grid) -> list[Region]:
        given = _given(contents)
        return drawn_on(given, contents.grid, grid, contents.instance.source.name, same_place=_is_same)

    return load


def _is_same(grid: Grid, other: Grid) -> bool:
    """Whether the voxels are the same. DS strings round positions, so a hundredth of a millimetre is allowed."""
    return grid.is_same_as(other, tolerance_mm=0.01)


def _given(contents: _Contents) -> list[GivenRegion]:
    masks = {s.number: np.zeros(contents.grid.shape, dtype=bool) for s in contents.segments}
    wanted = [(contents.instance, k + 1) for k in range(len(contents.slots))]
    with quiet_pydicom():
        frames = stored_frames(wanted, with_palette=False)
        for stored, slot, segment in zip(frames, contents.slots, contents.numbers, strict=True):
            # A label map holds all segments in one frame; the other kinds one segment a frame.
            values = np.unique(stored).tolist() if contents.is_label_map else [segment]
            for value in set(values) & set(masks):
                masks[value][slot] |= (
                    stored == value if contents.is_label_map else stored >= contents.threshold
                )
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


def _contents(instance: Instance, header: Dataset) -> _Contents:
    kind = text(header, "SegmentationType").upper()
    is_label_map = kind == "LABELMAP" or instance.sop_class_uid == LABEL_MAP_SEGMENTATION
    shared = first_item(header, "SharedFunctionalGroupsSequence")
    per_frame = items(header, "PerFrameFunctionalGroupsSequence")
    numbers: list[int | None] = []
    for k in range(instance.n_frames):
        groups = [group for group in (*per_frame[k : k + 1], shared) if group is not None]
        found = (first_item(group, "SegmentIdentificationSequence") for group in groups)
        item = next((one for one in found if one is not None), None)
        numbers.append(integer(item, "ReferencedSegmentNumber") if item is not None else None)
    grid, slots = _own_grid(instance, header)
    largest = number(header, "MaximumFractionalValue") or 1.0
    return _Contents(
        instance,
        _segments(header, is_label_map=is_label_map),
        grid,
        slots,
        tuple(numbers),
        is_label_map,
        HALF * largest if kind == "FRACTIONAL" else 1.0,
    )


def _own_grid(instance: Instance, header: Dataset) -> tuple[Grid, tuple[int, ...]]:
    """The grid that the frames span, empty planes between them included, and the place of each frame.

    Raises GeometryError or StudyError through the checks of affine and grid.
    """
    uid = instance.frame_of_reference_uid or None
    frames = instance.frames
    if not all(frame.has_plane for frame in frames):
        return _unplaced_grid(instance, header, uid)
    normal = plane_normal(frames[0].cosines or ())
    positions = np.array([frame.position_mm for frame in frames])
    along = positions @ normal
    first = int(along.argmin())
    offsets = along - along[first]
    step_mm = _step_mm(header, offsets)
    slots = np.rint(offsets / step_mm).astype(np.int64)
    if np.abs(offsets / step_mm - slots).max() > _OFF_GRID_STEPS:
        raise GeometryError(
            f"the frames of {instance.source.name} are no whole number of {step_mm:g} mm apart, so they lie on no "
            "one grid. Write the segmentation again on its source series."
        )
    row_mm, column_mm = (frames[0].pixel_spacing_mm or (0.0, 0.0))[:2]
    n_slots = int(slots.max()) + 1
    step = normal * step_mm
    if n_slots > 1:
        last = int(along.argmax())
        step = (positions[last] - positions[first]) / (n_slots - 1)
    affine = affine_from_planes(positions[first], step, frames[0].cosines or (), (row_mm, column_mm))
    return Grid((n_slots, instance.rows, instance.columns), affine, uid), tuple(int(slot) for slot in slots)


def _unplaced_grid(instance: Instance, header: Dataset, uid: str | None) -> tuple[Grid, tuple[int, ...]]:
    """Frames without a place can only lie on one picture, each segment once."""
    name = instance.source.name
    if integer(header, "TotalPixelMatrixRows"):
        raise GeometryError(
            f"{name} segments a whole slide image in tiles, which are not put together here. Use a program for slides."
        )
    is_label_map = text(header, "SegmentationType").upper() == "LABELMAP"
    n_most = 1 if is_label_map else max(len(items(header, "SegmentSequence")), 1)
    if instance.n_frames > n_most:
        raise GeometryError(
            f"{name} holds {instance.n_frames} frames without a place, so they lie on several pictures or times, and "
            "which is not known. Write one segmentation for each picture."
        )
    return Grid((1, instance.rows, instance.columns), None, uid), (0,) * instance.n_frames


def _step_mm(header: Dataset, offsets_mm: NDArray[np.float64]) -> float:
    """The step of the grid that the frames lie on; empty frames may be missing anywhere.

    It is the largest of which all distances are multiples, made finer where the file states the distance of
    slices, or their thickness, and that goes into it: a finer grid holds the same frames in the same places,
    while a coarser one would spread them over slices that they do not mark.
    """
    shared = first_item(header, "SharedFunctionalGroupsSequence")
    measures = first_item(shared, "PixelMeasuresSequence") if shared is not None else None
    source = measures if measures is not None else header
    stated = [
        abs(mm)
        for mm in (number(source, "SpacingBetweenSlices"), number(source, "SliceThickness"))
        if mm is not None and abs(mm) >= _LEAST_STEP_MM
    ]
    common = _common_step_mm(offsets_mm)
    if common is None:
        return stated[0] if stated else 1.0
    for mm in stated:
        n_steps = round(common / mm)
        if n_steps >= 1 and abs(common / mm - n_steps) <= _OFF_GRID_STEPS:
            return common / n_steps
    return common


def _common_step_mm(offsets_mm: NDArray[np.float64]) -> float | None:
    """The largest step of which all offsets are multiples, else their smallest distance; None for one place."""
    distances = np.diff(np.unique(offsets_mm.round(4)))
    distances = distances[distances > 1e-3]
    if not distances.size:
        return None
    smallest = float(distances.min())
    for n_parts in range(1, _MOST_PARTS + 1):
        steps = offsets_mm * n_parts / smallest
        if np.abs(steps - np.rint(steps)).max() <= _OFF_GRID_STEPS:
            return smallest / n_parts
    return smallest


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
