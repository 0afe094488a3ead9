"""Which studies are visits of one patient, and which series of each an application over time takes.

Patients are told apart by Patient ID (0010,0020) and its issuer alone; a study that states none belongs to
nobody else's course, and two studies of one ID that contradict each other about the person are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from hounsfield.core import Condition
from hounsfield.pipeline.selection import Verdict, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hounsfield.core import Application, Series, Study

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
    every study. refusals: why it does not run though it was meant to. conditions: what was left out.
    """

    matches: tuple[tuple[Visit, ...], ...]
    verdicts: tuple[Verdict, ...]
    refusals: tuple[Condition, ...] = ()
    conditions: tuple[Condition, ...] = ()


def by_patient(studies: Iterable[Study]) -> list[list[Study]]:
    """Studies of one patient together, in the order in which each patient comes first."""
    groups: dict[tuple[str, ...], list[Study]] = {}
    for study in studies:
        patient = str(study.tags.get("PatientID") or "").strip()
        issuer = str(study.tags.get("IssuerOfPatientID") or "").strip()
        groups.setdefault((patient, issuer) if patient else ("", "", study.key), []).append(study)
    return list(groups.values())


def select_visits(studies: Sequence[Study], application: Application) -> CourseSelection:
    """Match the series of all `studies` of one patient with the roles of `application`."""
    selections = [select(study, application) for study in studies]
    verdicts = tuple(verdict for selection in selections for verdict in selection.verdicts)
    usable = [(s, found) for s, found in zip(studies, selections, strict=True) if found.matches]
    meant = [s for s, found in zip(studies, selections, strict=True) if found.matches or found.near_misses]
    if len(meant) < application.needs.visits:
        return CourseSelection((), _too_few(verdicts, len(meant), application))
    refusals = (*_contradictions(meant), *_undated(meant))
    if len(usable) < application.needs.visits:
        misses = (v for found in selections for v in found.near_misses)
        refusals = (*refusals, *dict.fromkeys(reason for v in misses for reason in v.reasons))
    if refusals:
        return CourseSelection((), verdicts, refusals)
    usable.sort(key=lambda pair: _date(pair[0]) or date.min)
    first = min(day for day in (_date(study) for study, _ in usable) if day is not None)
    days = [((_date(study) or first) - first).days for study, _ in usable]
    (last, found), earlier = usable[-1], usable[:-1]
    matches = tuple(
        (
            *(
                Visit(study, _likest(match, before.matches, application), day)
                for (study, before), day in zip(earlier, days[:-1], strict=True)
            ),
            Visit(last, match, days[-1]),
        )
        for match in found.matches
    )
    left_out = _left_out([s for s in meant if s not in [one for one, _ in usable]], selections, studies)
    return CourseSelection(matches, verdicts, (), left_out)


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


def _date(study: Study) -> date | None:
    """Study Date (0008,0020); None where there is none or it is none."""
    text = str(study.tags.get("StudyDate") or "").strip()
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 else None
    except ValueError:
        return None


def _likest(
    match: Mapping[str, Series], candidates: Sequence[Mapping[str, Series]], application: Application
) -> Mapping[str, Series]:
    """Of the matches of an earlier visit that whose main series was made most like the last one's."""
    name = application.needs.main.name
    now = match[name]

    def likeness(candidate: Mapping[str, Series]) -> tuple[bool, ...]:
        then = candidate[name]
        return (
            then.modality == now.modality,
            *(then.tags.get(key) == now.tags.get(key) for key in _LIKENESS),
        )

    return max(candidates, key=likeness)


def _left_out(
    left: Sequence[Study], selections: Sequence[object], studies: Sequence[Study]
) -> tuple[Condition, ...]:
    if not left:
        return ()
    text = (
        f"{len(left)} of {len(studies)} studies of this patient could not be read and were left out; inspect says why. "
        "Changes are counted from the first study that could be read."
    )
    return (Condition("visit-left-out", "warning", text),)
