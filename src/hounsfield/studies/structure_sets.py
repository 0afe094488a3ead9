"""RT Structure Sets (PS3.3 C.8.8.5 and C.8.8.6): contours drawn on the grid that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import Condition, Series
from hounsfield.core.code import (
    ANATOMICAL_STRUCTURE,
    MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
    SPATIAL_CONCEPT,
)
from hounsfield.core.errors import StudyError
from hounsfield.studies.contours import fill_contours
from hounsfield.studies.dicom_series import series_tags
from hounsfield.studies.header_values import integer, items, text
from hounsfield.studies.instances import read_data_set
from hounsfield.studies.region_series import GivenRegion, unique_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hounsfield.core import Code, Grid, Region
    from hounsfield.studies.instances import Instance
    from hounsfield.studies.region_series import Algorithm

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
# RT ROI Interpreted Type (3006,00A4): what holds a tumour, and what says nothing; all others hold none.
_TUMOUR_TYPES = frozenset({"GTV", "CTV", "ITV"})
_UNSTATED_TYPES = frozenset({"", "NONE"})
_ALGORITHMS: dict[str, Algorithm] = {
    "AUTOMATIC": "AUTOMATIC",
    "SEMIAUTOMATIC": "SEMIAUTOMATIC",
    "MANUAL": "MANUAL",
}


@dataclass(frozen=True, slots=True, eq=False)
class Roi:
    """One structure. contours_mm: closed planar contours, each (n, 3) LPS millimetres."""

    name: str
    label: str
    frame_of_reference_uid: str
    interpreted_type: str
    algorithm: str
    contours_mm: tuple[NDArray[np.float64], ...]
    n_other: int

    @property
    def box_mm(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Lowest and highest corner of all contours."""
        every = np.concatenate(self.contours_mm)
        return tuple(every.min(axis=0).tolist()), tuple(every.max(axis=0).tolist())

    def drawn_on(self, grid: Grid) -> Region:
        """The structure as a mask on `grid`. Raises GeometryError for contours across the slices."""
        mask = fill_contours(self.contours_mm, grid, self.label)
        given = GivenRegion(
            self.name,
            self.label,
            mask,
            category=_category(self.interpreted_type),
            algorithm=_ALGORITHMS.get(self.algorithm, "SEMIAUTOMATIC"),
        )
        return given.on(grid, mask)


def _category(interpreted_type: str) -> Code:
    if interpreted_type in _TUMOUR_TYPES:
        return MORPHOLOGICALLY_ABNORMAL_STRUCTURE
    return SPATIAL_CONCEPT if interpreted_type in _UNSTATED_TYPES else ANATOMICAL_STRUCTURE


def structure_set_series(instance: Instance, key: str) -> Series:
    """The Series of one RTSTRUCT. `tags["contour_boxes_mm"]` holds two corners by structure, LPS.

    Its regions are none on a grid of another frame of reference. Raises StudyError for a damaged file.
    """
    header = read_data_set(instance.source)
    rois = _rois(header)
    frames = {roi.frame_of_reference_uid for roi in rois if roi.frame_of_reference_uid}
    tags: dict[str, Any] = dict(series_tags(header))
    tags["referenced_series_instance_uids"] = _referenced_series(header)
    tags["frame_of_reference_uids"] = tuple(sorted(frames))
    tags["roi_names"] = tuple(roi.label for roi in rois)
    tags["contour_boxes_mm"] = {roi.label: roi.box_mm for roi in rois if roi.contours_mm}
    return Series(
        key=key,
        kind="regions",
        modality=instance.modality or "RTSTRUCT",
        series_instance_uid=instance.series_instance_uid or None,
        description=text(header, "SeriesDescription") or text(header, "StructureSetLabel"),
        tags=MappingProxyType(tags),
        conditions=_conditions(rois, instance),
        files=(instance.source.name,),
        load_headers=lambda: [read_data_set(instance.source)],
        load_regions=_loader(rois),
    )


def _loader(rois: Sequence[Roi]) -> Callable[[Grid], list[Region]]:
    def load(grid: Grid) -> list[Region]:
        uid = grid.frame_of_reference_uid
        same_frame = [
            r for r in rois if not r.frame_of_reference_uid or uid in {None, r.frame_of_reference_uid}
        ]
        return [roi.drawn_on(grid) for roi in same_frame if roi.contours_mm]

    return load


def _rois(header: Dataset) -> list[Roi]:
    contours = {integer(item, "ReferencedROINumber"): item for item in items(header, "ROIContourSequence")}
    types = {
        integer(item, "ReferencedROINumber"): text(item, "RTROIInterpretedType").upper()
        for item in items(header, "RTROIObservationsSequence")
    }
    structures = items(header, "StructureSetROISequence")
    labels = [text(item, "ROIName") or f"ROI {integer(item, 'ROINumber')}" for item in structures]
    rois = []
    for item, name, label in zip(structures, unique_names(labels), labels, strict=True):
        number = integer(item, "ROINumber")
        closed, n_other = _closed_planar(contours.get(number))
        rois.append(
            Roi(
                name,
                label,
                text(item, "ReferencedFrameOfReferenceUID"),
                types.get(number, ""),
                text(item, "ROIGenerationAlgorithm").upper(),
                closed,
                n_other,
            )
        )
    return rois


def _closed_planar(item: Dataset | None) -> tuple[tuple[NDArray[np.float64], ...], int]:
    """Contours of type CLOSED_PLANAR (also its XOR form), and how many others there are."""
    found, n_other = [], 0
    for contour in items(item, "ContourSequence") if item is not None else ():
        if text(contour, "ContourGeometricType").upper() not in {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}:
            n_other += 1
            continue
        points = _points_mm(contour)
        if points is not None:
            found.append(points)
    return tuple(found), n_other


def _points_mm(contour: Dataset) -> NDArray[np.float64] | None:
    """Contour Data (3006,0050) as (n, 3); read from the raw text, as each number would become an object.

    None for fewer than three points. Raises StudyError for what are no triples of finite numbers.
    """
    if "ContourData" not in contour:
        return None
    value = contour.get_item("ContourData").value
    numbers = value.decode("latin-1").split("\\") if isinstance(value, bytes) else list(value or ())
    try:
        flat = np.array(numbers, dtype=np.float64)
    except ValueError:
        flat = np.full(1, np.nan)
    if flat.size % 3 or not np.isfinite(flat).all():
        raise StudyError(
            f"a contour of the structure set has {len(numbers)} values in Contour Data (3006,0050), which are no triples "
            "of numbers. Send the structure set again."
        )
    return flat.reshape(-1, 3) if flat.size >= 9 else None


def _referenced_series(header: Dataset) -> tuple[str, ...]:
    uids = [
        text(series, "SeriesInstanceUID")
        for frame in items(header, "ReferencedFrameOfReferenceSequence")
        for study in items(frame, "RTReferencedStudySequence")
        for series in items(study, "RTReferencedSeriesSequence")
    ]
    return tuple(dict.fromkeys(filter(None, uids)))


def _conditions(rois: Sequence[Roi], instance: Instance) -> tuple[Condition, ...]:
    found = []
    where = (instance.sop_instance_uid or instance.source.name,)
    empty = [roi.label for roi in rois if not roi.contours_mm]
    if empty:
        said = f"These structures have no closed contour and were left out: {', '.join(empty[:8])}."
        found.append(Condition("structure-empty", "note", said, where))
    others = [roi.label for roi in rois if roi.n_other and roi.contours_mm]
    if others:
        said = f"Points and open contours of these structures were left out: {', '.join(others[:8])}."
        found.append(Condition("contour-not-closed", "note", said, where))
    return tuple(found)
