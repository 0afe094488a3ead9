"""Whether a pregnancy is dated anew by ultrasound: ACOG Committee Opinion 700."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.measures._rule import RuleCard, measure

# Age by last menstrual period in days, first day of each stage, and the largest discrepancy that is left.
STAGES = ((28 * 7, 21), (22 * 7, 14), (16 * 7, 10), (9 * 7, 7), (0, 5))


@dataclass(frozen=True, slots=True, kw_only=True)
class RedatingInputs(RuleInput):
    """Age by the last menstrual period, and how far ultrasound is from it."""

    lmp_weeks: Annotated[int, Given("wk", "completed weeks by last menstrual period", at_least=0, at_most=44)]
    lmp_days: Annotated[int, Given("d", "days beyond these weeks", at_least=0, at_most=6)]
    discrepancy_days: Annotated[
        int, Given("d", "age by ultrasound minus age by last menstrual period", at_least=-150, at_most=150)
    ]
    is_dated_by_scan: Annotated[bool, Given("", "already dated by an earlier scan")] = False


CARD = RuleCard(
    name="acog-redating-700",
    version="1.0.0",
    source="ACOG Committee Opinion 700, Obstet Gynecol 2017;129:e150",
    quantity=private_code("REDATING_LIMIT", "Largest discrepancy that is not redated"),
    unit="d",
    takes="numbers",
    inputs=RedatingInputs,
    formula="redate above 5 days to 8w6d, 7 to 15w6d, 10 to 21w6d, 14 to 27w6d, 21 from 28w0d (age by last period)",
    population="spontaneous singleton pregnancies with a known last menstrual period",
    refuses=("a pregnancy that was dated by an earlier scan",),
)


def limit_days(*, lmp_weeks: int, lmp_days: int) -> int:
    """5 days to 8w6d, 7 to 15w6d, 10 to 21w6d, 14 to 27w6d, 21 from 28w0d."""
    age_days = 7 * lmp_weeks + lmp_days
    return next(limit for first, limit in STAGES if age_days >= first)


@measure(CARD)
def acog_redating_700(inputs: RedatingInputs) -> Outcome:
    """Whether to date anew: `redate` if the discrepancy exceeds the limit of the stage (exclusive), else `keep`.

    Raises RefusedInput if the pregnancy was dated by an earlier scan: that date is never changed.
    """
    if inputs.is_dated_by_scan:
        raise RefusedInput(
            "this pregnancy was dated by an earlier scan, which a later one never changes. Keep that date."
        )
    limit = limit_days(lmp_weeks=inputs.lmp_weeks, lmp_days=inputs.lmp_days)
    is_beyond = abs(inputs.discrepancy_days) > limit
    found = "redate" if is_beyond else "keep"
    meaning = f"the discrepancy is {'above' if is_beyond else 'not above'} {limit} days"
    return CARD.outcome(
        measurements=[CARD.number("redating-limit", limit)],
        categories=[CARD.category("redating", found, meaning, based_on=inputs.to_json())],
        steps=[
            f"{inputs.lmp_weeks}w{inputs.lmp_days}d: limit {limit} days",
            f"{abs(inputs.discrepancy_days)} {'>' if is_beyond else '<='} {limit}: {found}",
        ],
    )
