"""RECIST and iRECIST over the visits of one patient: sums, nadir and the state between visits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from hounsfield.core import Given, RuleInput
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures.irecist_2017 import AfterUnconfirmedProgression, irecist_2017
from hounsfield.measures.recist_1_1 import NonTarget, RecistAssessment, recist_1_1

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Outcome

MAX_TARGETS, MAX_TARGETS_AN_ORGAN = 5, 2
NODES = "lymph node"  # all nodes count as one organ
MIN_TARGET_MM, MIN_NODE_MM = 10, 15  # longest diameter; short axis of a node
NODE_NORMAL_BELOW_MM = 10
TOO_SMALL_MM = 5.0  # entered for a target that is present and too small to measure


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLesion(RuleInput):
    """One target at one visit: longest diameter, of a node the short axis; None: not measured."""

    name: Annotated[str, Given("", "name of the lesion, the same at every visit")]
    organ: Annotated[str, Given("", "organ; 'lymph node' for nodes")]
    diameter_mm: Annotated[
        float | None, Given("mm", "longest diameter, of a node the short axis; 0: gone", at_least=0)
    ]
    too_small: Annotated[bool, Given("", "present, but too small to measure: counts 5 mm")] = False

    @property
    def counted_mm(self) -> float | None:
        """What enters the sum."""
        return TOO_SMALL_MM if self.too_small else self.diameter_mm

    @property
    def is_node(self) -> bool:
        """Whether its short axis counts."""
        return self.organ == NODES


@dataclass(frozen=True, slots=True, kw_only=True)
class TumourVisit(RuleInput):
    """What was seen at one visit; the first of a series is the baseline."""

    day: Annotated[int, Given("d", "days since the baseline")]
    targets: Annotated[tuple[TargetLesion, ...], Given("", "target lesions")]
    non_target: Annotated[NonTarget, Given("", "non-target disease, by a reader")] = "none"
    n_new_lesions: Annotated[int, Given("1", "unequivocal new lesions that are present", at_least=0)] = 0
    new_target_sum_mm: Annotated[
        float, Given("mm", "sum of those new lesions that are measured", at_least=0)
    ] = 0
    new_non_target_increase: Annotated[
        bool, Given("", "a new non-target lesion grew since the last visit")
    ] = False
    non_target_further_increase: Annotated[
        bool, Given("", "non-target disease grew since the last visit")
    ] = False

    @property
    def sum_mm(self) -> float:
        """Sum of the targets that were measured."""
        return float(
            sum((exact(one.counted_mm) for one in self.targets if one.counted_mm is not None), exact(0))
        )

    @property
    def is_complete_response(self) -> bool:
        """Targets gone, nodes below 10 mm."""
        return all(
            one.counted_mm is not None
            and (exact(one.counted_mm) < NODE_NORMAL_BELOW_MM if one.is_node else one.counted_mm == 0)
            for one in self.targets
        )


def recist_over_time(visits: Sequence[TumourVisit]) -> tuple[Outcome, ...]:
    """RECIST 1.1 of every visit after the first, which is the baseline; the nadir is kept on the way.

    A visit with a target that was not measured lends no nadir. Raises RefusedInput where visits are
    not in order, a baseline target is too small, targets are too many, or names differ.
    """
    _check(visits)
    baseline_mm, sums_mm, outcomes = visits[0].sum_mm, [visits[0].sum_mm], []
    for visit in visits[1:]:
        n_unmeasured = sum(one.counted_mm is None for one in visit.targets)
        outcomes.append(
            recist_1_1(
                RecistAssessment(
                    baseline_mm=baseline_mm,
                    nadir_mm=min(sums_mm),
                    current_mm=visit.sum_mm,
                    n_targets_not_measured=n_unmeasured,
                    all_non_nodal_gone=visit.is_complete_response,
                    all_nodes_short_axis_lt_10=visit.is_complete_response,
                    non_target=visit.non_target,
                    new_lesion=visit.n_new_lesions > 0,
                )
            )
        )
        if not n_unmeasured:
            sums_mm.append(visit.sum_mm)
    return tuple(outcomes)


def irecist_over_time(visits: Sequence[TumourVisit]) -> tuple[str, ...]:
    """The iRECIST state of every visit after the first: iCR, iPR, iSD, iUPD, iCPD or NE.

    The first progression by RECIST 1.1 is iUPD; growth counts from that visit, over as many visits as
    it takes, until it is confirmed (iCPD, which stays) or a visit without progression resets the bar.
    """
    states: list[str] = []
    unconfirmed: TumourVisit | None = None
    for visit, outcome in zip(visits[1:], recist_over_time(visits), strict=True):
        overall = outcome.category("overall-response")
        if states[-1:] == ["iCPD"]:
            states.append("iCPD")
        elif overall == "NE":
            states.append("NE")
        elif unconfirmed is not None:
            after = _after(
                unconfirmed, visit, baseline_mm=visits[0].sum_mm, is_still_progression=overall == "PD"
            )
            states.append(irecist_2017(after).category("irecist") or "NE")
        else:
            states.append("iUPD" if overall == "PD" else f"i{overall}")
            unconfirmed = visit
        if states[-1] not in {"iUPD", "NE"}:
            unconfirmed = None
    return tuple(states)


def _after(
    unconfirmed: TumourVisit, visit: TumourVisit, *, baseline_mm: float, is_still_progression: bool
) -> AfterUnconfirmedProgression:
    return AfterUnconfirmedProgression(
        baseline_mm=baseline_mm,
        sum_at_iupd_mm=unconfirmed.sum_mm,
        current_sum_mm=visit.sum_mm,
        still_pd_vs_nadir=is_still_progression,
        new_target_sum_prev_mm=unconfirmed.new_target_sum_mm,
        new_target_sum_now_mm=visit.new_target_sum_mm,
        non_target_further_increase=visit.non_target_further_increase,
        new_non_target_increase=visit.new_non_target_increase,
        further_new_lesion=visit.n_new_lesions > unconfirmed.n_new_lesions,
        all_gone=visit.is_complete_response and visit.non_target in {"CR", "none"},
    )


def _check(visits: Sequence[TumourVisit]) -> None:
    """Order, number and size of targets at baseline, and the same names at every visit."""
    if not visits or [visit.day for visit in visits] != sorted({visit.day for visit in visits}):
        raise RefusedInput("the visits are not in the order of their days, or two share a day. Sort them.")
    baseline = visits[0].targets
    crowded = [
        organ for organ, n in Counter(one.organ for one in baseline).items() if n > MAX_TARGETS_AN_ORGAN
    ]
    if len(baseline) > MAX_TARGETS or crowded:
        raise RefusedInput(
            f"{len(baseline)} targets{f', more than 2 in {crowded[0]}' if crowded else ''}: RECIST 1.1 takes at most "
            "5, and 2 an organ (nodes are one organ)."
        )
    for one in baseline:
        least_mm = MIN_NODE_MM if one.is_node else MIN_TARGET_MM
        if one.counted_mm is None or exact(one.counted_mm) < least_mm:
            raise RefusedInput(
                f"target {one.name!r} measures {shown(one.counted_mm or 0)} mm at baseline: a target has at least "
                f"{least_mm} mm ({'short axis of a node' if one.is_node else 'longest diameter'})."
            )
    names = sorted(one.name for one in baseline)
    for visit in visits:
        if sorted(one.name for one in visit.targets) != names:
            raise RefusedInput(
                f"the targets of day {visit.day} are not those of the baseline ({', '.join(names)}): a target that "
                "is gone has 0 mm, one that was not measured None."
            )
