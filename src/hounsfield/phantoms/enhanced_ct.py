"""The chest phantom as one Enhanced CT Image Storage object: all slices as frames of one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage

from hounsfield.phantoms.dicom_attributes import (
    STUDY_DATE,
    STUDY_TIME,
    add_frame_of_reference,
    add_image_label,
    add_pixel_module,
    code,
    ds,
    ds_list,
    plane,
    position,
    start,
    uid,
)
from hounsfield.phantoms.dicom_ct import BITS_STORED, INTERCEPT_HU, KERNEL, KVP, stored_hu

if TYPE_CHECKING:
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble

SCAN_DATE_TIME = STUDY_DATE + STUDY_TIME


def enhanced_ct(phantom: Phantom, trouble: Trouble) -> Dataset:
    """The whole phantom (without the slices of a gap) as one object."""
    left_out = trouble.left_out(phantom.grid.shape[0])
    kept = [k for k in range(phantom.grid.shape[0]) if k not in left_out]
    data = start(phantom, EnhancedCTImageStorage, uid(phantom, "enhanced"))
    data.Modality, data.SeriesInstanceUID = "CT", uid(phantom, "series")
    data.SeriesNumber, data.InstanceNumber = 1, 1
    data.SeriesDescription = "Synthetic chest CT"
    data.BodyPartExamined, data.PatientPosition = "CHEST", "FFS" if trouble.flip else "HFS"
    data.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    data.PixelPresentation, data.VolumetricProperties = "MONOCHROME", "VOLUME"
    data.VolumeBasedCalculationTechnique = "NONE"
    data.ContentQualification, data.PresentationLUTShape = "RESEARCH", "IDENTITY"
    data.AcquisitionDateTime, data.AcquisitionNumber = SCAN_DATE_TIME, 1
    data.AcquisitionDuration, data.MultienergyCTAcquisition = 5.0, "NO"
    data.AcquisitionContextSequence = Sequence([])
    agent = _agent(phantom)
    if agent is not None:
        data.ContrastBolusAgentSequence = Sequence([agent])
    add_frame_of_reference(data, phantom)
    _add_dimensions(data, phantom)
    add_pixel_module(data, phantom.grid.shape[1:], bits_stored=BITS_STORED, is_signed=False)
    add_image_label(data)
    data.NumberOfFrames = len(kept)
    data.SharedFunctionalGroupsSequence = Sequence([_shared(phantom, trouble)])
    data.PerFrameFunctionalGroupsSequence = Sequence(
        [_frame(phantom, k, number) for number, k in enumerate(kept, start=1)]
    )
    data.PixelData = b"".join(stored_hu(phantom.array[k]) for k in kept)
    return data


def _agent(phantom: Phantom) -> Dataset | None:
    """The agent that was given; an enhanced object can state contrast, but has no word for its absence."""
    if phantom.parameters["contrast"] != "iodine":
        return None
    item = code("IOHEXOL", "99HOUNSFIELD", "Iohexol")
    item.ContrastBolusAgentNumber = 1
    item.ContrastBolusAdministrationRouteSequence = Sequence([code("47625008", "SCT", "Intravenous route")])
    item.ContrastBolusIngredientCodeSequence = Sequence([code("44588005", "SCT", "Iodine")])
    item.ContrastBolusVolume, item.ContrastBolusIngredientConcentration = 80.0, 300.0
    return item


def _add_dimensions(data: Dataset, phantom: Phantom) -> None:
    organisation = Dataset()
    organisation.DimensionOrganizationUID = uid(phantom, "dimensions")
    data.DimensionOrganizationSequence = Sequence([organisation])
    indices = []
    for pointer, group, label in (
        (0x00209056, 0x00209111, "Stack ID"),
        (0x00209057, 0x00209111, "In-Stack Position Number"),
    ):
        index = Dataset()
        index.DimensionOrganizationUID = organisation.DimensionOrganizationUID
        index.DimensionIndexPointer, index.FunctionalGroupPointer = pointer, group
        index.DimensionDescriptionLabel = label
        indices.append(index)
    data.DimensionIndexSequence = Sequence(indices)


def _item(**attributes: object) -> Sequence:
    """A sequence of one item with these attributes."""
    item = Dataset()
    for name, value in attributes.items():
        setattr(item, name, value)
    return Sequence([item])


def _shared(phantom: Phantom, trouble: Trouble) -> Dataset:
    """What is equal in all frames (PS3.3 A.38.1.4)."""
    spacing_mm = phantom.grid.spacing_mm
    shared = Dataset()
    shared.PixelMeasuresSequence = _item(
        PixelSpacing=ds_list(spacing_mm[1:]), SliceThickness=ds(spacing_mm[0])
    )
    shared.PlaneOrientationSequence = _item(ImageOrientationPatient=plane(phantom))
    shared.FrameAnatomySequence = _item(
        FrameLaterality="U", AnatomicRegionSequence=Sequence([code("51185008", "SCT", "Chest")])
    )
    shared.PixelValueTransformationSequence = _item(
        RescaleIntercept=INTERCEPT_HU, RescaleSlope=1, RescaleType="HU"
    )
    shared.FrameVOILUTSequence = _item(
        WindowCenter=[-600], WindowWidth=[1500], WindowCenterWidthExplanation=["LUNG"]
    )
    shared.CTImageFrameTypeSequence = _item(
        FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
    )
    _add_acquisition(shared, phantom, trouble)
    return shared


def _add_acquisition(shared: Dataset, phantom: Phantom, trouble: Trouble) -> None:
    """How the scan was made and reconstructed."""
    spacing_mm, field_mm = phantom.grid.spacing_mm, float(phantom.parameters["field_of_view_mm"])
    shared.IrradiationEventIdentificationSequence = _item(IrradiationEventUID=uid(phantom, "irradiation"))
    shared.CTAcquisitionTypeSequence = _item(
        AcquisitionType="SPIRAL", ConstantVolumeFlag="NO", FluoroscopyFlag="NO"
    )
    shared.CTAcquisitionDetailsSequence = _item(
        RotationDirection="CW",
        RevolutionTime=0.5,
        SingleCollimationWidth=0.625,
        TotalCollimationWidth=40.0,
        TableHeight=0.0,
        GantryDetectorTilt=ds(trouble.tilt_deg),
        DataCollectionDiameter=ds(field_mm),
    )
    shared.CTTableDynamicsSequence = _item(TableSpeed=80.0, TableFeedPerRotation=40.0, SpiralPitchFactor=1.0)
    shared.CTGeometrySequence = _item(
        DistanceSourceToDetector=ds(1000.0), DistanceSourceToDataCollectionCenter=ds(570.0)
    )
    shared.CTReconstructionSequence = _item(
        ReconstructionAlgorithm="FILTER_BACK_PROJ",
        ConvolutionKernel=KERNEL,
        ConvolutionKernelGroup="LUNG",
        ReconstructionDiameter=ds(field_mm),
        ReconstructionPixelSpacing=[float(v) for v in spacing_mm[1:]],
        ReconstructionAngle=360.0,
        ImageFilter="NONE",
    )
    shared.CTExposureSequence = _item(
        ExposureTimeInms=500.0,
        XRayTubeCurrentInmA=200.0,
        ExposureInmAs=100.0,
        ExposureModulationType="NONE",
    )
    shared.CTXRayDetailsSequence = _item(
        KVP=KVP, FocalSpots=[1.0], FilterType="FLAT", FilterMaterial="ALUMINUM"
    )


def _frame(phantom: Phantom, k: int, number: int) -> Dataset:
    frame = Dataset()
    frame.FrameContentSequence = _item(
        FrameAcquisitionNumber=1,
        FrameReferenceDateTime=SCAN_DATE_TIME,
        FrameAcquisitionDateTime=SCAN_DATE_TIME,
        FrameAcquisitionDuration=500.0,
        StackID="1",
        InStackPositionNumber=number,
        DimensionIndexValues=[1, number],
    )
    frame.PlanePositionSequence = _item(ImagePositionPatient=position(phantom, k))
    centre = phantom.grid.index_to_mm(
        np.array([float(k), (phantom.grid.shape[1] - 1) / 2, (phantom.grid.shape[2] - 1) / 2])
    )
    frame.CTPositionSequence = _item(
        TablePosition=float(centre[2]),
        DataCollectionCenterPatient=[float(v) for v in centre],
        ReconstructionTargetCenterPatient=[float(v) for v in centre],
    )
    return frame
