"""The chest film phantom as Digital X-Ray Image Storage - For Presentation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydicom.sequence import Sequence
from pydicom.uid import DigitalXRayImageStorageForPresentation

from hounsfield.phantoms.chest_film import LARGEST_GREY, TARGET_INDEX
from hounsfield.phantoms.dicom_attributes import STUDY_TIME, add_image_label, code, ds, ds_list, start, uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from hounsfield.phantoms.phantom import Phantom

# View codes of PS3.16 CID 4010; on a PA film a row runs to the patient's left, on a left lateral one to the back.
VIEW_CODES = {
    "PA": ("272479007", "postero-anterior"),
    "AP": ("399348003", "antero-posterior"),
    "LL": ("399173006", "left lateral"),
}
ORIENTATION = {"PA": ["L", "F"], "AP": ["L", "F"], "LL": ["P", "F"]}
POSITION = {"PA": ("10904000", "erect"), "AP": ("102538003", "recumbent"), "LL": ("10904000", "erect")}


def film_object(phantom: Phantom) -> Dataset:
    """The whole film as one object; all that it says of view, exposure and spacing is the phantom's truth."""
    truth, p = phantom.truth, phantom.parameters
    data = start(phantom, DigitalXRayImageStorageForPresentation, uid(phantom, "instance"))
    data.PatientSex, data.PatientAge = truth["sex"], f"{truth['age_years']:03d}Y"
    data.Modality, data.SeriesInstanceUID = "DX", uid(phantom, "series")
    data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = 1, 1, 1
    data.SeriesDescription = f"Synthetic chest film {truth['view']}"
    data.PresentationIntentType, data.ImageType = "FOR PRESENTATION", ["DERIVED", "PRIMARY", ""]
    data.AcquisitionDate, data.AcquisitionTime = data.StudyDate, STUDY_TIME
    data.AcquisitionContextSequence = Sequence([])
    _add_anatomy(data, truth["view"])
    _add_detector(data, phantom)
    add_image_label(data)
    data.DerivationDescription = "Synthetic: computed from analytic shapes"
    _add_pixels(data, phantom, str(p["photometric"]))
    return data


def _add_anatomy(data: Dataset, view: str) -> None:
    value, meaning = VIEW_CODES[view]
    data.BodyPartExamined, data.ViewPosition = "CHEST", view
    data.AnatomicRegionSequence = Sequence([code("51185008", "SCT", "Chest")])
    data.ImageLaterality, data.PatientOrientation = "U", ORIENTATION[view]
    viewed = code(value, "SCT", meaning)
    viewed.ViewModifierCodeSequence = Sequence([])
    data.ViewCodeSequence = Sequence([viewed])
    data.PatientOrientationCodeSequence = Sequence([code(POSITION[view][0], "SCT", POSITION[view][1])])


def _add_detector(data: Dataset, phantom: Phantom) -> None:
    spacing_mm = phantom.truth["spacing_mm"]
    data.DetectorType, data.DetectorConfiguration = "SCINTILLATOR", "AREA"
    data.DetectorDescription = "Synthetic"
    data.ImagerPixelSpacing = ds_list([spacing_mm, spacing_mm])
    index = float(phantom.truth["exposure_index"])
    data.KVP, data.PositionerType = ds(120.0), "NONE"
    data.ExposureIndex, data.TargetExposureIndex = ds(index), ds(TARGET_INDEX)
    data.DeviationIndex = ds(10.0 * math.log10(index / TARGET_INDEX))  # IEC 62494-1


def _add_pixels(data: Dataset, phantom: Phantom, photometric: str) -> None:
    data.Rows, data.Columns = phantom.grid.shape[1:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, photometric
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelIntensityRelationship = "LOG"
    data.PixelIntensityRelationshipSign = 1 if photometric == "MONOCHROME1" else -1
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = 0, 1, "US"
    data.PresentationLUTShape = "INVERSE" if photometric == "MONOCHROME1" else "IDENTITY"
    data.WindowCenter, data.WindowWidth = ds((LARGEST_GREY + 1) / 2), ds(LARGEST_GREY + 1)
    data.PixelData = phantom.array[0].astype("<u2").tobytes()
