"""How a report names regions, quantities and people, and how it writes numbers and dates."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from hounsfield.core.measurement import UNIT_SIGNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hounsfield.core import Finding, Measurement, Reading, Region

NOT_STATED = "not stated"
NOT_KNOWN = "not known"
PRESENCE = {"present": "Present", "absent": "Absent", "indeterminate": "Indeterminate"}
# Controls (Cc) and separators of lines and paragraphs (Zl, Zp); halves of a character (Cs); direction marks.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_HALF_CHARACTERS = re.compile(r"[\ud800-\udfff]")
_DIRECTION_MARKS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DATE = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
# Decimals that the measure can carry; None: by size of the number.
_DECIMALS: dict[str, int | None] = {"%": 1, "[hnsf'U]": 0, "g/ml{SUVbw}": 2, "mm": 1, "{pixels}": 0}


def printable(text: str) -> str:
    """`text` without what a page cannot show or must not obey: control and direction marks, half characters.

    Text from files comes from anywhere; a mark that turns the direction of writing makes one name look like
    another.
    """
    return _HALF_CHARACTERS.sub("\ufffd", _CONTROLS.sub(" ", _DIRECTION_MARKS.sub("", text)))


def spoken(name: str) -> str:
    """A kebab-case name as words: "left-lung" is "Left lung"."""
    words = printable(name).replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def lower_first(text: str) -> str:
    """`text` within a sentence: "Lung" is "lung", while "CT" or "LAA" keep their capitals."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def region_label(region: Region, regions: Sequence[Region]) -> str:
    """Side and concept of a region; its own name where another region has the same concept and side."""
    alike = [r for r in regions if r.concept == region.concept and r.laterality == region.laterality]
    if len(alike) > 1:
        return spoken(region.name)
    concept = region.concept.meaning
    return f"{region.laterality.meaning} {lower_first(concept)}" if region.laterality else concept


def region_labels(names: Sequence[str], reading: Reading) -> str:
    """The labels of several regions of a reading, joined by "and"; "" for none."""
    known = {region.name: region_label(region, reading.regions) for region in reading.regions}
    return " and ".join(known.get(name, spoken(name)) for name in names)


def finding_label(finding: Finding) -> str:
    """Concept of a finding with its side and site, each only where the finding states it."""
    side = finding.laterality.meaning.lower() if finding.laterality else ""
    site = finding.site.meaning if finding.site else ""
    place = " ".join(part for part in (side, lower_first(site)) if part)
    return f"{finding.concept.meaning}, {place}" if place else finding.concept.meaning


def quantity_label(measurement: Measurement) -> str:
    """The quantity measured, with its derivation (mean, maximum) where that is not in the name already."""
    label = measurement.quantity.meaning
    derivation = measurement.derivation.meaning if measurement.derivation else ""
    if derivation and derivation.lower() not in label.lower():
        label = f"{label}, {derivation.lower()}"
    return label


def shown_unit(measurement: Measurement) -> str:
    """The unit's sign; only "g/mL" of "SUVbw (g/mL)" where the quantity is called SUVbw already."""
    sign = measurement.unit_sign
    if sign == UNIT_SIGNS["g/ml{SUVbw}"] and "SUVbw" in measurement.quantity.meaning:
        return "g/mL"
    return sign


def note_text(note: str) -> str:
    """A measurement's note with the signs that people write."""
    return note.replace(">=", "\u2265").replace("<=", "\u2264")


def written_value(measurement: Measurement) -> str:
    """Value and unit, rounded to what the unit can carry: "2345 mL", "-862 HU", "7.91 g/mL"."""
    return _with_sign(written_number(measurement.value, measurement.unit), shown_unit(measurement))


def written_uncertainty(measurement: Measurement) -> str:
    """Half-width of the 95 % interval with its unit, or that it is not known."""
    if measurement.uncertainty is None:
        return NOT_KNOWN
    number = written_number(measurement.uncertainty, measurement.unit)
    return _with_sign(f"± {number}", shown_unit(measurement))


def full_value(measurement: Measurement) -> str:
    """The number as stored, with its UCUM unit."""
    return f"{measurement.value!r} {measurement.unit}"


def written_number(value: float, unit: str) -> str:
    """`value` with the decimals of `unit`; more where it would read as zero although it is not."""
    decimals = _DECIMALS.get(unit)
    if decimals is None:
        size = abs(value)
        decimals = 0 if size >= 100.0 else 1 if size >= 10.0 else 2
    if value != 0.0 and abs(value) <= 0.5 * 10.0**-decimals:
        decimals = min(9, 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def percent(fraction: float) -> str:
    """A share as people read it; 0 and 100 % only where the share is just that."""
    if 0.0 < fraction < 0.001:
        return "< 0.1 %"
    if 0.999 < fraction < 1.0:
        return "> 99.9 %"
    return f"{100.0 * fraction:.1f} %"


def corrected(finding: Finding) -> str:
    """`; corrected for the stated prevalence 20 %: 12 %`, or nothing where none was stated."""
    if finding.at_prevalence is None or finding.prevalence is None:
        return ""
    return f"; corrected for the stated prevalence {percent(finding.prevalence)}: {written_probability(finding.at_prevalence)}"


def written_probability(probability: float) -> str:
    """A probability as people read it: never 0 % or 100 %, which no calibrated model can say."""
    return percent(min(max(probability, 1e-9), 1.0 - 1e-9))


def person_name(value: object) -> str:
    """A DICOM person name as "Family, Given": its first (alphabetic) group, or what there is of it."""
    groups = [group for group in str(value or "").split("=") if group.strip("^ ")]
    if not groups:
        return ""
    family, *rest = [part.strip() for part in groups[0].split("^")]
    given = " ".join(part for part in rest[:2] if part)
    return ", ".join(part for part in (family, given) if part)


def written_date(value: object) -> str:
    """A DICOM date YYYYMMDD as YYYY-MM-DD; anything else as it stands."""
    text = str(value or "").strip()
    match = _DATE.match(text)
    return "-".join(match.groups()) if match else text


def tag_text(tags: Mapping[str, Any], keyword: str) -> str:
    """The value of a tag as text, several joined by commas; "" where it is absent or empty."""
    value = tags.get(keyword)
    if value is None:
        return ""
    if not isinstance(value, (str, bytes)) and hasattr(value, "__iter__"):
        return ", ".join(_value_text(item) for item in value)
    return _value_text(value)


def _value_text(value: object) -> str:
    # Numbers without the zeros that a float brings: "120", not "120.0".
    return f"{value:.10g}" if isinstance(value, float) else str(value).strip()


def _with_sign(number: str, sign: str) -> str:
    return f"{number} {sign}".rstrip()
