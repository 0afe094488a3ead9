"""The chest phantom as CT Image Storage: one object a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import CTImageStorage

from hounsfield.phantoms.dicom_attributes import (
    STUDY_TIME,
    add_frame_of_reference,
    add_image_label,
    add_pixel_module,
    ds,
    ds_list,
    plane,
    position,
    start,
    uid,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble

INTERCEPT_HU = -1024
BITS_STORED = 12
KVP, KERNEL = 120, "STANDARD"


def stored_hu(hu: NDArray[np.int16]) -> bytes:
    """Pixel data of HU: unsigned 16 bit words, little endian, with INTERCEPT_HU."""
    return (hu - INTERCEPT_HU).astype("<u2").tobytes()


def ct_slice(phantom: Phantom, k: int, trouble: Trouble) -> Dataset:
    """CT object of slice k."""
    data = start(phantom, CTImageStorage, uid(phantom, "instance", str(k)))
    data.Modality, data.SeriesInstanceUID = "CT", uid(phantom, "series")
    data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = 1, k + 1, 1
    data.SeriesDescription = "Synthetic chest CT"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.AcquisitionDate, data.AcquisitionTime = data.StudyDate, STUDY_TIME
    data.BodyPartExamined, data.PatientPosition = "CHEST", "FFS" if trouble.flip else "HFS"
    add_ct_acquisition(data, phantom, trouble)
    add_frame_of_reference(data, phantom)
    data.ImageOrientationPatient, data.ImagePositionPatient = plane(phantom), position(phantom, k)
    spacing_mm = phantom.grid.spacing_mm
    data.PixelSpacing, data.SliceThickness = ds_list(spacing_mm[1:]), ds(spacing_mm[0])
    add_pixel_module(data, phantom.grid.shape[1:], bits_stored=BITS_STORED, is_signed=False)
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = INTERCEPT_HU, 1, "HU"
    data.WindowCenter, data.WindowWidth = [-600, 40], [1500, 400]
    data.WindowCenterWidthExplanation = ["LUNG", "MEDIASTINUM"]
    add_image_label(data)
    data.PixelData = stored_hu(phantom.array[k])
    return data


def add_ct_acquisition(data: Dataset, phantom: Phantom, trouble: Trouble) -> None:
    """How the scanner would have been set. Contrast is stated only where the parameters state it."""
    data.KVP, data.ConvolutionKernel, data.FilterType = KVP, KERNEL, "NONE"
    data.XRayTubeCurrent, data.ExposureTime, data.Exposure = 200, 500, 100
    data.GantryDetectorTilt = ds(trouble.tilt_deg)
    data.ReconstructionDiameter = data.DataCollectionDiameter = ds(phantom.parameters["field_of_view_mm"])
    data.ScanOptions = "HELICAL MODE"
    agent = {"none": "NONE", "iodine": "Iohexol"}.get(phantom.parameters["contrast"])
    if agent is not None:
        data.ContrastBolusAgent = agent
