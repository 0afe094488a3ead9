"""A CT phantom as CT Image Storage: one object a slice; what differs between kinds is a CtProtocol."""

from __future__ import annotations

from dataclasses import dataclass
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
KVP, KERNEL, EXPOSURE_MS = 120, "STANDARD", 500


@dataclass(frozen=True, slots=True)
class CtProtocol:
    """What the headers of a series say of its scan; without arguments, of the chest phantom.

    windows: name, centre and width in HU of each. contrast_agent: what was given (NONE where it is stated that nothing
    was), "" for what the phantom's parameter `contrast` says, if it has one.
    """

    series_description: str = "Synthetic chest CT"
    body_part: str = "CHEST"
    kvp: float = KVP
    kernel: str = KERNEL
    scan_options: str = "HELICAL MODE"
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "AXIAL")
    windows: tuple[tuple[str, float, float], ...] = (("LUNG", -600, 1500), ("MEDIASTINUM", 40, 400))
    contrast_agent: str = ""
    exposure_mas: float = 100


CHEST = CtProtocol()


def stored_hu(hu: NDArray[np.int16]) -> bytes:
    """Pixel data of HU: unsigned 16 bit words, little endian, with INTERCEPT_HU."""
    return (hu - INTERCEPT_HU).astype("<u2").tobytes()


def ct_slice(phantom: Phantom, k: int, trouble: Trouble, *, protocol: CtProtocol = CHEST) -> Dataset:
    """CT object of slice k."""
    data = start(phantom, CTImageStorage, uid(phantom, "instance", str(k)))
    data.Modality, data.SeriesInstanceUID = "CT", uid(phantom, "series")
    data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = 1, k + 1, 1
    data.SeriesDescription = protocol.series_description
    data.ImageType = list(protocol.image_type)
    data.AcquisitionDate, data.AcquisitionTime = data.StudyDate, STUDY_TIME
    data.BodyPartExamined, data.PatientPosition = protocol.body_part, "FFS" if trouble.flip else "HFS"
    add_ct_acquisition(data, phantom, trouble, protocol)
    add_frame_of_reference(data, phantom)
    data.ImageOrientationPatient, data.ImagePositionPatient = plane(phantom), position(phantom, k)
    spacing_mm = phantom.grid.spacing_mm
    data.PixelSpacing, data.SliceThickness = ds_list(spacing_mm[1:]), ds(spacing_mm[0])
    add_pixel_module(data, phantom.grid.shape[1:], bits_stored=BITS_STORED, is_signed=False)
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = INTERCEPT_HU, 1, "HU"
    names, centres_hu, widths_hu = zip(*protocol.windows, strict=True)
    data.WindowCenter, data.WindowWidth = list(centres_hu), list(widths_hu)
    data.WindowCenterWidthExplanation = list(names)
    add_image_label(data)
    data.PixelData = stored_hu(phantom.array[k])
    return data


def add_ct_acquisition(data: Dataset, phantom: Phantom, trouble: Trouble, protocol: CtProtocol) -> None:
    """How the scanner would have been set. Contrast is stated only where the parameters state it."""
    data.KVP, data.ConvolutionKernel, data.FilterType = protocol.kvp, protocol.kernel, "NONE"
    data.ExposureTime, data.Exposure = EXPOSURE_MS, round(protocol.exposure_mas)
    data.XRayTubeCurrent = round(1000 * protocol.exposure_mas / EXPOSURE_MS)
    data.GantryDetectorTilt = ds(trouble.tilt_deg)
    data.ReconstructionDiameter = data.DataCollectionDiameter = ds(phantom.parameters["field_of_view_mm"])
    data.ScanOptions = protocol.scan_options
    stated = {"none": "NONE", "iodine": "Iohexol"}.get(phantom.parameters.get("contrast", ""), "")
    agent = protocol.contrast_agent or stated
    if agent:
        data.ContrastBolusAgent = agent
