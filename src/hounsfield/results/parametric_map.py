"""DICOM Parametric Map: the explanations of a reading on the pixels of the source (PS3.3 A.75).

One object a map, since each explains one finding by one method. Pixels are 32 bit floats from 0 to 1, on the source's
own planes and Frame of Reference; a Real World Value Mapping says what they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import Code
from hounsfield.core.code import EXPLANATION
from hounsfield.core.errors import ResultError
from hounsfield.results import dicom_context as dicom
from hounsfield.results.secondary_capture import UNPAIRED
from hounsfield.results.source_frames import Plane, planes_of_slices
from hounsfield.results.writer import NOT_DICOM, Context, needs_dicom, result_writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

    from hounsfield.core import ExplanationMap

NO_UNIT = Code("1", "UCUM", "no units")


def left_out_because(context: Context) -> str | None:
    """Why a reading has no parametric map; decided before any pixel is written."""
    if context.dicom is None:
        return needs_dicom(context)
    maps, grid = context.reading.maps, context.main.grid
    if not maps:
        return "the reading holds no map that explains a finding"
    if grid is None or any(not item.grid.is_same_as(grid) for item in maps):
        return "its maps do not lie on the grid of the main series"
    if grid.affine is None:
        # PS3.3 A.75.3: Plane Position and Plane Orientation are mandatory in every frame.
        return "the source states no position in the patient, which a parametric map must"
    if "FrameOfReferenceUID" not in context.dicom.first:
        return "the source series states no Frame of Reference UID (0020,0052)"
    planes = planes_of_slices(context.main, context.dicom.headers)
    return planes if isinstance(planes, str) else None


@result_writer("parametric_map", left_out_because=left_out_because)
def write_parametric_map(context: Context, folder: Path) -> list[Path]:
    """Write `dicom/map-<n>.dcm`, one a map, all in one series."""
    source = context.dicom
    planes = planes_of_slices(context.main, source.headers) if source else NOT_DICOM
    if isinstance(planes, str) or source is None:
        raise ResultError(f"no parametric map can be written: {planes}")
    paths = []
    for index, item in enumerate(context.reading.maps):
        path = folder / "dicom" / f"map-{index + 1}.dcm"
        dicom.save(_map(source, item, planes, index), path)
        paths.append(path)
    return paths


def _map(source: dicom.DicomSource, item: ExplanationMap, planes: Sequence[Plane], index: int) -> Dataset:
    import highdicom as hd

    values = np.asarray(item.values, dtype=np.float32)
    label = dicom.plain(f"{item.method.meaning} of {item.finding}", 64)
    built: Dataset = hd.pm.ParametricMap(
        source_images=[_stand_in(plane, like=planes[0]) for plane in planes],
        pixel_array=values,
        series_instance_uid=source.series_uid(dicom.PARAMETRIC_MAP),
        series_number=dicom.PARAMETRIC_MAP.series_number,
        sop_instance_uid=source.instance_uid(dicom.PARAMETRIC_MAP, index),
        instance_number=index + 1,
        manufacturer=dicom.MANUFACTURER,
        manufacturer_model_name=dicom.MANUFACTURER,
        software_versions="1",
        device_serial_number="1",
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[_mapping(label)],
        voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.5, window_width=1.0)],
        content_label="EXPLANATION",
        content_description=label,
    )
    dicom.stamp(built, source, dicom.PARAMETRIC_MAP, index=index)
    if built.get("BodyPartExamined") not in UNPAIRED:
        built.Laterality = None  # 2C: the source states no side
    built.SourceImageSequence = [dicom.source_image(header) for header in source.headers]
    built.ReferencedSeriesSequence = dicom.referenced_series(source.headers)
    built.ImageComments = dicom.plain(item.evidence, 10240)
    built.DerivationDescription = dicom.plain(f"{label}, made by {dicom.made_by(source)}", 1024)
    _derive_dimension_uid(built, source)
    dicom.lossy_history(built, source)
    return built


def _mapping(label: str) -> Any:
    import highdicom as hd

    return hd.pm.RealWorldValueMapping(
        lut_label="WEIGHT",
        lut_explanation=label,
        unit=hd.sr.CodedConcept(NO_UNIT.value, NO_UNIT.scheme, NO_UNIT.meaning),
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
        quantity_definition=hd.sr.CodedConcept(EXPLANATION.value, EXPLANATION.scheme, EXPLANATION.meaning),
    )


def _stand_in(plane: Plane, *, like: Plane) -> Dataset:
    """The plane as a plain CT slice for highdicom, whose checks real headers often fail.

    like: the slice whose orientation and spacing all get, since the grid has one of each and headers may round them
    differently.
    """
    from pydicom.dataset import Dataset
    from pydicom.uid import CTImageStorage

    header, item = plane.header, Dataset()
    item.SOPClassUID, item.Modality = CTImageStorage, "OT"
    item.SOPInstanceUID, item.SeriesInstanceUID = header.SOPInstanceUID, header.SeriesInstanceUID
    item.StudyInstanceUID, item.FrameOfReferenceUID = header.StudyInstanceUID, header.FrameOfReferenceUID
    item.Rows, item.Columns = header.Rows, header.Columns
    for keyword in dicom.TYPE_2:
        setattr(item, keyword, None)
    item.PositionReferenceIndicator = header.get("PositionReferenceIndicator", "")
    item.ImagePositionPatient = dicom.decimal_strings(plane.position_mm)
    item.ImageOrientationPatient = dicom.decimal_strings(like.cosines)
    item.PixelSpacing = dicom.decimal_strings(like.pixel_spacing_mm)
    # Type 2 in an image, type 1 here: where the file states none, a slice has no thickness that were known.
    item.SliceThickness = plane.thickness_mm if plane.thickness_mm is not None else 0.0
    return item


def _derive_dimension_uid(built: Dataset, source: dicom.DicomSource) -> None:
    """Replace the random Dimension Organization UID, so that two runs give equal objects."""
    uid = source.derive_uid(dicom.PARAMETRIC_MAP.name, "dimensions")
    for item in [*built.DimensionOrganizationSequence, *built.DimensionIndexSequence]:
        item.DimensionOrganizationUID = uid
