"""What a report says, as tables of text: made once, laid out by html.py and pdf.py alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from hounsfield.core.condition import SEVERITIES
from hounsfield.reports.card import CardText, write_card
from hounsfield.reports.certainty_rows import CertaintyRow, certainty_rows
from hounsfield.reports.measurement_tables import MeasurementTables, tabulate
from hounsfield.reports.names import (
    NOT_STATED,
    PRESENCE,
    corrected,
    finding_label,
    person_name,
    region_labels,
    spoken,
    tag_text,
    written_date,
    written_probability,
)
from hounsfield.reports.sentences import by_weight, extent, technique_facts, write_sentences
from hounsfield.reports.trend_tables import TrendTable, trend_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.core import Condition, Finding, Image, InputReference, Reading, Series, Study
    from hounsfield.reports.sentences import Sentence

DRAFT_NOTICE = "Drafted by a program and not signed by a reader."
STATUS = {"complete": "Complete", "partial": "Partial", "refused": "Refused"}
SEVERITY_WORDS = {"refusal": "Refused", "warning": "Warning", "note": "Note"}
SEVERITY_TITLES = {"refusal": "Refused", "warning": "Warnings", "note": "Notes"}
REMEDY = (
    "Nothing was computed from this input. Correct what is named above and read the study again, or choose "
    "another series: hounsfield inspect lists them with the reasons why each was taken or not."
)
_PATIENT = (
    ("Name", "PatientName"),
    ("Patient ID", "PatientID"),
    ("Born", "PatientBirthDate"),
    ("Sex", "PatientSex"),
)
_STUDY = (
    ("Study date", "StudyDate"),
    ("Accession number", "AccessionNumber"),
    ("Study description", "StudyDescription"),
    ("Institution", "InstitutionName"),
)
_SEXES = {"F": "female", "M": "male", "O": "other"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value; title: the value in full where the page shows it rounded or shortened."""

    label: str
    value: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding. probability: for the bar, None without one."""

    label: str
    presence: str
    word: str
    probability: float | None
    probability_text: str
    calibrator: str
    reason: str
    regions: str


@dataclass(frozen=True, slots=True)
class Content:
    """A report's text, in the order of the page."""

    title: str
    status: str
    status_word: str
    patient: tuple[Fact, ...]
    study: tuple[Fact, ...]
    technique: tuple[Fact, ...]
    sentences: tuple[Sentence, ...]
    findings: tuple[FindingRow, ...]
    certainty: tuple[CertaintyRow, ...]
    measurements: MeasurementTables
    trends: tuple[TrendTable, ...]
    conditions: tuple[tuple[str, str, tuple[Condition, ...]], ...]
    evidence: tuple[str, ...]
    cards: tuple[CardText, ...]
    provenance: tuple[Fact, ...]
    timing: str
    instances: tuple[tuple[str, tuple[str, ...]], ...]
    omission: str

    @property
    def limitations(self) -> tuple[tuple[str, str, tuple[Condition, ...]], ...]:
        """The conditions but for those that a refused reading states as its result already."""
        return tuple(g for g in self.conditions if self.status != "refused" or g[0] != "refusal")

    @property
    def states_probability(self) -> bool:
        """Whether any finding states a calibrated probability."""
        return any(row.probability is not None for row in self.findings)

    def section(self, name: str) -> tuple[str, ...]:
        """The sentences of one section as text."""
        return tuple(s.text for s in self.sentences if s.section == name)


def write_content(
    reading: Reading, image: Image | None, *, study: Study, series: Series | None, omission: str = ""
) -> Content:
    """The text of the report of `reading`. omission: what the pictures leave out."""
    title = reading.title or spoken(reading.application) or "Reading"
    return Content(
        title=title,
        status=reading.status,
        status_word=STATUS[reading.status],
        patient=_patient(study),
        study=_stated(_STUDY, study.tags),
        technique=_technique(image, series),
        sentences=write_sentences(reading, image, series),
        findings=tuple(_finding_row(f, reading) for f in by_weight(reading.findings)),
        certainty=certainty_rows(reading),
        measurements=tabulate(reading),
        trends=trend_tables(reading),
        conditions=_condition_groups(reading),
        evidence=tuple(f"{item.method.meaning}: {item.evidence}" for item in reading.maps),
        cards=tuple(write_card(model) for model in (reading.provenance.models if reading.provenance else ())),
        provenance=_provenance(reading),
        timing=_timing(reading),
        instances=tuple((i.role, i.sop_instance_uids or i.files) for i in reading.inputs),
        omission=omission,
    )


def _patient(study: Study) -> tuple[Fact, ...]:
    facts = []
    for label, keyword in _PATIENT:
        value = tag_text(study.tags, keyword)
        shown = value
        if keyword == "PatientName":
            shown = person_name(value)
        elif keyword == "PatientBirthDate":
            shown = written_date(value)
        elif keyword == "PatientSex":
            shown = _SEXES.get(value, value)
        facts.append(Fact(label, shown or NOT_STATED))
    return tuple(facts)


def _stated(table: tuple[tuple[str, str], ...], tags: Mapping[str, object]) -> tuple[Fact, ...]:
    pairs = ((label, keyword, tag_text(tags, keyword)) for label, keyword in table)
    return tuple(Fact(label, written_date(v) if k.endswith("Date") else v) for label, k, v in pairs if v)


def _technique(image: Image | None, series: Series | None) -> tuple[Fact, ...]:
    facts = []
    if series is not None:
        facts.append(Fact("Modality", series.modality or NOT_STATED))
        facts.append(Fact("Series", series.description or NOT_STATED))
        facts.append(Fact("Body part", tag_text(series.tags, "BodyPartExamined") or NOT_STATED))
    if image is not None:
        facts.append(Fact("Extent", extent(image)))
    if series is not None:
        facts += [Fact(spoken(label), value) for label, value in technique_facts(series)]
        scanner = " ".join(
            tag_text(series.tags, k) for k in ("Manufacturer", "ManufacturerModelName")
        ).strip()
        if series.kind == "image":
            facts.append(Fact("Scanner", scanner or NOT_STATED))
    return tuple(facts)


def _finding_row(finding: Finding, reading: Reading) -> FindingRow:
    stated = finding.probability is not None
    return FindingRow(
        label=finding_label(finding),
        presence=finding.presence,
        word=PRESENCE[finding.presence],
        probability=finding.probability,
        probability_text=written_probability(finding.probability)
        if finding.probability is not None
        else NOT_STATED,
        calibrator=f"calibrated: {finding.calibrator}{corrected(finding)}" if stated else "",
        reason=finding.reason,
        regions=region_labels(finding.regions, reading),
    )


def _condition_groups(reading: Reading) -> tuple[tuple[str, str, tuple[Condition, ...]], ...]:
    groups = []
    for severity in reversed(SEVERITIES):
        found = tuple(dict.fromkeys(c for c in reading.conditions if c.severity == severity))
        if found:
            groups.append((severity, SEVERITY_TITLES[severity], found))
    return tuple(groups)


def _provenance(reading: Reading) -> tuple[Fact, ...]:
    facts = [Fact("Reading UID", reading.uid)] if reading.uid else []
    if reading.provenance is not None:
        source = reading.provenance
        facts.append(Fact("Application", f"{source.application} {source.application_version}"))
        facts.append(Fact("Software", f"Hounsfield {source.code_version}"))
        facts.append(Fact("Method", "rules" if source.method == "rule" else "learned model"))
        facts += [Fact("Model", f"{m.name} {m.version}, SHA-256 {m.digest}") for m in source.models]
        facts += [Fact("Runtime", f"{m.name}: {m.runtime['name']}") for m in source.models if m.runtime]
    if reading.study_instance_uid:
        facts.append(Fact("Study UID", reading.study_instance_uid))
    facts += chain.from_iterable(_input(i) for i in reading.inputs)
    return tuple(facts)


def _input(reference: InputReference) -> list[Fact]:
    facts = []
    if reference.series_instance_uid:
        facts.append(Fact(f"Series UID ({reference.role})", reference.series_instance_uid))
    if reference.pixel_sha256:
        facts.append(Fact(f"Pixels SHA-256 ({reference.role})", reference.pixel_sha256))
    return facts


def _timing(reading: Reading) -> str:
    if reading.provenance is None or not reading.provenance.timing_s:
        return ""
    return ", ".join(f"{spoken(step).lower()} {s:.2f} s" for step, s in reading.provenance.timing_s.items())
