"""From lesions followed over visits to the visits of RECIST 1.1: which are targets, and what counts of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.measures._tumour_visits import (
    MAX_TARGETS,
    MAX_TARGETS_AN_ORGAN,
    MIN_NODE_MM,
    MIN_TARGET_MM,
    NODES,
    TargetLesion,
    TumourVisit,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.measures.recist_1_1 import NonTarget

ORGAN_UNSTATED = "organ not stated"
# A lesion is measured reliably from twice the distance of slices on (RECIST 1.1, section 3.1).
SLICES_OF_A_TARGET = 2


@dataclass(frozen=True, slots=True)
class FollowedLesion:
    """One lesion at every visit. organ: NODES for a lymph node. first_visit: where it was seen first.

    longest_mm, short_axis_mm: by visit; 0: gone, None: not measured (or, before `first_visit`, not there).
    is_new: whether it counts as a new lesion from `first_visit` on.
    """

    label: str
    organ: str
    longest_mm: tuple[float | None, ...]
    short_axis_mm: tuple[float | None, ...]
    first_visit: int = 0
    is_new: bool = False

    @property
    def is_node(self) -> bool:
        """Whether its short axis counts."""
        return self.organ == NODES

    @property
    def counted_mm(self) -> tuple[float | None, ...]:
        """What RECIST takes of it at every visit."""
        return self.short_axis_mm if self.is_node else self.longest_mm


def choose_targets(lesions: Sequence[FollowedLesion], *, spacing_mm: float) -> list[FollowedLesion]:
    """The largest measurable lesions of the first visit, at most 5 and 2 an organ; all of no stated organ are one.

    spacing_mm: distance between slices at the first visit, of which a target (no node) measures twice as much.
    """

    def size_mm(lesion: FollowedLesion) -> float:
        return lesion.counted_mm[0] or 0.0

    least_mm = max(MIN_TARGET_MM, SLICES_OF_A_TARGET * spacing_mm)
    measurable = [
        lesion
        for lesion in lesions
        if lesion.first_visit == 0 and size_mm(lesion) >= (MIN_NODE_MM if lesion.is_node else least_mm)
    ]
    chosen: list[FollowedLesion] = []
    of_organ: Counter[str] = Counter()
    for lesion in sorted(measurable, key=lambda one: -size_mm(one)):
        if len(chosen) < MAX_TARGETS and of_organ[lesion.organ] < MAX_TARGETS_AN_ORGAN:
            chosen.append(lesion)
            of_organ[lesion.organ] += 1
    return chosen


def tumour_visits(
    days: Sequence[int], lesions: Sequence[FollowedLesion], targets: Sequence[FollowedLesion]
) -> list[TumourVisit]:
    """What RECIST 1.1 is asked at every visit. Progression of non-targets is a reader's statement and never made here."""
    others = [one for one in lesions if one.first_visit == 0 and one not in targets]
    visits = []
    for k, day in enumerate(days):
        new_mm = [one.longest_mm[k] for one in lesions if one.is_new and k >= one.first_visit]
        there_mm = [mm for mm in new_mm if mm]
        visits.append(
            TumourVisit(
                day=day,
                targets=tuple(
                    TargetLesion(name=one.label, organ=one.organ, diameter_mm=one.counted_mm[k])
                    for one in targets
                ),
                non_target=_non_target([one.counted_mm[k] for one in others]),
                n_new_lesions=len(there_mm),
                new_target_sum_mm=sum(there_mm),
            )
        )
    return visits


def _non_target(sizes_mm: Sequence[float | None]) -> NonTarget:
    if not sizes_mm:
        return "none"
    if None in sizes_mm:
        return "NE"
    return "non-CR/non-PD" if any(sizes_mm) else "CR"
