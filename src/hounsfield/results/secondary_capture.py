"""DICOM Secondary Capture: the pictures of a reading, for viewers that show nothing else (PS3.3 A.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.reading import RESEARCH_USE
from hounsfield.results import dicom_context as dicom
from hounsfield.results.writer import Context, needs_dicom, result_writer

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

    from hounsfield.results.documents import Picture

# Defined Terms of PS3.16 Annex L for parts that the body has once; Laterality must be absent there.
_UNPAIRED_PARTS = (
    "ABDOMEN ABDOMENPELVIS BLADDER BRAIN CHEST CHESTABDOMEN CHESTABDPELVIS CSPINE HEAD HEADNECK HEART LIVER "
    "LSPINE LSSPINE MEDIASTINUM NECK NECKCHEST NECKCHESTABDOMEN NECKCHESTABDPELV PANCREAS PELVIS PROSTATE SKULL "
    "SPINE SPLEEN SSPINE TLSPINE TSPINE UTERUS WHOLEBODY"
)
UNPAIRED = frozenset(_UNPAIRED_PARTS.split())


def _left_out_because(context: Context) -> str | None:
    return needs_dicom(context) or (None if context.documents.pictures else "the reading has no picture")


@result_writer("secondary_capture", left_out_because=_left_out_because)
def write_secondary_capture(context: Context, folder: Path) -> list[Path]:
    """Write `dicom/picture-<n>.dcm`, one a picture, all in one series."""
    paths = []
    for index, picture in enumerate(context.documents.pictures):
        path = folder / "dicom" / f"picture-{index + 1}.dcm"
        if context.dicom is not None:
            dicom.save(_capture(context.dicom, picture, index), path)
            paths.append(path)
    return paths


def _capture(source: dicom.DicomSource, picture: Picture, index: int) -> Dataset:
    ds = dicom.new_dataset(source, dicom.SECONDARY_CAPTURE, index=index)
    ds.ConversionType = "WSD"
    if ds.get("BodyPartExamined") not in UNPAIRED:
        ds.Laterality = None  # 2C: a picture of several planes has no single side
    ds.ImageType = ["DERIVED", "SECONDARY"]
    ds.DateOfSecondaryCapture, ds.TimeOfSecondaryCapture = ds.ContentDate, ds.ContentTime
    ds.SecondaryCaptureDeviceManufacturer = dicom.MANUFACTURER
    ds.SecondaryCaptureDeviceManufacturerModelName = ds.ManufacturerModelName
    ds.SecondaryCaptureDeviceSoftwareVersions = ds.SoftwareVersions
    ds.BurnedInAnnotation = "YES"  # titles and the statement of research use are drawn into the pixels
    ds.PatientOrientation = None
    ds.ImageComments = dicom.plain(f"{picture.title}. {RESEARCH_USE}", 1024)
    ds.DerivationDescription = dicom.plain(f"{picture.title}, made by {dicom.made_by(source)}", 1024)
    ds.SourceImageSequence = _sources(source, picture)
    dicom.lossy_history(ds, source)
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.Rows, ds.Columns = picture.rgb.shape[:2]
    pixels = np.ascontiguousarray(picture.rgb).tobytes()
    ds.PixelData = pixels + b"\0" * (len(pixels) % 2)
    return ds


def _sources(source: dicom.DicomSource, picture: Picture) -> list[Dataset]:
    """The frame that the picture was drawn on; all instances where it shows more than one."""
    drawn_on = picture.source
    headers = [h for h in source.headers if drawn_on and str(h.SOPInstanceUID) == drawn_on.sop_instance_uid]
    if drawn_on is None or not headers:
        return [dicom.source_image(header) for header in source.headers]
    frame = drawn_on.frame_number if int(headers[0].get("NumberOfFrames") or 1) > 1 else None
    return [dicom.source_image(headers[0], frame)]
