"""The head phantom as MR Image Storage: one object a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import MRImageStorage

from hounsfield.phantoms.brain_mr import SEQUENCES
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
    study_date,
    uid,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from hounsfield.phantoms.brain_mr import Contrast
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble

BITS_STORED = 12
FIELD_T, HYDROGEN_MHZ = 3.0, 127.7


def mr_slice(phantom: Phantom, k: int, trouble: Trouble) -> Dataset:
    """MR object of slice k. The contrast is the last word of the image's name."""
    contrast = contrast_of(phantom)
    data = start(phantom, MRImageStorage, uid(phantom, "instance", str(k)))
    data.Modality, data.SeriesInstanceUID = "MR", uid(phantom, "series")
    data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = (
        list(SEQUENCES).index(contrast) + 1,
        k + 1,
        1,
    )
    data.SeriesDescription = f"Synthetic head {SEQUENCES[contrast].description}"
    data.ImageType = ["ORIGINAL", "PRIMARY", "M", "NONE"]
    data.AcquisitionDate, data.AcquisitionTime = study_date(phantom), STUDY_TIME
    data.BodyPartExamined, data.PatientPosition = "HEAD", "FFS" if trouble.flip else "HFS"
    add_sequence(data, contrast)
    add_frame_of_reference(data, phantom)
    data.ImageOrientationPatient, data.ImagePositionPatient = plane(phantom), position(phantom, k)
    spacing_mm = phantom.grid.spacing_mm
    data.PixelSpacing, data.SliceThickness = ds_list(spacing_mm[1:]), ds(spacing_mm[0])
    data.SpacingBetweenSlices = ds(spacing_mm[0])
    add_pixel_module(data, phantom.grid.shape[1:], bits_stored=BITS_STORED, is_signed=False)
    data.WindowCenter, data.WindowWidth = 600, 1200
    add_image_label(data)
    data.PixelData = phantom.array[k].astype("<u2").tobytes()
    return data


def contrast_of(phantom: Phantom) -> Contrast:
    """`t1` or `flair`, by the name of the image ("day-180-flair")."""
    return "flair" if phantom.name.endswith("flair") else "t1"


def add_sequence(data: Dataset, contrast: Contrast) -> None:
    """How the scanner would have been set."""
    sequence = SEQUENCES[contrast]
    is_recovery = sequence.inversion_ms is not None
    data.ScanningSequence = ["SE", "IR"] if is_recovery else "GR"
    data.SequenceVariant = "SK" if is_recovery else "SP"
    data.ScanOptions = ""
    data.MRAcquisitionType = "2D" if is_recovery else "3D"
    data.RepetitionTime, data.EchoTime = ds(sequence.repetition_ms), ds(sequence.echo_ms)
    data.EchoTrainLength = 16 if is_recovery else 1
    if sequence.inversion_ms is not None:
        data.InversionTime = ds(sequence.inversion_ms)
    data.FlipAngle, data.MagneticFieldStrength = ds(sequence.flip_deg), ds(FIELD_T)
    data.ImagingFrequency, data.ImagedNucleus = ds(HYDROGEN_MHZ), "1H"
    data.NumberOfAverages, data.EchoNumbers = 1, 1
