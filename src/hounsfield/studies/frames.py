"""The frames of one DICOM file: place, rescale and the keys that tell volumes of one series apart.

In a multi-frame object each macro stands in the per-frame or in the shared functional groups, or, at
some vendors, at the top level (PS3.3 C.7.6.16); that is the order in which they are searched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hounsfield.studies.header_values import (
    first_item,
    integer,
    items,
    number,
    numbers,
    private_number,
    text,
    texts,
    vector,
)
from hounsfield.studies.old_multiframe import OLD_KEYWORDS, OldPlace, old_places, stated_slope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydicom.dataset import Dataset

    from hounsfield.studies.header_values import Header

# What may tell apart volumes that lie on the same places, in the order of preference: (name, keyword,
# macro of multi-frame objects, keyword there).
SPLIT_KEYS: tuple[tuple[str, str, str, str], ...] = (
    ("temporal position", "TemporalPositionIdentifier", "FrameContentSequence", "TemporalPositionIndex"),
    ("echo number", "EchoNumbers", "", ""),
    ("echo time", "EchoTime", "MREchoSequence", "EffectiveEchoTime"),
    ("b-value", "DiffusionBValue", "MRDiffusionSequence", "DiffusionBValue"),
    ("gradient direction", "DiffusionGradientOrientation", "", ""),
    (
        "cardiac phase",
        "NominalPercentageOfCardiacPhase",
        "CardiacSynchronizationSequence",
        "NominalPercentageOfCardiacPhase",
    ),
    (
        "trigger time",
        "TriggerTime",
        "CardiacSynchronizationSequence",
        "NominalCardiacTriggerDelayTime",
    ),
    ("kernel", "ConvolutionKernel", "CTReconstructionSequence", "ConvolutionKernel"),
    ("complex component", "ComplexImageComponent", "MRImageFrameTypeSequence", "ComplexImageComponent"),
    ("image type", "ImageType", "MRImageFrameTypeSequence", "FrameType"),
    ("inversion time", "InversionTime", "MRModifierSequence", "InversionTimes"),
    ("frame reference time", "FrameReferenceTime", "", ""),
    ("acquisition number", "AcquisitionNumber", "FrameContentSequence", "FrameAcquisitionNumber"),
    ("series description", "SeriesDescription", "", ""),
    ("image comments", "ImageComments", "FrameContentSequence", "FrameComments"),
    ("stack", "", "FrameContentSequence", "StackID"),
    ("time slot", "", "", ""),
    ("acquisition time", "AcquisitionTime", "FrameContentSequence", "FrameAcquisitionDateTime"),
    ("content time", "ContentTime", "", ""),
)
# b-values of Siemens, GE and Philips where the standard attribute is absent.
FRAME_PRIVATE_TAGS = (0x0019100C, 0x00431039, 0x20011003)
_GE_B_VALUE_OFFSET = 1e9
# Echo times are written with rounding: 4.76 and 4.759 ms are one echo.
_DECIMALS = 2

FRAME_KEYWORDS = (
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"),
    *("RescaleType", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "NumberOfFrames"),
    *(keyword for _, keyword, _, _ in SPLIT_KEYS if keyword),
    *OLD_KEYWORDS,
)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One plane of pixels. number: its place in the file, from 1.

    position_mm, cosines, pixel_spacing_mm (between rows, between columns): None where unstated. slope,
    intercept: None where unstated. keys: what may tell volumes apart, by name of SPLIT_KEYS. segment_number: of a
    segmentation, None where unstated and in a label map.
    """

    number: int
    position_mm: tuple[float, ...] | None
    cosines: tuple[float, ...] | None
    pixel_spacing_mm: tuple[float, ...] | None
    slope: float | None
    intercept: float | None
    rescale_type: str
    keys: Mapping[str, str | float] = field(default_factory=dict)
    segment_number: int | None = None

    @property
    def has_plane(self) -> bool:
        """Whether the place of the frame in the patient is stated in full."""
        return None not in (self.position_mm, self.cosines, self.pixel_spacing_mm)


def frames_of(ds: Header) -> tuple[Frame, ...]:
    """One record a frame; a file that states no number of frames has one."""
    n_frames = max(integer(ds, "NumberOfFrames") or 1, 1)
    per_frame = items(ds, "PerFrameFunctionalGroupsSequence")
    shared = items(ds, "SharedFunctionalGroupsSequence")
    if n_frames == 1 and not per_frame and not shared:
        return (_classic_frame(ds, 1),)
    if not per_frame and not shared:
        # An old multi-frame object states at most the place of its first frame.
        return _old_frames(ds, min(n_frames, _MOST_FRAMES))
    n_frames = min(n_frames, _MOST_FRAMES)
    return tuple(_enhanced_frame([*per_frame[i : i + 1], *shared[:1]], ds, i + 1) for i in range(n_frames))


# A header that declares more frames than this describes no scan; 60 frames a second for three hours.
_MOST_FRAMES = 648_000


def _old_frames(ds: Header, n_frames: int) -> tuple[Frame, ...]:
    bare = _classic_frame(ds, 1)
    places: Sequence[OldPlace | None] = old_places(ds, n_frames) or [None] * n_frames
    return tuple(
        Frame(
            number_,
            place.position_mm if place is not None else None,
            place.cosines if place is not None else None,
            bare.pixel_spacing_mm if place is not None else None,
            bare.slope,
            bare.intercept,
            bare.rescale_type,
            {**bare.keys, **(place.keys if place is not None else {})},
        )
        for number_, place in enumerate(places, 1)
    )


# What each slice of a series states anew, of what makes its frame; `with_own` reads it.
OWN_KEYWORDS = ("ImagePositionPatient", "AcquisitionTime", "ContentTime")


def with_own(shared: Frame, ds: Header) -> Frame:
    """The frame of a slice, from the one that lacks what OWN_KEYWORDS name."""
    own = {"acquisition time": _key(ds, "AcquisitionTime"), "content time": _key(ds, "ContentTime")}
    return Frame(
        shared.number,
        vector(ds, "ImagePositionPatient", 3),
        shared.cosines,
        shared.pixel_spacing_mm,
        shared.slope,
        shared.intercept,
        shared.rescale_type,
        {**shared.keys, **{name: value for name, value in own.items() if value is not None}},
    )


def _classic_frame(ds: Header, number_: int) -> Frame:
    return Frame(
        number_,
        vector(ds, "ImagePositionPatient", 3),
        vector(ds, "ImageOrientationPatient", 6),
        vector(ds, "PixelSpacing", 2),
        stated_slope(ds),
        number(ds, "RescaleIntercept"),
        text(ds, "RescaleType").upper(),
        _classic_keys(ds),
    )


def _enhanced_frame(groups: list[Dataset], top: Header, number_: int) -> Frame:
    def macro(name: str) -> Header:
        for group in groups:
            found = first_item(group, name)
            if found is not None:
                return found
        return top

    transformation = macro("PixelValueTransformationSequence")
    measures = macro("PixelMeasuresSequence")
    return Frame(
        number_,
        vector(macro("PlanePositionSequence"), "ImagePositionPatient", 3)
        # Ultrasound volumes lie in a frame of their own (PS3.3 C.8.24.3).
        or vector(macro("PlanePositionVolumeSequence"), "ImagePositionVolume", 3),
        vector(macro("PlaneOrientationSequence"), "ImageOrientationPatient", 6)
        or vector(macro("PlaneOrientationVolumeSequence"), "ImageOrientationVolume", 6),
        vector(measures, "PixelSpacing", 2),
        number(transformation, "RescaleSlope"),
        number(transformation, "RescaleIntercept"),
        text(transformation, "RescaleType").upper(),
        _enhanced_keys(groups),
        integer(macro("SegmentIdentificationSequence"), "ReferencedSegmentNumber"),
    )


def _classic_keys(ds: Header) -> dict[str, str | float]:
    keys = {name: _key(ds, keyword) for name, keyword, _, _ in SPLIT_KEYS if keyword in ds}
    if "b-value" not in keys:
        keys["b-value"] = _private_b_value(ds)
    return {name: value for name, value in keys.items() if value is not None}


def _enhanced_keys(groups: list[Dataset]) -> dict[str, str | float]:
    keys: dict[str, str | float] = {}
    for name, _, sequence, keyword in SPLIT_KEYS:
        for group in groups if sequence else ():
            item = first_item(group, sequence)
            value = _key(item, keyword) if item is not None else None
            if value is not None:
                keys.setdefault(name, value)
    # PS3.3 C.8.13.5.9: the direction stands in a sequence of its own within the diffusion macro.
    diffusions = (first_item(group, "MRDiffusionSequence") for group in groups)
    for diffusion in diffusions:
        turned = (
            first_item(diffusion, "DiffusionGradientDirectionSequence") if diffusion is not None else None
        )
        direction = _key(turned, "DiffusionGradientOrientation") if turned is not None else None
        if direction is not None:
            keys.setdefault("gradient direction", direction)
    return keys


def _key(ds: Header, keyword: str) -> str | float | None:
    """A value that can be compared: numbers rounded, several values joined."""
    found = numbers(ds, keyword)
    if found is not None:
        return round(found[0], _DECIMALS) if len(found) == 1 else "\\".join(map(repr, found))
    return "\\".join(texts(ds, keyword)) or None


def _private_b_value(ds: Header) -> float | None:
    found = (private_number(ds, tag) for tag in FRAME_PRIVATE_TAGS)
    return next((value % _GE_B_VALUE_OFFSET for value in found if value is not None), None)
