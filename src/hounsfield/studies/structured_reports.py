"""DICOM Structured Reports (PS3.3 A.35): title, state and the numbers of their measurement groups.

Source: PS3.3 C.17.3 (content tree), PS3.16 TID 1500 and 1501. A report is listed and gives no image; its numbers
stand in `tags["MeasurementGroups"]` as the file states them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydicom.uid import UID

from hounsfield.core import Condition, Series
from hounsfield.core.errors import RefusedInput
from hounsfield.studies.dicom_series import series_tags
from hounsfield.studies.header_values import first_item, items, number, text
from hounsfield.studies.instances import read_data_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from hounsfield.studies.instances import Instance

_ROOT = "1.2.840.10008.5.1.4.1.1.88."
STRUCTURED_REPORTS = tuple(
    f"{_ROOT}{last}" for last in (11, 22, 33, 34, 35, 40, 50, 59, 65, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76)
)
_DOSE_REPORTS = frozenset({f"{_ROOT}67", f"{_ROOT}68", f"{_ROOT}73"})
_MEASUREMENT_GROUP, _TRACKING, _FINDING = "125007", "112039", "121071"
_FINDING_SITES = frozenset({"363698007", "G-C0E3"})
# A tree deeper or larger than this is no report.
_DEEPEST, _MOST_ITEMS = 40, 200_000


def structured_report_series(instance: Instance, key: str) -> Series:
    """The Series of one report. Raises StudyError if it cannot be read, RefusedInput beyond its limits."""
    header = read_data_set(instance.source)
    title = _meaning(header, "ConceptNameCodeSequence") or UID(instance.sop_class_uid).name
    groups = tuple(_groups(header, instance.source.name))
    n_numbers = sum(len(group["measurements"]) for group in groups)
    where = (instance.sop_instance_uid or instance.source.name,)
    said = (
        f"A structured report ({title}) with {n_numbers} numbers in {len(groups)} groups: listed, no image."
    )
    conditions = [Condition("not-an-image", "note", said, where)]
    if instance.sop_class_uid in _DOSE_REPORTS:
        said = "This is a report of the radiation dose, made by the scanner; it is listed and never measured."
        conditions.append(Condition("dose-report", "note", said, where))
    tags = {
        **series_tags(header),
        "ReportTitle": title,
        "CompletionFlag": text(header, "CompletionFlag"),
        "VerificationFlag": text(header, "VerificationFlag"),
        "MeasurementGroups": groups,
    }
    return Series(
        key=key,
        kind="other",
        modality=instance.modality or "SR",
        series_instance_uid=instance.series_instance_uid or None,
        description=text(header, "SeriesDescription") or title,
        tags=MappingProxyType(tags),
        conditions=tuple(conditions),
        files=(instance.source.name,),
        load_headers=lambda: [read_data_set(instance.source)],
    )


def _groups(header: Dataset, name: str) -> Iterator[dict[str, Any]]:
    """Each measurement group, then, as one group without names, the numbers that stand in none."""
    loose: list[dict[str, Any]] = []
    taken: set[int] = set()
    for item in _tree(header, name):
        if _concept(item) == _MEASUREMENT_GROUP:
            inside = list(_tree(item, name))
            taken |= {id(one) for one in inside}
            yield _group(inside)
        elif id(item) not in taken and text(item, "ValueType") == "NUM":
            loose.append(_number(item))
    if loose:
        yield {"tracking_identifier": "", "finding": "", "finding_site": "", "measurements": tuple(loose)}


def _tree(parent: Dataset, name: str) -> Iterator[Dataset]:
    """All content items below `parent`, parents before their children."""
    waiting = [(child, 1) for child in reversed(items(parent, "ContentSequence"))]
    n_seen = 0
    while waiting:
        item, depth = waiting.pop()
        n_seen += 1
        if depth > _DEEPEST or n_seen > _MOST_ITEMS:
            raise RefusedInput(
                f"{name} is a structured report deeper than {_DEEPEST} levels or of more than {_MOST_ITEMS} items, which "
                "no report has. Send the original."
            )
        yield item
        waiting += [(child, depth + 1) for child in reversed(items(item, "ContentSequence"))]


def _group(inside: list[Dataset]) -> dict[str, Any]:
    by_code = {_concept(item): item for item in reversed(inside)}
    site = next((by_code[code] for code in _FINDING_SITES if code in by_code), None)
    finding = by_code.get(_FINDING)
    tracking = by_code.get(_TRACKING)
    return {
        "tracking_identifier": text(tracking, "TextValue") if tracking is not None else "",
        "finding": _meaning(finding, "ConceptCodeSequence") if finding is not None else "",
        "finding_site": _meaning(site, "ConceptCodeSequence") if site is not None else "",
        "measurements": tuple(_number(item) for item in inside if text(item, "ValueType") == "NUM"),
    }


def _number(item: Dataset) -> dict[str, Any]:
    """Name, code, value (None where the report states that there is none) and unit of one NUM item."""
    measured = first_item(item, "MeasuredValueSequence")
    unit = first_item(measured, "MeasurementUnitsCodeSequence") if measured is not None else None
    return {
        "name": _meaning(item, "ConceptNameCodeSequence"),
        "code": _concept(item),
        "value": number(measured, "NumericValue") if measured is not None else None,
        "unit": text(unit, "CodeValue") if unit is not None else "",
    }


def _concept(item: Dataset) -> str:
    name = first_item(item, "ConceptNameCodeSequence")
    return text(name, "CodeValue") if name is not None else ""


def _meaning(item: Dataset, keyword: str) -> str:
    code = first_item(item, keyword)
    return text(code, "CodeMeaning") if code is not None else ""
