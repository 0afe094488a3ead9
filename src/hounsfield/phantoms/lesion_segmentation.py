"""The lesions of a phantom as a given DICOM SEG: what a reader would have outlined, without saying which is which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.uid import derive_uid
from hounsfield.phantoms.dicom_attributes import LABEL, MANUFACTURER, STUDY_TIME, study_date, uid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

    from hounsfield.phantoms.phantom import Phantom

SERIES_NUMBER = 11


def write_lesions(
    path: Path, phantom: Phantom, images: Sequence[Dataset], names: Sequence[str], *, tracked: bool
) -> None:
    """Write the masks `names` of `phantom` as one SEG; nothing if none of them marks a voxel.

    Segments are numbered from the largest lesion, anew in every file: the number does not say which lesion
    it was before. tracked: Tracking ID and UID say it. images: all slices in order.
    """
    from highdicom.content import AlgorithmIdentificationSequence
    from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
    from pydicom.sr.codedict import codes

    marked = [name for name in names if phantom.masks[name].any()]
    by_size = sorted(marked, key=lambda name: -int(phantom.masks[name].sum()))
    if not by_size:
        return
    algorithm = AlgorithmIdentificationSequence(
        name="hounsfield phantoms", version="1", family=codes.cid7162.ArtificialIntelligence
    )
    patient = f"{phantom.kind} {phantom.parameters['seed']}"
    segments = [
        SegmentDescription(
            segment_number=number,
            segment_label=f"Lesion {number}",
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Lesion,
            algorithm_type="AUTOMATIC",
            algorithm_identification=algorithm,
            tracking_uid=derive_uid("phantom", "tracked", patient, name) if tracked else None,
            tracking_id=name if tracked else None,
        )
        for number, name in enumerate(by_size, start=1)
    ]
    made = Segmentation(
        source_images=list(images),
        pixel_array=np.stack([phantom.masks[name] for name in by_size], axis=-1).astype(np.uint8),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=segments,
        series_instance_uid=uid(phantom, "lesions"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uid(phantom, "lesions", "instance"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=phantom.kind,
        software_versions="1",
        device_serial_number="0",
        series_description="Synthetic lesions",
        content_description=LABEL[:64],
    )
    for name in ("SeriesDate", "ContentDate", "InstanceCreationDate"):
        setattr(made, name, study_date(phantom))
    for name in ("SeriesTime", "ContentTime", "InstanceCreationTime"):
        setattr(made, name, STUDY_TIME)
    made.save_as(path, enforce_file_format=True)
