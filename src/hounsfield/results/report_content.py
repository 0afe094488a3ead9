"""The measurement groups of the structured report: TID 1411 for a segment, TID 1501 for the rest.

Each finding has exactly one group. It is the group of its region where the finding names exactly one
that is a segment and no earlier finding took it; else one without region. Each segment has exactly one
group. A measurement stands where its only region is, or else with its finding, or else with the reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.core import Code
from hounsfield.core.code import (
    ABSENT,
    INDETERMINATE,
    NOT_EXCLUDED,
    PRESENT,
    PROBABILITY,
    PROBABILITY_AT_PREVALENCE,
    private_code,
)
from hounsfield.core.reading import RESEARCH_USE
from hounsfield.results import dicom_context as dicom
from hounsfield.results.certainty_content import certainty_evaluations, certainty_numbers, certainty_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hounsfield.core import Finding, Measurement, Reading, Region

COMMENT = Code("121106", "DCM", "Comment")
QUALITATIVE_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")
PRESENCE_NAME = private_code("PRESENCE", "Presence of the finding")
PRESENCE = {"present": PRESENT, "absent": ABSENT, "indeterminate": INDETERMINATE}
URGENCY_NAME = private_code("URGENCY", "Urgency")
STATUS_NAME = private_code("STATUS", "Status of the reading")
CONDITION = private_code("CONDITION", "Condition of the reading")
INTENDED_USE = private_code("INTENDED_USE", "Intended use of this report")
UNCERTAINTY = private_code("HALF_WIDTH_95", "Half width of the 95 percent interval")
WHOLE_READING = private_code("READING", "Reading as a whole")
# Meanings for people; UCUM itself has only the code.
UNIT_MEANINGS = {"1": "no units", "[hnsf'U]": "Hounsfield unit", "%": "percent", "{pixels}": "pixels"}
TEXT_LIMIT = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Segmented:
    """The segmentation that groups refer to; region names to segment numbers, empty if none was written."""

    sop_instance_uid: str
    numbers: dict[str, int]


def groups(source: dicom.DicomSource, segmented: Segmented) -> list[Any]:
    """Every measurement group of a reading: the reading's own, findings in order, other segments."""
    reading = source.reading
    owners = _region_owners(reading, segmented)
    built = [_reading_group(source, segmented)]
    for finding in reading.findings:
        region = next((name for name, owner in owners.items() if owner is finding), None)
        built.append(_group(source, segmented, finding, reading.region(region) if region else None))
    unowned = [reading.region(name) for name in segmented.numbers if name not in owners]
    return built + [_group(source, segmented, None, region) for region in unowned]


def evaluations(reading: Reading) -> Any:
    """The container of what concerns the reading as a whole: its use, its status, every condition."""
    import highdicom as hd

    container = hd.sr.ContainerContentItem(
        name=concept(QUALITATIVE_EVALUATIONS), relationship_type="CONTAINS"
    )
    texts = [(INTENDED_USE, RESEARCH_USE)]
    promise = certainty_text(reading.certainty)
    texts += [(NOT_EXCLUDED, promise)] if promise else []
    texts += [(CONDITION, f"{c.code} ({c.severity}): {c.text}") for c in reading.conditions]
    status = private_code(reading.status.upper(), f"Reading {reading.status}")
    container.ContentSequence = hd.sr.ContentSequence(
        [_code(STATUS_NAME, status), *(_text(*t) for t in texts)]
    )
    return container


def concept(code: Code) -> Any:
    """The code as highdicom wants it."""
    import highdicom as hd

    return hd.sr.CodedConcept(code.value, code.scheme, dicom.plain(code.meaning, 64))


def application_identification(source: dicom.DicomSource) -> Any:
    """TID 4019: the application, its version, and what made the result (model digest or "rule")."""
    import highdicom as hd

    provenance = source.provenance
    return hd.sr.AlgorithmIdentification(
        name=dicom.plain(provenance.application, 64),
        version=dicom.plain(provenance.application_version, 64),
        parameters=[
            dicom.plain(f"code {provenance.code_version}", 64),
            *(f"model {m.name} {m.version} sha256 {m.digest}" for m in provenance.models),
            *(["rule"] if provenance.method == "rule" else []),
        ],
    )


def _region_owners(reading: Reading, segmented: Segmented) -> dict[str, Finding]:
    owners: dict[str, Finding] = {}
    for finding in reading.findings:
        if len(finding.regions) == 1 and finding.regions[0] in segmented.numbers:
            owners.setdefault(finding.regions[0], finding)
    return owners


def _of_segment(measurement: Measurement, segmented: Segmented) -> str | None:
    names = measurement.regions
    return names[0] if len(names) == 1 and names[0] in segmented.numbers else None


def _reading_group(source: dicom.DicomSource, segmented: Segmented) -> Any:
    import highdicom as hd

    reading = source.reading
    numbers = [m for m in reading.measurements if _of_segment(m, segmented) is None]
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(source, "reading"),
        finding_type=concept(WHOLE_READING),
        algorithm_id=application_identification(source),
        measurements=[*(_measurement(source, m) for m in numbers), *certainty_numbers(source)],
        qualitative_evaluations=certainty_evaluations(source) or None,
    )


def _group(
    source: dicom.DicomSource, segmented: Segmented, finding: Finding | None, region: Region | None
) -> Any:
    import highdicom as hd

    numbers = list(_numbers(source, segmented, finding, region))
    named = finding.concept if finding else region.concept if region else WHOLE_READING
    keywords: dict[str, Any] = {
        "finding_type": concept(named),
        "algorithm_id": application_identification(source),
        "finding_sites": _sites(finding, region),
        "measurements": numbers,
        "qualitative_evaluations": list(_evaluations_of(finding)) if finding else None,
    }
    group: Any
    if region is not None:
        group = hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=_tracking(source, region.name, is_region=True),
            referenced_segment=_referenced_segment(source, segmented, region),
            **keywords,
        )
    else:
        name = finding.name if finding else "reading"
        group = hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=_tracking(source, f"finding:{name}"), **keywords
        )
    if finding is not None:
        group[0].ContentSequence.append(_text(COMMENT, finding.reason))
    return group


def _numbers(
    source: dicom.DicomSource, segmented: Segmented, finding: Finding | None, region: Region | None
) -> Iterator[Any]:
    """The group's NUM items: the region's measurements, the finding's other ones, its probability."""
    if region is not None:
        every = source.reading.all_measurements()
        yield from (_measurement(source, m) for m in every if _of_segment(m, segmented) == region.name)
    if finding is not None:
        own = finding.measurements
        yield from (_measurement(source, m) for m in own if _of_segment(m, segmented) is None)
        if finding.probability is not None:
            yield _probability(source, finding)
        if finding.at_prevalence is not None:
            yield _at_prevalence(source, finding)


def _referenced_segment(source: dicom.DicomSource, segmented: Segmented, region: Region) -> Any:
    import highdicom as hd

    return hd.sr.ReferencedSegment(
        sop_class_uid=dicom.SEGMENTATION.sop_class_uid,
        sop_instance_uid=segmented.sop_instance_uid,
        segment_number=segmented.numbers[region.name],
        source_series=hd.sr.SourceSeriesForSegmentation(str(source.first.SeriesInstanceUID)),
    )


def _tracking(source: dicom.DicomSource, name: str, *, is_region: bool = False) -> Any:
    import highdicom as hd

    if is_region:
        identifier, uid = source.tracking(name)
    else:
        identifier = dicom.plain(f"{source.reading.application}:{name}", 64)
        uid = source.derive_uid("tracking", f"group:{name}")
    return hd.sr.TrackingIdentifier(uid=uid, identifier=identifier)


def _sites(finding: Finding | None, region: Region | None) -> list[Any]:
    """Where: the finding's site, else the region's structure if that is anatomy and not the finding."""
    import highdicom as hd

    site = finding.site if finding and finding.site else None
    laterality = finding.laterality if finding and finding.laterality else None
    if site is None and finding is None and region is not None:
        site, laterality = region.concept, region.laterality
    if site is None:
        return []
    return [hd.sr.FindingSite(concept(site), laterality=concept(laterality) if laterality else None)]


def _evaluations_of(finding: Finding) -> Iterator[Any]:
    import highdicom as hd

    urgency = private_code(finding.urgency.name, f"{finding.urgency.name} {finding.urgency.value}")
    yield hd.sr.QualitativeEvaluation(concept(PRESENCE_NAME), concept(PRESENCE[finding.presence]))
    yield hd.sr.QualitativeEvaluation(concept(URGENCY_NAME), concept(urgency))


def _unit(unit: str) -> Any:
    return concept(Code(unit, "UCUM", UNIT_MEANINGS.get(unit, unit)))


def _measurement(source: dicom.DicomSource, measurement: Measurement) -> Any:
    """TID 300 with TID 4019: the rule that made the number, and the application around it."""
    import highdicom as hd

    parameters = [dicom.plain(f"name {measurement.name}", 64), dicom.plain(dicom.made_by(source), TEXT_LIMIT)]
    built = hd.sr.Measurement(
        name=concept(measurement.quantity),
        value=float(measurement.value),
        unit=_unit(measurement.unit),
        derivation=concept(measurement.derivation) if measurement.derivation else None,
        algorithm_id=hd.sr.AlgorithmIdentification(
            name=dicom.plain(measurement.rule, 64),
            version=dicom.plain(measurement.rule_version, 64),
            parameters=parameters,
        ),
    )
    if measurement.uncertainty is not None:
        built[0].ContentSequence.append(
            hd.sr.NumContentItem(
                name=concept(UNCERTAINTY),
                value=float(measurement.uncertainty),
                unit=_unit(measurement.unit),
                relationship_type="HAS PROPERTIES",
            )
        )
    if measurement.note:
        built[0].ContentSequence.append(_text(COMMENT, measurement.note, relationship="HAS OBS CONTEXT"))
    return built


def _probability(source: dicom.DicomSource, finding: Finding) -> Any:
    import highdicom as hd

    return hd.sr.Measurement(
        name=concept(PROBABILITY),
        value=float(finding.probability or 0.0),
        unit=_unit("1"),
        algorithm_id=hd.sr.AlgorithmIdentification(
            name=dicom.plain(source.provenance.application, 64),
            version=dicom.plain(source.provenance.application_version, 64),
            parameters=[dicom.plain(f"calibrator {finding.calibrator}", TEXT_LIMIT), dicom.made_by(source)],
        ),
    )


def _at_prevalence(source: dicom.DicomSource, finding: Finding) -> Any:
    """The probability corrected for the prevalence that was stated, which stands among the parameters."""
    import highdicom as hd

    stated = f"calibrator {finding.calibrator}, corrected for the stated prevalence {finding.prevalence:g}"
    return hd.sr.Measurement(
        name=concept(PROBABILITY_AT_PREVALENCE),
        value=float(finding.at_prevalence or 0.0),
        unit=_unit("1"),
        algorithm_id=hd.sr.AlgorithmIdentification(
            name=dicom.plain(source.provenance.application, 64),
            version=dicom.plain(source.provenance.application_version, 64),
            parameters=[dicom.plain(stated, TEXT_LIMIT), dicom.made_by(source)],
        ),
    )


def _text(name: Code, text: str, *, relationship: str = "CONTAINS") -> Any:
    import highdicom as hd

    return hd.sr.TextContentItem(
        name=concept(name), value=dicom.plain(text, TEXT_LIMIT), relationship_type=relationship
    )


def _code(name: Code, value: Code) -> Any:
    import highdicom as hd

    return hd.sr.CodeContentItem(name=concept(name), value=concept(value), relationship_type="CONTAINS")
