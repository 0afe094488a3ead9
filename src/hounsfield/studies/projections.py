"""Radiographs, mammograms, ultrasound: what one pixel measures, and what is unstated about view and side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core import Condition, PlaneSpacing
from hounsfield.studies.header_values import first_item, integer, items, number, text, vector
from hounsfield.studies.views import view_and_side

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from hounsfield.core.image import SpacingKind

RADIOGRAPHS = frozenset({"CR", "DX", "MG", "RG", "PX", "IO"})
_CM = 3  # Physical Units X/Y Direction (0018,6024): 3 = centimetres
_TWO_DIMENSIONAL = 1  # Region Spatial Format (0018,6012)


def projection_spacing(header: Dataset) -> PlaneSpacing | None:
    """Pixel spacing of an image without a place, and what it refers to; None if unstated.

    Source: PS3.3 10.7 (calibration), C.8.5.5 (ultrasound regions), C.8.7.1 (magnification).
    """
    if text(header, "Modality") in {"US", "IVUS"}:
        return _ultrasound_spacing(header)
    spacing, imager = _positive(header, "PixelSpacing"), _imager_spacing(header)
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


def _imager_spacing(header: Dataset) -> tuple[float, ...] | None:
    """Imager Pixel Spacing (0018,1164), in enhanced XA in a functional group (PS3.3 C.8.19.6.4)."""
    shared = first_item(header, "SharedFunctionalGroupsSequence")
    properties = first_item(shared, "FramePixelDataPropertiesSequence") if shared is not None else None
    return _positive(header if properties is None else properties, "ImagerPixelSpacing")


def _positive(header: Dataset, keyword: str) -> tuple[float, ...] | None:
    pair = vector(header, keyword, 2)
    return pair if pair is not None and min(pair) > 0 else None


def _ultrasound_spacing(header: Dataset) -> PlaneSpacing | None:
    """Only where all regions of tissue in the picture are measured alike."""
    tissue = [region for region in ultrasound_regions(header) if region["format"] == _TWO_DIMENSIONAL]
    if len({(round(region["row_mm"], 6), round(region["column_mm"], 6)) for region in tissue}) != 1:
        return None
    return PlaneSpacing(tissue[0]["row_mm"], tissue[0]["column_mm"], "calibrated")


def ultrasound_regions(header: Dataset) -> tuple[dict[str, Any], ...]:
    """The calibrated regions of an ultrasound picture (PS3.3 C.8.5.5) that are measured in centimetres.

    Each with `box_yx` (first and last row and column), `row_mm`, `column_mm` and `format` (1 for
    two-dimensional tissue, 2 M-mode, 3 spectrum, ...).
    """
    found = []
    for region in items(header, "SequenceOfUltrasoundRegions"):
        units = (integer(region, "PhysicalUnitsXDirection"), integer(region, "PhysicalUnitsYDirection"))
        x_cm, y_cm = number(region, "PhysicalDeltaX"), number(region, "PhysicalDeltaY")
        if units != (_CM, _CM) or not x_cm or not y_cm:
            continue
        corners = [integer(region, f"RegionLocation{end}") for end in ("MinY0", "MinX0", "MaxY1", "MaxX1")]
        found.append(
            {
                "box_yx": tuple(corners),
                "row_mm": abs(y_cm) * 10.0,
                "column_mm": abs(x_cm) * 10.0,
                "format": integer(region, "RegionSpatialFormat") or _TWO_DIMENSIONAL,
            }
        )
    return tuple(found)


def projection_conditions(header: Dataset) -> list[Condition]:
    """What is unstated, contradictory or inverted on a radiograph; nothing for other pictures."""
    modality = text(header, "Modality")
    where = tuple(filter(None, (text(header, "SOPInstanceUID"),)))
    if modality in {"US", "IVUS"} and projection_spacing(header) is None:
        said = (
            "No region of the picture is calibrated in centimetres, or several differ (Sequence of Ultrasound Regions, "
            "0018,6011): lengths in the picture are not known."
        )
        return [Condition("spacing-uncalibrated", "note", said, where)]
    if modality not in RADIOGRAPHS:
        return []
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
    return found + view_and_side(header)[2]
