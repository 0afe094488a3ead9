"""The abdomen phantom as CT Image Storage, and its third lumbar vertebra as a segmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.phantoms.dicom_attributes import ds
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
    """Write `folder`/regions.dcm: the bone of L3 as one segment. images: the slices that were written, in order."""
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    from hounsfield.phantoms.sphere_regions import write_seg

    meaning = (codes.SCT.AnatomicalStructure, CodedConcept("36470004", "SCT", "L3 vertebra"))
    meanings = {"l3-vertebra": meaning}
    return write_seg(folder, phantom, images, meanings=meanings, description="Synthetic vertebra")
