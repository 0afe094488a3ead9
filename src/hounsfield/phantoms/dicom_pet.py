"""The PET phantom as Positron Emission Tomography Image Storage: one object a slice, in Bq/ml."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import PositronEmissionTomographyImageStorage

from hounsfield.phantoms.dicom_attributes import (
    STUDY_DATE,
    STUDY_TIME,
    add_frame_of_reference,
    add_image_label,
    add_pixel_module,
    add_supine,
    code,
    ds,
    ds_list,
    plane,
    position,
    start,
    uid,
)

if TYPE_CHECKING:
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble

F18_HALF_LIFE_S = 6586.2  # 109.77 minutes, as in the QIBA recipe
FRAME_DURATION_S = 180.0
LARGEST_STORED = 32767
CORRECTIONS = ["NORM", "DTIM", "RAN", "ATTN", "SCAT", "DECY"]


def bqml_per_suv(phantom: Phantom) -> float:
    """Activity concentration at the start of the scan that is SUVbw 1: decayed dose / weight in grams."""
    p = phantom.parameters
    decayed_bq = p["dose_bq"] * 2.0 ** (-p["uptake_s"] / F18_HALF_LIFE_S)
    return float(decayed_bq / (1000.0 * p["weight_kg"]))


def pet_slice(phantom: Phantom, k: int, _trouble: Trouble) -> Dataset:
    """PET object of slice k, with a Rescale Slope of its own. Where it lies says all about a flip."""
    data = start(phantom, PositronEmissionTomographyImageStorage, uid(phantom, "instance", str(k)))
    data.Modality, data.SeriesInstanceUID = "PT", uid(phantom, "series")
    data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = 1, k + 1, 1
    data.SeriesDescription = "Synthetic FDG-PET"
    data.ImageType = ["ORIGINAL", "PRIMARY"]
    data.PatientWeight = ds(phantom.parameters["weight_kg"])
    data.BodyPartExamined = "CHESTABDPELVIS"
    _add_series(data, phantom)
    data.RadiopharmaceuticalInformationSequence = Sequence([_injection(phantom)])
    add_supine(data)
    add_frame_of_reference(data, phantom)
    data.ImageOrientationPatient, data.ImagePositionPatient = plane(phantom), position(phantom, k)
    spacing_mm = phantom.grid.spacing_mm
    data.PixelSpacing, data.SliceThickness = ds_list(spacing_mm[1:]), ds(spacing_mm[0])
    add_pixel_module(data, phantom.grid.shape[1:], bits_stored=16, is_signed=True)
    add_image_label(data)
    _add_frame(data, k)
    bqml = phantom.array[k].astype(np.float64) * bqml_per_suv(phantom)
    slope = ds(max(float(bqml.max()), 1.0) / LARGEST_STORED)
    data.RescaleIntercept, data.RescaleSlope = 0, slope
    stored = np.clip(np.rint(bqml / float(slope)), 0, LARGEST_STORED)
    data.PixelData = stored.astype("<i2").tobytes()
    return data


def _add_series(data: Dataset, phantom: Phantom) -> None:
    data.SeriesType = ["STATIC", "IMAGE"]
    data.Units, data.CountsSource, data.DecayCorrection = "BQML", "EMISSION", "START"
    data.CorrectedImage, data.NumberOfSlices = CORRECTIONS, phantom.grid.shape[0]
    data.CollimatorType = "NONE"
    data.ReconstructionMethod, data.AttenuationCorrectionMethod = "Synthetic", "Synthetic"
    data.RandomsCorrectionMethod, data.ScatterCorrectionMethod = "NONE", "Synthetic"


def _add_frame(data: Dataset, k: int) -> None:
    """One bed position: all slices are measured from the reference time of the series on."""
    decayed = math.log(2.0) / F18_HALF_LIFE_S * FRAME_DURATION_S
    # When the activity equals its average over the frame (QIBA SUV pseudo-code).
    average_s = math.log(decayed / -math.expm1(-decayed)) / decayed * FRAME_DURATION_S
    data.AcquisitionDate, data.AcquisitionTime = data.StudyDate, STUDY_TIME
    data.FrameReferenceTime = ds(1000.0 * average_s)
    data.ActualFrameDuration = int(1000 * FRAME_DURATION_S)
    data.DecayFactor = ds(2.0 ** (average_s / F18_HALF_LIFE_S))
    data.ImageIndex = k + 1


def _injection(phantom: Phantom) -> Dataset:
    p = phantom.parameters
    scan = datetime.strptime(STUDY_DATE + STUDY_TIME, "%Y%m%d%H%M%S")  # noqa: DTZ007  DICOM times state no zone
    injected = scan - timedelta(seconds=float(p["uptake_s"]))
    item = Dataset()
    item.Radiopharmaceutical = "Fluorodeoxyglucose"
    item.RadiopharmaceuticalRoute = "INTRAVENOUS"
    item.RadiopharmaceuticalStartTime = injected.strftime("%H%M%S.%f")
    item.RadiopharmaceuticalStartDateTime = injected.strftime("%Y%m%d%H%M%S.%f")
    item.RadionuclideTotalDose = ds(p["dose_bq"])
    item.RadionuclideHalfLife = ds(F18_HALF_LIFE_S)
    item.RadionuclidePositronFraction = ds(0.967)
    item.RadionuclideCodeSequence = Sequence([code("77004003", "SCT", "^18^Fluorine")])
    item.RadiopharmaceuticalCodeSequence = Sequence([code("35321007", "SCT", "Fluorodeoxyglucose F^18^")])
    return item
