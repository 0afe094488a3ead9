"""DICOM Segmentation: the masks of a reading on the pixels of the source (PS3.3 A.51).

BINARY, one SEG a source series, on the source's own planes and Frame of Reference, segments 1..n
without gaps, no empty segment and no empty frame: what every viewer that shows SEG at all can show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import Code
from hounsfield.core.errors import ResultError
from hounsfield.results import dicom_context as dicom
from hounsfield.results.segmentation_frames import (
    add_functional_groups,
    add_pixels,
    frames_of_regions,
    keep_encoded,
)
from hounsfield.results.source_frames import Plane, planes_of_slices
from hounsfield.results.writer import NOT_DICOM, Context, needs_dicom, result_writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

    from hounsfield.core import Region, Series

# Okabe and Ito 2008, without black: told apart by colour-blind readers.
COLOURS_RGB = (
    *((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66)),
    *((0, 114, 178), (213, 94, 0), (204, 121, 167)),
)
# CID 7162 has no code for "rules on pixel values". Ours threshold and then open, close, fill and label,
# so Morphological Operations (123104) is the member that is true of them; Artificial Intelligence
# (123110) would claim a model that was not there.
FAMILY = {
    "model": Code("123110", "DCM", "Artificial Intelligence"),
    "rule": Code("123104", "DCM", "Morphological Operations"),
}


def segments(context: Context) -> tuple[Region, ...]:
    """The regions that become segments 1..n: masks with at least one voxel, in the reading's order."""
    return tuple(r for r in context.reading.regions if r.kind == "mask" and not r.is_empty)


def left_out_because(context: Context) -> str | None:
    """Why a reading has no segmentation; decided before any pixel is written."""
    if context.dicom is None:
        return needs_dicom(context)
    regions = segments(context)
    if not regions:
        return "the reading marks no voxel, and an empty segmentation stops some viewers"
    grid = context.main.grid
    if grid is None or any(not region.grid.is_same_as(grid) for region in regions):
        return "its regions do not lie on the grid of the main series"
    if grid.affine is not None and "FrameOfReferenceUID" not in context.dicom.first:
        return "the source series states no Frame of Reference UID (0020,0052)"
    if grid.affine is None and len(context.main.source) > 1:
        return "the source has several frames and states no position for them"
    planes = planes_of_slices(context.main, context.dicom.headers)
    return planes if isinstance(planes, str) else None


@result_writer("segmentation", left_out_because=left_out_because)
def write_segmentation(context: Context, folder: Path) -> list[Path]:
    """Write `dicom/segmentation.dcm`: every mask of the reading as one segment."""
    source = context.dicom
    planes = planes_of_slices(context.main, source.headers) if source else NOT_DICOM
    if isinstance(planes, str) or source is None:
        raise ResultError(f"no segmentation can be written: {planes}")
    regions = segments(context)
    frames = frames_of_regions(regions)
    seg = _shell(context, source, regions, planes[frames[0].k])
    add_pixels(seg, regions, frames)
    add_functional_groups(seg, planes, frames)
    _state_slice_distance(seg, context.main)
    dicom.stamp(seg, source, dicom.SEGMENTATION)
    if not context.main.grid or not context.main.grid.has_millimetres:
        # PS3.3 C.7.6.1: a picture without a place says which way its rows and columns run, if that is known.
        seg.PatientOrientation = source.first.get("PatientOrientation")
    seg.SourceImageSequence = [dicom.source_image(header) for header in source.headers]
    seg.ReferencedSeriesSequence = dicom.referenced_series(source.headers)
    _derive_dimension_uid(seg, source)
    dicom.lossy_history(seg, source)
    keep_encoded(seg)
    path = folder / "dicom" / "segmentation.dcm"
    dicom.save(seg, path)
    return [path]


def _shell(context: Context, source: dicom.DicomSource, regions: Sequence[Region], plane: Plane) -> Dataset:
    """What highdicom makes of one pixel on that plane: modules, segments, dimensions and shared groups.

    Every segment but the first is then empty, and only the first has a frame.
    """
    import highdicom as hd

    positions = context.main.grid is not None and context.main.grid.has_millimetres
    pixel = np.zeros((1, 1, 1, len(regions)), dtype=np.uint8)
    pixel[..., 0] = 1
    seg: Dataset = hd.seg.Segmentation(
        source_images=[_stand_in(plane, positions=positions)],
        pixel_array=pixel,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _description(source, number, region) for number, region in enumerate(regions, start=1)
        ],
        series_instance_uid=source.series_uid(dicom.SEGMENTATION),
        series_number=dicom.SEGMENTATION.series_number,
        sop_instance_uid=source.instance_uid(dicom.SEGMENTATION),
        instance_number=1,
        manufacturer=dicom.MANUFACTURER,
        manufacturer_model_name=dicom.MANUFACTURER,
        software_versions="1",
        device_serial_number="1",
        content_label="REGIONS",
        content_description=dicom.plain(f"Regions of {context.reading.application}", 64),
        omit_empty_frames=True,
    )
    # A single segment is stated here; it stands with every frame.
    shared = seg.SharedFunctionalGroupsSequence[0]
    if "SegmentIdentificationSequence" in shared:
        del shared.SegmentIdentificationSequence
    return seg


def _stand_in(plane: Plane, *, positions: bool) -> Dataset:
    """The plane as a CT slice of one pixel for highdicom, whose checks real headers often fail.

    Patient and study come later, from the source itself; so do the references.
    """
    from pydicom.dataset import Dataset
    from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage

    header, item = plane.header, Dataset()
    item.SOPClassUID = CTImageStorage if positions else SecondaryCaptureImageStorage
    item.SOPInstanceUID, item.SeriesInstanceUID = header.SOPInstanceUID, header.SeriesInstanceUID
    item.StudyInstanceUID = header.StudyInstanceUID
    item.Rows, item.Columns, item.Modality = 1, 1, "OT"
    for keyword in dicom.TYPE_2:
        setattr(item, keyword, None)
    if positions:
        item.FrameOfReferenceUID = header.FrameOfReferenceUID
        item.PositionReferenceIndicator = header.get("PositionReferenceIndicator", "")
        item.ImagePositionPatient = dicom.decimal_strings(plane.position_mm)
        item.ImageOrientationPatient = dicom.decimal_strings(plane.cosines)
        item.PixelSpacing, item.SliceThickness = (
            dicom.decimal_strings(plane.pixel_spacing_mm),
            plane.thickness_mm,
        )
    return item


def _description(source: dicom.DicomSource, number: int, region: Region) -> Any:
    import highdicom as hd

    provenance = source.provenance
    identification = hd.AlgorithmIdentificationSequence(
        name=dicom.plain(provenance.application, 64),
        version=dicom.plain(provenance.application_version, 64),
        family=_concept(FAMILY[provenance.method]),
        source=dicom.MANUFACTURER,
        parameters={"made_by": dicom.made_by(source)},
    )
    tracking_id, tracking_uid = source.tracking(region.name)
    item = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=dicom.plain(region.name, 64) or f"region {number}",
        segmented_property_category=_concept(region.category),
        segmented_property_type=_concept(region.concept),
        algorithm_type=region.algorithm,
        algorithm_identification=None if region.algorithm == "MANUAL" else identification,
        tracking_id=tracking_id,
        tracking_uid=tracking_uid,
        display_color=hd.color.CIELabColor.from_rgb(*COLOURS_RGB[(number - 1) % len(COLOURS_RGB)]),
    )
    if region.laterality is not None:
        kind = item.SegmentedPropertyTypeCodeSequence[0]
        kind.SegmentedPropertyTypeModifierCodeSequence = [dicom.coded(region.laterality)]
    return item


def _concept(code: Code) -> Any:
    import highdicom as hd

    return hd.sr.CodedConcept(code.value, code.scheme, dicom.plain(code.meaning, 64))


def _state_slice_distance(seg: Dataset, main: Series) -> None:
    """State the distance of the source's slices: only marked ones have a frame, so nothing else tells it.

    Without it a reader takes the smallest distance of two frames for the step of the grid, and spreads
    each frame over the slices between.
    """
    grid = main.grid
    if grid is None or not grid.has_millimetres or grid.shape[0] == 1:
        return
    directions = grid.directions
    normal = np.cross(directions[:, 2], directions[:, 1])
    distance_mm = abs(float(normal @ directions[:, 0])) * grid.spacing_mm[0]
    measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    [measures.SpacingBetweenSlices] = dicom.decimal_strings((distance_mm,))


def _derive_dimension_uid(seg: Dataset, source: dicom.DicomSource) -> None:
    """Replace the random Dimension Organization UID, so that two runs give equal objects."""
    uid = source.derive_uid(dicom.SEGMENTATION.name, "dimensions")
    for item in [*seg.DimensionOrganizationSequence, *seg.DimensionIndexSequence]:
        item.DimensionOrganizationUID = uid
