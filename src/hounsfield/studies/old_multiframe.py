"""Places of frames in multi-frame objects that have no functional groups: dose grids, nuclear medicine.

RT Dose (PS3.3 C.8.8.3.2) states the offset of each plane, reconstructed nuclear medicine (C.8.4.15) the place
of the first one in its detector and a spacing whose sign is the direction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import GeometryError
from hounsfield.imaging.affine import plane_normal
from hounsfield.studies.header_values import first_item, number, numbers, text, texts, vector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.studies.header_values import Header

OLD_KEYWORDS = (
    *("GridFrameOffsetVector", "DoseGridScaling", "DetectorInformationSequence", "SliceVector"),
    *("TimeSlotVector", "SpacingBetweenSlices"),
)
_SAME_MM = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class OldPlace:
    """Where one frame lies, and what may tell its volume from others."""

    position_mm: tuple[float, ...]
    cosines: tuple[float, ...]
    keys: Mapping[str, str | float] = field(default_factory=dict)


def old_places(ds: Header, n_frames: int) -> list[OldPlace] | None:
    """One place a frame; None where the object states none, or not for every frame."""
    image_type = tuple(part.upper() for part in texts(ds, "ImageType"))
    try:
        if numbers(ds, "GridFrameOffsetVector") is not None:
            return _dose_planes(ds, n_frames)
        if any(part in {"RECON TOMO", "RECON GATED TOMO"} for part in image_type):
            return _reconstructed_slices(ds, n_frames)
    except GeometryError:
        return None
    return None


def stated_slope(ds: Header) -> float | None:
    """Rescale Slope, or in a dose grid Dose Grid Scaling (3004,000E)."""
    slope = number(ds, "RescaleSlope")
    return number(ds, "DoseGridScaling") if slope is None and text(ds, "Modality") == "RTDOSE" else slope


def _dose_planes(ds: Header, n_frames: int) -> list[OldPlace] | None:
    offsets = numbers(ds, "GridFrameOffsetVector")
    first, cosines = vector(ds, "ImagePositionPatient", 3), vector(ds, "ImageOrientationPatient", 6)
    if offsets is None or len(offsets) != n_frames or first is None or cosines is None:
        return None
    normal = plane_normal(cosines)
    # The vector may hold z coordinates instead of offsets; then its first is that of the position.
    if abs(offsets[0]) > _SAME_MM and abs(offsets[0] - first[2]) <= _SAME_MM:
        normal = np.array([0.0, 0.0, 1.0])
        offsets = tuple(offset - offsets[0] for offset in offsets)
    return [OldPlace(tuple((np.array(first) + offset * normal).tolist()), cosines) for offset in offsets]


def _reconstructed_slices(ds: Header, n_frames: int) -> list[OldPlace] | None:
    detector = first_item(ds, "DetectorInformationSequence")
    if detector is None:
        return None
    first, cosines = (
        vector(detector, "ImagePositionPatient", 3),
        vector(detector, "ImageOrientationPatient", 6),
    )
    spacing_mm = number(ds, "SpacingBetweenSlices")
    if first is None or cosines is None or not spacing_mm:
        return None
    slices, slots = numbers(ds, "SliceVector"), numbers(ds, "TimeSlotVector")
    if slices is None:
        slices = tuple(float(k + 1) for k in range(n_frames))
    if len(slices) != n_frames or (slots is not None and len(slots) != n_frames):
        return None
    step = plane_normal(cosines) * spacing_mm
    return [
        OldPlace(
            tuple((np.array(first) + (slices[k] - 1.0) * step).tolist()),
            cosines,
            {"time slot": slots[k]} if slots is not None else {},
        )
        for k in range(n_frames)
    ]
