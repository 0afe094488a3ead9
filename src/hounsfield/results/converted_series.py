"""A volume as a DICOM series of CT, MR or PET images, labelled as converted.

Only what is known is stated: no dates of an examination, no scanner, and a patient only if the caller names a
study to take it from. UIDs follow from the voxels, so that the same conversion gives the same objects.
Source: PS3.3 A.3, A.4, A.21; C.7.6.2 (plane), C.8.2.1 (CT image), C.8.9 (PET).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import Condition
from hounsfield.core.errors import GeometryError, UnitError, UsageError
from hounsfield.core.reading import RESEARCH_USE
from hounsfield.core.uid import derive_uid
from hounsfield.results.dicom_context import COPIED, MANUFACTURER, TYPE_2, plain, save
from hounsfield.results.folder import replaced_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hounsfield.core import Grid, Image

_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
}
MODALITIES = tuple(_CLASSES)
# What a volume of each modality may be in.
UNITS = {"CT": ("HU",), "MR": ("1",), "PT": ("SUVbw", "Bq/ml")}
_SERIES_NUMBER = 910
_LARGEST = 65535
_LARGEST_SIGNED = 32767
# Cosine between a row and a column direction: what rounding in NIfTI's float32 leaves.
_RIGHT_ANGLE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class SeriesOrigin:
    """Where a converted series comes from. name: of the file, for the description (ASCII is kept of it).

    like: header of the study that patient and study are taken from, None for placeholders.
    frame_of_reference_uid: that of `like` if the volume lies in it, else None. created: stated in the objects.
    """

    name: str
    created: datetime
    code_version: str
    like: Dataset | None = None
    frame_of_reference_uid: str | None = None


@dataclass(frozen=True, slots=True)
class _Storage:
    """How values become stored ones: (value - intercept) / slope. is_signed: 16 bit either way."""

    slope: float
    intercept: float
    is_signed: bool
    largest_error: float = 0.0

    def stored(self, values: NDArray[Any]) -> bytes:
        if self.slope == 1.0 and np.issubdtype(values.dtype, np.integer):
            scaled = values.astype(np.int64) - int(self.intercept)
        else:
            scaled = np.rint((values.astype(np.float64) - self.intercept) / self.slope)
        limits = (-_LARGEST_SIGNED - 1, _LARGEST_SIGNED) if self.is_signed else (0, _LARGEST)
        return np.clip(scaled, *limits).astype("<i2" if self.is_signed else "<u2").tobytes()


def write_image_series(image: Image, modality: str, folder: Path, origin: SeriesOrigin) -> list[Condition]:
    """Write `image`, array (z, y, x) in HU (CT), 1 (MR), SUVbw or Bq/ml (PT), as one object a slice.

    Returns what has to be told: values that 16 bit do not hold exactly. Raises UsageError for another
    modality, UnitError for a unit that does not belong to it, GeometryError for a grid that DICOM cannot
    state (no position, rows not at right angles to columns, time or colour), ResultError if not written.
    """
    _check(image, modality)
    storage, conditions = _storage(image.array, modality)
    identity = _identity(image, modality, origin)
    with replaced_folder(folder, is_own=_is_own) as scratch:
        for k in range(image.grid.shape[0]):
            ds = _slice(image, k, modality, origin, identity)
            _state_pixels(ds, image.array[k], storage, modality)
            save(ds, scratch / f"{k + 1:05d}.dcm")
    return conditions


def _is_own(name: str) -> bool:
    return len(name) == 9 and name.endswith(".dcm") and name[:5].isdigit()


def _check(image: Image, modality: str) -> None:
    if modality not in _CLASSES:
        raise UsageError(f"modality {modality!r} cannot be written; one of {', '.join(MODALITIES)} can")
    if image.unit not in UNITS[modality]:
        raise UnitError(
            f"the values are in {image.unit!r}, and a {modality} series is written in {' or '.join(UNITS[modality])}. "
            "State the unit that they are in."
        )
    if image.array.ndim != 3:
        raise GeometryError(
            f"an array of shape {image.array.shape} has time or colour, and one series of slices holds neither. "
            "Split it into volumes."
        )
    if not image.grid.has_millimetres:
        raise GeometryError(
            "the file states no position (sform and qform), so no DICOM plane can be. Set them."
        )
    directions = image.grid.directions
    cosine = abs(float(directions[:, 1] @ directions[:, 2]))
    if cosine > _RIGHT_ANGLE:
        raise GeometryError(
            f"rows and columns are not at right angles (cosine {cosine:.4f}), and DICOM cannot state such a plane. "
            "Resample the volume onto a grid without shear in the plane."
        )
    if not np.isfinite(image.array).all():
        raise UnitError(
            "the volume holds values that are not finite numbers, and DICOM cannot. Replace them."
        )


def _storage(array: NDArray[Any], modality: str) -> tuple[_Storage, list[Condition]]:
    """Whole numbers stay as they are where 16 bit hold them; what is rounded is told with its largest error."""
    low, high = float(array.min()), float(array.max())
    is_whole = np.issubdtype(array.dtype, np.integer) or all(bool((p == np.rint(p)).all()) for p in array)
    storage = _BY_MODALITY[modality](low, high, is_whole)
    if storage.largest_error == 0.0:
        return storage, []
    text = (
        f"The values {low:g} to {high:g} do not fit 16 bit exactly; they were rounded to steps of {storage.slope:g} "
        f"(at most {storage.largest_error:.3g} off)."
    )
    return storage, [Condition("values-rounded", "note", text)]


def _ct_storage(low: float, high: float, is_whole: bool) -> _Storage:  # noqa: FBT001  one of a table
    if is_whole and high - min(low, 0.0) <= _LARGEST:
        return _Storage(1.0, min(low, 0.0), is_signed=False)
    slope = _written((high - low) / _LARGEST or 1.0)
    return _Storage(slope, _written(low), is_signed=False, largest_error=slope / 2)


def _mr_storage(low: float, high: float, is_whole: bool) -> _Storage:  # noqa: FBT001  one of a table
    if is_whole and low >= 0.0 and high <= _LARGEST:
        return _Storage(1.0, 0.0, is_signed=False)
    if is_whole and low >= -_LARGEST_SIGNED - 1 and high <= _LARGEST_SIGNED:
        return _Storage(1.0, 0.0, is_signed=True)
    return _ct_storage(low, high, is_whole)


def _pet_storage(low: float, high: float, is_whole: bool) -> _Storage:  # noqa: FBT001  one of a table
    """PS3.3 C.8.9.4: the intercept of PET is 0."""
    largest = max(abs(low), abs(high))
    if is_whole and largest <= _LARGEST_SIGNED:
        return _Storage(1.0, 0.0, is_signed=True)
    slope = _written(largest / _LARGEST_SIGNED)
    return _Storage(slope, 0.0, is_signed=True, largest_error=slope / 2)


_BY_MODALITY: dict[str, Callable[[float, float, bool], _Storage]] = {
    "CT": _ct_storage,
    "MR": _mr_storage,
    "PT": _pet_storage,
}


def _written(value: float) -> float:
    """The number that a decimal string of 16 characters holds: scaling must use what readers will see."""
    return float(_ds(value))


def _ds(value: float) -> Any:
    from pydicom.valuerep import DSfloat

    return DSfloat(0.0 if abs(value) < 1e-12 else float(value), auto_format=True)


def _identity(image: Image, modality: str, origin: SeriesOrigin) -> tuple[str, ...]:
    digest = hashlib.sha256(f"{image.array.shape}{image.array.dtype.str}{image.unit}".encode())
    digest.update(np.asarray(image.grid.affine).tobytes())
    for plane in image.array:
        digest.update(np.ascontiguousarray(plane).tobytes())
    study = str(origin.like.get("StudyInstanceUID", "")) if origin.like is not None else ""
    return ("converted", modality, origin.name, study, digest.hexdigest())


def _slice(image: Image, k: int, modality: str, origin: SeriesOrigin, identity: tuple[str, ...]) -> Dataset:
    """Everything of slice k but its pixels."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    _state_patient(ds, origin, identity)
    ds.SOPClassUID, ds.SOPInstanceUID = UID(_CLASSES[modality]), UID(derive_uid(*identity, str(k)))
    ds.SeriesInstanceUID, ds.SeriesNumber = UID(derive_uid(*identity, "series")), _SERIES_NUMBER
    if "BodyPartExamined" not in ds:
        ds.Laterality = None  # Type 2C: nobody says that no paired part is shown
    ds.Modality, ds.InstanceNumber, ds.AcquisitionNumber = modality, k + 1, None
    name = plain(origin.name, 40)
    ds.SeriesDescription = f"{name} - converted"
    said = (
        f"Converted from a file without DICOM attributes by hounsfield {origin.code_version}. {RESEARCH_USE}"
    )
    ds.DerivationDescription = plain(said, 1024)
    ds.ContentQualification, ds.BurnedInAnnotation, ds.LossyImageCompression = "RESEARCH", "NO", "00"
    ds.Manufacturer, ds.ManufacturerModelName = MANUFACTURER, "convert"
    ds.SoftwareVersions = plain(origin.code_version, 64)
    date, time = origin.created.strftime("%Y%m%d"), origin.created.strftime("%H%M%S")
    ds.InstanceCreationDate = ds.ContentDate = ds.SeriesDate = date
    ds.InstanceCreationTime = ds.ContentTime = ds.SeriesTime = time
    _state_plane(ds, image.grid, k)
    ds.FrameOfReferenceUID = origin.frame_of_reference_uid or UID(derive_uid(*identity, "frame"))
    ds.PositionReferenceIndicator = None
    _OF_MODALITY[modality](ds, image)
    return ds


def _state_patient(ds: Dataset, origin: SeriesOrigin, identity: tuple[str, ...]) -> None:
    if origin.like is not None:
        for keyword in COPIED:
            if keyword in origin.like:
                ds[keyword] = origin.like[keyword]
    else:
        ds.PatientName, ds.PatientID = "Anonymous^Volume", f"CONVERTED-{identity[-1][:12]}"
        ds.StudyInstanceUID = derive_uid(*identity, "study")
        ds.StudyDescription = "Converted - no patient is stated"
    for keyword in TYPE_2:
        if keyword not in ds:
            setattr(ds, keyword, None)


def _state_plane(ds: Dataset, grid: Grid, k: int) -> None:
    directions = grid.directions
    row_mm, column_mm = grid.spacing_mm[1:]
    ds.ImageOrientationPatient = [_ds(v) for v in (*directions[:, 2], *directions[:, 1])]
    ds.ImagePositionPatient = [_ds(v) for v in grid.index_to_mm(np.array([float(k), 0.0, 0.0]))]
    ds.PixelSpacing = [_ds(row_mm), _ds(column_mm)]
    # Voxels fill the space between planes: their thickness is the step along the normal.
    normal = np.cross(directions[:, 2], directions[:, 1])
    ds.SliceThickness = _ds(abs(float(directions[:, 0] @ normal)) * grid.spacing_mm[0])


def _of_ct(ds: Dataset, image: Image) -> None:
    del image
    ds.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    ds.PatientPosition = ds.KVP = None
    ds.RescaleType = "HU"


def _of_mr(ds: Dataset, image: Image) -> None:
    del image
    ds.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    ds.ScanningSequence, ds.SequenceVariant = "RM", "NONE"  # RM: research mode
    for keyword in ("ScanOptions", "MRAcquisitionType", "EchoTime", "RepetitionTime", "EchoTrainLength"):
        setattr(ds, keyword, None)
    ds.PatientPosition = None


def _of_pet(ds: Dataset, image: Image) -> None:
    """PET wants times and corrections that a volume does not have; a SUV is corrected by its definition."""
    is_suv = image.unit == "SUVbw"
    ds.ImageType = ["DERIVED", "PRIMARY"]  # PS3.3 C.8.9.4 has no SECONDARY
    ds.Units = "GML" if is_suv else "BQML"
    if is_suv:
        ds.SUVType = "BW"
    ds.CorrectedImage = ["ATTN", "DECY"] if is_suv else None
    ds.DecayCorrection = "START" if is_suv else "NONE"
    ds.SeriesType, ds.CountsSource, ds.CollimatorType = ["STATIC", "IMAGE"], "EMISSION", None
    ds.NumberOfSlices, ds.ImageIndex = image.grid.shape[0], ds.InstanceNumber
    if is_suv:
        ds.DecayFactor = 1  # what the values were multiplied by stands in them
    ds.FrameReferenceTime = 0
    ds.ActualFrameDuration = ds.AcquisitionDate = ds.AcquisitionTime = None
    ds.RadiopharmaceuticalInformationSequence = []
    ds.PatientOrientationCodeSequence = []
    ds.PatientGantryRelationshipCodeSequence = []


_OF_MODALITY: dict[str, Callable[[Dataset, Image], None]] = {"CT": _of_ct, "MR": _of_mr, "PT": _of_pet}


def _state_pixels(ds: Dataset, plane: NDArray[Any], storage: _Storage, modality: str) -> None:
    ds.Rows, ds.Columns = plane.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.PixelRepresentation = int(storage.is_signed)
    # MR images have no rescale of their own (PS3.3 A.4.3); it is stated only where it is needed.
    if modality != "MR" or (storage.slope, storage.intercept) != (1.0, 0.0):
        ds.RescaleSlope, ds.RescaleIntercept = _ds(storage.slope), _ds(storage.intercept)
    ds.PixelData = storage.stored(plane)
