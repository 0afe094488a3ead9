"""What every derived DICOM object copies from its source, and what it states about itself.

Rules: PS3.3 C.7 and C.12. Patient and study attributes are copied as they stand, also when empty, with
their character set; the object's own texts are therefore kept in ASCII, which every character set
holds. UIDs are derived from what the object was made from, never from the time.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.core.code import PRIVATE_SCHEME
from hounsfield.core.errors import ResultError
from hounsfield.core.reading import RESEARCH_USE
from hounsfield.core.uid import derive_uid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pydicom.dataset import Dataset

    from hounsfield.core import Code, Provenance, Reading

MANUFACTURER = "Hounsfield"

# Patient, General Study, Patient Study, and Clinical Trial modules; de-identification; time zone.
COPIED = (
    *("SpecificCharacterSet", "TimezoneOffsetFromUTC"),
    *("PatientName", "PatientID", "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence"),
    *("TypeOfPatientID", "OtherPatientIDsSequence", "PatientBirthDate", "PatientBirthTime", "PatientSex"),
    *("OtherPatientNames", "EthnicGroup", "PatientComments", "QualityControlSubject"),
    *("PatientSpeciesDescription", "PatientSpeciesCodeSequence", "PatientBreedDescription"),
    *("PatientBreedCodeSequence", "BreedRegistrationSequence", "ResponsiblePerson"),
    *("ResponsiblePersonRole", "ResponsibleOrganization"),
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"),
    *("IssuerOfAccessionNumberSequence", "ReferringPhysicianName", "StudyDescription"),
    *("ProcedureCodeSequence", "PhysiciansOfRecord", "NameOfPhysiciansReadingStudy"),
    *("PatientAge", "PatientSize", "PatientWeight", "PatientSexNeutered", "AdmissionID"),
    *("IssuerOfAdmissionIDSequence", "ReasonForVisit", "ReasonForVisitCodeSequence", "ServiceEpisodeID"),
    *("ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName"),
    *("ClinicalTrialSiteID", "ClinicalTrialSiteName", "ClinicalTrialSubjectID"),
    *("ClinicalTrialSubjectReadingID", "ClinicalTrialTimePointID", "ClinicalTrialTimePointDescription"),
    *("ClinicalTrialProtocolEthicsCommitteeName", "ClinicalTrialProtocolEthicsCommitteeApprovalNumber"),
    *("PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence"),
    "LongitudinalTemporalInformationModified",
)
# Type 2 there: present in every object, empty if the source does not state them.
TYPE_2 = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
)
# En dash, em dash, minus, quotation marks: they have no decomposition into ASCII.
_PLAIN_SIGNS = {
    **dict.fromkeys((0x2013, 0x2014, 0x2212), "-"),
    **dict.fromkeys((0x2018, 0x2019), "'"),
    **dict.fromkeys((0x201C, 0x201D), '"'),
    ord("\\"): "/",
}
# The General Equipment of the scanner, as Contributing Equipment carries it on.
EQUIPMENT = (
    *("Manufacturer", "InstitutionName", "StationName", "InstitutionalDepartmentName"),
    *("ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of derived object: its writer's name, DICOM class and place among the series."""

    name: str
    sop_class_uid: str
    modality: str
    series_number: int
    label: str


# Numbers from 900 sort behind the images of any scanner.
SEGMENTATION = Kind("segmentation", "1.2.840.10008.5.1.4.1.1.66.4", "SEG", 901, "regions")
STRUCTURED_REPORT = Kind("structured_report", "1.2.840.10008.5.1.4.1.1.88.34", "SR", 902, "measurements")
SECONDARY_CAPTURE = Kind("secondary_capture", "1.2.840.10008.5.1.4.1.1.7", "OT", 903, "pictures")
PARAMETRIC_MAP = Kind("parametric_map", "1.2.840.10008.5.1.4.1.1.30", "OT", 905, "maps")
ENCAPSULATED_PDF = Kind("encapsulated_pdf", "1.2.840.10008.5.1.4.1.1.104.1", "DOC", 904, "report")


@dataclass(frozen=True, slots=True, eq=False)
class DicomSource:
    """The instances behind a reading. headers: of the main series, in array order, without pixels.

    further: those of the other roles. parts: what UIDs are derived from.
    """

    reading: Reading
    provenance: Provenance
    headers: Sequence[Dataset]
    further: Sequence[Dataset]
    created: datetime
    parts: tuple[str, ...]

    @property
    def first(self) -> Dataset:
        """The header that patient, study and equipment are copied from."""
        return self.headers[0]

    def derive_uid(self, *more: str) -> str:
        """A UID that belongs to this reading and to nothing else."""
        return derive_uid(*self.parts, *more)

    def instance_uid(self, kind: Kind, index: int = 0) -> str:
        """SOP Instance UID of the `index`th object of that kind."""
        return self.derive_uid(kind.name, str(index))

    def series_uid(self, kind: Kind) -> str:
        """Series Instance UID: one series for each application and kind."""
        return self.derive_uid(kind.name, "series")

    def tracking(self, region_name: str) -> tuple[str, str]:
        """Tracking Identifier and UID of a region: the same in SEG and SR."""
        given = [
            finding.tracking_identifier
            for finding in self.reading.findings
            if finding.regions == (region_name,) and finding.tracking_identifier
        ]
        identifier = given[0] if given else f"{self.reading.application}:{region_name}"
        stated = [r.tracking_uid for r in self.reading.regions if r.name == region_name and r.tracking_uid]
        return plain(identifier, 64), stated[0] if stated else self.derive_uid("tracking", region_name)


def dicom_source(
    reading: Reading, headers: Sequence[Dataset], further: Sequence[Dataset], created: datetime
) -> DicomSource:
    """What derived objects need to know. Raises ResultError for a reading without provenance."""
    if reading.provenance is None:
        raise ResultError(
            f"the reading of {reading.application!r} has no provenance, so its results could not say what "
            "made them: write readings that the pipeline made"
        )
    provenance = reading.provenance
    uids = sorted(uid for reference in reading.inputs for uid in reference.sop_instance_uids)
    hashes = sorted(reference.pixel_sha256 or "" for reference in reading.inputs)
    parts = (
        *(provenance.application, provenance.application_version, provenance.code_version),
        *(model.identity for model in provenance.models),
        *uids,
        *hashes,
    )
    return DicomSource(reading, provenance, headers, further, created, parts)


def plain(text: str, n_characters: int) -> str:
    """`text` in ASCII, without line breaks and backslashes, at most `n_characters` long.

    >>> plain("Fläche 3 mm²", 64)
    'Flache 3 mm2'
    """
    dashes = text.translate(_PLAIN_SIGNS)
    ascii_only = unicodedata.normalize("NFKD", dashes).encode("ascii", "ignore").decode("ascii")
    return " ".join(ascii_only.split())[:n_characters].rstrip()


def decimal_strings(numbers: Iterable[float] | None) -> list[Any]:
    """Numbers as Decimal Strings (DS) of at most 16 characters."""
    from pydicom.valuerep import DSfloat

    return [DSfloat(number, auto_format=True) for number in numbers or ()]


def coded(code: Code) -> Dataset:
    """One item of a code sequence; a value over 16 characters is a Long Code Value (PS3.3 8.8)."""
    from pydicom.dataset import Dataset

    item = Dataset()
    setattr(item, "CodeValue" if len(code.value) <= 16 else "LongCodeValue", code.value)
    item.CodingSchemeDesignator = code.scheme
    item.CodeMeaning = plain(code.meaning, 64)
    return item


def stamp(ds: Dataset, source: DicomSource, kind: Kind, *, index: int = 0) -> None:
    """Give `ds` all that the derived objects of one reading have in common; see standards 2.1."""
    for keyword in COPIED:
        _copy(source.first, ds, keyword)
    for keyword in TYPE_2:
        if keyword not in ds:
            setattr(ds, keyword, None)
    if kind.modality != "DOC":
        _copy(source.first, ds, "BodyPartExamined")
    _state_series(ds, source, kind, index)
    _state_equipment(ds, source)
    ds.ContentQualification = "RESEARCH"
    ds.CodingSchemeIdentificationSequence = [_private_scheme()]


def _copy(source: Dataset, target: Dataset, keyword: str) -> None:
    if keyword in source:
        target[keyword] = source[keyword]
    elif keyword in target:
        del target[keyword]


def _state_series(ds: Dataset, source: DicomSource, kind: Kind, index: int) -> None:
    created = source.created
    date, time = created.strftime("%Y%m%d"), created.strftime("%H%M%S")
    ds.SOPClassUID, ds.SOPInstanceUID = kind.sop_class_uid, source.instance_uid(kind, index)
    ds.SeriesInstanceUID, ds.SeriesNumber = source.series_uid(kind), kind.series_number
    ds.Modality, ds.InstanceNumber = kind.modality, index + 1
    application = plain(source.reading.application, 34)
    ds.SeriesDescription = f"{application} {kind.label} - research use"
    ds.InstanceCreationDate = ds.SeriesDate = ds.ContentDate = date
    ds.InstanceCreationTime = ds.SeriesTime = ds.ContentTime = time


def _state_equipment(ds: Dataset, source: DicomSource) -> None:
    from pydicom.dataset import Dataset

    from hounsfield.core import Code

    provenance = source.provenance
    ds.Manufacturer, ds.ManufacturerModelName = MANUFACTURER, plain(provenance.application, 64)
    ds.SoftwareVersions = plain(provenance.code_version, 64)
    # Type 1 in Enhanced General Equipment; software has no serial number, its version stands for it.
    ds.DeviceSerialNumber = plain(f"{provenance.application}-{provenance.application_version}", 64)
    scanner, software = Dataset(), Dataset()
    scanner.PurposeOfReferenceCodeSequence = [coded(Code("109101", "DCM", "Acquisition Equipment"))]
    for keyword in EQUIPMENT:
        _copy(source.first, scanner, keyword)
    if not scanner.get("Manufacturer"):
        scanner.Manufacturer = "unstated"  # Type 1 in the item
    software.PurposeOfReferenceCodeSequence = [coded(Code("109102", "DCM", "Processing Equipment"))]
    software.Manufacturer, software.ManufacturerModelName = MANUFACTURER, ds.ManufacturerModelName
    software.SoftwareVersions = ds.SoftwareVersions
    software.ContributionDescription = plain(f"{made_by(source)}. {RESEARCH_USE}", 1024)
    ds.ContributingEquipmentSequence = [scanner, software]


def made_by(source: DicomSource) -> str:
    """What made the result, in one line: application and version, and the model or "rule"."""
    provenance = source.provenance
    models = [f"model {m.name} {m.version} sha256 {m.digest}" for m in provenance.models]
    return ", ".join([f"{provenance.application} {provenance.application_version}", *(models or ["rule"])])


def _private_scheme() -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodingSchemeDesignator = PRIVATE_SCHEME
    item.CodingSchemeName = "Concepts of Hounsfield without a verified public code"
    item.CodingSchemeResponsibleOrganization = MANUFACTURER
    return item


def image_reference(header: Dataset, frame_number: int | None = None) -> Dataset:
    """An item that refers to one instance, or one frame of it."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    if frame_number is not None:
        item.ReferencedFrameNumber = frame_number
    return item


def source_image(header: Dataset, frame_number: int | None = None) -> Dataset:
    """An item of Source Image Sequence, with its purpose."""
    from hounsfield.core import Code

    item = image_reference(header, frame_number)
    item.PurposeOfReferenceCodeSequence = [
        coded(Code("121322", "DCM", "Source image for image processing operation"))
    ]
    return item


def referenced_series(headers: Iterable[Dataset]) -> list[Dataset]:
    """Items of Referenced Series Sequence: every instance, by series."""
    from pydicom.dataset import Dataset

    by_series: dict[str, list[Any]] = {}
    for header in headers:
        by_series.setdefault(str(header.SeriesInstanceUID), []).append(image_reference(header))
    items = []
    for uid, references in by_series.items():
        item = Dataset()
        item.SeriesInstanceUID, item.ReferencedInstanceSequence = uid, references
        items.append(item)
    return items


def lossy_history(ds: Dataset, source: DicomSource) -> None:
    """Carry on that the source was once compressed with loss: the mark is for ever."""
    for keyword in ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        _copy(source.first, ds, keyword)
    if not ds.get("LossyImageCompression"):
        ds.LossyImageCompression = "00"


def new_dataset(source: DicomSource, kind: Kind, *, index: int = 0) -> Dataset:
    """An empty object of that kind, stamped, ready to be filled; explicit little endian."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stamp(ds, source, kind, index=index)
    return ds


def save(ds: Dataset, path: Any) -> None:
    """Write one object as a DICOM file, with our own implementation named in its header."""
    from pydicom.uid import UID

    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.ImplementationClassUID = UID(derive_uid("implementation"))
    ds.file_meta.ImplementationVersionName = "HOUNSFIELD"
    path.parent.mkdir(exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
