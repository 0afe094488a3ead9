"""CT phantoms as CT Image Storage: one object a slice, set as a protocol says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
    from collections.abc import Mapping

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


@dataclass(frozen=True, slots=True)
class CtProtocol:
    """What the header of a CT says of the examination; the usual values are those of the chest phantom.

    thickness_mm: of a slice, None for as thick as slices lie apart. agents: Contrast/Bolus Agent by the
    phantom's parameter `contrast`; what is not in it is not stated. windows: centre, width, explanation.
    more: further attributes by keyword.
    """

    description: str = "Synthetic chest CT"
    body_part: str = "CHEST"
    kvp: float = KVP
    kernel: str = KERNEL
    scan_options: str = "HELICAL MODE"
    thickness_mm: float | None = None
    agents: Mapping[str, str] = field(default_factory=lambda: {"none": "NONE", "iodine": "Iohexol"})
    windows: tuple[tuple[float, float, str], ...] = ((-600, 1500, "LUNG"), (40, 400, "MEDIASTINUM"))
    more: Mapping[str, Any] = field(default_factory=dict)


CHEST = CtProtocol()


def ct_slice(phantom: Phantom, k: int, trouble: Trouble, *, protocol: CtProtocol = CHEST) -> Dataset:
    """CT object of slice k."""
    data = start(phantom, CTImageStorage, uid(phantom, "instance", str(k)))
    data.Modality, data.SeriesInstanceUID = "CT", uid(phantom, "series")
    data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = 1, k + 1, 1
    data.SeriesDescription = protocol.description
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.AcquisitionDate, data.AcquisitionTime = data.StudyDate, STUDY_TIME
    data.BodyPartExamined, data.PatientPosition = protocol.body_part, "FFS" if trouble.flip else "HFS"
    add_ct_acquisition(data, phantom, trouble, protocol=protocol)
    add_frame_of_reference(data, phantom)
    data.ImageOrientationPatient, data.ImagePositionPatient = plane(phantom), position(phantom, k)
    spacing_mm = phantom.grid.spacing_mm
    data.PixelSpacing, data.SliceThickness = (
        ds_list(spacing_mm[1:]),
        ds(protocol.thickness_mm or spacing_mm[0]),
    )
    add_pixel_module(data, phantom.grid.shape[1:], bits_stored=BITS_STORED, is_signed=False)
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = INTERCEPT_HU, 1, "HU"
    centres, widths, names = zip(*protocol.windows, strict=True)
    data.WindowCenter, data.WindowWidth = list(centres), list(widths)
    data.WindowCenterWidthExplanation = list(names)
    for keyword, value in protocol.more.items():
        setattr(data, keyword, value)
    add_image_label(data)
    data.PixelData = stored_hu(phantom.array[k])
    return data


def add_ct_acquisition(
    data: Dataset, phantom: Phantom, trouble: Trouble, *, protocol: CtProtocol = CHEST
) -> None:
    """How the scanner would have been set. Contrast is stated only where the parameters state it."""
    data.KVP, data.ConvolutionKernel, data.FilterType = protocol.kvp, protocol.kernel, "NONE"
    data.XRayTubeCurrent, data.ExposureTime, data.Exposure = 200, 500, 100
    data.GantryDetectorTilt = ds(trouble.tilt_deg)
    data.ReconstructionDiameter = data.DataCollectionDiameter = ds(phantom.parameters["field_of_view_mm"])
    data.ScanOptions = protocol.scan_options
    agent = protocol.agents.get(phantom.parameters["contrast"])
    if agent is not None:
        data.ContrastBolusAgent = agent
