"""Spin echo series as MR Image Storage: one object a slice, with the settings of its sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import MRImageStorage

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
    from collections.abc import Callable

    from pydicom.dataset import Dataset

    from hounsfield.phantoms.mr_signal import MrSequence
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble

BITS_STORED = 12
FIELD_T, HYDROGEN_MHZ = 3.0, 127.7


def slice_maker(sequence: MrSequence, series_number: int) -> Callable[[Phantom, int, Trouble], Dataset]:
    """What makes the object of slice k of a series of that sequence."""

    def make(phantom: Phantom, k: int, trouble: Trouble) -> Dataset:
        data = start(phantom, MRImageStorage, uid(phantom, "instance", str(k)))
        data.Modality, data.SeriesInstanceUID = "MR", uid(phantom, "series")
        data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = series_number, k + 1, 1
        data.SeriesDescription = f"Synthetic head {sequence.description}"
        data.ImageType = ["ORIGINAL", "PRIMARY", "M", "NONE"]
        data.AcquisitionDate, data.AcquisitionTime = data.StudyDate, STUDY_TIME
        data.BodyPartExamined, data.PatientPosition = "HEAD", "FFS" if trouble.flip else "HFS"
        _add_sequence(data, sequence)
        add_frame_of_reference(data, phantom)
        data.ImageOrientationPatient, data.ImagePositionPatient = plane(phantom), position(phantom, k)
        spacing_mm = phantom.grid.spacing_mm
        data.PixelSpacing, data.SliceThickness = ds_list(spacing_mm[1:]), ds(spacing_mm[0])
        data.SpacingBetweenSlices = ds(spacing_mm[0])
        add_pixel_module(data, phantom.grid.shape[1:], bits_stored=BITS_STORED, is_signed=False)
        brightest = float(phantom.truth["white_matter_signal"]) * 1.8
        data.WindowCenter, data.WindowWidth = ds(round(brightest / 2)), ds(round(brightest))
        add_image_label(data)
        data.PixelData = phantom.array[k].astype("<u2").tobytes()
        return data

    return make


def _add_sequence(data: Dataset, sequence: MrSequence) -> None:
    """How the scanner would have been set."""
    has_inversion = sequence.inversion_ms is not None
    data.ScanningSequence = ["SE", "IR"] if has_inversion else "SE"
    data.SequenceVariant = "SK" if sequence.echo_train > 1 else "NONE"
    data.ScanOptions, data.MRAcquisitionType = "", "2D"
    data.RepetitionTime, data.EchoTime = ds(sequence.repetition_ms), ds(sequence.echo_ms)
    data.EchoTrainLength = sequence.echo_train
    if sequence.inversion_ms is not None:
        data.InversionTime = ds(sequence.inversion_ms)
    if sequence.after_contrast:
        data.ContrastBolusAgent = "Gadobutrol"
    data.FlipAngle, data.MagneticFieldStrength = 90, ds(FIELD_T)
    data.ImagingFrequency, data.ImagedNucleus = ds(HYDROGEN_MHZ), "1H"
    data.NumberOfAverages, data.EchoNumbers = 1, 1
