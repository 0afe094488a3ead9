"""RECIST 1.1: response of solid tumours at one time point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hounsfield.core import Condition, Given, Outcome, RuleInput
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.measures._target_response import MEANINGS, RESPONSE_CODES, Sums

Response = Literal["CR", "PR", "SD", "PD", "NE"]
NonTarget = Literal["CR", "non-CR/non-PD", "PD", "NE", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecistAssessment(RuleInput):
    """One time point after the baseline: sums of target diameters, or a target response by itself.

    A sum holds the longest diameters of non-nodal and the short axes of nodal targets; at most 5
    targets, 2 an organ. Non-target progression and new lesions are a reader's statements.
    """

    baseline_mm: Annotated[float | None, Given("mm", "sum at baseline", at_least=0, at_most=5000)] = None
    nadir_mm: Annotated[
        float | None, Given("mm", "smallest sum so far, baseline included", at_least=0, at_most=5000)
    ] = None
    current_mm: Annotated[float | None, Given("mm", "sum at this time point", at_least=0, at_most=5000)] = (
        None
    )
    n_targets_not_measured: Annotated[int, Given("1", "targets that could not be measured", at_least=0)] = 0
    all_non_nodal_gone: Annotated[bool, Given("", "all targets that are no nodes have vanished")] = False
    all_nodes_short_axis_lt_10: Annotated[
        bool, Given("", "every nodal target has a short axis below 10 mm")
    ] = False
    non_target: Annotated[NonTarget, Given("", "non-target disease, by a reader; none: there is none")] = (
        "none"
    )
    new_lesion: Annotated[bool, Given("", "an unequivocal new lesion, by a reader")] = False
    target: Annotated[Response | None, Given("", "target response, if known without sums")] = None

    def check(self) -> None:
        """Sums or a target response; a nadir that is not above the baseline."""
        sums = (self.baseline_mm, self.nadir_mm, self.current_mm)
        if self.target is None and None in sums:
            raise RefusedInput(
                "the target response needs baseline_mm, nadir_mm and current_mm (a target that was not measured "
                "is n_targets_not_measured, never 0 mm), or target."
            )
        if self.target is not None and any(mm is not None for mm in sums):
            raise RefusedInput("target and sums are both stated: give one of them.")
        if (
            self.nadir_mm is not None
            and self.baseline_mm is not None
            and exact(self.nadir_mm) > exact(self.baseline_mm)
        ):
            raise RefusedInput(
                f"nadir_mm {shown(self.nadir_mm)} is above baseline_mm {shown(self.baseline_mm)}: the nadir is the "
                "smallest sum so far, baseline included."
            )


CARD = RuleCard(
    name="recist-1.1",
    version="1.0.0",
    source="Eisenhauer 2009, Eur J Cancer 45:228",
    takes="numbers",
    inputs=RecistAssessment,
    evidence="secondary",
    formula="CR: targets gone, nodes below 10 mm; PD: at least 20 % and 5 mm above nadir; PR: at least 30 % below "
    "baseline; else SD; a target not measured: NE unless PD is proven; overall with non-targets and new lesions",
    population="adults with solid tumours measured on CT or MR, same modality and plane as at baseline",
    refuses=("no sum of a time point", "nadir above baseline", "a target that is missing counted as 0"),
    uncertainty="sums of two readers differ by about +-20 % (95 %, Yoon 2016; unverified)",
)


@measure(CARD)
def recist_1_1(assessment: RecistAssessment) -> Outcome:
    """Target response (with sums) and overall response of one time point.

    Confirmation of CR and PR and the least interval for SD are the protocol's and not decided here.
    Raises RefusedInput where neither sums nor a target response are stated.
    """
    target = assessment.target
    sums, categories = None, []
    if target is None:
        sums = Sums.of(assessment.baseline_mm or 0, assessment.nadir_mm or 0, assessment.current_mm or 0)
        target = _target_response(assessment, sums)
        categories.append(
            CARD.category(
                "target-response",
                target,
                f"targets: {MEANINGS[target]}",
                based_on=assessment.to_json(),
                code=RESPONSE_CODES.get(target),
            )
        )
    overall = overall_response(target, assessment.non_target, new_lesion=assessment.new_lesion)
    based_on = {"target": target, "non_target": assessment.non_target, "new_lesion": assessment.new_lesion}
    categories.append(CARD.category("overall-response", overall, MEANINGS[overall], based_on=based_on))
    text = "CR and PR need confirmation, SD a least interval, where the protocol says so: not decided here."
    conditions = [] if overall in {"PD", "NE"} else [Condition("confirmation-by-protocol", "note", text)]
    lesion = "yes" if assessment.new_lesion else "no"
    return CARD.outcome(
        measurements=sums.numbers(CARD) if sums else [],
        categories=categories,
        conditions=conditions,
        steps=[
            *(sums.steps if sums else []),
            f"targets {target}, non-targets {assessment.non_target}, new lesion {lesion}: {overall}",
        ],
    )


def _target_response(assessment: RecistAssessment, sums: Sums) -> Response:
    if assessment.n_targets_not_measured:
        return "PD" if sums.is_progression else "NE"
    if assessment.all_non_nodal_gone and assessment.all_nodes_short_axis_lt_10:
        return "CR"
    if sums.is_progression:
        return "PD"
    return "PR" if sums.is_partial_response else "SD"


def overall_response(target: Response, non_target: NonTarget, *, new_lesion: bool) -> Response:
    """Table of RECIST 1.1: progression anywhere decides, then the targets, CR only with the rest gone."""
    if new_lesion or "PD" in {target, non_target}:
        return "PD"
    if target == "CR" and non_target not in {"CR", "none"}:
        return "PR"
    return target
