"""Which studies are visits of one patient, and which series of each an application over time takes.

Patients are told apart by Patient ID (0010,0020) and its issuer alone; a study that states none belongs to
nobody else's course, and two studies of one ID that contradict each other about the person are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from hounsfield.core import Condition
from hounsfield.core import applications as registered
from hounsfield.pipeline.bundle_application import PREFIX
from hounsfield.pipeline.selection import Verdict, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hounsfield.core import Application, Series, Study
    from hounsfield.pipeline.selection import Selection

# What must not differ between visits of one person, where both state it.
_OF_THE_PERSON = (("PatientBirthDate", "birth date (0010,0030)"), ("PatientSex", "sex (0010,0040)"))
# What makes series of two visits alike, in this order: the sequence, then how it was made.
_LIKENESS = (
    *("SeriesDescription", "ProtocolName", "ScanningSequence", "ContrastBolusAgent", "ConvolutionKernel"),
    *("EchoTime", "RepetitionTime", "InversionTime", "SliceThickness"),
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One study of a patient and the series that an application takes from it; day: from the first visit."""

    study: Study
    match: Mapping[str, Series]
    day: int


@dataclass(frozen=True, slots=True)
class CourseSelection:
    """What an application over time does with the studies of one patient.

    matches: one row of visits, the last one last, for each time that it runs. verdicts: one a series of
    every study. refusals: why it does not run though it was meant to, and `refused_on` where this is told.
    conditions: what was left out.
    """

    matches: tuple[tuple[Visit, ...], ...]
    verdicts: tuple[Verdict, ...]
    refusals: tuple[Condition, ...] = ()
    refused_on: Visit | None = None
    conditions: tuple[Condition, ...] = ()


def over_visits(names: Iterable[str]) -> tuple[str, ...]:
    """Of the applications of these names those that read several studies of a patient together."""
    return tuple(
        name for name in names if not name.startswith(PREFIX) and registered.get(name).needs.visits > 1
    )


def by_patient(studies: Iterable[Study]) -> list[list[Study]]:
    """Studies of one patient together, in the order in which each patient comes first."""
    groups: dict[tuple[str, ...], list[Study]] = {}
    for study in studies:
        patient = str(study.tags.get("PatientID") or "").strip()
        issuer = str(study.tags.get("IssuerOfPatientID") or "").strip()
        groups.setdefault((patient, issuer) if patient else ("", "", study.key), []).append(study)
    return list(groups.values())


def select_visits(studies: Sequence[Study], application: Application) -> CourseSelection:
    """Match the series of all `studies` of one patient with the roles of `application`; each modality by itself."""
    main, fewest = application.needs.main.name, application.needs.visits
    selections = [select(study, application) for study in studies]
    verdicts = tuple(verdict for selection in selections for verdict in selection.verdicts)
    meant = [
        (study, [v.series for v in found.verdicts if v.was_meant])
        for study, found in zip(studies, selections, strict=True)
        if any(v.was_meant for v in found.verdicts)
    ]
    if len(meant) < fewest:
        return CourseSelection((), _too_few(verdicts, len(meant), application))
    study, series = meant[-1]
    told_on = Visit(study, {main: series[0]}, 0)
    refusals = (*_contradictions(studies), *_undated([one for one, _ in meant]))
    if refusals:
        return CourseSelection((), verdicts, refusals, told_on)
    usable = sorted(
        ((s, found) for s, found in zip(studies, selections, strict=True) if found.matches),
        key=lambda pair: _day(pair[0]),
    )
    modalities = dict.fromkeys(str(m[main].modality) for _, found in usable for m in found.matches)
    rows = [row for one in modalities for row in _rows(usable, main, one) if len(row) >= fewest]
    if not rows:
        reasons = dict.fromkeys(r for found in selections for v in found.near_misses for r in v.reasons)
        refusals = tuple(reasons) or (_nothing_alike(),)
        return CourseSelection((), verdicts, refusals, told_on)
    left_out = _left_out(studies, {visit.study.key for row in rows for visit in row}, verdicts)
    return CourseSelection(tuple(rows), verdicts, conditions=left_out)


def _rows(usable: Sequence[tuple[Study, Selection]], main: str, modality: str) -> list[tuple[Visit, ...]]:
    """For each match of the last visit the row of visits that end with it."""
    fitting = [
        (study, matches)
        for study, found in usable
        if (matches := [match for match in found.matches if match[main].modality == modality])
    ]
    days = [_day(study) - _day(fitting[0][0]) for study, _ in fitting]
    (last, last_matches), before = fitting[-1], fitting[:-1]

    def row(match: Mapping[str, Series]) -> tuple[Visit, ...]:
        earlier = (
            Visit(study, _likest(match[main], matches, main), day)
            for (study, matches), day in zip(before, days, strict=False)
        )
        return (*earlier, Visit(last, match, days[-1]))

    return [row(match) for match in last_matches]


def _too_few(verdicts: Sequence[Verdict], n_studies: int, application: Application) -> tuple[Verdict, ...]:
    """The verdicts, those that took a series turned into the reason that there is nothing to compare it with."""
    text = (
        f"{application.name} compares at least {application.needs.visits} studies of one patient on different days, "
        f"each with its regions, and {n_studies} is here. Give a folder that holds the earlier studies too."
    )
    reason = Condition("visits-missing", "refusal", text)
    return tuple(
        v if v.reasons and not v.was_meant else Verdict(v.application, v.series, v.role, (reason,))
        for v in verdicts
    )


def _contradictions(studies: Sequence[Study]) -> list[Condition]:
    found = []
    for keyword, words in _OF_THE_PERSON:
        stated = {str(study.tags.get(keyword) or "").strip() for study in studies} - {""}
        if len(stated) > 1:
            text = (
                f"Studies of one Patient ID (0010,0020) state different values of {words}: they may be of two persons, "
                "and nothing is compared. Correct the header, or give the studies of one person."
            )
            found.append(Condition("patient-contradicted", "refusal", text))
    return found


def _undated(studies: Sequence[Study]) -> list[Condition]:
    days = [_date(study) for study in studies]
    if None in days:
        text = (
            f"{days.count(None)} of {len(days)} studies state no Study Date (0008,0020) that can be read, so the days "
            "between them are not known. Use the originals, or shift dates instead of removing them."
        )
        return [Condition("visit-undated", "refusal", text)]
    if len(set(days)) < len(days):
        text = (
            "Two studies of this patient have one Study Date (0008,0020), so which came first is not known. Give one "
            "study of each day."
        )
        return [Condition("visits-on-one-day", "refusal", text)]
    return []


def _nothing_alike() -> Condition:
    text = (
        "The studies of this patient that could be read are of different modalities, and sizes on CT and MR are not "
        "compared. Give studies of one modality."
    )
    return Condition("visits-of-other-modality", "refusal", text)


def _date(study: Study) -> date | None:
    """Study Date (0008,0020); None where there is none or it is none."""
    text = str(study.tags.get("StudyDate") or "").strip()
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None


def _day(study: Study) -> int:
    """Days from year 1 on; the date was checked before."""
    return (_date(study) or date.min).toordinal()


def _likest(now: Series, candidates: Sequence[Mapping[str, Series]], main: str) -> Mapping[str, Series]:
    """Of the matches of an earlier visit that whose main series was made most like `now`."""

    def likeness(candidate: Mapping[str, Series]) -> tuple[bool, ...]:
        return tuple(candidate[main].tags.get(key) == now.tags.get(key) for key in _LIKENESS)

    return max(candidates, key=likeness)


def _left_out(studies: Sequence[Study], used: set[str], verdicts: Sequence[Verdict]) -> tuple[Condition, ...]:
    """Studies with a series of the right kind that are not compared: changes may be counted from the wrong one."""
    of_kind = {id(v.series): v for v in verdicts if v.is_taken or v.was_meant or _lacks_regions(v)}
    left = [
        study
        for study in studies
        if study.key not in used and any(id(series) in of_kind for series in study.series)
    ]
    if not left:
        return ()
    bare = sum(
        any(id(s) in of_kind and _lacks_regions(of_kind[id(s)]) for s in study.series) for study in left
    )
    text = (
        f"{len(left)} of {len(studies)} studies of this patient are not compared, {bare} of them because no region is "
        "given on them: a lesion that was never outlined there is not known to have vanished. `hounsfield inspect` "
        "says why for each; first and smallest sizes are those of the studies that are compared."
    )
    return (Condition("visit-left-out", "warning", text),)


def _lacks_regions(verdict: Verdict) -> bool:
    return any(reason.code == "no-region-given" for reason in verdict.reasons)
