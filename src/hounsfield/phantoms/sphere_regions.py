"""True masks of a phantom as given regions (DICOM SEG), and the spheres of the PET as RT Structure Set too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import RTStructureSetStorage

from hounsfield.phantoms.dicom_attributes import (
    LABEL,
    MANUFACTURER,
    STUDY_DATE,
    STUDY_TIME,
    add_frame_of_reference,
    ds_list,
    start,
    uid,
)
from hounsfield.phantoms.fdg_pet import NEIGHBOURHOOD_MM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hounsfield.phantoms.phantom import Phantom

CONTOUR_POINTS = 72


def write_seg(
    folder: Path,
    phantom: Phantom,
    images: list[Dataset],
    *,
    meanings: Mapping[str, tuple[Any, Any]] | None = None,
    description: str = "Synthetic spheres",
) -> Path:
    """Write `folder`/regions.dcm: one segment a mask of the truth, all of them lesions unless stated.

    images: all slices in order. meanings: category and type (pydicom codes) by name of the masks to write.
    """
    from highdicom.content import AlgorithmIdentificationSequence
    from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
    from pydicom.sr.codedict import codes

    algorithm = AlgorithmIdentificationSequence(
        name="hounsfield phantoms", version="1", family=codes.cid7162.ArtificialIntelligence
    )
    lesion = (codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion)
    named = meanings or dict.fromkeys(phantom.masks, lesion)
    segments = [
        SegmentDescription(
            segment_number=number,
            segment_label=name,
            segmented_property_category=category,
            segmented_property_type=kind,
            algorithm_type="AUTOMATIC",
            algorithm_identification=algorithm,
        )
        for number, (name, (category, kind)) in enumerate(named.items(), start=1)
    ]
    kept = {str(image.SOPInstanceUID) for image in images}
    places = [k for k in range(phantom.grid.shape[0]) if uid(phantom, "instance", str(k)) in kept]
    made = Segmentation(
        source_images=images,
        pixel_array=np.stack([phantom.masks[name][places] for name in named], axis=-1).astype(np.uint8),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=segments,
        series_instance_uid=uid(phantom, "regions"),
        series_number=2,
        sop_instance_uid=uid(phantom, "regions", "instance"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=phantom.kind,
        software_versions="1",
        device_serial_number="0",
        series_description=description,
        content_description=LABEL[:64],
    )
    for name in ("SeriesDate", "ContentDate", "InstanceCreationDate"):
        setattr(made, name, STUDY_DATE)
    for name in ("SeriesTime", "ContentTime", "InstanceCreationTime"):
        setattr(made, name, STUDY_TIME)
    path = folder / "regions.dcm"
    made.save_as(path, enforce_file_format=True)
    return path


def write_rtstruct(folder: Path, phantom: Phantom, images: list[Dataset]) -> Path:
    """Write `folder`/regions.dcm: one ROI a sphere, closed planar contours around its neighbourhood."""
    data = start(phantom, RTStructureSetStorage, uid(phantom, "regions", "instance"))
    data.Modality, data.SeriesInstanceUID, data.SeriesNumber = "RTSTRUCT", uid(phantom, "regions"), 2
    data.SeriesDescription, data.OperatorsName = "Synthetic spheres", ""
    data.StructureSetLabel, data.StructureSetName = "SYNTHETIC", "Synthetic spheres"
    data.StructureSetDate, data.StructureSetTime = STUDY_DATE, STUDY_TIME
    data.InstanceNumber = 1
    add_frame_of_reference(data, phantom)
    data.ReferencedFrameOfReferenceSequence = Sequence([_referenced_frame(phantom, images)])
    rois, contours, observations = [], [], []
    for number, sphere in enumerate(phantom.truth["spheres"], start=1):
        rois.append(_roi(number, sphere["name"], phantom))
        contours.append(_roi_contours(number, sphere, images))
        observations.append(_observation(number))
    data.StructureSetROISequence = Sequence(rois)
    data.ROIContourSequence = Sequence(contours)
    data.RTROIObservationsSequence = Sequence(observations)
    data.ApprovalStatus = "UNAPPROVED"
    path = folder / "regions.dcm"
    data.save_as(path, enforce_file_format=True)
    return path


def _reference(image: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    return item


def _referenced_frame(phantom: Phantom, images: list[Dataset]) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ContourImageSequence = Sequence([_reference(image) for image in images])
    study = Dataset()
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"  # Detached Study Management, as PS3.3 asks
    study.ReferencedSOPInstanceUID = images[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = Sequence([series])
    frame = Dataset()
    frame.FrameOfReferenceUID = phantom.grid.frame_of_reference_uid
    frame.RTReferencedStudySequence = Sequence([study])
    return frame


def _roi(number: int, name: str, phantom: Phantom) -> Dataset:
    item = Dataset()
    item.ROINumber, item.ROIName = number, name
    item.ReferencedFrameOfReferenceUID = phantom.grid.frame_of_reference_uid
    item.ROIGenerationAlgorithm = "AUTOMATIC"
    return item


def _observation(number: int) -> Dataset:
    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = number
    item.RTROIInterpretedType, item.ROIInterpreter = "", ""
    return item


def _roi_contours(number: int, sphere: dict[str, Any], images: list[Dataset]) -> Dataset:
    """A circle on every slice that cuts the neighbourhood."""
    centre, radius_mm = np.array(sphere["centre_mm"]), sphere["diameter_mm"] / 2 + NEIGHBOURHOOD_MM
    angles = np.linspace(0.0, 2 * np.pi, CONTOUR_POINTS, endpoint=False)
    contours = []
    for image in images:
        row, column = np.array(image.ImageOrientationPatient[:3]), np.array(image.ImageOrientationPatient[3:])
        normal = np.cross(row, column)
        height_mm = float((np.array(image.ImagePositionPatient, dtype=float) - centre) @ normal)
        if abs(height_mm) >= radius_mm:
            continue
        cut_mm = np.sqrt(radius_mm**2 - height_mm**2)
        middle = centre + height_mm * normal
        points = middle + cut_mm * (np.cos(angles)[:, None] * row + np.sin(angles)[:, None] * column)
        contour = Dataset()
        contour.ContourImageSequence = Sequence([_reference(image)])
        contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", CONTOUR_POINTS
        contour.ContourData = ds_list(np.round(points, 4).ravel())
        contours.append(contour)
    item = Dataset()
    item.ROIDisplayColor, item.ReferencedROINumber = [255, 160, 0], number
    item.ContourSequence = Sequence(contours)
    return item
