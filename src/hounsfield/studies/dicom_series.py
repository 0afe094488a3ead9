"""A unit of frames as a Series: its grid, its unit, its conditions, and how to load it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core import Condition, Grid, Image, Series, SourceFrame
from hounsfield.core.errors import HounsfieldError
from hounsfield.imaging.affine import affine_from_planes, plane_normal
from hounsfield.imaging.shear import straightening
from hounsfield.imaging.slices import stack_slices
from hounsfield.studies.cine import frame_times
from hounsfield.studies.header_values import first_item, plain, quiet_pydicom, stated, text
from hounsfield.studies.instances import read_data_set
from hounsfield.studies.intensity import intensity_of
from hounsfield.studies.pixel_arrays import PixelPlan, build_array
from hounsfield.studies.projections import (
    RADIOGRAPHS,
    projection_conditions,
    projection_spacing,
    ultrasound_regions,
)
from hounsfield.studies.purposes import purpose
from hounsfield.studies.stack_conditions import split_conditions, stack_conditions
from hounsfield.studies.views import view_and_side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from hounsfield.imaging.shear import Straightening
    from hounsfield.imaging.slices import SliceStack
    from hounsfield.studies.grouping import Unit
    from hounsfield.studies.instances import Instance

# The attributes that applications, reports and writers ask for; sequences are not among them.
SERIES_KEYWORDS = (
    *("PatientSex", "PatientAge", "PatientWeight", "PatientSize", "BodyPartExamined", "ContrastBolusAgent"),
    *("ContrastBolusRoute", "ConvolutionKernel", "SliceThickness", "SpacingBetweenSlices", "KVP"),
    *(
        "ProtocolName",
        "SeriesDescription",
        "SeriesNumber",
        "StudyDescription",
        "ImageType",
        "PatientPosition",
    ),
    *("RescaleType", "Units", "CorrectedImage", "DecayCorrection", "SUVType", "ScanningSequence"),
    *("SequenceVariant", "SequenceName", "MRAcquisitionType", "EchoTime", "RepetitionTime", "InversionTime"),
    *(
        "FlipAngle",
        "MagneticFieldStrength",
        "DiffusionBValue",
        "ViewPosition",
        "ImageLaterality",
        "Laterality",
    ),
    *("PatientOrientation", "PresentationIntentType", "PhotometricInterpretation", "BurnedInAnnotation"),
    *("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions", "InstitutionName"),
    *("LossyImageCompression", "LossyImageCompressionRatio", "ReconstructionDiameter", "GantryDetectorTilt"),
    *(
        "XRayTubeCurrent",
        "Exposure",
        "ExposureTime",
        "CTDIvol",
        "AcquisitionNumber",
        "TemporalPositionIdentifier",
    ),
    *("TriggerTime", "ImageComments", "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime"),
    *("ExposureIndex", "TargetExposureIndex"),
    *("WindowCenter", "WindowWidth", "BitsStored", "SOPClassUID", "FrameOfReferenceUID", "FrameTime"),
)
_ENHANCED_US_VOLUME = "1.2.840.10008.5.1.4.1.1.6.2"
# Planes spaced unevenly are put on at most this many times as many even planes.
_MOST_EVEN_PLANES = 4
# Tilted slices reach twice their size on a straight grid; more is no gantry.
_MOST_STRAIGHT_TIMES = 8.0


def series_tags(header: Dataset) -> Mapping[str, Any]:
    """The attributes of SERIES_KEYWORDS that are stated, by keyword, as plain Python values.

    With `Radiopharmaceutical` (name) and `RadiopharmaceuticalCode` (code value) of the tracer injected.
    """
    found = {keyword: plain(stated(header, keyword)) for keyword in SERIES_KEYWORDS if keyword in header}
    contrast = stated(header, "ContrastBolusAgentSequence")
    if contrast and "ContrastBolusAgent" not in found:
        found["ContrastBolusAgent"] = text(contrast[0], "CodeMeaning")
    injection = first_item(header, "RadiopharmaceuticalInformationSequence")
    if injection is not None:
        tracer = first_item(injection, "RadiopharmaceuticalCodeSequence") or injection
        found["Radiopharmaceutical"] = text(injection, "Radiopharmaceutical") or text(tracer, "CodeMeaning")
        found["RadiopharmaceuticalCode"] = text(tracer, "CodeValue")
    return MappingProxyType({keyword: value for keyword, value in found.items() if value not in (None, "")})


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Where the frames of a unit lie: grid, plan of pixels and what was found."""

    unit: Unit
    grid: Grid
    slots: tuple[int, ...]
    resample_mm: NDArray[np.float64] | None
    conditions: tuple[Condition, ...]
    is_moving: bool = False
    straightening: Straightening | None = None


def image_series(unit: Unit, key: str) -> Series:
    """The Series of one unit. Raises StudyError if its first header cannot be read again."""
    layout = _picture_layout(unit) if unit.is_picture else _volume_layout(unit)
    unit = layout.unit
    instance = unit.members[0][0]
    header = read_data_set(instance.source)
    # The recipe of SUV asks for the instance that was acquired first.
    first = min(unit.instances, key=lambda i: i.acquired or "~")
    intensity = intensity_of(unit, header if first is instance else read_data_set(first.source))
    conditions = (
        *layout.conditions,
        *intensity.conditions,
        *split_conditions(unit),
        *_remarks(unit, layout),
        *(projection_conditions(header) if unit.is_picture else _view_conditions(unit, header)),
    )
    times_s, time_conditions = frame_times(header, len(unit.members)) if layout.is_moving else ((), ())
    conditions += time_conditions
    is_refused = any(c.severity == "refusal" for c in conditions)
    has_uids = all(i.sop_instance_uid for i in unit.instances)
    plan = PixelPlan(
        unit.members,
        layout.slots,
        len(unit.members) if layout.is_moving else layout.grid.shape[0],
        layout.resample_mm,
        layout.straightening,
        intensity.factor,
    )
    source = tuple(SourceFrame(i.sop_instance_uid, f.number) for i, f in unit.members) if has_uids else ()
    return Series(
        key=key,
        kind="image",
        modality=instance.modality or None,
        series_instance_uid=instance.series_instance_uid or None,
        description=text(header, "SeriesDescription"),
        unit=intensity.unit,
        grid=layout.grid,
        tags=MappingProxyType({**series_tags(header), **_picture_tags(unit, header)}),
        conditions=conditions,
        source=source,
        frame_time_s=times_s,
        files=tuple(i.source.name for i in unit.instances),
        load_image=None if is_refused else _loader(layout, plan, intensity.unit, source, header),
        load_headers=_header_loader(unit.instances),
    )


def _picture_tags(unit: Unit, header: Dataset) -> dict[str, Any]:
    """What pictures state beside their pixels: `View` and `Side` of radiographs, regions of ultrasound."""
    modality = unit.members[0][0].modality
    if modality in RADIOGRAPHS:
        view, side, _ = view_and_side(header)
        return {"View": view, "Side": side}
    is_ultrasound = unit.is_picture and modality in {"US", "IVUS"}
    return {"UltrasoundRegions": ultrasound_regions(header)} if is_ultrasound else {}


def _view_conditions(unit: Unit, header: Dataset) -> list[Condition]:
    """Tomosynthesis is a volume and has a view and a side all the same."""
    return view_and_side(header)[2] if unit.members[0][0].modality in RADIOGRAPHS else []


def _loader(
    layout: _Layout, plan: PixelPlan, value_unit: str | None, source: tuple[SourceFrame, ...], header: Dataset
) -> Any:
    spacing = projection_spacing(header) if layout.grid.affine is None else None
    # A resampled slice has no frame of its own behind it.
    own_source = source if plan.is_as_stored else ()

    def load() -> Image:
        array, padding = build_array(plan)
        if layout.is_moving:
            array, padding = array[:, np.newaxis], None
        return Image(array, layout.grid, value_unit or "1", own_source, spacing, padding)

    return load


def _header_loader(instances: Sequence[Instance]) -> Any:
    def load() -> list[Dataset]:
        with quiet_pydicom():
            return [read_data_set(instance.source) for instance in instances]

    return load


def _picture_layout(unit: Unit) -> _Layout:
    """One instance without a place: a picture, or a moving one whose frames are the first axis."""
    instance = unit.members[0][0]
    n_frames = len(unit.members)
    grid = Grid((1, instance.rows, instance.columns), None, instance.frame_of_reference_uid or None)
    conditions = [] if _expects_no_place(instance) else [_unplaced(instance)]
    return _Layout(unit, grid, tuple(range(n_frames)), None, tuple(conditions), is_moving=n_frames > 1)


def _expects_no_place(instance: Instance) -> bool:
    return instance.modality not in {"CT", "MR", "PT", "NM"}


def _unplaced(instance: Instance) -> Condition:
    lacking = [
        name
        for name, is_there in (
            ("Image Position (0020,0032)", all(f.position_mm for f in instance.frames)),
            ("Image Orientation (0020,0037)", all(f.cosines for f in instance.frames)),
            ("Pixel Spacing (0028,0030)", all(f.pixel_spacing_mm for f in instance.frames)),
        )
        if not is_there
    ] or ["an orientation of two unit vectors at right angles"]
    return Condition(
        "position-unstated",
        "warning",
        f"The image lacks {', '.join(lacking)}, so nothing in millimetres can be said of it and it cannot be "
        "stacked with others. Export the original of the scanner.",
        (instance.sop_instance_uid or instance.source.name,),
    )


def _volume_layout(unit: Unit) -> _Layout:
    normal = plane_normal(unit.members[0][1].cosines or ())
    if len(unit.members) == 1:
        return _single_slice(unit, normal)
    positions_mm = np.array([frame.position_mm for _, frame in unit.members])
    try:
        stack = stack_slices(positions_mm, normal)
    except HounsfieldError as error:
        return _refused(unit, "duplicate-positions", f"{error}. Give one of them alone.")
    ordered = replace(unit, members=tuple(unit.members[i] for i in stack.order))
    conditions = stack_conditions(unit, stack)
    if any(c.severity == "refusal" for c in conditions):
        # A grid of the planes as they come shows the size; nothing can be loaded from it.
        return _Layout(ordered, _grid(ordered, len(ordered.members), None), (), None, conditions)
    straight = _straightening(ordered, stack)
    if straight is not None and straight.n_times_larger > _MOST_STRAIGHT_TIMES:
        said = (
            f"The slices are shifted so far against each other that a straight grid would be "
            f"{straight.n_times_larger:.0f} times as large: positions (0020,0032) are wrong. Export the series again."
        )
        return _refused(ordered, "gantry-tilt", said)
    if stack.is_regular:
        slots, resample_mm, n_slots = tuple(int(slot) for slot in stack.slots), None, stack.n_slots
        step_mm = stack.step_mm
    else:
        slots, resample_mm = tuple(range(len(ordered.members))), stack.distances_mm
        n_slots = _n_even_planes(stack)
        step_mm = stack.step_mm * (stack.n_slots - 1) / (n_slots - 1)
    grid = _grid(ordered, n_slots, step_mm, straight)
    return _Layout(ordered, grid, slots, resample_mm, conditions, straightening=straight)


def _straightening(ordered: Unit, stack: SliceStack) -> Straightening | None:
    """How slices of a tilted gantry are moved onto a straight grid; None for straight stacks."""
    frame = ordered.members[0][1]
    if not stack.is_tilted or frame.pixel_spacing_mm is None or min(frame.pixel_spacing_mm) <= 0.0:
        return None
    instance = ordered.members[0][0]
    row_mm, column_mm = frame.pixel_spacing_mm
    return straightening(
        np.array([f.position_mm for _, f in ordered.members]),
        frame.cosines or (),
        (row_mm, column_mm),
        (instance.rows, instance.columns),
    )


def _n_even_planes(stack: SliceStack) -> int:
    """Planes at the median step between first and last."""
    median_mm = float(np.median(np.diff(stack.distances_mm)))
    n_even = round(float(stack.distances_mm[-1]) / median_mm) + 1
    return int(np.clip(n_even, 2, _MOST_EVEN_PLANES * len(stack.order)))


def _grid(
    unit: Unit, n_slots: int, step_mm: NDArray[np.float64] | None, straight: Straightening | None = None
) -> Grid:
    instance, frame = unit.members[0]
    first_mm, shape_yx = frame.position_mm or (), (instance.rows, instance.columns)
    if straight is not None and step_mm is not None:
        normal = plane_normal(frame.cosines or ())
        step_mm = normal * float(step_mm @ normal)
        first_mm, shape_yx = tuple(straight.first_mm.tolist()), straight.shape_yx
    affine = None
    if step_mm is not None and frame.pixel_spacing_mm is not None:
        row_mm, column_mm = frame.pixel_spacing_mm
        affine = affine_from_planes(first_mm, step_mm, frame.cosines or (), (row_mm, column_mm))
    return Grid((n_slots, *shape_yx), affine, instance.frame_of_reference_uid or None)


def _refused(unit: Unit, code: str, sentence: str) -> _Layout:
    condition = Condition(code, "refusal", sentence, tuple(i.sop_instance_uid for i in unit.instances))
    return _Layout(unit, _grid(unit, len(unit.members), None), (), None, (condition,))


def _single_slice(unit: Unit, normal: NDArray[np.float64]) -> _Layout:
    """A grid needs a third axis: the stated thickness, or 1 mm, stands there and is told."""
    instance = unit.members[0][0]
    thickness_mm = _thickness_mm(read_data_set(instance.source))
    said = f"its thickness of {thickness_mm:g} mm" if thickness_mm else "1 mm (no thickness is stated)"
    note = Condition(
        "single-slice",
        "note",
        f"This is a single slice: it has no distance to a next one, and {said} stands for it in the grid. Areas "
        "are true, volumes are not measured.",
        (instance.sop_instance_uid,),
    )
    try:
        grid = _grid(unit, 1, normal * (thickness_mm or 1.0))
    except HounsfieldError as error:
        return _refused(unit, "pixel-spacing-impossible", str(error))
    return _Layout(unit, grid, (0,), None, (note,))


def _thickness_mm(header: Dataset) -> float | None:
    shared = stated(header, "SharedFunctionalGroupsSequence")
    measures = stated(shared[0], "PixelMeasuresSequence") if shared else None
    value = plain(stated(measures[0] if measures else header, "SliceThickness"))
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _remarks(unit: Unit, layout: _Layout) -> list[Condition]:
    """What is worth telling about the instances, whatever their geometry."""
    instance = unit.members[0][0]
    where = (instance.sop_instance_uid or instance.source.name,)
    found: list[Condition] = []
    if instance.anatomical_orientation_type == "QUADRUPED":
        found.append(
            Condition(
                "quadruped",
                "refusal",
                "Anatomical Orientation Type (0010,2210) is QUADRUPED: directions mean something else in animals, "
                "and nothing here is made for them.",
                where,
            )
        )
    if not instance.frame_of_reference_uid and layout.grid.affine is not None:
        found.append(
            Condition(
                "frame-of-reference-unstated",
                "warning",
                "The series states no Frame of Reference UID (0020,0052): its place cannot be related to other "
                "series, nor a segmentation written on it.",
                where,
            )
        )
    if not all(i.sop_instance_uid for i in unit.instances):
        found.append(
            Condition(
                "uid-unstated",
                "warning",
                "The file states no SOP Instance UID (0008,0018), so no result can refer to it.",
                (instance.source.name,),
            )
        )
    not_to_be_measured = purpose(instance)
    if not_to_be_measured is not None:
        found.append(not_to_be_measured)
    if instance.sop_class_uid == _ENHANCED_US_VOLUME and layout.grid.affine is not None:
        found.append(
            Condition(
                "directions-of-transducer",
                "warning",
                "The ultrasound volume lies in the frame of its transducer: sizes are true, but left, right, front and "
                "back of the patient are not known.",
                where,
            )
        )
    return found
