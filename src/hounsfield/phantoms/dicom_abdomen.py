"""The abdomen phantom as CT Image Storage, and its third lumbar vertebra as a segmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.phantoms.dicom_attributes import LABEL, MANUFACTURER, STUDY_DATE, STUDY_TIME, ds, uid
from hounsfield.phantoms.dicom_ct import ct_slice

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble


def abdomen_slice(phantom: Phantom, k: int, trouble: Trouble) -> Dataset:
    """CT object of slice k, with what is stated of the patient's size."""
    data = ct_slice(phantom, k, trouble)
    data.SeriesDescription, data.BodyPartExamined = "Synthetic abdominal CT", "ABDOMEN"
    data.WindowCenter, data.WindowWidth = [40, 400], [400, 1800]
    data.WindowCenterWidthExplanation = ["ABDOMEN", "BONE"]
    stated = phantom.parameters
    data.PatientSex = stated["sex"]
    if stated["height_m"] is not None:
        data.PatientSize = ds(stated["height_m"])
    if stated["weight_kg"] is not None:
        data.PatientWeight = ds(stated["weight_kg"])
    return data


def write_l3_seg(folder: Path, phantom: Phantom, images: list[Dataset]) -> Path:
    """Write `folder`/l3.dcm: the bone of L3 as one segment. images: the slices that were written, in order."""
    from highdicom.content import AlgorithmIdentificationSequence
    from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    algorithm = AlgorithmIdentificationSequence(
        name="hounsfield phantoms", version="1", family=codes.cid7162.ArtificialIntelligence
    )
    segment = SegmentDescription(
        segment_number=1,
        segment_label="l3-vertebra",
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=CodedConcept("36470004", "SCT", "L3 vertebra"),
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
    )
    kept = {str(image.SOPInstanceUID) for image in images}
    places = [k for k in range(phantom.grid.shape[0]) if uid(phantom, "instance", str(k)) in kept]
    made = Segmentation(
        source_images=images,
        pixel_array=phantom.masks["l3-vertebra"][places].astype(np.uint8),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[segment],
        series_instance_uid=uid(phantom, "regions"),
        series_number=2,
        sop_instance_uid=uid(phantom, "regions", "instance"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=phantom.kind,
        software_versions="1",
        device_serial_number="0",
        series_description="Synthetic vertebra",
        content_description=LABEL[:64],
    )
    for name in ("SeriesDate", "ContentDate", "InstanceCreationDate"):
        setattr(made, name, STUDY_DATE)
    for name in ("SeriesTime", "ContentTime", "InstanceCreationTime"):
        setattr(made, name, STUDY_TIME)
    path = folder / "l3.dcm"
    made.save_as(path, enforce_file_format=True)
    return path
