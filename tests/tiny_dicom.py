"""Tiny DICOM series for tests: every voxel value is unique to its place, so any flip shows.

The stored value of voxel (k, j, i) is 1 + i + 32 * j + 1024 * k (asymmetric), HU = stored - 1024.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from hounsfield.core.uid import derive_uid

if TYPE_CHECKING:
    from pathlib import Path

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
_C, _S = float(np.cos(0.3)), float(np.sin(0.3))
OBLIQUE = (_C, _S, 0.0, -_S * _C, _C * _C, _S)
NEGATIVE = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
ORIENTATIONS = {
    "axial": AXIAL,
    "sagittal": SAGITTAL,
    "coronal": CORONAL,
    "oblique": OBLIQUE,
    "negative": NEGATIVE,
}


def ct_instance(
    k: int,
    *,
    name: str = "tiny",
    orientation: tuple[float, ...] = AXIAL,
    origin_mm: tuple[float, float, float] = (-10.0, -20.0, 30.0),
    spacing_mm: tuple[float, float, float] = (2.5, 0.8, 0.7),
    shape_yx: tuple[int, int] = (24, 32),
) -> Dataset:
    """One CT slice, k steps of spacing_mm[0] along the normal; spacing_mm is (slice, row, column)."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    position = np.array(origin_mm) + k * spacing_mm[0] * np.cross(row, column)
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = CTImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = derive_uid("test", name, str(k))
    ds.StudyInstanceUID = derive_uid("test", name, "study")
    ds.SeriesInstanceUID = derive_uid("test", name, "series")
    ds.FrameOfReferenceUID = derive_uid("test", name, "frame")
    ds.PositionReferenceIndicator = ""
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Synthetic^Test", "SYN-1", "", "O"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20240102", "101112", "1", ""
    ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20240102"
    ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "101112"
    ds.ReferringPhysicianName = ""
    ds.Modality, ds.SeriesNumber, ds.SeriesDescription = "CT", 3, "tiny"
    ds.Manufacturer, ds.ImageType, ds.InstanceNumber = "Synthetic", ["ORIGINAL", "PRIMARY", "AXIAL"], 100 - k
    ds.ImageOrientationPatient = [f"{value:.10g}"[:16] for value in orientation]
    ds.ImagePositionPatient = [f"{value:.9g}"[:16] for value in position]
    ds.PixelSpacing = [spacing_mm[1], spacing_mm[2]]
    ds.SliceThickness, ds.KVP, ds.ConvolutionKernel = spacing_mm[0], 120, "STANDARD"
    ds.PatientPosition, ds.AcquisitionNumber = "HFS", 1
    ds.Rows, ds.Columns = shape_yx
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = -1024, 1, "HU"
    j, i = np.mgrid[: shape_yx[0], : shape_yx[1]]
    ds.PixelData = (1 + i + 32 * j + 1024 * k).astype("<u2").tobytes()
    return ds


def write_ct_series(folder: Path, n: int = 6, *, order: list[int] | None = None, **options) -> list[Path]:
    """Write slices 0..n-1 (in file-name order `order`) as DICOM files; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for position, k in enumerate(order if order is not None else range(n)):
        path = folder / f"{position:04d}.dcm"
        ct_instance(k, **options).save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths
