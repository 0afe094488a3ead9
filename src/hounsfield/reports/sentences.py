"""The sentences of a report, by a template grammar: each one stands on something in the Reading.

Nothing is said that the reading does not hold: no side without laterality, no absence without a
finding that states it, no comparison, no recommendation. What is unknown is called "not stated".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hounsfield.reports.names import (
    NOT_STATED,
    corrected,
    finding_label,
    lower_first,
    quantity_label,
    region_labels,
    tag_text,
    written_probability,
    written_uncertainty,
    written_value,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Finding, Image, InputReference, Measurement, Reading, Series

Section = Literal["technique", "findings", "measurements", "limitations", "impression"]

# What a reader asks of the technique, by modality: words, keyword of the tag, unit.
TECHNIQUE: dict[str, tuple[tuple[str, str, str], ...]] = {
    "CT": (
        ("tube voltage", "KVP", "kV"),
        ("kernel", "ConvolutionKernel", ""),
        ("slice thickness", "SliceThickness", "mm"),
        ("contrast agent", "ContrastBolusAgent", ""),
    ),
    "PT": (
        ("tracer", "Radiopharmaceutical", ""),
        ("units", "Units", ""),
        ("corrections", "CorrectedImage", ""),
        ("decay correction", "DecayCorrection", ""),
        ("patient weight", "PatientWeight", "kg"),
    ),
    "MR": (
        ("field strength", "MagneticFieldStrength", "T"),
        ("sequence", "ScanningSequence", ""),
        ("repetition time", "RepetitionTime", "ms"),
        ("echo time", "EchoTime", "ms"),
        ("contrast agent", "ContrastBolusAgent", ""),
    ),
}
PROJECTION = (("view", "ViewPosition", ""), ("side", "ImageLaterality", ""))
# What an impression without findings holds: it is read at a glance, the table has the rest.
_MOST_PLACES, _MOST_NUMBERS = 4, 5
_MOST_OF_FINDING = 1  # the number that an application puts first is the one to be read at a glance
_URGENCIES = {"U1": "minutes", "U2": "hours", "U3": "days"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and what it stands on.

    sources: names of what it is made of: "finding:glioma", "measurement:volume", "condition:slices-missing",
    "input:thorax", "status:refused".
    """

    section: Section
    text: str
    sources: tuple[str, ...]


def write_sentences(reading: Reading, image: Image | None, series: Series | None) -> tuple[Sentence, ...]:
    """All sentences of a report, in its order: impression, findings, measurements, limitations, technique."""
    return (
        *impression(reading),
        *(_finding(finding) for finding in reading.findings),
        *(_measurement(measurement, reading) for measurement in reading.all_measurements()),
        *(Sentence("limitations", c.text, (f"condition:{c.code}",)) for c in reading.conditions),
        *(_technique(reference, image, series) for reference in reading.inputs),
    )


def impression(reading: Reading) -> list[Sentence]:
    """What matters most: findings that are present or open, most urgent first; then those stated absent."""
    if reading.status == "refused":
        refusals = tuple(f"condition:{c.code}" for c in reading.conditions if c.severity == "refusal")
        return [
            Sentence(
                "impression",
                "No reading was made, for the reasons given below.",
                ("status:refused", *refusals),
            )
        ]
    sentences = _merged([_summary(f) for f in by_weight(reading.findings) if f.presence != "absent"])
    absent = [f for f in reading.findings if f.presence == "absent"]
    if absent:
        labels = "; ".join(finding_label(f) for f in absent)
        sentences.append(
            Sentence("impression", f"Absent: {labels}.", tuple(f"finding:{f.name}" for f in absent))
        )
    if not reading.findings:
        sentences += _measured_only(reading)
    if reading.status == "partial":
        text = "The input was incomplete: this reading is partial, see the limitations."
        sentences.append(Sentence("impression", text, ("status:partial",)))
    return sentences


def by_weight(findings: Sequence[Finding]) -> list[Finding]:
    """Most urgent first, present before indeterminate before absent, likelier first; else as in the reading."""
    urgencies, presences = ("U1", "U2", "U3", "U0"), ("present", "indeterminate", "absent")
    return sorted(
        findings,
        key=lambda f: (
            urgencies.index(f.urgency.name),
            presences.index(f.presence),
            -(f.probability or 0.0),
        ),
    )


def _merged(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Sentences of equal words as one that says how many findings it stands for."""
    alike: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        alike.setdefault(sentence.text, []).append(sentence)
    return [
        group[0]
        if len(group) == 1
        else Sentence(
            "impression",
            f"{text.removesuffix('.')} ({len(group)} findings).",
            tuple(source for sentence in group for source in sentence.sources),
        )
        for text, group in alike.items()
    ]


def _summary(finding: Finding) -> Sentence:
    text = f"{finding_label(finding)}: {finding.presence}"
    if finding.probability is not None:
        text += f", probability {written_probability(finding.probability)}"
    for measurement in finding.measurements[:_MOST_OF_FINDING]:
        text += f"; {lower_first(quantity_label(measurement))} {written_value(measurement)}"
    if finding.urgency.name in _URGENCIES:
        text += f"; to be acted on within {_URGENCIES[finding.urgency.name]} ({finding.urgency.name})"
    return Sentence("impression", f"{text}.", (f"finding:{finding.name}",))


def _measured_only(reading: Reading) -> list[Sentence]:
    """The numbers themselves, a sentence a region, where an application states no finding."""
    by_place: dict[str, list[Measurement]] = {}
    for measurement in reading.all_measurements():
        by_place.setdefault(region_labels(measurement.regions, reading), []).append(measurement)
    sentences = []
    for place, measurements in list(by_place.items())[:_MOST_PLACES]:
        numbers = [
            f"{lower_first(quantity_label(m))} {written_value(m)}" for m in measurements[:_MOST_NUMBERS]
        ]
        n_more = len(measurements) - len(numbers)
        text = f"{place or 'Whole image'}: {'; '.join(numbers)}{f'; {n_more} more below' if n_more else ''}."
        sources = tuple(f"measurement:{m.name}" for m in measurements[:_MOST_NUMBERS])
        sentences.append(Sentence("impression", text, sources))
    n_left = len(by_place) - len(sentences)
    more = f" Measured below: {n_left} more region{'' if n_left == 1 else 's'}." if n_left else ""
    text = f"This application measures and states no finding.{more}"
    return [*sentences, Sentence("impression", text, (f"status:{reading.status}",))]


def _finding(finding: Finding) -> Sentence:
    text = f"{finding_label(finding)}: {finding.presence}"
    if finding.probability is not None:
        text += f", calibrated probability {written_probability(finding.probability)} (calibrator {finding.calibrator}{corrected(finding)})"
    return Sentence("findings", f"{text}. {finding.reason}", (f"finding:{finding.name}",))


def _measurement(measurement: Measurement, reading: Reading) -> Sentence:
    where = region_labels(measurement.regions, reading)
    text = f"{quantity_label(measurement)}{f', {where}' if where else ''}: {written_value(measurement)}"
    if measurement.uncertainty is not None:
        text += f" ({written_uncertainty(measurement)}, 95 % interval)"
    sources = (f"measurement:{measurement.name}", *(f"region:{name}" for name in measurement.regions))
    return Sentence(
        "measurements", f"{text}, by rule {measurement.rule} {measurement.rule_version}.", sources
    )


def _technique(reference: InputReference, image: Image | None, series: Series | None) -> Sentence:
    is_main = series is not None and reference.series == series.key
    parts = [reference.modality or "modality not stated"]
    if is_main and series is not None and series.description:
        parts.append(f"series \u201c{series.description}\u201d")
    text = ", ".join(parts)
    if is_main and image is not None:
        text += f": {extent(image)}"
    if is_main and series is not None:
        details = technique_facts(series)
        text += "".join(f"; {label} {value}" for label, value in details)
    return Sentence("technique", f"{text}.", (f"input:{reference.role}",))


def technique_facts(series: Series) -> list[tuple[str, str]]:
    """What the header says of how `series` was made: words and value, "not stated" where it is silent."""
    table = TECHNIQUE.get(series.modality or "", PROJECTION if series.modality in {"CR", "DX", "MG"} else ())
    facts = []
    for label, keyword, unit in table:
        value = tag_text(series.tags, keyword)
        facts.append((label, f"{value} {unit}".strip() if value else NOT_STATED))
    return facts


def extent(image: Image) -> str:
    """Slices, matrix, spacing and plane of an image in words."""
    grid = image.grid
    n_slices, rows, columns = grid.shape
    size = f"{n_slices} slice{'' if n_slices == 1 else 's'} of {columns} x {rows} pixels"
    if grid.has_millimetres:
        z_mm, y_mm, x_mm = grid.spacing_mm
        apart = f", {z_mm:.4g} mm apart" if n_slices > 1 else ""
        return f"{size}{apart}, {grid.plane}, pixel {x_mm:.3g} x {y_mm:.3g} mm"
    if image.plane_spacing is not None:
        spacing = image.plane_spacing
        return f"{size}, pixel {spacing.column_mm:.3g} x {spacing.row_mm:.3g} mm ({spacing.kind})"
    return f"{size}, pixel spacing {NOT_STATED}"
