"""Lesions followed over several visits: each visit is matched with what was seen before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hounsfield.imaging.lesion_matching import match_lesions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hounsfield.imaging.lesion_matching import Place


@dataclass(slots=True)
class Track:
    """One lesion. seen: visit to the name that it has there; open_from: first visit at which it may be another one.

    rival: what it may be there instead. jump_mm: visit to the distance from where it was before. identity: what
    its file calls it at every visit, "" where it does not.
    """

    seen: dict[int, str]
    last_place: Place
    open_from: int | None = None
    rival: str = ""
    identity: str = ""
    jump_mm: dict[int, float] = field(default_factory=dict)

    @property
    def first_visit(self) -> int:
        """The visit at which it was seen first."""
        return min(self.seen)

    def is_open(self, visit: int) -> bool:
        """Whether it is unclear at that visit that this is the lesion of before."""
        return self.open_from is not None and visit >= self.open_from


def follow(
    visits: Sequence[Mapping[str, Place]], identities: Sequence[Mapping[str, str]] | None = None
) -> list[Track]:
    """The tracks of all lesions, those of the first visit first, larger ones before smaller.

    visits: places by name, all in the same millimetres. identities: by visit and name what the lesion's
    file calls it at every visit (Tracking UID): equal ones are one lesion wherever they lie, different ones
    never are. Places decide the rest. A lesion that was not there at one visit may come back at the next.
    """
    tracks: list[Track] = []
    for number, places in enumerate(visits):
        known = identities[number] if identities is not None else {}
        taken = {
            name: track
            for name in places
            for track in tracks
            if name in known and track.identity == known[name]
        }
        for is_known in (True, False):
            left = {n: p for n, p in places.items() if n not in taken and (n in known) == is_known}
            free = [one for one in tracks if not any(one is track for track in taken.values())]
            _match_by_place(number, left, [one for one in free if not (is_known and one.identity)], taken)
        for name in sorted(places, key=lambda one: (-places[one].diameter_mm, one)):
            if name not in taken:
                taken[name] = Track({}, places[name])
                tracks.append(taken[name])
            track = taken[name]
            track.seen[number], track.last_place = name, places[name]
            track.identity = track.identity or known.get(name, "")
    return tracks


def _match_by_place(
    number: int, left: Mapping[str, Place], waiting: Sequence[Track], taken: dict[str, Track]
) -> None:
    """Put the tracks whose place fits a lesion of `left` into `taken`."""
    found = match_lesions({str(k): track.last_place for k, track in enumerate(waiting)}, left)
    for k, name in found.pairs.items():
        track = taken[name] = waiting[int(k)]
        track.jump_mm[number] = found.distances_mm[k]
        if k in found.open and track.open_from is None:
            track.open_from, track.rival = number, found.open[k]
