"""What lesion_growth says: one lesion over all visits, and the response, as findings with their reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hounsfield.core import Finding, Urgency
from hounsfield.core.code import (
    LESION,
    LYMPH_NODE,
    MORPHOLOGICALLY_ABNORMAL_STRUCTURE,
    PRIVATE_SCHEME,
    private_code,
)
from hounsfield.core.exact import shown
from hounsfield.measures import NODES, ORGAN_UNSTATED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.applications._lesion_visits import SeenLesion
    from hounsfield.core import Outcome
    from hounsfield.core.finding import Presence
    from hounsfield.imaging.lesion_tracks import Track


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """One lesion over all visits. states: `seen`, `gone`, `merged`, `split`, `open`, `unseen` or `not yet` by visit.

    sightings: what was measured, None where nothing was.
    """

    label: str
    name: str
    track: Track
    states: tuple[str, ...]
    sightings: tuple[SeenLesion | None, ...]

    @property
    def first(self) -> SeenLesion:
        """Where it was seen first."""
        return next(one for one in self.sightings if one is not None)

    @property
    def organ(self) -> str:
        """Where it lies as its file says; a lymph node is an organ of its own."""
        region = self.first.region
        stated = {region.concept.value, region.site.value if region.site else ""}
        if LYMPH_NODE.value in stated or "lymph node" in region.concept.meaning.lower():
            return NODES
        return region.site.meaning if region.site else ORGAN_UNSTATED

    def sizes_mm(self, what: str) -> tuple[float | None, ...]:
        """`longest` or `short_axis` by visit: 0 where it is gone, None where it was not measured."""
        return tuple(
            getattr(one, what).value
            if one is not None and state == "seen"
            else 0.0
            if state == "gone"
            else None
            for one, state in zip(self.sightings, self.states, strict=True)
        )


def is_new(lesion: Followed) -> bool:
    """Whether it was seen first after the first visit, at a place that was imaged before and belonged to none."""
    first = lesion.track.first_visit
    return first > 0 and lesion.states[first] == "seen" and set(lesion.states[:first]) == {"not yet"}


def response_findings(outcome: Outcome, regions: tuple[str, ...]) -> list[Finding]:
    """The classes of RECIST 1.1 as findings; `regions`: the targets that are there."""
    found = []
    for category in outcome.categories:
        words = category.name.replace("-", " ").capitalize()
        private = f"{category.name.upper().replace('-', '_')}_{category.value.upper()}"
        concept = category.code or private_code(private, f"{words} by RECIST 1.1: {category.meaning}")
        urgency = Urgency.U3 if category.value == "PD" else Urgency.U0
        reason = f"{category.rule} {category.rule_version}: {'; '.join(outcome.steps)}."
        found.append(Finding(category.name, concept, "present", reason, regions=regions, urgency=urgency))
    return found


def lesion_finding(lesion: Followed, days: Sequence[int], change: Outcome | str | None) -> Finding:
    """What became of one lesion, with its sizes at the last visit and their change."""
    region, state, now = lesion.first.region, lesion.states[-1], lesion.sightings[-1]
    is_private = region.concept.scheme == PRIVATE_SCHEME
    is_stated = region.category == MORPHOLOGICALLY_ABNORMAL_STRUCTURE
    presence: Presence = "present" if now is not None and is_stated else "indeterminate"
    if state == "gone":
        presence = "absent"
    measured = []
    if now is not None:
        sizes = (now.longest, now.short_axis, now.volume)
        measured = [replace(m, regions=(lesion.name,)) for m in sizes]
    if now is not None and change is not None and not isinstance(change, str):
        since = f"from day {days[_first_seen(lesion)]} to day {days[-1]}"
        measured += [
            replace(m, regions=(lesion.name,), note=joined(since, m.note)) for m in change.measurements
        ]
    return Finding(
        lesion.name,
        LESION if is_private else region.concept,
        presence,
        _reason(lesion, days, change),
        site=region.site,
        laterality=region.laterality,
        regions=(lesion.name,) if now is not None else (),
        measurements=tuple(measured),
        tracking_identifier=lesion.name,
    )


def _first_seen(lesion: Followed) -> int:
    return next(k for k, state in enumerate(lesion.states) if state == "seen")


def _reason(lesion: Followed, days: Sequence[int], change: Outcome | str | None) -> str:
    """One or two sentences: under which names it was outlined, its sizes, what it does."""
    words = {
        "seen": "",
        "gone": "no region at its place",
        "merged": "within another lesion",
        "split": "may have split off another lesion",
        "open": "not sure which",
        "unseen": "not imaged",
    }
    told = []
    for day, state, seen in zip(days, lesion.states, lesion.sightings, strict=True):
        if state == "not yet":
            continue
        size = f"{seen.longest.value:.1f} mm, {seen.volume.value:.2f} ml" if seen is not None else ""
        given = lesion.track.seen.get(days.index(day), lesion.name)
        name = "" if given == lesion.name else f"outlined as {given}"
        told.append(f"day {day} {', '.join(part for part in (size, words[state], name) if part)}")
    text = f"{lesion.label}{' (new)' if is_new(lesion) else ''}: {'; '.join(told)}."
    if change is None or isinstance(change, str):
        return text
    percent, doubling = change.value("volume-change"), change.value("vdt")
    text += f" Volume {percent:+.0f} %: {change.category('growth-state')}"
    return text + (f", doubling in {shown(round(doubling))} days." if doubling is not None else ".")


def joined(*parts: str) -> str:
    """Notes one after the other, without those that are empty."""
    return "; ".join(part for part in parts if part)
