"""The mammogram phantom as Digital Mammography X-Ray Image Storage, for presentation: one object a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.sequence import Sequence
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation

from hounsfield.phantoms.dicom_attributes import (
    STUDY_TIME,
    add_image_label,
    add_pixel_module,
    code,
    ds,
    ds_list,
    start,
    uid,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from hounsfield.phantoms.phantom import Phantom

BITS_STORED = 12
WINDOW_CENTRE, WINDOW_WIDTH = 1700, 2600
# PS3.16 CID 4014, and Image Laterality with the direction of rows and columns as IHE Mammography Image hangs them.
VIEW_CODES = {
    "CC": ("399162004", "SCT", "cranio-caudal"),
    "MLO": ("399368009", "SCT", "medio-lateral oblique"),
}
PATIENT_ORIENTATION = {
    ("L", "CC"): ["A", "R"],
    ("R", "CC"): ["P", "L"],
    ("L", "MLO"): ["A", "FR"],
    ("R", "MLO"): ["P", "FL"],
}
ANGLE_DEG = {"CC": 0, "MLO": 45}


def mg_object(phantom: Phantom, number: int) -> Dataset:
    """The object of one view; `number` counts the images of the exam."""
    data = start(phantom, DigitalMammographyXRayImageStorageForPresentation, uid(phantom, "instance"))
    side, view = phantom.truth["side"], phantom.truth["view"]
    data.Modality, data.SeriesInstanceUID = "MG", uid(phantom, "series")
    data.SeriesNumber, data.InstanceNumber, data.AcquisitionNumber = number, 1, number
    data.SeriesDescription = f"Synthetic mammogram {side} {view}"
    data.PresentationIntentType = "FOR PRESENTATION"
    data.ImageType = ["DERIVED", "PRIMARY"]
    data.AcquisitionDate, data.AcquisitionTime = data.StudyDate, STUDY_TIME
    data.PatientOrientation = PATIENT_ORIENTATION[side, view]
    data.BodyPartExamined, data.ImageLaterality, data.ViewPosition = "BREAST", side, view
    data.AnatomicRegionSequence = Sequence([code("76752008", "SCT", "Breast")])
    item = code(*VIEW_CODES[view])
    item.ViewModifierCodeSequence = Sequence([])
    data.ViewCodeSequence = Sequence([item])
    _add_exposure(data, phantom, view)
    _add_detector(data, phantom)
    add_image_label(data)
    _add_values(data, phantom)
    data.AcquisitionContextSequence = Sequence([])
    data.PixelData = phantom.array[0].astype("<u2").tobytes()
    return data


def _add_exposure(data: Dataset, phantom: Phantom, view: str) -> None:
    """How the unit would have been set; no dose is stated, for none was given."""
    data.KVP, data.AnodeTargetMaterial, data.FilterMaterial = 28, "TUNGSTEN", "RHODIUM"
    data.BodyPartThickness = ds(phantom.truth["thickness_mm"])
    data.PositionerType, data.PositionerPrimaryAngle = "MAMMOGRAPHIC", ANGLE_DEG[view]
    data.OrganExposed, data.BreastImplantPresent, data.PartialView = "BREAST", "NO", "NO"
    data.EstimatedRadiographicMagnificationFactor = 1


def _add_detector(data: Dataset, phantom: Phantom) -> None:
    spacing_mm = float(phantom.truth["pixel_spacing_mm"])
    data.ImagerPixelSpacing = ds_list([spacing_mm, spacing_mm])
    data.DetectorType, data.DetectorConfiguration, data.DetectorID = "DIRECT", "AREA", "0"
    data.DetectorActiveShape = "RECTANGLE"
    data.FieldOfViewShape, data.FieldOfViewOrigin = "RECTANGLE", [0, 0]
    data.FieldOfViewRotation, data.FieldOfViewHorizontalFlip = "0", "NO"


def _add_values(data: Dataset, phantom: Phantom) -> None:
    """What the stored values mean, by vendor."""
    vendor = phantom.parameters["vendor"]
    is_inverted = vendor == "inverted"
    add_pixel_module(data, phantom.grid.shape[1:], bits_stored=BITS_STORED, is_signed=False)
    data.PhotometricInterpretation = "MONOCHROME1" if is_inverted else "MONOCHROME2"
    data.PresentationLUTShape = "INVERSE" if is_inverted else "IDENTITY"
    # PS3.3 C.8.11.3.1.2: -1 where larger values mean fewer photons.
    data.PixelIntensityRelationship, data.PixelIntensityRelationshipSign = "LOG", 1 if is_inverted else -1
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = 0, 1, "US"
    white = 2**BITS_STORED - 1
    data.WindowCenter = white - WINDOW_CENTRE if is_inverted else WINDOW_CENTRE
    data.WindowWidth = WINDOW_WIDTH
    if vendor == "sigmoid":
        data.VOILUTFunction = "SIGMOID"
