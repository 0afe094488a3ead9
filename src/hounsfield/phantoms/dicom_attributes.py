"""DICOM attributes that every phantom's objects share: whose they are, when, where, and that they are made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import DSfloat

from hounsfield.core.uid import derive_uid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hounsfield.phantoms.phantom import Phantom

# Fixed, so that equal parameters give equal bytes.
STUDY_DATE, STUDY_TIME = "20240102", "101500"
LABEL = "Synthetic phantom made by Hounsfield. Research use only. Not a medical device."
MANUFACTURER = "Hounsfield phantoms"


def ds(value: float) -> DSfloat:
    """A decimal string of at most 16 characters."""
    return DSfloat(float(value), auto_format=True)


def ds_list(values: Iterable[float]) -> list[DSfloat]:
    """Decimal strings; what rounding left of a zero is written as zero."""
    return [ds(0.0 if abs(float(value)) < 1e-12 else value) for value in values]


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """An item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def uid(phantom: Phantom, *parts: str) -> str:
    """A UID that follows from the phantom's parameters, the name of the image in its study, and `parts`."""
    own = (*parts, phantom.name) if phantom.name else parts
    return derive_uid("phantom", phantom.kind, repr(sorted(phantom.parameters.items())), *own)


def study_uid(phantom: Phantom) -> str:
    """Study Instance UID: one for all images of the patient's day."""
    return uid(replace(phantom, name=""), "study", *([f"day {phantom.day}"] if phantom.day else []))


def study_date(phantom: Phantom) -> str:
    """The date of the image: `day` days after STUDY_DATE."""
    first = date(int(STUDY_DATE[:4]), int(STUDY_DATE[4:6]), int(STUDY_DATE[6:]))
    return (first + timedelta(days=phantom.day)).strftime("%Y%m%d")


def start(phantom: Phantom, sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    """A data set with its file meta, patient, study, equipment and the label `synthetic`."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = UID(sop_class_uid)
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = UID(sop_instance_uid)
    seed = phantom.parameters["seed"]
    data.PatientName, data.PatientID = "Synthetic^Phantom", f"SYNTHETIC-{seed}"
    data.PatientBirthDate, data.PatientSex = "", "O"
    data.PatientComments = LABEL
    data.StudyInstanceUID = study_uid(phantom)
    data.StudyDate, data.StudyTime = study_date(phantom), STUDY_TIME
    data.StudyID, data.AccessionNumber, data.ReferringPhysicianName = str(seed % 10**16), "", ""
    data.StudyDescription = f"Synthetic {phantom.kind} phantom"
    data.SeriesDate, data.SeriesTime = study_date(phantom), STUDY_TIME
    data.Manufacturer, data.ManufacturerModelName = MANUFACTURER, phantom.kind
    data.DeviceSerialNumber, data.SoftwareVersions = "0", "1"
    data.InstitutionName = "None: synthetic data"
    return data


def add_image_label(data: Dataset) -> None:
    """Say in an image when it was made, that it shows a phantom, holds no text, and was not compressed with loss."""
    data.ContentDate, data.ContentTime = data.StudyDate, STUDY_TIME
    data.ImageComments = LABEL
    data.QualityControlImage = "YES"  # PS3.3 C.7.6.1: "quality control or phantom image"
    data.BurnedInAnnotation, data.LossyImageCompression = "NO", "00"


def add_frame_of_reference(data: Dataset, phantom: Phantom) -> None:
    """The frame in which all positions of the phantom are given."""
    data.FrameOfReferenceUID = phantom.grid.frame_of_reference_uid
    data.PositionReferenceIndicator = ""


def plane(phantom: Phantom) -> list[DSfloat]:
    """Image Orientation (Patient): direction along a row, then along a column."""
    directions = phantom.grid.directions
    return ds_list([*directions[:, 2], *directions[:, 1]])


def position(phantom: Phantom, k: int) -> list[DSfloat]:
    """Image Position (Patient) of slice k."""
    return ds_list(phantom.grid.index_to_mm(np.array([float(k), 0.0, 0.0])))


def add_pixel_module(data: Dataset, shape_yx: tuple[int, int], *, bits_stored: int, is_signed: bool) -> None:
    """Shape and storage of 16-bit grey pixels."""
    data.Rows, data.Columns = shape_yx
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, bits_stored, bits_stored - 1
    data.PixelRepresentation = int(is_signed)


def add_supine(data: Dataset) -> None:
    """Patient orientation as the nuclear medicine module codes it, which then excludes Patient Position."""
    lying = code("102538003", "SCT", "recumbent")
    lying.PatientOrientationModifierCodeSequence = Sequence([code("40199007", "SCT", "supine")])
    data.PatientOrientationCodeSequence = Sequence([lying])
    data.PatientGantryRelationshipCodeSequence = Sequence([])
