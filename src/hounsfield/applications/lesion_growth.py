"""Growth of lesions over the visits of one patient: diameters, volumes, RECIST 1.1, doubling times.

Read `read_lesion_growth` first. Lesions are those outlined at each visit (SEG, RTSTRUCT, mask). Which is which
is decided by Tracking UID where it is given, else by place: in a shared frame of reference, or after a rigid
alignment of the images whose tolerance is told. What is not clear is said and not counted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hounsfield.applications._lesion_findings import (
    Followed,
    is_new,
    joined,
    lesion_finding,
    response_findings,
)
from hounsfield.applications._lesion_visits import ROLE, LesionVisit, aligned, differences, gather
from hounsfield.core import (
    Condition,
    Finding,
    Inputs,
    Measurement,
    Needs,
    Reading,
    Region,
    Role,
    Trend,
    application,
)
from hounsfield.core.code import (
    LESION,
    MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
)
from hounsfield.core.errors import RefusedInput
from hounsfield.core.progress import step
from hounsfield.imaging.lesion_tracks import Track, follow
from hounsfield.measures import (
    ORGAN_UNSTATED,
    FollowedLesion,
    NoduleAtTwoTimes,
    choose_targets,
    diameter_trend,
    recist_over_time,
    recist_trend,
    tumour_visits,
    vdt,
    volume_trend,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Outcome

VERSION = "1.0.0"
MOST_NAMED = 6
AGAINST = {"change-from-baseline": "against the first visit", "change-from-nadir": "against the smallest sum"}
SCAN = Role(ROLE, modalities=("CT", "MR"), geometry="volume")
OUTLINES = Role("lesions", geometry="any", kind="regions")


@application(
    name="lesion_growth",
    title="Growth of lesions over time",
    version=VERSION,
    needs=Needs((SCAN, OUTLINES), visits=2),
    codes=[LESION],
    memory_mb=3000,
)
def read_lesion_growth(inputs: Inputs) -> Reading:
    """Follow the lesions outlined at several visits of one patient: sizes, RECIST 1.1, doubling times, charts.

    Refuses images of several time points, visits without any outlined lesion, and visits whose lesions can
    be matched neither by place nor by what their files call them.
    """
    image = inputs[ROLE].image()
    if image.array.ndim != 3:
        text = "The image holds several time points; lesions are followed on one image a visit. Give one of them."
        return Reading.refused(Condition("several-time-points", "refusal", text, inputs[ROLE].files[:1]))
    step(inputs.progress, "lesion_growth: measuring lesions", 0.1)
    visits, conditions = gather(inputs)
    if not any(visit.lesions for visit in visits):
        text = (
            "No region given at any visit is, or may be, a lesion; what its file calls anatomy (segment category, RT type "
            "ORGAN) is none. Outline the lesions as SEG, RTSTRUCT (type GTV) or mask."
        )
        return Reading.refused(Condition("no-lesion-given", "refusal", text))
    step(inputs.progress, "lesion_growth: aligning visits", 0.3)
    visits, told = aligned(visits, image)
    conditions += told
    identities, told = _identities(visits)
    conditions += told
    if any(condition.severity == "refusal" for condition in conditions):
        return Reading.refused(*conditions)
    step(inputs.progress, "lesion_growth: matching lesions", 0.8)
    lesions = _followed(visits, identities)
    return _reading(visits, lesions, [*conditions, *_doubts(visits, lesions)])


def _identities(visits: Sequence[LesionVisit]) -> tuple[list[dict[str, str]], list[Condition]]:
    """What the files call each lesion at every visit; their names only where a place cannot tell."""
    tracked = [
        {name: uid for name, one in visit.lesions.items() if (uid := one.region.tracking_uid)}
        for visit in visits
    ]
    if all(visit.to_last is not None for visit in visits):
        return tracked, []
    if all(len(known) == len(visit.lesions) for known, visit in zip(tracked, visits, strict=True)):
        return tracked, []
    if len({frozenset(visit.lesions) for visit in visits}) == 1:
        text = (
            "Visits could not be laid over each other, so lesions of equal names were taken for the same. Check that "
            "the names mean the same lesion at every visit."
        )
        named = [{name: name for name in visit.lesions} for visit in visits]
        return named, [Condition("matched-by-name", "warning", text)]
    text = (
        "Visits could not be laid over each other, and their regions have neither Tracking UIDs (0062,0021) nor the "
        "same names: which lesion is which is not known. Give regions that say it, or images of the same body part."
    )
    return tracked, [Condition("lesions-not-matched", "refusal", text)]


def _followed(visits: Sequence[LesionVisit], identities: Sequence[dict[str, str]]) -> list[Followed]:
    tracks = follow([visit.places for visit in visits], identities)
    return [
        Followed(
            f"Lesion {number}",
            f"lesion-{number}",
            track,
            tuple(_state(visits, track, k) for k in range(len(visits))),
            tuple(visit.lesions.get(track.seen.get(k, "")) for k, visit in enumerate(visits)),
        )
        for number, track in enumerate(tracks, start=1)
    ]


def _state(visits: Sequence[LesionVisit], track: Track, k: int) -> str:
    """What is known of a lesion at visit k."""
    is_first = k == track.first_visit
    if k in track.seen:
        if is_first and k > 0 and visits[k - 1].lesion_at(track.last_place.centre_mm) is not None:
            return "split"
        return "open" if track.is_open(k) else "seen"
    if visits[k].index_of(track.last_place.centre_mm) is None:
        return "unseen"
    if k < track.first_visit:
        return "not yet"
    if visits[k].lesion_at(track.last_place.centre_mm) is not None:
        return "merged"
    return "open" if track.is_open(k) else "gone"


def _doubts(visits: Sequence[LesionVisit], lesions: Sequence[Followed]) -> list[Condition]:
    """What is not clear about which lesion is which, each once with the lesions concerned."""
    at = {
        state: _concerned(visits, lesions, state) for state in ("open", "gone", "unseen", "merged", "split")
    }
    new = _listed([one.label for one in lesions if is_new(one)])
    found = [
        Condition(
            "lesion-match-open",
            "warning",
            f"{at['open']}: could as well be another lesion that lies near it, so its change is not given. Give the "
            "regions Tracking UIDs (0062,0021) that say which is which.",
        ),
        Condition(
            "lesion-not-outlined",
            "warning",
            f"{at['gone']}: no region lies there though the place is imaged, so it counts as gone (0 mm). If it was only "
            "not outlined, outline it.",
        ),
        Condition(
            "lesion-not-covered",
            "warning",
            f"{at['unseen']}: the place lies outside the image, or is not known there. It counts as not measured, and a "
            "lesion that is seen first after such a visit is not called new.",
        ),
        Condition(
            "lesions-merged",
            "warning",
            f"{at['merged']}: it has no region of its own and its place belongs to another lesion, so they may have merged. "
            "It counts as not measured.",
        ),
        Condition(
            "lesion-split",
            "warning",
            f"{at['split']}: it was not outlined before and its place belonged to another lesion, which may have split. It "
            "is not called new.",
        ),
        Condition(
            "new-lesion-unconfirmed",
            "warning",
            f"{new}: no region lay there at the visits before, though the place was imaged. A new lesion is progression by "
            "RECIST 1.1 if it is unequivocal: a reader has to confirm that.",
        ),
    ]
    return [condition for condition, concerned in zip(found, (*at.values(), new), strict=True) if concerned]


def _concerned(visits: Sequence[LesionVisit], lesions: Sequence[Followed], state: str) -> str:
    """Lesions and days of that state, in words; "" for none."""
    found = [
        f"{one.label} on day {visit.day}"
        for one in lesions
        for visit, at in zip(visits, one.states, strict=True)
        if at == state
    ]
    return _listed(found)


def _reading(
    visits: Sequence[LesionVisit], lesions: Sequence[Followed], conditions: list[Condition]
) -> Reading:
    days = [visit.day for visit in visits]
    changes = {one.name: _change(one, days) for one in lesions}
    conditions += _refused_changes(lesions, changes)
    hard, soft = differences(visits)
    if soft:
        text = f"The technique is not the same at all visits ({'; '.join(soft)}): small changes may come from it."
        conditions.append(Condition("technique-changed", "warning", text))
    measurements, response_findings, trends, told = _response(visits, lesions, hard)
    volumes = {
        one.label: [
            (day, 1000 * seen.volume.value)
            for day, seen, state in zip(days, one.sightings, one.states, strict=True)
            if seen is not None and state != "open"
        ]
        for one in lesions
    }
    trends.append(volume_trend(volumes))
    return Reading.complete(
        findings=[*response_findings, *(lesion_finding(one, days, changes[one.name]) for one in lesions)],
        measurements=measurements,
        regions=[_region_now(one) for one in lesions if one.sightings[-1] is not None],
        conditions=[*conditions, *told, *_unstated(lesions)],
        trends=trends,
    )


def _region_now(lesion: Followed) -> Region:
    now = lesion.sightings[-1] or lesion.first
    return replace(now.region, name=lesion.name)


def _change(lesion: Followed, days: Sequence[int]) -> Outcome | str | None:
    """Growth from the first to the last sighting; the reason why there is none; None without two sightings."""
    there = [
        (day, seen.volume.value)
        for day, seen, state in zip(days, lesion.sightings, lesion.states, strict=True)
        if seen is not None and state == "seen"
    ]
    if len(there) < 2 or lesion.states[-1] != "seen":
        return None
    (first, before_ml), (last, after_ml) = there[0], there[-1]
    try:
        return vdt(NoduleAtTwoTimes(v1_mm3=1000 * before_ml, v2_mm3=1000 * after_ml, days=last - first))
    except RefusedInput as refusal:
        return str(refusal)


def _refused_changes(
    lesions: Sequence[Followed], changes: dict[str, Outcome | str | None]
) -> list[Condition]:
    by_reason: dict[str, list[str]] = {}
    for one in lesions:
        reason = changes[one.name]
        if isinstance(reason, str):
            by_reason.setdefault(reason, []).append(one.label)
    return [
        Condition(
            "doubling-time-refused",
            "note",
            f"{_listed(labels)}: no change of volume is given, because {reason}",
        )
        for reason, labels in by_reason.items()
    ]


def _response(
    visits: Sequence[LesionVisit], lesions: Sequence[Followed], hard: Sequence[str]
) -> tuple[list[Measurement], list[Finding], list[Trend], list[Condition]]:
    """RECIST 1.1 of the last visit and its curve; diameters alone where it is refused, with the reason."""
    days = [visit.day for visit in visits]
    followed = [
        FollowedLesion(
            one.label,
            one.organ,
            one.sizes_mm("longest"),
            one.sizes_mm("short_axis"),
            one.track.first_visit,
            is_new(one),
        )
        for one in lesions
    ]
    alone = [diameter_trend(days, followed)]
    targets = choose_targets(followed, spacing_mm=visits[0].grid.spacing_mm[0])
    if hard:
        text = f"RECIST 1.1 compares like with like, and this is not: {'; '.join(hard)}. Sizes are given without a response."
        return [], [], alone, [Condition("response-refused", "warning", text)]
    if not targets:
        text = (
            "No lesion of the first visit is large enough for a target of RECIST 1.1 (10 mm and twice the distance of "
            "slices; 15 mm across for a lymph node): sizes are given without a response."
        )
        return [], [], alone, [Condition("no-target-lesion", "note", text)]
    seen = tumour_visits(days, followed, targets)
    last = recist_over_time(seen)[-1]
    names = {one.label: one.name for one in lesions if one.sightings[-1] is not None}
    measured = tuple(names[one.label] for one in targets if one.label in names)
    conditions = [*last.conditions]
    left = [one for one in followed if one.first_visit == 0 and one not in targets]
    if any(one.organ == ORGAN_UNSTATED for one in left):
        text = (
            "The files do not say in which organ lesions lie, so all count as one organ, of which RECIST 1.1 takes two "
            "targets: the largest were taken. A SEG says it by its Anatomic Region (0008,2218)."
        )
        conditions.append(Condition("organ-unstated", "note", text))
    trends = [recist_trend(seen), *(alone if len(followed) > len(targets) else [])]
    numbers = [
        replace(m, regions=measured, note=joined(AGAINST.get(m.name, ""), m.note)) for m in last.measurements
    ]
    return numbers, response_findings(last, measured), trends, conditions


def _unstated(lesions: Sequence[Followed]) -> list[Condition]:
    open_ones = [
        one.label for one in lesions if one.first.region.category != MORPHOLOGICALLY_ABNORMAL_STRUCTURE
    ]
    if not open_ones:
        return []
    text = (
        f"It is not stated whether these regions are lesions: {_listed(open_ones)}. A mask cannot say so; a SEG says it by "
        "its segment category, an RTSTRUCT by the type GTV."
    )
    return [Condition("regions-unstated", "note", text)]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"
