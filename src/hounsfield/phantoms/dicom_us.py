"""Ultrasound phantoms as US Image Storage (a still) and US Multi-frame Image Storage (a cine), 8 bit grey, calibrated.

What an object needs beyond the picture stands in `Acquisition`; the pixel spacing is that of the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from hounsfield.phantoms.dicom_attributes import STUDY_TIME, add_image_label, code, ds, start, uid

if TYPE_CHECKING:
    from hounsfield.phantoms.phantom import Phantom

CM_UNIT = 3  # Physical Units X/Y Direction (0018,6024): centimetres
TWO_DIMENSIONAL, TISSUE = 1, 1  # Region Spatial Format (0018,6012), Region Data Type (0018,6014)


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What the machine was told. examined: third value of Image Type (TTE, THYROID, ...). box_yx: first and last row and column of the calibrated region (None: all).

    anatomy, view: coded (value, scheme, meaning); view None where no code of the standard fits. origin_yx:
    pixel of the region that is its physical zero (the middle of the probe's face). frames_per_s: of a cine.
    side: L or R of a paired organ, "" of others.
    """

    series_number: int
    description: str
    body_part: str
    examined: str
    anatomy: tuple[str, str, str]
    origin_yx: tuple[int, int]
    view: tuple[str, str, str] | None = None
    view_name: str = ""
    box_yx: tuple[int, int, int, int] | None = None
    frames_per_s: float | None = None
    rate_per_min: float | None = None
    side: str = ""
    has_callipers: bool = False


def us_object(phantom: Phantom, acquisition: Acquisition) -> Dataset:
    """The still or, if `frames_per_s` is given, the cine; array uint8 (frame or 1, y, x)."""
    is_cine = acquisition.frames_per_s is not None
    sop_class = UltrasoundMultiFrameImageStorage if is_cine else UltrasoundImageStorage
    data = start(phantom, sop_class, uid(phantom, "instance"))
    data.Modality, data.SeriesInstanceUID = "US", uid(phantom, "series")
    data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = acquisition.series_number, 1, 1
    data.SeriesDescription, data.BodyPartExamined = acquisition.description, acquisition.body_part
    if acquisition.side:
        data.Laterality = acquisition.side
    data.PatientOrientation = ""
    data.AcquisitionDate, data.AcquisitionTime = data.StudyDate, STUDY_TIME
    data.ImageType = ["ORIGINAL", "PRIMARY", acquisition.examined, "0001"]  # C.8.5.6.1.1: 0001 is 2D imaging
    _add_view(data, acquisition)
    add_image_label(data)
    if acquisition.has_callipers:
        data.BurnedInAnnotation = "YES"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.Rows, data.Columns = phantom.array.shape[-2:]
    data.UltrasoundColorDataPresent = 0
    data.SequenceOfUltrasoundRegions = Sequence([_region(phantom, acquisition)])
    if acquisition.frames_per_s is not None:
        _add_cine(data, phantom.array.shape[0], acquisition.frames_per_s)
    if acquisition.rate_per_min is not None:
        data.HeartRate = round(acquisition.rate_per_min)
    pixels = phantom.array.tobytes()
    data.PixelData = pixels + b"\0" * (len(pixels) % 2)
    data["PixelData"].VR = "OB"
    return data


def _add_view(data: Dataset, acquisition: Acquisition) -> None:
    data.AnatomicRegionSequence = Sequence([code(*acquisition.anatomy)])
    if acquisition.view is not None:
        data.ViewCodeSequence = Sequence([code(*acquisition.view)])
    if acquisition.view_name:
        # PS3.3 C.8.5.6: the view of a protocol, here one of a single stage.
        data.ViewName, data.NumberOfStages, data.NumberOfViewsInStage = acquisition.view_name, 1, 1


def _region(phantom: Phantom, acquisition: Acquisition) -> Dataset:
    """The calibrated part of the picture (PS3.3 C.8.5.5)."""
    rows, columns = phantom.array.shape[-2:]
    first_row, last_row, first_column, last_column = acquisition.box_yx or (0, rows - 1, 0, columns - 1)
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = TWO_DIMENSIONAL, TISSUE, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = first_column, first_row
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = last_column, last_row
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = CM_UNIT
    item.PhysicalDeltaX = item.PhysicalDeltaY = float(phantom.truth["pixel_spacing_mm"]) / 10.0
    # The reference pixel counts from the corner of the region.
    item.ReferencePixelX0 = acquisition.origin_yx[1] - first_column
    item.ReferencePixelY0 = acquisition.origin_yx[0] - first_row
    item.ReferencePixelPhysicalValueX = item.ReferencePixelPhysicalValueY = 0.0
    return item


def _add_cine(data: Dataset, n_frames: int, frames_per_s: float) -> None:
    data.NumberOfFrames = n_frames
    data.FrameTime = ds(1000.0 / frames_per_s)
    data.FrameIncrementPointer = Tag("FrameTime")
    data.CineRate = data.RecommendedDisplayFrameRate = round(frames_per_s)
    data.StartTrim, data.StopTrim = 1, n_frames
    data.EffectiveDuration = ds(n_frames / frames_per_s)
