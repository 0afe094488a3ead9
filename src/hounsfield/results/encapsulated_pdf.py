"""DICOM Encapsulated PDF: the printed report, for archives that show nothing else (PS3.3 A.45.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core import Code
from hounsfield.core.reading import RESEARCH_USE
from hounsfield.results import dicom_context as dicom
from hounsfield.results.writer import Context, needs_dicom, result_writer

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

DIAGNOSTIC_IMAGING_REPORT = Code("18748-4", "LN", "Diagnostic Imaging Report")


@result_writer("encapsulated_pdf", left_out_because=needs_dicom)
def write_encapsulated_pdf(context: Context, folder: Path) -> list[Path]:
    """Write `dicom/report.dcm`: the bytes of `report.pdf`, padded to an even length."""
    if context.dicom is None:
        return []
    path = folder / "dicom" / "report.dcm"
    dicom.save(_document(context.dicom, context.documents.pdf), path)
    return [path]


def _document(source: dicom.DicomSource, pdf: bytes) -> Dataset:
    ds = dicom.new_dataset(source, dicom.ENCAPSULATED_PDF)
    ds.ConversionType = "WSD"
    ds.AcquisitionDateTime = None  # Type 2; the document was not acquired
    ds.BurnedInAnnotation = "YES"
    title = source.reading.title or source.reading.application
    ds.DocumentTitle = dicom.plain(f"{title}. {RESEARCH_USE}", 1024)
    ds.ConceptNameCodeSequence = [dicom.coded(DIAGNOSTIC_IMAGING_REPORT)]
    ds.SourceInstanceSequence = [dicom.image_reference(header) for header in source.headers]
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    ds.EncapsulatedDocumentLength = len(pdf)
    return ds
