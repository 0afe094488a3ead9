"""Wilson interval of a proportion, as a rule; the arithmetic is that of metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import shown
from hounsfield.measures._rule import RuleCard, measure
from hounsfield.metrics import wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class WilsonInputs(RuleInput):
    """A count out of so many independent cases."""

    k: Annotated[int, Given("1", "cases that count", at_least=0)]
    n: Annotated[int, Given("1", "independent cases in all, patients and not slices", above=0)]

    def check(self) -> None:
        """Raise RefusedInput if more cases count than there are."""
        if self.k > self.n:
            raise RefusedInput(f"k is {self.k}, above n of {self.n}: no more cases can count than there are.")


CARD = RuleCard(
    name="wilson",
    version="1.0.0",
    source="Wilson 1927, J Am Stat Assoc 22:209; z = 1.959964",
    quantity=private_code("PROPORTION", "Proportion"),
    unit="1",
    takes="numbers",
    inputs=WilsonInputs,
    formula="(p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)",
    population="independent cases: one count a patient",
    refuses=("no cases", "more cases that count than there are"),
    evidence="verified",
)


@measure(CARD)
def wilson(inputs: WilsonInputs) -> Outcome:
    """Proportion k / n with its 95 % Wilson score interval; 0 and 1 are exact at both ends."""
    interval = wilson_interval(inputs.k, inputs.n)
    return CARD.outcome(
        measurements=[
            CARD.number("proportion", interval.value),
            CARD.number("interval-low", interval.low, note="95 % interval"),
            CARD.number("interval-high", interval.high, note="95 % interval"),
        ],
        steps=[
            f"{inputs.k} of {inputs.n} = {shown(interval.value)}",
            f"95 % interval {shown(interval.low)} to {shown(interval.high)}",
        ],
    )
