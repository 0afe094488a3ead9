"""Radiographs, mammograms, ultrasound: what one pixel measures, and what is unstated about view and side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core import Condition, PlaneSpacing
from hounsfield.studies.header_values import first_item, integer, number, text, vector

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from hounsfield.core.image import SpacingKind

RADIOGRAPHS = frozenset({"CR", "DX", "MG", "RG", "PX", "IO"})
_CM = 3  # Physical Units X/Y Direction (0018,6024): 3 = centimetres


def projection_spacing(header: Dataset) -> PlaneSpacing | None:
    """Pixel spacing of an image without a place, and what it refers to; None if unstated.

    Source: PS3.3 10.7 (calibration), C.8.5.5 (ultrasound regions), C.8.7.1 (magnification).
    """
    if text(header, "Modality") in {"US", "IVUS"}:
        return _ultrasound_spacing(header)
    spacing, imager = _positive(header, "PixelSpacing"), _positive(header, "ImagerPixelSpacing")
    if imager is not None and spacing in {None, imager}:
        magnification = number(header, "EstimatedRadiographicMagnificationFactor") or 1.0
        kind: SpacingKind = "calibrated" if magnification > 1.0 else "detector"
        return PlaneSpacing(imager[0] / max(magnification, 1.0), imager[1] / max(magnification, 1.0), kind)
    if spacing is None:
        return None
    if imager is not None or text(header, "PixelSpacingCalibrationType"):
        return PlaneSpacing(spacing[0], spacing[1], "calibrated")
    # PS3.3 10.7.1.1: without calibration, Pixel Spacing of a radiograph is that of the detector.
    is_shadow = text(header, "Modality") in {*RADIOGRAPHS, "XA", "RF"}
    return PlaneSpacing(spacing[0], spacing[1], "detector" if is_shadow else "patient")


def _positive(header: Dataset, keyword: str) -> tuple[float, ...] | None:
    pair = vector(header, keyword, 2)
    return pair if pair is not None and min(pair) > 0 else None


def _ultrasound_spacing(header: Dataset) -> PlaneSpacing | None:
    """Only where the whole picture is one region measured in centimetres."""
    regions = header.get("SequenceOfUltrasoundRegions") or ()
    region = first_item(header, "SequenceOfUltrasoundRegions")
    if region is None or len(regions) != 1:
        return None
    units = (integer(region, "PhysicalUnitsXDirection"), integer(region, "PhysicalUnitsYDirection"))
    x_cm, y_cm = number(region, "PhysicalDeltaX"), number(region, "PhysicalDeltaY")
    if units != (_CM, _CM) or not x_cm or not y_cm:
        return None
    return PlaneSpacing(abs(y_cm) * 10.0, abs(x_cm) * 10.0, "calibrated")


def projection_conditions(header: Dataset) -> list[Condition]:
    """What is unstated, contradictory or inverted on a radiograph; nothing for other pictures."""
    modality = text(header, "Modality")
    if modality not in RADIOGRAPHS:
        return []
    where = tuple(filter(None, (text(header, "SOPInstanceUID"),)))
    found = []
    if text(header, "PhotometricInterpretation").upper() == "MONOCHROME1":
        found.append(
            Condition(
                "monochrome1",
                "note",
                "Photometric Interpretation (0028,0004) is MONOCHROME1: low values are white. Values are those "
                "stored; invert them for display.",
                where,
            )
        )
    spacing = projection_spacing(header)
    if spacing is None or spacing.kind == "detector":
        said = "states no pixel spacing" if spacing is None else "states its pixel spacing at the detector"
        found.append(
            Condition(
                "spacing-uncalibrated",
                "note",
                f"The radiograph {said}: lengths in the patient are not known, ratios are.",
                where,
            )
        )
    if text(header, "PresentationIntentType") == "FOR PROCESSING":
        found.append(
            Condition(
                "for-processing",
                "warning",
                "Presentation Intent Type (0008,0068) is FOR PROCESSING: raw detector values, which models made "
                "for presented images read wrongly.",
                where,
            )
        )
    return found + _view_and_side(header, modality, where)


def _view_and_side(header: Dataset, modality: str, where: tuple[str, ...]) -> list[Condition]:
    found = []
    if not text(header, "ViewPosition") and first_item(header, "ViewCodeSequence") is None:
        found.append(
            Condition(
                "view-unstated",
                "note",
                "Neither View Position (0018,5101) nor View Code Sequence (0054,0220) is stated: the view is unknown.",
                where,
            )
        )
    sides = {text(header, "ImageLaterality"), text(header, "Laterality")} - {"", "U"}
    if len(sides) > 1:
        found.append(
            Condition(
                "laterality-contradictory",
                "warning",
                "Image Laterality (0020,0062) and Laterality (0020,0060) contradict each other; the side is unknown.",
                where,
            )
        )
    elif not sides and modality == "MG":
        found.append(
            Condition(
                "laterality-unstated",
                "warning",
                "The mammogram states no Image Laterality (0020,0062); the side is unknown.",
                where,
            )
        )
    return found
