"""Comprehensive 3D SR by TID 1500: findings, measurements and conditions for machines (PS3.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core import Code
from hounsfield.core.code import private_code
from hounsfield.core.uid import derive_uid
from hounsfield.results import dicom_context as dicom
from hounsfield.results import report_content as content
from hounsfield.results.segmentation import left_out_because as no_segmentation
from hounsfield.results.segmentation import segments
from hounsfield.results.writer import Context, needs_dicom, result_writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

SOURCE = Code("260753009", "SCT", "Source")
IMAGE_LIBRARY, LIBRARY_GROUP = (
    Code("111028", "DCM", "Image Library"),
    Code("126200", "DCM", "Image Library Group"),
)
MODALITY, FRAME_OF_REFERENCE = (
    Code("121139", "DCM", "Modality"),
    Code("112227", "DCM", "Frame of Reference UID"),
)
# CID 100 and CID 29 as in the dictionaries of pydicom 3.0.2; else "imaging procedure" and a private code.
PROCEDURES = {
    "CT": Code("25045-6", "LN", "CT unspecified body region"),
    "MR": Code("25056-3", "LN", "MRI unspecified body region"),
    "PT": Code("44136-0", "LN", "PET unspecified body region"),
    "CR": Code("43468-8", "LN", "XR unspecified body region"),
    "DX": Code("43468-8", "LN", "XR unspecified body region"),
}
MODALITIES = {
    "CT": Code("CT", "DCM", "Computed Tomography"),
    "MR": Code("MR", "DCM", "Magnetic Resonance"),
    "PT": Code("PT", "DCM", "Positron emission tomography"),
    "CR": Code("CR", "DCM", "Computed Radiography"),
    "DX": Code("DX", "DCM", "Digital Radiography"),
    "US": Code("US", "DCM", "Ultrasound"),
}
IMAGING_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")


@result_writer("structured_report", left_out_because=needs_dicom)
def write_structured_report(context: Context, folder: Path) -> list[Path]:
    """Write `dicom/measurements.dcm`: COMPLETE, or PARTIAL for a partial reading, and UNVERIFIED."""
    if context.dicom is None:
        return []
    path = folder / "dicom" / "measurements.dcm"
    dicom.save(_document(context, context.dicom), path)
    return [path]


def _document(context: Context, source: dicom.DicomSource) -> Dataset:
    import highdicom as hd

    written = () if no_segmentation(context) else segments(context)
    segmented = content.Segmented(
        source.instance_uid(dicom.SEGMENTATION), {r.name: n for n, r in enumerate(written, start=1)}
    )
    report = hd.sr.MeasurementReport(
        observation_context=_observation_context(source),
        procedure_reported=_procedures(source),
        imaging_measurements=content.groups(source, segmented),
    )
    items = report[0].ContentSequence
    items.insert(len(items) - 1, _image_library([*source.headers, *source.further]))
    items.append(content.evaluations(context.reading))
    document: Dataset = hd.sr.Comprehensive3DSR(
        evidence=_evidence(source, segmented),
        content=report[0],
        series_instance_uid=source.series_uid(dicom.STRUCTURED_REPORT),
        series_number=dicom.STRUCTURED_REPORT.series_number,
        sop_instance_uid=source.instance_uid(dicom.STRUCTURED_REPORT),
        instance_number=1,
        manufacturer=dicom.MANUFACTURER,
        is_complete=context.reading.status != "partial",
    )
    dicom.stamp(document, source, dicom.STRUCTURED_REPORT)
    return document


def _evidence(source: dicom.DicomSource, segmented: content.Segmented) -> list[Dataset]:
    """Every instance that the tree refers to; patient and study are stamped later, from the source."""
    evidence = [
        _instance(source, header.SeriesInstanceUID, header.SOPClassUID, header.SOPInstanceUID)
        for header in [*source.headers, *source.further]
    ]
    if segmented.numbers:
        kind = dicom.SEGMENTATION
        evidence.append(
            _instance(source, source.series_uid(kind), kind.sop_class_uid, segmented.sop_instance_uid)
        )
    return evidence


def _instance(source: dicom.DicomSource, series_uid: str, sop_class_uid: str, uid: str) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    for keyword in dicom.TYPE_2:
        setattr(item, keyword, None)
    item.StudyInstanceUID, item.SeriesInstanceUID = source.first.StudyInstanceUID, series_uid
    item.SOPClassUID, item.SOPInstanceUID = sop_class_uid, uid
    return item


def _observation_context(source: dicom.DicomSource) -> Any:
    import highdicom as hd

    provenance = source.provenance
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=derive_uid("device", provenance.application, provenance.code_version),
        name=dicom.MANUFACTURER,
        manufacturer_name=dicom.MANUFACTURER,
        model_name=dicom.plain(provenance.application, 64),
        serial_number=dicom.plain(provenance.code_version, 64),
    )
    return hd.sr.ObservationContext(
        observer_device_context=hd.sr.ObserverContext(
            observer_type=hd.sr.CodedConcept("121007", "DCM", "Device"),
            observer_identifying_attributes=device,
        )
    )


def _procedures(source: dicom.DicomSource) -> list[Any]:
    """The procedure as the study codes it, else by modality."""
    import highdicom as hd

    stated = [
        hd.sr.CodedConcept(
            str(item.CodeValue), item.CodingSchemeDesignator, dicom.plain(item.CodeMeaning, 64)
        )
        for item in source.first.get("ProcedureCodeSequence") or []
        if item.get("CodeValue") and item.get("CodingSchemeDesignator") and item.get("CodeMeaning")
    ]
    modality = str(source.first.get("Modality", ""))
    return stated or [content.concept(PROCEDURES.get(modality, IMAGING_PROCEDURE))]


def _image_library(headers: Sequence[Dataset]) -> Any:
    """TID 1600: one group a series with what its images share, then the images."""
    import highdicom as hd

    library = hd.sr.ContainerContentItem(name=content.concept(IMAGE_LIBRARY), relationship_type="CONTAINS")
    library.ContentSequence = hd.sr.ContentSequence()
    by_series: dict[str, list[Dataset]] = {}
    for header in headers:
        by_series.setdefault(str(header.SeriesInstanceUID), []).append(header)
    for members in by_series.values():
        group = hd.sr.ContainerContentItem(name=content.concept(LIBRARY_GROUP), relationship_type="CONTAINS")
        group.ContentSequence = hd.sr.ContentSequence([*_shared(members[0]), *(_image(h) for h in members)])
        library.ContentSequence.append(group)
    return library


def _shared(header: Dataset) -> list[Any]:
    import highdicom as hd

    modality = str(header.get("Modality") or "OT")
    items: list[Any] = [
        hd.sr.CodeContentItem(
            name=content.concept(MODALITY),
            value=content.concept(MODALITIES.get(modality, private_code(modality, modality))),
            relationship_type="HAS ACQ CONTEXT",
        )
    ]
    if header.get("FrameOfReferenceUID"):
        items.append(
            hd.sr.UIDRefContentItem(
                name=content.concept(FRAME_OF_REFERENCE),
                value=str(header.FrameOfReferenceUID),
                relationship_type="HAS ACQ CONTEXT",
            )
        )
    return items


def _image(header: Dataset) -> Any:
    import highdicom as hd

    return hd.sr.ImageContentItem(
        name=content.concept(SOURCE),
        referenced_sop_class_uid=header.SOPClassUID,
        referenced_sop_instance_uid=header.SOPInstanceUID,
        relationship_type="CONTAINS",
    )
